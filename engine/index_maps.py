"""Symbolic index maps of data-movement calls: which element of which operand each element of a result is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import sympy
import torch

from .calls import signature
from .integers import Expr
from .positions import Fact, Moved, Position, Read, Sizes, floor_div, made, nth_dim
from .regions import narrowed, scattered, sliced
from .reorders import dims_moved, flipped, last_transposed, matrix_transposed, permuted, swapped, transposed
from .repeats import copied, expanded, expanded_as, interleaved, repeated, tiled
from .spellings import ALIASES, CASTS, EXPANDS, RESHAPES
from .torch_api import OpOverload

_aten, _prims = torch.ops.aten, torch.ops.prims
Cases = Iterator[Moved]


def moved(target: object, args: Sequence[Any]) -> tuple[Moved, ...] | None:
    """What a call computes, for ``args`` in schema order with a ``Moved`` for each tensor; sizes and bounds are
    ints or expressions of non-negative integer symbols.

    One result for each case that the facts tell apart, such as a bound within its dim or past it: together
    they cover every defined call. None is defined if the result is empty. ``None``: the call is not known to be
    pure data movement.
    """
    handler = HANDLERS.get(target)
    if handler is None or not isinstance(target, OpOverload):
        return None
    names = signature(target).names
    x, named = args[0], dict(zip(names[1:], args[1:], strict=True))
    try:
        found = handler(x, **named)
        return None if found is None else tuple(found)
    except (IndexError, ZeroDivisionError):
        # A dim that is not there.
        return ()


def _relabelled(x: Moved, shape: Sequence[Expr], *facts: Fact) -> Cases:
    for value in made(x, shape, lambda digits: (), *facts):
        yield replace(value, reads=x.reads, numel=x.numel)


def _same(x: Moved, **_: Any) -> Cases:
    yield x


def _cast(x: Moved, dtype: torch.dtype | None, **_: Any) -> Cases | None:
    return iter((x,)) if dtype in (None, x.dtype) else None


def _cast_as(x: Moved, other: Moved, **_: Any) -> Cases | None:
    return iter((x,)) if other.dtype is x.dtype else None


def _completed(size: Sequence[Expr], numel: Expr) -> tuple[list[Expr], list[Fact]]:
    """Sizes with -1 worked out, and what that takes."""
    if -1 not in size:
        return list(size), [Fact(sympy.Eq, prod(size, start=1), numel)]
    others = prod((n for n in size if n != -1), start=1)
    if others == 0:
        raise ZeroDivisionError
    missing = floor_div(numel, others)
    facts = [Fact(sympy.Ge, others, 1), Fact(sympy.Eq, missing * others, numel)]
    return [missing if n == -1 else n for n in size], facts


def _reshape(x: Moved, **size: Any) -> Cases:
    sizes, facts = _completed(size["size"] if "size" in size else size["shape"], x.numel)
    return _relabelled(x, sizes, *facts)


def _reshape_as(x: Moved, other: Moved) -> Cases:
    return _relabelled(x, other.shape, *other.facts, Fact(sympy.Eq, other.numel, x.numel))


def _flatten(x: Moved, start_dim: int, end_dim: int) -> Cases:
    shape = x.shape or (1,)
    first, last = nth_dim(start_dim, len(shape)), nth_dim(end_dim, len(shape))
    if first > last:
        return iter(())
    return _relabelled(x, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


def _unflatten(x: Moved, dim: int, sizes: Sequence[Expr]) -> Cases:
    at = nth_dim(dim, len(x.shape))
    inner, facts = _completed(sizes, x.shape[at])
    return _relabelled(x, (*x.shape[:at], *inner, *x.shape[at + 1 :]), *facts) if sizes else iter(())


def _squeeze(x: Moved, dim: int | Sequence[int] | None = None) -> Cases:
    rank = len(x.shape)
    asked = range(-rank, 0) if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = sorted({nth_dim(d, max(rank, 1)) for d in asked} & set(range(rank)))
    for gone in itertools.product((True, False), repeat=len(dims)):
        out = {d for d, g in zip(dims, gone, strict=True) if g}
        facts = (Fact(sympy.Eq if d in out else sympy.Ne, x.shape[d], 1) for d in dims)
        kept = [d for d in range(rank) if d not in out]
        shape = tuple(x.shape[d] for d in kept)

        def reads(place: Position, kept: list[int] = kept, shape: Sizes = shape) -> tuple[Read, ...]:
            # Of its own digits the dims are known; those of another box go on as they are.
            if place.sizes != shape:
                return x.reads(place)
            digits = dict(zip(kept, place.digits, strict=True))
            return x.reads(Position(tuple(digits.get(d, 0) for d in range(rank)), x.shape))

        for value in _relabelled(x, shape, *facts):
            yield replace(value, reads=reads)


def _ravel(x: Moved) -> Cases:
    return _relabelled(x, (x.numel,))


def _at_least(x: Moved, rank: int) -> Cases:
    """``atleast_1d`` and so on: the dims of a matrix come first, those of a vector in the middle."""
    shape = x.shape
    if len(shape) < rank:
        shape = shape if len(shape) > 1 or rank == 1 else (1, *shape)
        shape = (*shape, *[1] * (rank - len(shape)))
    return _relabelled(x, shape)


def _unsqueeze(x: Moved, dim: int) -> Cases:
    at = nth_dim(dim, len(x.shape) + 1)
    return _relabelled(x, (*x.shape[:at], 1, *x.shape[at:]))


def _select(x: Moved, dim: int, index: Expr) -> Cases:
    at = nth_dim(dim, len(x.shape))
    size = x.shape[at]
    for place, facts in (
        (index, (Fact(sympy.Ge, index, 0), Fact(sympy.Lt, index, size))),
        (index + size, (Fact(sympy.Lt, index, 0), Fact(sympy.Ge, index + size, 0))),
    ):

        def reads(digits: Sizes, place: Expr = place) -> tuple[Read, ...]:
            return x.reads(Position((*digits[:at], place, *digits[at:]), x.shape))

        yield from made(x, (*x.shape[:at], *x.shape[at + 1 :]), reads, *facts)


Handler = Callable[..., "Iterable[Moved] | None"]
HANDLERS: dict[object, Handler] = {
    **dict.fromkeys(RESHAPES, _reshape),
    _aten.view_as.default: _reshape_as,
    _aten.reshape_as.default: _reshape_as,
    _aten.flatten.using_ints: _flatten,
    _aten.unflatten.int: _unflatten,
    _aten.squeeze.default: _squeeze,
    _aten.squeeze_copy.default: _squeeze,
    _aten.squeeze.dim: _squeeze,
    _aten.squeeze_copy.dim: _squeeze,
    _aten.squeeze.dims: _squeeze,
    _aten.squeeze_copy.dims: _squeeze,
    _aten.unsqueeze.default: _unsqueeze,
    _aten.unsqueeze_copy.default: _unsqueeze,
    _aten.ravel.default: _ravel,
    _aten.atleast_1d.default: functools.partial(_at_least, rank=1),
    _aten.atleast_2d.default: functools.partial(_at_least, rank=2),
    _aten.atleast_3d.default: functools.partial(_at_least, rank=3),
    _aten.permute.default: permuted,
    _aten.permute_copy.default: permuted,
    _aten.transpose.int: transposed,
    _aten.transpose_copy.int: transposed,
    _aten.t.default: matrix_transposed,
    _aten.t_copy.default: matrix_transposed,
    _aten.swapaxes.default: swapped,
    _aten.swapdims.default: swapped,
    _aten.movedim.int: dims_moved,
    _aten.movedim.intlist: dims_moved,
    _aten.moveaxis.int: dims_moved,
    _aten.moveaxis.intlist: dims_moved,
    **dict.fromkeys(EXPANDS, expanded),
    _aten.expand_as.default: expanded_as,
    **dict.fromkeys(ALIASES, _same),
    _aten.positive.default: _same,
    _aten.resolve_conj.default: _same,
    _aten.resolve_neg.default: _same,
    _prims.device_put.default: _same,
    _aten.mT.default: last_transposed,
    _aten.clone.default: _same,
    _aten.contiguous.default: _same,
    **dict.fromkeys(CASTS, _cast),
    **dict.fromkeys((_aten.to.other, _aten.type_as.default), _cast_as),
    _aten.view.dtype: _cast,
    _aten.view_copy.dtype: _cast,
    _aten.copy.default: copied,
    _aten.slice.Tensor: sliced,
    _aten.slice_copy.Tensor: sliced,
    _aten.narrow.default: narrowed,
    _aten.narrow_copy.default: narrowed,
    _aten.slice_scatter.default: scattered,
    _aten.flip.default: flipped,
    _aten.select.int: _select,
    _aten.select_copy.int: _select,
    _aten.repeat_interleave.self_int: interleaved,
    _aten.repeat.default: repeated,
    _aten.tile.default: tiled,
}
"""What is known to be pure data movement. One handler stands for one kind of call under several names."""
