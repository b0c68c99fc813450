"""What the arguments of a call may be, by the types and names in its schema."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import torch

from .operands import DTYPES
from .scope import Scope
from .spellings import EXPANDS, RESHAPES

DIM_NAMES = frozenset({"dim", "dim0", "dim1", "dimension", "axis", "start_dim", "end_dim"})
SIZE_NAMES = frozenset({"size", "shape", "sizes", "repeats", "dims_to_repeat"})
_aten = torch.ops.aten
_NEW_DIM = (_aten.unsqueeze.default, _aten.unsqueeze_copy.default, _aten.stack.default)
MOST_ELEMENTS = 2**16
"""Of an operand, or of what repeats one: a chain of them must fit in memory, thousands of times."""
FAR = 2**63 - 1
"""How graphs write "to the end"."""
SCALARS: tuple[int | float, ...] = (1, 0, 2, -1, 1.0, 0.0, -0.0, 0.5)
FEW_DTYPES = (torch.float64, torch.float16, torch.int64)


def shapes(rank: int, dim: int) -> list[tuple[int, ...]]:
    """Every shape within the bounds, the smallest first."""
    found = [s for r in range(rank + 1) for s in itertools.product(range(dim + 1), repeat=r)]
    return sorted(found, key=lambda s: (sum(s) + len(s), s))


def options(
    kind: str,
    name: str,
    operand: tuple[tuple[int, ...], torch.dtype] | None,
    scope: Scope,
    target: object = None,
) -> Sequence[Any]:
    """Values for a schema argument of type ``kind`` (as the schema prints it) of ``target``, given shape and dtype
    of the first tensor of the call. Not all of them need be legal. Empty for a type of which none are known."""
    if kind.startswith("Optional["):
        inner = options(kind[len("Optional[") : -1], name, operand, scope, target)
        return [None, *inner] if inner or kind != "Optional[Tensor]" else [None]
    shape, own = ((), ()) if operand is None else (operand[0], operand[1:])
    if kind == "int":
        if name == "dim" and target in _NEW_DIM:
            return range(-len(shape) - 1, len(shape) + 1)
        return _ints(name, shape, scope)
    if kind == "List[int]":
        if name in SIZE_NAMES and target in EXPANDS and not scope.large:
            return [list(size) for size in _expansions(shape, scope.rank, scope.dim)]
        lists = _lists(name, shape, scope)
        if name in SIZE_NAMES and target in RESHAPES:
            return [size for size in lists if _holds(size, prod(shape))]
        if name in SIZE_NAMES and target in EXPANDS:
            return [size for size in lists if _broadcasts(shape, size)]
        return lists
    if kind == "ScalarType":
        return list(dict.fromkeys((*own, *FEW_DTYPES, *DTYPES)))
    return _PLAIN.get(kind, ())


def is_known(kind: str) -> bool:
    """Can :func:`options` tell values of this type, for some operand at least?"""
    return kind.startswith("Optional[") or kind in ("int", "List[int]", "ScalarType", *_PLAIN)


_PLAIN: dict[str, Sequence[Any]] = {
    "bool": (False, True),
    "number": SCALARS,
    "Scalar": SCALARS,
    "float": (1.0, 0.0, -0.0, 2.0, 0.5),
    "MemoryFormat": (torch.contiguous_format, torch.preserve_format),
    "Layout": (torch.strided,),
    "Device": (torch.device("cpu"),),
}


def _ints(name: str, shape: tuple[int, ...], scope: Scope) -> Sequence[int]:
    rank = len(shape)
    if name in DIM_NAMES:
        return range(-max(rank, 1), max(rank, 1))
    if name == "step":
        return range(1, max(scope.window, 2) + 1)
    near = {n + d for n in {0, *shape} for d in range(-1, 2)} if scope.large else set()
    window = {*range(-scope.window, scope.window + 1), *near}
    return [*sorted(window, key=lambda n: (abs(n), n)), *([FAR] if name in ("start", "end") else [])]


def _lists(name: str, shape: tuple[int, ...], scope: Scope) -> Sequence[list[int]]:
    rank = len(shape)
    if name in SIZE_NAMES:
        return [list(s) for s in (_sizes_like if scope.large else _sizes)(shape, scope.rank, scope.dim)]
    if name in ("dim", "dims"):
        return [list(d) for d in _orders(rank)]
    if name == "pad":
        pads = (itertools.product((0, 1, -1), repeat=2 * r) for r in range(min(rank, 2) + 1))
        return [list(p) for p in itertools.chain.from_iterable(pads)]
    window = range(-1, min(scope.window, 2) + 1)
    return [list(v) for r in range(min(rank, 2) + 1) for v in itertools.product(window, repeat=r)]


def _holds(size: Sequence[int], count: int) -> bool:
    """Can a value of ``count`` elements be reshaped to ``size``?"""
    known = prod(n for n in size if n >= 0)
    return known == count if -1 not in size else known > 0 and count % known == 0


def _broadcasts(shape: Sequence[int], size: Sequence[int]) -> bool:
    """Can a value of ``shape`` be expanded to ``size``?"""
    new = len(size) - len(shape)
    return new >= 0 and all(
        n >= 0 if i < new else n == -1 or shape[i - new] in (1, n) for i, n in enumerate(size)
    )


def plausible(target: object, values: Sequence[Any]) -> bool:
    """False if the call is sure to be refused, for the calls whose refusals are many and slow."""
    if target is _aten.slice_scatter.default:
        base, source, dim, *region = values
        if base.dim() != source.dim() or not -base.dim() <= dim < base.dim():
            return False
        taken = list(base.shape)
        taken[dim] = len(range(taken[dim])[slice(*region)])
        return taken == list(source.shape)
    if target is _aten.select_scatter.default:
        base, source, dim, _ = values
        rank = base.dim()
        return -rank <= dim < rank and [n for d, n in enumerate(base.shape) if d != dim % rank] == list(
            source.shape
        )
    if target in (_aten.view_as.default, _aten.reshape_as.default):
        return isinstance(values[1], torch.Tensor) and values[0].numel() == values[1].numel()
    if target in (_aten.repeat.default, _aten.tile.default):
        return bool(values[0].numel() * prod(values[1]) <= MOST_ELEMENTS)
    if target is _aten.unflatten.int:
        rank, dim = values[0].dim(), values[1]
        return -rank <= dim < rank and _holds(values[2], values[0].shape[dim])
    return True


@functools.lru_cache(maxsize=1024)
def _sizes(shape: tuple[int, ...], rank: int, dim: int) -> tuple[tuple[int, ...], ...]:
    """Sizes to ask for: all lists within the scope, and the whole in one dim; one entry may be -1."""
    entries = sorted({*range(dim + 1), prod(shape)})
    plain = [s for r in range(rank + 1) for s in itertools.product(entries, repeat=r)]
    open_ = [(*s[:i], -1, *s[i + 1 :]) for s in plain for i in range(len(s))]
    kept = [tuple(-1 for _ in shape)] if shape else []
    return tuple(dict.fromkeys([shape, *sorted([*plain, *open_], key=lambda s: (len(s), s)), *kept]))


@functools.lru_cache(maxsize=1024)
def _expansions(shape: tuple[int, ...], rank: int, dim: int) -> tuple[tuple[int, ...], ...]:
    """Every size within the scope that a value of ``shape`` can be expanded to, with every choice of -1."""
    kept = [(-1, *range(dim + 1)) if n == 1 else (n, -1) for n in shape]
    found = [
        size
        for new in range(rank - len(shape) + 1)
        for size in itertools.product(*[range(dim + 1)] * new, *kept)
    ]
    return tuple(dict.fromkeys([shape, *found]))


@functools.lru_cache(maxsize=1024)
def _sizes_like(shape: tuple[int, ...], rank: int, dim: int) -> tuple[tuple[int, ...], ...]:
    """Sizes to ask for of a large operand: its own, merged, split, reordered, with unit dims and one -1."""
    found = {
        shape,
        (prod(shape),),
        shape[::-1],
        (1, *shape),
        (*shape, 1),
        (2, *shape),
        tuple(-1 for _ in shape),
    }
    for i, n in enumerate(shape):
        found.add((*shape[:i], 1, n, *shape[i + 1 :]))
        if i + 1 < len(shape):
            found.add((*shape[:i], n * shape[i + 1], *shape[i + 2 :]))
        found |= {(*shape[:i], d, n // d, *shape[i + 1 :]) for d in (2, 3, 5) if n and n % d == 0}
    found |= {(*s[:i], -1, *s[i + 1 :]) for s in tuple(found) for i in range(len(s))}
    return tuple(sorted(found, key=lambda s: (len(s), s)))


@functools.lru_cache(maxsize=64)
def _orders(rank: int) -> tuple[tuple[int, ...], ...]:
    """Lists of distinct dims, counted from either end; whole orders first."""

    def signed(dims: Sequence[int]) -> Iterator[tuple[int, ...]]:
        for below in itertools.product((0, rank), repeat=len(dims)):
            yield tuple(d - b for d, b in zip(dims, below, strict=True))

    found = [d for n in range(rank + 1) for d in itertools.permutations(range(rank), n)]
    found.sort(key=lambda d: -len(d))
    return tuple(s for d in found for s in signed(d))
