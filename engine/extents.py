"""Sizes as exact factors: plain ints, or polynomials in the prover's normal form.

Relabelling dims multiplies sizes and divides them, always exactly, and asks whether two are one. On normal forms
each of these is a few steps over small dicts and needs no proof.
"""

from __future__ import annotations

from typing import TypeAlias

from .integers import Expr, Prover
from .polynomial import Poly, add, constant, divide, multiply, value_of

Extent: TypeAlias = "int | Poly"


def extent(prover: Prover, size: Expr) -> Extent:
    """The normal form of a size. Raises ``OutOfReach``."""
    return size if isinstance(size, int) else _plain(prover.knowledge.normal(size))


def plus(left: Extent, right: Extent) -> Extent:
    """``left + right``."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return _plain(add(_poly(left), _poly(right)))


def times(left: Extent, right: Extent) -> Extent:
    """``left * right``. Raises ``OutOfReach``."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    return _plain(multiply(_poly(left), _poly(right)))


def quotient(over: Extent, under: Extent) -> Extent | None:
    """``over / under`` where that is exact for every valuation; None where it is not, or not known to be."""
    if isinstance(over, int) and isinstance(under, int):
        return over // under if under and not over % under else None
    if under == 1:
        return over
    found = divide(_poly(over), _poly(under))
    return None if found is None else _plain(found)


def product(sizes: tuple[Extent, ...]) -> Extent:
    """The product of all; 1 of none. Raises ``OutOfReach``."""
    total: Extent = 1
    for size in sizes:
        total = times(total, size)
    return total


def _poly(size: Extent) -> Poly:
    return constant(size) if isinstance(size, int) else size


def _plain(poly: Poly) -> Extent:
    number = value_of(poly)
    return poly if number is None else number
