"""The search for a point where a claim is false and that the facts surely allow."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import sympy

from .atoms import Atom
from .knowledge import Knowledge
from .points import FAR, Point, Unevaluable, candidates, divisors, landmarks
from .polynomial import OutOfReach, Poly, add, constant, value_of
from .residues import failing

FIRST = 8
MAX_SUSPECTS = 64


def fails_at(
    known: Knowledge, claim: sympy.Basic, points: Iterable[Point], facts: Sequence[sympy.Basic]
) -> dict[sympy.Symbol, int] | None:
    """The first of ``points`` that ``facts`` and ranges allow and where ``claim`` is false, as values of the
    claim's own symbols. The hint is allowed by all facts."""
    for point in points:
        if known.truth(claim, point) is not False:
            continue
        try:
            if point is known.hint or known.allows(point, facts):
                full = known.complete(point, claim.free_symbols)
                return {s: full[s] for s in sorted(claim.free_symbols, key=str)}
        except Unevaluable:
            continue
    return None


def points_for(
    known: Knowledge, claim: sympy.Basic, symbols: list[sympy.Symbol], facts: Sequence[sympy.Basic]
) -> Iterator[Point]:
    """Points over ``symbols`` worth trying: a few ends of ranges, where residues disagree, then landmarks."""
    ranges = {s: known.range_of_symbol(s) for s in symbols}
    expressions = (claim, *facts)
    others = candidates(symbols, ranges, known.hint, divisors(*expressions), landmarks(*expressions))
    yield from itertools.islice(others, FIRST)
    yield from _suspects(known, claim, symbols)
    yield from others


def _suspects(known: Knowledge, claim: sympy.Basic, symbols: list[sympy.Symbol]) -> Iterator[Point]:
    """Points in the residues at which the two sides are not sure to be in the order, or equality, claimed. For
    orders over several symbols each is varied in turn, the others at a few values."""
    if not isinstance(claim, sympy.Eq | sympy.Le | sympy.Lt):
        return
    base = {s: known.hint.get(s, max(known.range_of_symbol(s)[0], -FAR)) for s in symbols}
    try:
        goal = add(known.normal(claim.args[1]), known.normal(claim.args[0]), -1)
        if isinstance(claim, sympy.Eq) or value_of(goal) is not None:
            yield from _in_residues(known, _failing(known, goal, symbols, order=False), base)
            return
        goal = add(goal, constant(-int(isinstance(claim, sympy.Lt))))
        numbers = sorted(known.normal.symbols_in(goal))
        for number, step in itertools.product(numbers, range(3 if len(numbers) > 1 else 1)):
            point = dict(base)
            values: dict[int, int] = {}
            for other in set(numbers) - {number}:
                symbol, factor, low = _told(known, other)
                values[other] = low + step
                point[symbol] = factor * values[other]
            univariate = known.normal.rewriter(_valued(known, values))(goal)
            yield from _in_residues(known, _failing(known, univariate, symbols, order=True), point)
    except OutOfReach:
        return


def _failing(
    known: Knowledge, goal: Poly, symbols: list[sympy.Symbol], order: bool
) -> Iterator[dict[int, tuple[int, int]]]:
    """Residues where ``goal`` fails and that known equalities leave open, if those are not too many to try."""
    asked = known.normal.symbols_in(goal) or {
        n for s in symbols for n in known.normal.symbols_in(known.normal(s))
    }
    related = [f for f in known.zero if known.normal.symbols_in(f) <= asked]
    try:
        yield from failing(known.normal, goal, order, related)
    except OutOfReach:
        yield from failing(known.normal, goal, order)


def _valued(known: Knowledge, values: Mapping[int, int]) -> Callable[[Atom], Atom | int]:
    return lambda atom: values.get(known.normal.number(atom), atom)


def _in_residues(
    known: Knowledge, residues: Iterable[dict[int, tuple[int, int]]], base: Point
) -> Iterator[Point]:
    for at in itertools.islice(residues, MAX_SUSPECTS):
        for far in (0, 1, 5):
            point = dict(base)
            for number, (residue, period) in at.items():
                symbol, factor, low = _told(known, number)
                point[symbol] = factor * (low + (residue - low) % period + far * period)
            yield {s: v for s, v in point.items() if s in base}


def _told(known: Knowledge, number: int) -> tuple[sympy.Basic, int, int]:
    """The symbol that an unknown stands for, how many of it make the symbol, and its least value."""
    atom = known.normal.atoms[number]
    if not isinstance(atom, sympy.Symbol):
        raise OutOfReach("an unknown that is no symbol")
    symbol, factor = known.multiples.get(atom, (atom, 1))
    return symbol, factor, max(known.range_of_symbol(atom)[0], -FAR)
