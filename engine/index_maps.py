"""Symbolic index maps of data-movement calls: which element of which operand each element of a result is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import sympy
import torch

from .calls import signature
from .integers import Expr
from .positions import Fact, Moved, Position, Read, Sizes, floor_div, guarded, made, mod, nth_dim
from .regions import scattered, sliced
from .spellings import ALIASES, CASTS, EXPANDS, RESHAPES
from .torch_api import OpOverload

_aten = torch.ops.aten
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


def _unsqueeze(x: Moved, dim: int) -> Cases:
    at = nth_dim(dim, len(x.shape) + 1)
    return _relabelled(x, (*x.shape[:at], 1, *x.shape[at:]))


def _permute(x: Moved, dims: Sequence[int]) -> Cases:
    rank = len(x.shape)
    order = [nth_dim(d, rank) for d in dims]
    if sorted(order) != list(range(rank)):
        return iter(())

    def reads(digits: Sizes) -> tuple[Read, ...]:
        place = dict(zip(order, digits, strict=True))
        return x.reads(Position(tuple(place[d] for d in range(rank)), x.shape))

    return made(x, [x.shape[d] for d in order], reads)


def _transpose(x: Moved, dim0: int, dim1: int) -> Cases:
    order = list(range(len(x.shape)))
    # A 0-d tensor takes dims 0 and -1, and has nothing to swap.
    first, second = (nth_dim(d, len(order) or 1) for d in (dim0, dim1))
    if order:
        order[first], order[second] = order[second], order[first]
    return _permute(x, order)


def _t(x: Moved) -> Cases:
    rank = len(x.shape)
    return _permute(x, tuple(reversed(range(rank)))) if rank <= 2 else iter(())


def _flip(x: Moved, dims: Sequence[int]) -> Cases:
    flipped = [nth_dim(d, len(x.shape)) for d in dims]
    if len(set(flipped)) < len(flipped):
        return iter(())

    def reads(digits: Sizes) -> tuple[Read, ...]:
        ends = zip(digits, x.shape, strict=True)
        return x.reads(
            Position(tuple(n - 1 - i if d in flipped else i for d, (i, n) in enumerate(ends)), x.shape)
        )

    return made(x, x.shape, reads)


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


def _broadcast(x: Moved, shape: Sequence[Expr], *facts: Fact) -> Cases:
    """Each size of ``x`` is that of the result, or 1. A size of -1 keeps that of ``x``."""
    new = len(shape) - len(x.shape)
    if new < 0 or any(n == -1 for n in shape[:new]):
        return
    out = [x.shape[d - new] if n == -1 else n for d, n in enumerate(shape)]
    ways = [(True,) if n == out[new + d] else (True, False) for d, n in enumerate(x.shape)]
    for kept in itertools.product(*ways):
        sizes = zip(x.shape, out[new:], kept, strict=True)
        known = (Fact(sympy.Eq, n, m if keep else 1) for n, m, keep in sizes)

        def reads(digits: Sizes, kept: tuple[bool, ...] = kept) -> tuple[Read, ...]:
            place = zip(digits[new:], kept, strict=True)
            return x.reads(Position(tuple(i if keep else 0 for i, keep in place), x.shape))

        yield from made(x, out, reads, *facts, *known)


def _expand(x: Moved, size: Sequence[Expr], implicit: bool = False) -> Cases:
    return _broadcast(x, size)


def _copy(dst: Moved, src: Moved, **_: Any) -> Cases | None:
    return _broadcast(src, dst.shape, *dst.facts) if src.dtype is dst.dtype else None


def _repeat(x: Moved, repeats: Sequence[Expr]) -> Cases:
    new = len(repeats) - len(x.shape)
    if new < 0:
        return iter(())
    sizes = [n * r for n, r in zip((*[1] * new, *x.shape), repeats, strict=True)]

    def reads(digits: Sizes) -> Iterator[Read]:
        # Where the first run ends is told apart, since a remainder by a symbol is hard to prove anything of.
        per_dim: list[list[tuple[tuple[Fact, ...], Expr]]] = []
        for i, n, r in zip(digits[new:], x.shape, repeats[new:], strict=True):
            first = Fact(sympy.Lt, i, n)
            runs: list[tuple[tuple[Fact, ...], Expr]] = [((first,), i), ((first.negated,), mod(i, n))]
            per_dim.append([((), i)] if r == 1 else runs)
        for chosen in itertools.product(*per_dim):
            place = Position(tuple(i for _, i in chosen), x.shape)
            yield from guarded(x.reads(place), [f for facts, _ in chosen for f in facts])

    return made(x, sizes, reads, *(Fact(sympy.Ge, r, 0) for r in repeats))


def _tile(x: Moved, dims: Sequence[Expr]) -> Cases:
    return _repeat(x, (*[1] * (len(x.shape) - len(dims)), *dims))


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
    _aten.permute.default: _permute,
    _aten.permute_copy.default: _permute,
    _aten.transpose.int: _transpose,
    _aten.transpose_copy.int: _transpose,
    _aten.t.default: _t,
    _aten.t_copy.default: _t,
    **dict.fromkeys(EXPANDS, _expand),
    **dict.fromkeys(ALIASES, _same),
    _aten.clone.default: _same,
    _aten.contiguous.default: _same,
    **dict.fromkeys(CASTS, _cast),
    _aten.view.dtype: _cast,
    _aten.copy.default: _copy,
    _aten.slice.Tensor: sliced,
    _aten.slice_copy.Tensor: sliced,
    _aten.slice_scatter.default: scattered,
    _aten.flip.default: _flip,
    _aten.select.int: _select,
    _aten.select_copy.int: _select,
    _aten.repeat.default: _repeat,
    _aten.tile.default: _tile,
}
"""What is known to be pure data movement. One handler stands for one kind of call under several names."""
