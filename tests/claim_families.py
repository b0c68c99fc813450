"""Families of equalities that hold for all integers, and the claims that are made of them."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from claims import CeilDiv, Claim, Expr, Maker, Max, Min
from torch.utils._sympy.functions import CleanDiv, FloorDiv, ModularIndexing, PythonMod, Where

Sides = tuple[Expr, Expr]


def remainder(make: Maker) -> Sides:
    """``p == c*(p // c) + p % c``, and remainders of remainders."""
    p, c, d = make.expr(1), make.constant(), make.constant()
    return make.random.choice(
        (
            (p, c * make.op(FloorDiv, p, c) + make.op(PythonMod, p, c)),
            (make.op(PythonMod, make.op(PythonMod, p, c * d), c), make.op(PythonMod, p, c)),
            (make.op(PythonMod, p + c * make.linear(), c), make.op(PythonMod, p, c)),
            (make.op(PythonMod, c * p, c * d), c * make.op(PythonMod, p, d)),
            (make.op(PythonMod, -p, c), make.op(PythonMod, c - make.op(PythonMod, p, c), c)),
        )
    )


def floors(make: Maker) -> Sides:
    """Nested floors, floors of sums, Hermite's identity."""
    p, q, c, d = make.expr(1), make.linear(), make.constant(), make.constant()
    return make.random.choice(
        (
            (make.op(FloorDiv, make.op(FloorDiv, p, c), d), make.op(FloorDiv, p, c * d)),
            (make.op(FloorDiv, p + c * q, c), make.op(FloorDiv, p, c) + q),
            (sum(make.op(FloorDiv, p + i, c) for i in range(c)), p),
            (make.op(FloorDiv, make.op(FloorDiv, p, c) + q, d), make.op(FloorDiv, p + c * q, c * d)),
            (make.op(FloorDiv, c * p, c * d), make.op(FloorDiv, p, d)),
            (make.op(FloorDiv, p, c) * q, make.op(FloorDiv, p * 1, c) * q),
            (make.op(FloorDiv, -p, c), -make.op(CeilDiv, p, c)),
        )
    )


def padding(make: Maker) -> Sides:
    """Rounding up to a multiple, and output sizes of convolutions and pools."""
    p, c, d, k = make.expr(1), make.constant(), make.constant(), make.random.randrange(6)
    return make.random.choice(
        (
            (make.op(FloorDiv, p + c - 1, c) * c, p + make.op(PythonMod, -p, c)),
            (make.op(CeilDiv, p, c), make.op(FloorDiv, p + c - 1, c)),
            (make.op(CeilDiv, p, c), make.op(FloorDiv, p - 1, c) + 1),
            (make.op(CeilDiv, make.op(CeilDiv, p, c), d), make.op(CeilDiv, p, c * d)),
            (make.op(FloorDiv, p - k, c) + 1, make.op(FloorDiv, p - k + c, c)),
            (p - make.op(FloorDiv, p, 2), make.op(FloorDiv, p + 1, 2)),
        )
    )


def indexing(make: Maker) -> Sides:
    """Flat indices taken apart and put together."""
    p, c, d = make.expr(1), make.constant(), make.constant()
    return make.random.choice(
        (
            (make.op(ModularIndexing, p, c, d), make.op(PythonMod, make.op(FloorDiv, p, c), d)),
            (make.op(FloorDiv, make.op(PythonMod, p, c * d), c), make.op(ModularIndexing, p, c, d)),
            (
                c * d * make.op(FloorDiv, p, c * d)
                + c * make.op(ModularIndexing, p, c, d)
                + make.op(ModularIndexing, p, 1, c),
                p,
            ),
            (make.op(ModularIndexing, c * p, c, d), make.op(PythonMod, p, d)),
        )
    )


def products(make: Maker) -> Sides:
    """Products, binomials, and division that is exact where it is defined."""
    p, q, c = make.expr(1), make.linear(), make.constant()
    s, t = make.random.choice(make.symbols), make.random.choice(make.symbols)
    return make.random.choice(
        (
            ((p + q) * (p - q), p * p - q * q),
            (p * (q + c), p * q + c * p),
            (make.op(FloorDiv, s * t * c, t * c), s),
            (make.op(FloorDiv, p * s, s), p),
            (make.op(CleanDiv, p * s * c, c * s), p),
            (make.op(PythonMod, q * s, s), sympy.Integer(0)),
            (make.op(FloorDiv, p, s) * s, p - make.op(PythonMod, p, s)),
            (make.op(PythonMod, s * (s + 1), 2), sympy.Integer(0)),
            (make.op(FloorDiv, s * (s + 1), 2) * 2, s * s + s),
        )
    )


def extrema(make: Maker) -> Sides:
    """``Min`` and ``Max``: sums, absorption, distribution, clamps."""
    p, q, r, k = make.expr(1), make.linear(), make.linear(), make.random.randrange(4)
    return make.random.choice(
        (
            (make.op(Max, p, q) + make.op(Min, p, q), p + q),
            (make.op(Max, p, q) * make.op(Min, p, q), p * q),
            (make.op(Min, p, p + k), p),
            (make.op(Max, make.op(Min, p, q), q), q),
            (make.op(Min, p, q) + r, make.op(Min, p + r, q + r)),
            (-make.op(Min, p, q), make.op(Max, -p, -q)),
            (make.op(Min, p, make.op(Max, q, r)), make.op(Max, make.op(Min, p, q), make.op(Min, p, r))),
            (2 * make.op(Max, p, q), make.op(Max, 2 * p, 2 * q)),
            (make.op(Where, sympy.Le(p, q, evaluate=False), p, q), make.op(Min, p, q)),
            (make.op(Where, sympy.Eq(q, r, evaluate=False), p + q, p + r), p + r),
            (
                make.op(PythonMod, make.op(Min, p, q), 4),
                make.op(Min, p, q) - 4 * make.op(FloorDiv, make.op(Min, p, q), 4),
            ),
            (
                make.op(FloorDiv, make.op(Max, p, q), 3),
                make.op(Max, make.op(FloorDiv, p, 3), make.op(FloorDiv, q, 3)),
            ),
        )
    )


def chunks(make: Maker) -> Sides:
    """The pieces of a split add up to the whole (which is clamped to be a size)."""
    whole = make.op(Max, make.linear(), 0)
    c = make.random.choice((2, 2, 3))
    piece = make.random.choice((make.op(CeilDiv, whole, c), make.op(FloorDiv, whole + c - 1, c)))
    pieces = (make.op(Max, 0, make.op(Min, piece, whole - i * piece)) for i in range(c))
    return sum(pieces), whole


def order(make: Maker) -> Sides:
    """To be read as ``left <= right``."""
    p, q, c, k = make.expr(1), make.linear(), make.constant(), make.random.randrange(4)
    return make.random.choice(
        (
            (c * make.op(FloorDiv, p, c), p),
            (p, c * make.op(FloorDiv, p, c) + c - 1),
            (make.op(PythonMod, p, c), sympy.Integer(c - 1)),
            (sympy.Integer(0), make.op(PythonMod, p, c)),
            (make.op(Min, p, q), p),
            (q, make.op(Max, p, q)),
            (make.op(FloorDiv, p, c), make.op(FloorDiv, p + k, c)),
            (p, c * make.op(CeilDiv, p, c)),
            (sympy.Integer(0), q * q),
            (2 * p * q, p * p + q * q),
            (make.op(FloorDiv, p, c) + make.op(FloorDiv, q, c), make.op(FloorDiv, p + q, c)),
        )
    )


def anything(make: Maker) -> Sides:
    """No reason to be true."""
    p = make.expr()
    return p, make.random.choice(
        (make.expr, lambda: p + make.expr(0), lambda: sympy.Integer(make.constant()))
    )()


FAMILIES: tuple[Callable[[Maker], Sides], ...] = (
    remainder,
    floors,
    padding,
    indexing,
    products,
    extrema,
    chunks,
    order,
    anything,
    anything,
)


def claim_of(make: Maker) -> Claim:
    """An equality of some family, perhaps turned into another relation, perhaps spoilt."""
    while True:
        try:
            return _claim_of(make)
        except (AssertionError, ZeroDivisionError):
            # torch refuses the remainder of a negative number, and a division by what folds to zero.
            continue


def _claim_of(make: Maker) -> Claim:
    make.folds = make.random.random() < 0.03
    family = make.random.choice(FAMILIES)
    sides, surely = family(make), family is not anything
    claim = sympy.Le(*sides, evaluate=False) if family is order else make.related(*sides)
    if make.random.random() < 0.4:
        claim, surely = make.spoilt(claim), False
    if make.random.random() < 0.05:
        other = claim_of(make)
        claim, surely = sympy.And(claim, other.claim), surely and other.surely
    return Claim(family.__name__, claim, surely)


def complete_equality(make: Maker) -> sympy.Basic:
    """An equality that the prover must prove: quasi-polynomials, unbounded symbols, small periods."""
    p = make.periodic()
    make.expr = lambda depth=1: p  # type: ignore[method-assign]
    family = make.random.choice((remainder, floors, padding, indexing))
    return sympy.Eq(*family(make), evaluate=False)
