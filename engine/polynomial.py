"""Polynomials with integer coefficients over numbered unknowns, as plain dicts.

A monomial is the sorted tuple of its unknowns' numbers, repeated by power: ``()`` is 1, ``(0, 0, 2)`` is
``x0**2 * x2``. A polynomial maps monomials to non-zero coefficients. sympy's own are a hundred times slower
at the sizes met here, a handful of terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from math import gcd
from typing import TypeAlias

Monomial: TypeAlias = "tuple[int, ...]"
Poly: TypeAlias = "dict[Monomial, int]"
Key: TypeAlias = "frozenset[tuple[Monomial, int]]"

MAX_TERMS = 400


class OutOfReach(Exception):
    """The question is not one of integers, or a bound on work such as :data:`MAX_TERMS` was reached."""


def constant(value: int) -> Poly:
    """The polynomial ``value``."""
    return {(): value} if value else {}


def unknown(number: int) -> Poly:
    """The polynomial that is one unknown."""
    return {(number,): 1}


def add(left: Poly, right: Poly, times: int = 1) -> Poly:
    """``left + times * right``."""
    result = dict(left)
    for monomial, coefficient in right.items():
        value = result.get(monomial, 0) + times * coefficient
        if value:
            result[monomial] = value
        else:
            result.pop(monomial, None)
    return result


def multiply(left: Poly, right: Poly) -> Poly:
    """``left * right``. Raises ``OutOfReach``."""
    result: Poly = {}
    for m, a in left.items():
        for n, b in right.items():
            key = tuple(sorted(m + n))
            value = result.get(key, 0) + a * b
            if value:
                result[key] = value
            else:
                result.pop(key, None)
    if len(result) > MAX_TERMS:
        raise OutOfReach(f"a polynomial of more than {MAX_TERMS} terms")
    return result


def scale(poly: Poly, by: int) -> Poly:
    """``by * poly``."""
    return {m: c * by for m, c in poly.items()} if by else {}


def value_of(poly: Poly) -> int | None:
    """The number it is, if it has no unknowns."""
    if not poly:
        return 0
    return poly.get(()) if len(poly) == 1 else None


def varying(poly: Poly) -> Iterator[int]:
    """The coefficients of everything but the constant term."""
    return (c for m, c in poly.items() if m)


def content(poly: Poly) -> int:
    """Greatest common divisor of the varying coefficients; 0 if there are none."""
    return reduce(gcd, varying(poly), 0)


def unknowns(poly: Poly) -> set[int]:
    """The numbers of the unknowns that occur."""
    return {n for m in poly for n in m}


def key(poly: Poly) -> Key:
    """A hashable form."""
    return frozenset(poly.items())


def split_by(poly: Poly, divisor: int) -> tuple[Poly, Poly]:
    """``(q, r)`` with ``poly == divisor * q + r``, every coefficient of ``r`` in ``[0, |divisor|)``."""
    quotient: Poly = {}
    rest: Poly = {}
    size = abs(divisor)
    for m, c in poly.items():
        q, r = divmod(c, size)
        if q:
            quotient[m] = q if divisor > 0 else -q
        if r:
            rest[m] = r
    return quotient, rest


def divide(poly: Poly, divisor: Poly) -> Poly | None:
    """The exact quotient, or None if there is none with integer coefficients.

    Multivariate division by the leading monomial (graded by length, then numbers): when a quotient exists,
    each step removes the leading term, so a step that cannot be taken shows that none does.
    """
    if not divisor:
        return None
    lead = max(divisor, key=_grade)
    rest: Poly = dict(poly)
    quotient: Poly = {}
    for _ in range(MAX_TERMS):
        if not rest:
            return quotient
        top = max(rest, key=_grade)
        term = _without(top, lead)
        factor, remainder = divmod(rest[top], divisor[lead])
        if term is None or remainder:
            return None
        quotient = add(quotient, {term: factor})
        rest = add(rest, multiply({term: factor}, divisor), -1)
    return None


def substitute(poly: Poly, by: Callable[[int], Poly]) -> Poly:
    """The polynomial with each unknown replaced. Raises ``OutOfReach``."""
    result: Poly = {}
    for monomial, coefficient in poly.items():
        term = constant(coefficient)
        for number in monomial:
            term = multiply(term, by(number))
        result = add(result, term)
    return result


def _grade(monomial: Monomial) -> tuple[int, Monomial]:
    return len(monomial), monomial


def _without(monomial: Monomial, part: Monomial) -> Monomial | None:
    rest = list(monomial)
    for number in part:
        if number not in rest:
            return None
        rest.remove(number)
    return tuple(rest)
