"""Index maps of ``slice`` and ``slice_scatter``: the region of a dim that is read or overwritten, by cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import sympy

from .integers import Expr
from .positions import Fact, Moved, Position, Read, Sizes, ceil_div, floor_div, guarded, made, mod, nth_dim

INT64_MAX = 2**63 - 1
Bounds = tuple[Expr, tuple[Fact, ...]]


def _bounds(bound: Expr | None, size: Expr, default: Expr) -> Iterator[Bounds]:
    """Where a slice of a dim of ``size`` begins or ends, and when."""
    if bound is None or bound == INT64_MAX:
        yield (default if bound is None else size), ()
        return
    yield bound, (Fact(sympy.Ge, bound, 0), Fact(sympy.Le, bound, size))
    yield size, (Fact(sympy.Ge, bound, 0), Fact(sympy.Gt, bound, size))
    yield bound + size, (Fact(sympy.Lt, bound, 0), Fact(sympy.Ge, bound + size, 0))
    yield 0, (Fact(sympy.Lt, bound, 0), Fact(sympy.Lt, bound + size, 0))


Region = tuple[Expr, Expr, Expr, tuple[Fact, ...]]


def _regions(size: Expr, start: Expr | None, end: Expr | None, step: Expr) -> Iterator[Region]:
    """``(start, end, length, facts)`` of a slice of a dim, both bounds within the dim and in order."""
    for (first, some), (last, more) in itertools.product(_bounds(start, size, 0), _bounds(end, size, size)):
        if any(f.evident is False for f in (*some, *more)):
            continue
        length = ceil_div(last - first, step)
        facts = (Fact(sympy.Ge, step, 1), *some, *more)
        ordered = Fact(sympy.Le, first, last)
        # The last element is before the end, and within the dim: true of every slice, if it is empty too, and
        # too far for the prover.
        latest = first + (length - 1) * step
        within = (Fact(sympy.Le, latest, last - 1), Fact(sympy.Le, latest, size - 1))
        enough = Fact(sympy.Ge, step * length, last - first)
        yield first, last, length, (*facts, ordered, *within, enough)
        yield first, first, 0, (*facts, ordered.negated)


def sliced(x: Moved, dim: int, start: Expr | None, end: Expr | None, step: Expr) -> Iterator[Moved]:
    """What ``slice`` computes. Raises ``IndexError`` for a dim that is not there."""
    at = nth_dim(dim, len(x.shape))
    for first, _, length, facts in _regions(x.shape[at], start, end, step):

        def reads(digits: Sizes, first: Expr = first) -> tuple[Read, ...]:
            place = (*digits[:at], first + digits[at] * step, *digits[at + 1 :])
            return x.reads(Position(place, x.shape))

        shape = (*x.shape[:at], length, *x.shape[at + 1 :])
        yield from made(x, shape, reads, *facts)


def narrowed(x: Moved, dim: int, start: Expr, length: Expr) -> Iterator[Moved]:
    """What ``narrow`` computes, from a start that may count from the end. Raises ``IndexError`` for a dim that is
    not there."""
    at = nth_dim(dim, len(x.shape))
    size = x.shape[at]
    shape = (*x.shape[:at], length, *x.shape[at + 1 :])
    for first, some in (
        (start, (Fact(sympy.Ge, start, 0), Fact(sympy.Le, start, size))),
        (start + size, (Fact(sympy.Lt, start, 0), Fact(sympy.Ge, start + size, 0))),
    ):

        def reads(digits: Sizes, first: Expr = first) -> tuple[Read, ...]:
            return x.reads(Position((*digits[:at], first + digits[at], *digits[at + 1 :]), x.shape))

        within = (Fact(sympy.Ge, length, 0), Fact(sympy.Le, first + length, size))
        yield from made(x, shape, reads, *some, *within)


def scattered(
    x: Moved, src: Moved, dim: int, start: Expr | None, end: Expr | None, step: Expr
) -> Iterator[Moved] | None:
    """What ``slice_scatter`` computes; None if it converts what it writes."""
    return _scattered_cases(x, src, dim, start, end, step) if src.dtype is x.dtype else None


def _scattered_cases(
    x: Moved, src: Moved, dim: int, start: Expr | None, end: Expr | None, step: Expr
) -> Iterator[Moved]:
    at = nth_dim(dim, len(x.shape))
    if len(src.shape) != len(x.shape):
        return
    for first, last, length, facts in _regions(x.shape[at], start, end, step):
        region = (*x.shape[:at], length, *x.shape[at + 1 :])
        same = [Fact(sympy.Eq, a, b) for a, b in zip(src.shape, region, strict=True) if a != b]

        def reads(digits: Sizes, first: Expr = first, last: Expr = last) -> Iterator[Read]:
            before, past = Fact(sympy.Lt, digits[at], first), Fact(sympy.Ge, digits[at], last)
            within = (before.negated, past.negated)
            offset = digits[at] - first
            # The first is told apart, since a remainder by a symbol is hard to prove anything of.
            begins, taken = Fact(sympy.Eq, offset, 0), Fact(sympy.Eq, mod(offset, step), 0)
            first_one: tuple[Fact, ...] = (begins,)
            for nth, met in ((0, first_one), (floor_div(offset, step), (begins.negated, taken))):
                place = Position((*digits[:at], nth, *digits[at + 1 :]), src.shape)
                yield from guarded(src.reads(place), (*within, *met))
            skipped = (*within, begins.negated, taken.negated)
            for outside in ((before,), (before.negated, past), skipped):
                yield from guarded(x.reads(Position(digits, x.shape)), outside)

        yield from made(x, x.shape, reads, *src.facts, *facts, *same)
