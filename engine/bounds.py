"""Sound lower bounds of polynomials over ranges, with floors opened and linear facts used.

A floor by a constant is its argument less a remainder: ``floor(p/c) = (p - r)/c`` with ``0 <= r < c``, one
``r`` for each floor. What is left is a polynomial with rational coefficients over unknowns with ranges, and
shifting each unknown to the end of its range that its coefficients favour gives the bound: exact for linear
forms over independent unknowns, sound for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from .normal import Extremum, Floor, Normalizer
from .polynomial import Key, Monomial, OutOfReach, Poly, add, key, scale, value_of

MAX_PAIRED = 8

Range = tuple[int | None, int | None]
"""Least and greatest value, either None where there is no bound."""

_Rational = dict[Monomial, Fraction]


class Bounds:
    """Lower bounds under given ranges, by unknown, and facts: polynomials known to be non-negative."""

    def __init__(
        self, normal: Normalizer, ranges: Callable[[int], Range | None], facts: Iterable[Poly] = ()
    ) -> None:
        self._normal, self._ranges = normal, ranges
        self._facts = [dict(f) for f in dict.fromkeys(map(key, facts))]
        self._remainders: dict[int, int] = {}
        self._answers: dict[Key, bool] = {}

    def with_facts(self, *facts: Poly) -> Bounds:
        """The same, knowing more."""
        return Bounds(self._normal, self._ranges, [*self._facts, *facts])

    def nonnegative(self, poly: Poly) -> bool:
        """Is ``poly >= 0`` wherever ranges and facts allow? True is a proof."""
        asked = key(poly)
        found = self._answers.get(asked)
        if found is None:
            found = self._answers[asked] = self._at_least_zero(poly) or self._by_facts(poly)
        return found

    def _by_facts(self, poly: Poly) -> bool:
        """Subtract one fact that cancels a term, or one after another: what is left must not be negative."""
        for fact in self._facts:
            rest = _less(poly, fact)
            if rest is None:
                continue
            if self._at_least_zero(rest):
                return True
            for other in self._facts[:MAX_PAIRED]:
                last = _less(rest, other)
                if last is not None and self._at_least_zero(last):
                    return True
        return False

    def _at_least_zero(self, poly: Poly) -> bool:
        try:
            low = self._least(self._opened(poly))
        except OutOfReach:
            return False
        # An integer above -1 is not negative.
        return low is not None and low > -1

    def _opened(self, poly: Poly) -> _Rational:
        result: _Rational = {}
        for monomial, coefficient in poly.items():
            term: _Rational = {(): Fraction(coefficient)}
            for number in monomial:
                term = _times(term, self._open(number))
            for m, c in term.items():
                result[m] = result.get(m, Fraction(0)) + c
        return {m: c for m, c in result.items() if c}

    def _open(self, number: int) -> _Rational:
        atom = self._normal.atoms[number]
        divisor = value_of(dict(atom.under)) if isinstance(atom, Floor) else None
        if not isinstance(atom, Floor) or not divisor:
            return {(number,): Fraction(1)}
        over = self._opened(dict(atom.over))
        result = {m: c / divisor for m, c in over.items()}
        # Remainders are unknowns of their own, numbered below zero.
        remainder = (-1 - number,)
        self._remainders[-1 - number] = divisor
        result[remainder] = result.get(remainder, Fraction(0)) - Fraction(1, divisor)
        return result

    def _range(self, number: int) -> Range:
        if number < 0:
            return 0, self._remainders[number] - 1
        known = self._ranges(number)
        if known is not None:
            return known
        atom = self._normal.atoms[number]
        if isinstance(atom, Floor):
            # A floor by an unknown: its sign is that of a non-negative argument over a positive divisor.
            below = Bounds(self._normal, self._ranges)
            positive = below._at_least_zero(add(dict(atom.under), {(): -1}))
            return (0, None) if positive and below._at_least_zero(dict(atom.over)) else (None, None)
        if isinstance(atom, Extremum):
            return self._range_of_extremum(atom)
        return None, None

    def _range_of_extremum(self, atom: Extremum) -> Range:
        lows = [self._floor_of(dict(p)) for p in atom.of]
        highs = [self._ceiling_of(dict(p)) for p in atom.of]
        some_lows, some_highs = [x for x in lows if x is not None], [x for x in highs if x is not None]
        if atom.largest:
            return max(some_lows, default=None), max(some_highs) if len(some_highs) == len(highs) else None
        return min(some_lows) if len(some_lows) == len(lows) else None, min(some_highs, default=None)

    def _floor_of(self, poly: Poly) -> int | None:
        low = self._least(self._opened(poly))
        return None if low is None else -int(-low // 1)

    def _ceiling_of(self, poly: Poly) -> int | None:
        low = self._floor_of(scale(poly, -1))
        return None if low is None else -low

    def _least(self, poly: _Rational) -> Fraction | None:
        """A lower bound, by writing the polynomial in distances from the favoured ends of the ranges."""
        for number in sorted({n for m in poly for n in m}):
            low, high = self._range(number)
            signs = [c for m, c in poly.items() if number in m]
            if low is not None and not (all(c < 0 for c in signs) and high is not None):
                poly = _shifted(poly, number, Fraction(low), 1)
            elif high is not None:
                poly = _shifted(poly, number, Fraction(high), -1)
            else:
                return None
        total = Fraction(0)
        for monomial, coefficient in poly.items():
            if not monomial:
                total += coefficient
            elif coefficient < 0:
                reach = Fraction(1)
                for number in monomial:
                    low, high = self._range(number)
                    if low is None or high is None:
                        return None
                    reach *= high - low
                total += coefficient * reach
        return total


def _less(poly: Poly, fact: Poly) -> Poly | None:
    """``poly`` minus the least positive multiple of ``fact`` that cancels a shared term; None if none is."""
    shared = [m for m in fact if m and poly.get(m, 0) * fact[m] > 0]
    if not shared:
        # A contradiction among the facts shows as a negative constant, which proves anything.
        return add(poly, fact, -1) if value_of(fact) is not None else None
    term = max(shared, key=len)
    return add(poly, fact, (-poly[term]) // fact[term])


def _times(left: _Rational, right: _Rational) -> _Rational:
    result: _Rational = {}
    for m, a in left.items():
        for n, b in right.items():
            where = tuple(sorted(m + n))
            result[where] = result.get(where, Fraction(0)) + a * b
    if len(result) > 200:
        raise OutOfReach("a bound of more than 200 terms")
    return {m: c for m, c in result.items() if c}


def _shifted(poly: _Rational, number: int, end: Fraction, direction: int) -> _Rational:
    """``poly`` with ``number`` written as ``end + direction * distance``, the distance under its number."""
    form: _Rational = {(number,): Fraction(direction)}
    if end:
        form[()] = end
    result: _Rational = {}
    for monomial, coefficient in poly.items():
        term: _Rational = {tuple(n for n in monomial if n != number): coefficient}
        for _ in range(monomial.count(number)):
            term = _times(term, form)
        for m, c in term.items():
            result[m] = result.get(m, Fraction(0)) + c
    return {m: c for m, c in result.items() if c}
