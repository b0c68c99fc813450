"""The prover's parts, each against plain Python integers over everything small."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import sympy
from claims import CeilDiv, Max, Min, compiled, int_symbols
from sympy import Eq, Ge, Gt, Le, Lt, Ne
from torch.utils._sympy.functions import FloorDiv, ModularIndexing, PythonMod, Where

from noopelim import cases, points, polynomial, residues
from noopelim.atoms import Choice, Extremum, Floor
from noopelim.bounds import Bounds, Range
from noopelim.knowledge import Knowledge
from noopelim.normal import Normalizer
from noopelim.polynomial import OutOfReach, Poly, add, constant, multiply, scale, unknown

S, T = int_symbols("s", "t")
SMALL = range(-9, 10)
X, Y = unknown(0), unknown(1)
SAMPLES: list[Poly] = [
    {},
    constant(3),
    X,
    add(X, Y, -2),
    add(scale(X, 4), constant(-5)),
    multiply(add(X, Y), add(X, constant(1))),
    multiply(X, multiply(X, Y)),
]


def value(poly: Poly, at: tuple[int, ...]) -> int:
    total = 0
    for monomial, coefficient in poly.items():
        for number in monomial:
            coefficient *= at[number]
        total += coefficient
    return total


def grid() -> Iterator[tuple[int, int]]:
    return itertools.product(range(-4, 5), range(-4, 5))


def normalizer() -> Normalizer:
    return Normalizer(lambda s: None, lambda p: False)


def meaning(normal: Normalizer, poly: Poly, at: dict[sympy.Basic, int]) -> int:
    """The value of a normal form, from the meaning of its atoms."""

    def of(number: int) -> int:
        atom = normal.atoms[number]
        if isinstance(atom, Floor):
            return meaning(normal, dict(atom.over), at) // meaning(normal, dict(atom.under), at)
        if isinstance(atom, Extremum):
            return (max if atom.largest else min)(meaning(normal, dict(p), at) for p in atom.of)
        if isinstance(atom, Choice):
            when = meaning(normal, dict(atom.when), at)
            return meaning(normal, dict(atom.then if when >= 0 else atom.other), at)
        return at[atom]

    return value(poly, tuple(of(n) for n in range(1 + max((n for m in poly for n in m), default=-1))))


@pytest.mark.parametrize(("p", "q"), list(itertools.product(SAMPLES, repeat=2)))
def test_arithmetic_of_polynomials(p: Poly, q: Poly) -> None:
    for at in grid():
        assert value(add(p, q, 3), at) == value(p, at) + 3 * value(q, at)
        assert value(multiply(p, q), at) == value(p, at) * value(q, at)
        assert value(polynomial.substitute(p, lambda n: (q, X)[n]), at) == value(p, (value(q, at), at[0]))
    assert all(multiply(p, q).values()), "a zero coefficient is kept"
    quotient = polynomial.divide(multiply(p, q), q)
    assert quotient == (p if q else None)


@pytest.mark.parametrize("p", SAMPLES)
def test_a_polynomial_is_split_by_a_constant(p: Poly) -> None:
    for divisor in (1, 2, 3, -4):
        quotient, rest = polynomial.split_by(p, divisor)
        assert add(scale(quotient, divisor), rest) == p
        assert all(0 < c < abs(divisor) for c in rest.values())


def test_division_that_is_not_exact() -> None:
    assert polynomial.divide(add(X, constant(1)), X) is None
    assert polynomial.divide(X, scale(X, 2)) is None
    assert polynomial.divide(multiply(add(X, Y), add(X, Y, -1)), add(X, Y)) == add(X, Y, -1)


def test_small_questions_about_polynomials() -> None:
    p = add(add(scale(X, 6), scale(Y, -4)), constant(9))
    assert polynomial.content(p) == 2
    assert sorted(polynomial.varying(p)) == [-4, 6]
    assert polynomial.unknowns(p) == {0, 1}
    assert polynomial.value_of(p) is None
    assert polynomial.value_of({}) == 0
    assert polynomial.value_of(constant(-2)) == -2
    assert polynomial.key(p) == polynomial.key(dict(reversed(p.items())))


def test_a_polynomial_that_grows_too_large_is_given_up() -> None:
    p: Poly = {(n,): 1 for n in range(21)}
    with pytest.raises(OutOfReach):
        multiply(p, {(100 + n,): 1 for n in range(21)})


EXPRESSIONS = [
    PythonMod(S, 4),
    CeilDiv(S + T, 3),
    FloorDiv(FloorDiv(S + 1, 2) + T, 3),
    FloorDiv(6 * S + 5, 4),
    FloorDiv(S, -3, evaluate=False),
    PythonMod(S, -3, evaluate=False),
    ModularIndexing(S * S + T, 2, 5),
    PythonMod(4 * S + 2, 6),
    Max(S, FloorDiv(T, 2), 1) * Min(S, 3),
    (S + 2 * T) ** 3,
    Max(Max(S, T, evaluate=False), S - 1, FloorDiv(T, 2), evaluate=False),
    FloorDiv(Min(S, T + 1) + Max(S, 2), 3),
    FloorDiv(S, T * T + 1),
    *(Where(kind(S, T, evaluate=False), 2 * S, T - 1) for kind in (Eq, Ne, Lt, Le, Gt, Ge)),
    Where(sympy.And(Lt(S, 3), Ge(T, -2)), FloorDiv(S, 2), 5),
    Where(sympy.Or(Eq(S, 3), sympy.Not(Ge(T, -2), evaluate=False), evaluate=False), T, Where(S > T, S, 0)),
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_a_normal_form_means_the_same(expr: sympy.Expr) -> None:
    normal = normalizer()
    form, direct = normal(expr), compiled(expr, [S, T])
    for s, t in itertools.product(SMALL, repeat=2):
        assert meaning(normal, form, {S: s, T: t}) == direct(s, t)
        assert points.evaluate(expr, {S: s, T: t}) == direct(s, t)
    assert normal.symbols_in(form) == {normal.number(s) for s in expr.free_symbols}


def test_residues_agree_with_all_small_values() -> None:
    normal = normalizer()
    for left, right in itertools.product(
        [PythonMod(S, 2), PythonMod(S + 2, 4), S - 2 * FloorDiv(S, 2)], repeat=2
    ):
        difference = add(normal(left), normal(right), -1)
        values = [compiled(left - right, [S])(s) for s in SMALL]
        assert residues.always_zero(normal, difference) == (not any(values))
        shifted = add(difference, constant(1))
        assert residues.never_zero(normal, shifted) == all(v + 1 for v in values)
    odd = [normal(PythonMod(S, 2) - 1)]
    assert residues.always_zero(normal, normal(PythonMod(S * S, 8) - 1), odd)
    assert not residues.always_zero(normal, normal(PythonMod(S * S, 8) - 1))
    assert residues.never_zero(normal, normal(PythonMod(S, 4)), odd)


def test_residues_have_a_limit() -> None:
    normal = normalizer()
    with pytest.raises(OutOfReach):
        residues.always_zero(normal, normal(FloorDiv(S, 10**6)))
    with pytest.raises(OutOfReach):
        residues.always_zero(normal, normal(FloorDiv(S, 64) * FloorDiv(T, 128)))


@pytest.mark.parametrize("expr", [*EXPRESSIONS, S * T - S, 7 - S, S - T, S * T + 8], ids=str)
def test_bounds_are_never_too_good(expr: sympy.Expr) -> None:
    normal = normalizer()
    form, direct = normal(expr), compiled(expr, [S, T])
    spans: list[tuple[int, int]] = [(0, 4), (-3, 2), (1, 1)]
    for of_s, of_t in itertools.product(spans, repeat=2):
        ranges: dict[object, Range] = {S: of_s, T: of_t}
        bounds = Bounds(normal, lambda n, r=ranges: r.get(normal.atoms[n]))  # type: ignore[misc]
        least = min(direct(s, t) for s in range(of_s[0], of_s[1] + 1) for t in range(of_t[0], of_t[1] + 1))
        for offset in range(-30, 30):
            if bounds.nonnegative(add(form, constant(offset))):
                assert least + offset >= 0


def test_linear_bounds_are_exact_and_facts_count() -> None:
    normal = normalizer()
    s, t = normal(S), normal(T)
    bounds = Bounds(normal, lambda n: (0, None))
    assert bounds.nonnegative(add(s, t))
    assert not bounds.nonnegative(add(s, t, -1))
    assert bounds.with_facts_only(add(s, t, -1)).nonnegative(add(s, t, -1))
    assert bounds.with_facts_only(add(s, t, -3)).nonnegative(add(add(s, t, -2), constant(0)))


def test_cases_of_extrema() -> None:
    known = Knowledge(None, [])
    for claim, kind in ((Max(S, T) + Min(S, T) - S - T, "zero"), (Max(S, T) - S, "nonnegative")):
        assert cases.proved_everywhere(known, kind, known.normal(claim))
    assert cases.proved_everywhere(known, "nonzero", known.normal(2 * Max(S, T) + 1))
    assert not cases.proved_everywhere(known, "nonnegative", known.normal(Max(S, T) - S - 1))
    assert not cases.proved_everywhere(known, "zero", known.normal(Max(S, T) - S))


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_a_supposed_order_changes_no_value_where_it_holds(expr: sympy.Expr) -> None:
    normal = normalizer()
    form, direct = normal(expr), compiled(expr, [S, T])
    for order in itertools.islice(cases.orders(normal, form), 4):
        for supposed in (order, cases.negated(order)):
            simpler = cases.supposing(normal, supposed)(form)
            for s, t in itertools.product(SMALL, repeat=2):
                if meaning(normal, supposed, {S: s, T: t}) >= 0:
                    assert meaning(normal, simpler, {S: s, T: t}) == direct(s, t)


def test_cases_have_a_limit() -> None:
    known = Knowledge(None, [])
    pairs = [int_symbols(f"a{i}", f"b{i}") for i in range(8)]
    clamps = sum(Max(a, b) + Min(a, b) - a - b for a, b in pairs)
    with pytest.raises(OutOfReach, match="cases of Min and Max"):
        cases.proved_everywhere(known, "nonnegative", known.normal(clamps))


def test_points_are_allowed_and_repeat() -> None:
    ranges: dict[sympy.Symbol, tuple[int | None, int | None]] = {S: (2, 5), T: (None, -1)}
    found = list(points.candidates([S, T], ranges, {S: 3, T: -7}, (4,)))
    assert found[0] == {S: 3, T: -7}
    assert all(2 <= p[S] <= 5 and p[T] <= -1 for p in found)
    assert found == list(points.candidates([S, T], ranges, {S: 3, T: -7}, (4,)))
    assert {p[S] for p in found} == {2, 3, 4, 5}


def test_what_has_no_value() -> None:
    for expr in (FloorDiv(S, T), PythonMod(S, T), S**T, sympy.Symbol("other"), sympy.sin(S)):
        with pytest.raises(points.Unevaluable):
            points.evaluate(expr, {S: 1, T: 0} if expr != S**T else {S: 2, T: -1})


def test_divisors_are_found() -> None:
    assert points.divisors(sympy.Eq(FloorDiv(S, 3) + PythonMod(S, 4), ModularIndexing(S, 2, 5))) == [
        2,
        3,
        4,
        5,
        120,
    ]
