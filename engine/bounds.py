"""Sound lower bounds of polynomials over ranges, with floors opened and linear facts used.

Shifting each unknown to the end of its range that its coefficients favour gives a bound: exact for linear
forms over independent unknowns, sound for all. Floors by constants are tried as unknowns within bounds of
their own, then opened: such a floor is its argument less a remainder, ``floor(p/c) = (p - r)/c`` with
``0 <= r < c``, one ``r`` for each floor. Denominators are carried aside, so all arithmetic is of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import lcm

from .atoms import Choice, Extremum, Floor
from .normal import Normalizer
from .polynomial import (
    Key,
    OutOfReach,
    Poly,
    add,
    constant,
    key,
    multiply,
    scale,
    substitute,
    unknowns,
    value_of,
)

MAX_PAIRED = 8

Range = tuple[int | None, int | None]
"""Least and greatest value, either None where there is no bound."""


class Bounds:
    """Lower bounds under given ranges, by unknown, and facts: polynomials known to be non-negative."""

    def __init__(
        self,
        normal: Normalizer,
        ranges: Callable[[int], Range | None],
        facts: Iterable[Poly] = (),
        found: dict[int, Range] | None = None,
        opaque: bool = False,
    ) -> None:
        """``opaque``: unknowns are integers within ``ranges`` and nothing more, whatever their numbers stand
        for elsewhere."""
        self._normal, self._ranges = normal, ranges
        self.facts = [dict(f) for f in dict.fromkeys(map(key, facts))]
        self._opaque = opaque
        self._found: dict[int, Range] = {} if found is None else found
        self._answers: dict[Key, bool] = {}

    def with_facts_only(self, *facts: Poly) -> Bounds:
        """The same ranges, and these facts instead."""
        return Bounds(self._normal, self._ranges, facts, self._found, self._opaque)

    def nonnegative(self, poly: Poly) -> bool:
        """Is ``poly >= 0`` wherever ranges and facts allow? True is a proof."""
        asked = key(poly)
        found = self._answers.get(asked)
        if found is None:
            try:
                found = self._not_negative(poly)
            except OutOfReach:
                found = False
            self._answers[asked] = found
        return found

    def range(self, number: int) -> Range:
        """The bounds of an unknown, by ranges alone. Remainders are numbered below zero."""
        found = self._found.get(number)
        if found is None:
            try:
                found = self._range(number)
            except OutOfReach:
                found = None, None
            self._found[number] = found
        return found

    def _by_facts(self, poly: Poly, denominator: int, facts: list[Poly]) -> bool:
        """Subtract one fact that cancels a term, or one after another: is what is left, over ``denominator``,
        an integer that is not negative?"""
        for fact in facts:
            rest = _less(poly, fact)
            if rest is None:
                continue
            if self._above(rest, -denominator):
                return True
            for other in facts[:MAX_PAIRED]:
                last = _less(rest, other)
                if last is not None and self._above(last, -denominator):
                    return True
        return False

    def _of_extrema(self, poly: Poly) -> list[Poly]:
        """What the extrema in a polynomial are by definition: no less, or no more, than their operands."""
        found = []
        for number in sorted(unknowns(poly)):
            atom = self._normal.atoms[number] if number >= 0 and not self._opaque else None
            if isinstance(atom, Extremum):
                sign = 1 if atom.largest else -1
                found += [add({(number,): sign}, dict(p), -sign) for p in sorted(atom.of, key=sorted)]
        return found

    def _not_negative(self, poly: Poly) -> bool:
        if self._above(poly, -1):
            return True
        opened, denominator = self._opened(poly)
        if denominator > 1 and self._above(opened, -denominator):
            return True
        facts = [*self.facts, *self._of_extrema(poly)]
        if self._by_facts(poly, 1, facts):
            return True
        if denominator == 1:
            return False
        # An integer above -1 is not negative, so neither is one of a numerator above minus the denominator.
        facts = [self._opened(f)[0] for f in [*self.facts, *self._of_extrema(opened)]]
        return self._by_facts(opened, denominator, facts)

    def _above(self, poly: Poly, end: int) -> bool:
        low = self._least(poly)
        return low is not None and low > end

    def _least_opened(self, poly: Poly) -> int | None:
        """A lower bound, with the floors by constants opened; None also where there are none."""
        opened, denominator = self._opened(poly)
        low = self._least(opened) if denominator > 1 else None
        return None if low is None else -(-low // denominator)

    def _opened(self, poly: Poly) -> tuple[Poly, int]:
        """The polynomial times a positive number, free of floors by constants, and that number."""
        terms = []
        for monomial, coefficient in poly.items():
            term, denominator = constant(coefficient), 1
            for number in monomial:
                form, divisor = self._open(number)
                term, denominator = multiply(term, form), denominator * divisor
            terms.append((term, denominator))
        common = lcm(*(d for _, d in terms))
        result: Poly = {}
        for term, denominator in terms:
            result = add(result, term, common // denominator)
        return result, common

    def _open(self, number: int) -> tuple[Poly, int]:
        atom = self._normal.atoms[number]
        if self._opaque or not isinstance(atom, Floor) or atom.divisor is None:
            return {(number,): 1}, 1
        over, denominator = self._opened(dict(atom.over))
        return add(over, {(-1 - number,): -denominator}), denominator * atom.divisor

    def _range(self, number: int) -> Range:
        if number < 0:
            floor = self._normal.atoms[-1 - number]
            assert isinstance(floor, Floor)
            assert floor.divisor is not None
            return 0, floor.divisor - 1
        known = self._ranges(number)
        if known is not None or self._opaque:
            return known or (None, None)
        atom = self._normal.atoms[number]
        if isinstance(atom, Floor):
            return self._range_of_floor(atom)
        if isinstance(atom, Extremum | Choice):
            return self._range_of_several(atom)
        return None, None

    def _range_of_floor(self, atom: Floor) -> Range:
        low, high = self._ends(atom.over)
        divisor = atom.divisor
        if divisor is not None:
            return None if low is None else low // divisor, None if high is None else high // divisor
        # By an unknown: the sign is that of a non-negative argument over a positive divisor.
        least = self._ends(atom.under)[0]
        positive = least is not None and least > 0 and low is not None and low >= 0
        return (0, None) if positive else (None, None)

    def _range_of_several(self, atom: Extremum | Choice) -> Range:
        of = atom.of if isinstance(atom, Extremum) else (atom.then, atom.other)
        ends = [self._ends(p) for p in of]
        lows, highs = [low for low, _ in ends if low is not None], [h for _, h in ends if h is not None]
        all_low, all_high = len(lows) == len(ends), len(highs) == len(ends)
        if isinstance(atom, Choice):
            return min(lows) if all_low else None, max(highs) if all_high else None
        if atom.largest:
            return max(lows, default=None), max(highs) if all_high else None
        return min(lows) if all_low else None, min(highs, default=None)

    def _ends(self, of: Key) -> Range:
        lows: list[int | None] = []
        for poly in (dict(of), scale(dict(of), -1)):
            found = [low for low in (self._least(poly), self._least_opened(poly)) if low is not None]
            lows.append(max(found, default=None))
        low, high = lows
        return low, None if high is None else -high

    def _least(self, poly: Poly) -> int | None:
        """A lower bound, by writing the polynomial in distances from the favoured ends of the ranges."""
        for number in sorted({n for m in poly for n in m}):
            low, high = self.range(number)
            if low is not None and (high is None or any(c > 0 for m, c in poly.items() if number in m)):
                poly = _shifted(poly, number, low, 1)
            elif high is not None:
                poly = _shifted(poly, number, high, -1)
            else:
                return None
        total = 0
        for monomial, coefficient in poly.items():
            if coefficient < 0:
                for number in monomial:
                    low, high = self.range(number)
                    if low is None or high is None:
                        return None
                    coefficient *= high - low
            total += coefficient if coefficient < 0 or not monomial else 0
        return total


def _less(poly: Poly, fact: Poly) -> Poly | None:
    """``poly`` minus the least positive multiple of ``fact`` that cancels a shared term; None if none is."""
    shared = [m for m in fact if m and poly.get(m, 0) * fact[m] > 0]
    if not shared:
        # A contradiction among the facts shows as a negative constant, which proves anything.
        return add(poly, fact, -1) if value_of(fact) is not None else None
    term = max(shared, key=len)
    return add(poly, fact, (-poly[term]) // fact[term])


def _shifted(poly: Poly, number: int, end: int, direction: int) -> Poly:
    """``poly`` with ``number`` written as ``end + direction * distance``, the distance under its number."""
    form = add({(number,): direction}, constant(end))
    return substitute(poly, lambda n: form if n == number else {(n,): 1})
