"""Index maps of calls that repeat what they are given: broadcasts, and whole runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from .integers import Expr
from .positions import Fact, Moved, Position, Read, Sizes, floor_div, guarded, made, mod, nth_dim

Cases = Iterator[Moved]


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


def expanded(x: Moved, size: Sequence[Expr], implicit: bool = False) -> Cases:
    return _broadcast(x, size)


def expanded_as(x: Moved, other: Moved) -> Cases:
    return _broadcast(x, other.shape, *other.facts)


def interleaved(x: Moved, repeats: Expr, dim: int | None, **_: Any) -> Cases:
    """What ``repeat_interleave`` computes: each element so many times, along a dim or of all in a row."""
    shape = (x.numel,) if dim is None else x.shape
    at = nth_dim(-1 if dim is None else dim, len(shape))
    sizes = [n * repeats if d == at else n for d, n in enumerate(shape)]

    def reads(digits: Sizes) -> tuple[Read, ...]:
        place = (*digits[:at], floor_div(digits[at], repeats), *digits[at + 1 :])
        return x.reads(Position(place, shape))

    return made(x, sizes, reads, Fact(sympy.Ge, repeats, 0))


def copied(dst: Moved, src: Moved, **_: Any) -> Cases | None:
    return _broadcast(src, dst.shape, *dst.facts) if src.dtype is dst.dtype else None


def repeated(x: Moved, repeats: Sequence[Expr]) -> Cases:
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


def tiled(x: Moved, dims: Sequence[Expr]) -> Cases:
    return repeated(x, (*[1] * (len(x.shape) - len(dims)), *dims))
