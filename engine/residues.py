"""Equality of quasi-polynomials, decided residue by residue.

A polynomial over symbols and floors by constants is a quasi-polynomial: put ``s = L*q + r`` for a suitable
period ``L``, and for each residue ``r`` every floor becomes a polynomial in ``q``. Two quasi-polynomials are
equal on all of Z if and only if the polynomials agree for every residue (a polynomial that vanishes on a
half-line, in each unknown, is zero). So equality is decidable, and so is the emptiness of ``p != 0`` by the
gcd test. See Woods, "Presburger arithmetic, rational generating functions, and quasi-polynomials" (2015).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from math import lcm, prod

import sympy

from .atoms import Floor
from .normal import Normalizer
from .polynomial import (
    Monomial,
    OutOfReach,
    Poly,
    add,
    constant,
    content,
    key,
    scale,
    substitute,
    unknown,
    unknowns,
    value_of,
)

MAX_RESIDUES = 4096
MAX_PERIOD = 4096


class Residues:
    """The residues of one question: everything that its polynomials and side conditions depend on."""

    def __init__(
        self,
        normal: Normalizer,
        polys: Iterable[Poly],
        conditions: Iterable[Poly] = (),
        most: int = MAX_RESIDUES,
    ) -> None:
        self._normal = normal
        self._conditions = list(conditions)
        self._periods: dict[int, int] = {}
        for poly in (*polys, *self._conditions):
            self._need(poly, 1)
        self.count = prod(self._periods.values())
        if self.count > most:
            raise OutOfReach(f"{self.count} residues, more than {most}")

    def each(self) -> Iterator[tuple[dict[int, tuple[int, int]], Callable[[Poly], Poly]]]:
        """For each residue that no condition ``p == 0`` rules out: residue and period by unknown, and a
        function that rewrites a polynomial over it. ``q`` takes the place, and the number, of its symbol."""
        numbers = list(self._periods)
        for point in itertools.product(*(range(self._periods[n]) for n in numbers)):
            at = dict(zip(numbers, point, strict=True))
            rewrite = self._at(at)
            if not any(_never_zero(rewrite(c)) for c in self._conditions):
                yield {n: (r, self._periods[n]) for n, r in at.items()}, rewrite

    def _need(self, poly: Poly, modulus: int) -> None:
        """Make the periods such that the varying coefficients of ``poly`` are multiples of ``modulus``."""
        for number in unknowns(poly):
            atom = self._normal.atoms[number]
            if isinstance(atom, Floor) and atom.divisor:
                self._need(dict(atom.over), atom.divisor * modulus)
                continue
            period = lcm(self._periods.get(number, 1), modulus)
            if period > MAX_PERIOD:
                raise OutOfReach(f"a period of {period}, more than {MAX_PERIOD}")
            self._periods[number] = period

    def _at(self, residues: dict[int, int]) -> Callable[[Poly], Poly]:
        forms: dict[int, Poly] = {
            n: add(scale({(n,): 1}, self._periods[n]), constant(r)) for n, r in residues.items()
        }

        def form(number: int) -> Poly:
            found = forms.get(number)
            if found is None:
                atom = self._normal.atoms[number]
                if not isinstance(atom, Floor) or not atom.divisor:
                    return unknown(number)
                over = substitute(dict(atom.over), form)
                found = {m: c // atom.divisor for m, c in over.items() if c // atom.divisor}
                forms[number] = found
            return found

        return lambda poly: substitute(poly, form)


def _never_zero(poly: Poly) -> bool:
    """The gcd test: no integers make ``poly`` zero if the varying coefficients share a factor that the
    constant has not."""
    shared = content(poly)
    rest = poly.get((), 0)
    return bool(rest) if shared == 0 else rest % shared != 0


def always_zero(normal: Normalizer, poly: Poly, conditions: Iterable[Poly] = ()) -> bool:
    """Is ``poly`` zero wherever all ``conditions`` are? True is a proof; False says that some residue has
    another polynomial there, not that a counterexample is within the ranges. Raises ``OutOfReach``."""
    return all(not rewrite(poly) for _, rewrite in Residues(normal, [poly], conditions).each())


def never_zero(normal: Normalizer, poly: Poly, conditions: Iterable[Poly] = ()) -> bool:
    """Is ``poly`` nowhere zero where all ``conditions`` are? True is a proof. Raises ``OutOfReach``."""
    return all(_never_zero(rewrite(poly)) for _, rewrite in Residues(normal, [poly], conditions).each())


def failing(
    normal: Normalizer, poly: Poly, order: bool = False, conditions: Iterable[Poly] = ()
) -> Iterator[dict[int, tuple[int, int]]]:
    """Residue and period, by unknown, wherever no condition ``p == 0`` rules it out and ``poly`` is not
    identically zero, or for an ``order`` not a constant that is at least zero. Raises ``OutOfReach``."""
    for at, rewrite in Residues(normal, [poly], conditions).each():
        there = rewrite(poly)
        number = value_of(there)
        if number is None or (number < 0 if order else number != 0):
            yield at


def generalized(normal: Normalizer, poly: Poly) -> Poly:
    """``poly`` with each product of symbols taken for one unknown: ``s*t`` as ``w``. What holds for every
    ``w`` holds for every ``s*t``, and one unknown has fewer residues than two."""

    def monomial(m: Monomial) -> Monomial:
        parts = [normal.atoms[n] for n in m]
        symbols = [n for n, a in zip(m, parts, strict=True) if isinstance(a, sympy.Symbol)]
        rest = [n for n in m if n not in symbols]
        if len(symbols) > 1:
            together = sympy.Mul(*(normal.atoms[n] for n in symbols))
            symbols = [normal.number(together)]
        return tuple(sorted([*symbols, *map(unknown_of, rest)]))

    def unknown_of(number: int) -> int:
        atom = normal.atoms[number]
        if not isinstance(atom, Floor):
            return number
        return normal.number(Floor(key(generalized(normal, dict(atom.over))), atom.under))

    result: Poly = {}
    for m, c in poly.items():
        result = add(result, {monomial(m): c})
    return result
