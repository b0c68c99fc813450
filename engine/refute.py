"""The search for a point where a claim is false and that the facts surely allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import sympy

from .knowledge import Knowledge
from .points import FAR, Point, Unevaluable, candidates, divisors, landmarks
from .polynomial import OutOfReach, add
from .residues import failing

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
    """Points over ``symbols`` worth trying: where residues disagree, then the ends and landmarks of ranges."""
    yield from _suspects(known, claim, symbols)
    ranges = {s: known.range_of_symbol(s) for s in symbols}
    expressions = (claim, *facts)
    yield from candidates(symbols, ranges, known.hint, divisors(*expressions), landmarks(*expressions))


def _suspects(known: Knowledge, claim: sympy.Basic, symbols: list[sympy.Symbol]) -> Iterator[Point]:
    """Points in the residues at which the two sides of an equality are different polynomials; for an order
    over one symbol, in every residue."""
    if not isinstance(claim, sympy.Eq | sympy.Le | sympy.Lt):
        return
    base = {s: known.hint.get(s, max(known.range_of_symbol(s)[0], -FAR)) for s in symbols}
    try:
        goal = add(known.normal(claim.args[1]), known.normal(claim.args[0]), -1)
        if not isinstance(claim, sympy.Eq) and len(known.normal.symbols_in(goal)) != 1:
            return
        for residues in itertools.islice(failing(known.normal, goal), MAX_SUSPECTS):
            for far in (0, 1, 5):
                point = dict(base)
                for number, (residue, period) in residues.items():
                    atom = known.normal.atoms[number]
                    if isinstance(atom, sympy.Symbol):
                        symbol, factor = known.multiples.get(atom, (atom, 1))
                        low = max(known.range_of_symbol(atom)[0], -FAR)
                        point[symbol] = factor * (low + (residue - low) % period + far * period)
                yield {s: v for s, v in point.items() if s in base}
    except OutOfReach:
        return
