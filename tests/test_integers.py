"""The contract of ``decide``: what must be proved, what must not, and how it says so."""

from __future__ import annotations

import itertools
import time

import pytest
import sympy
from claims import CeilDiv, Expr, Max, Min, compiled, int_symbols
from sympy import And, Eq, Le, Lt, Ne, Or
from torch._dynamo.source import ConstantSource
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv
from torch.utils._sympy.functions import FloorDiv, IntTrueDiv, Mod, ModularIndexing, PythonMod, Where
from torch.utils._sympy.value_ranges import ValueRanges

from noopelim.integers import Prover, decide
from noopelim.proof import Proof, Truth
from noopelim.torch_api import snapshot

S, T, U = int_symbols("s", "t", "u")
N = sympy.Symbol("n", integer=True, nonnegative=True)
P = sympy.Symbol("p", integer=True, positive=True)


def eq(left: Expr | int, right: Expr | int) -> sympy.Basic:
    """As asked: sympy would rather fold it."""
    return Eq(sympy.sympify(left), sympy.sympify(right), evaluate=False)


def check(proof: Proof, truth: Truth, claim: sympy.Basic) -> None:
    assert proof.truth is truth, str(proof)
    if truth is Truth.REFUTED and proof.witness:
        assert not compiled(claim, proof.witness)(*proof.witness.values()), str(proof)


def sized(today: int, *, name: str = "x") -> tuple[ShapeEnv, sympy.Symbol]:
    env = ShapeEnv()
    return env, env.create_symbol(today, ConstantSource(name), DimDynamic.DYNAMIC)


# Torch cannot prove these.
BEYOND_TORCH = [
    eq(FloorDiv(S + 3, 4) * 4, S + Mod(-S, 4)),
    eq(FloorDiv(S, 8) * 8 + Mod(S, 8), S),
    eq(FloorDiv(S, 2) + FloorDiv(S + 1, 2), S),
    eq(FloorDiv(S + 1, 2), S - FloorDiv(S, 2)),
    eq(Mod(Mod(S, 8), 4), Mod(S, 4)),
    eq(Min(S, 2**63 - 1), S),
    eq(Min(S, S + 1), S),
    eq(Max(S, T) + Min(S, T), S + T),
]
TRUE = [
    eq(FloorDiv(N * P * 64, P * 64), N),
    eq(CeilDiv(S, 3), FloorDiv(S + 2, 3)),
    eq(ModularIndexing(S, 4, 8), Mod(FloorDiv(S, 4), 8)),
    eq(Mod(S * (S + 1), 2), 0),
    Ne(2 * S, 4 * T + 1, evaluate=False),
    Ne(Mod(S, 4), 4, evaluate=False),
    Le(FloorDiv(N, 4), N, evaluate=False),
    Lt(PythonMod(S, 5), 5, evaluate=False),
    sympy.Ge(N, 0, evaluate=False),
    eq(Max(S, Min(S, T), evaluate=False), S),
    eq(FloorDiv(Max(2 * S, 2 * T), 2), Max(S, T)),
    eq(Min(S, 4) + Min(4, Max(0, S - 4)) + Max(0, S - 8), S),
    eq(FloorDiv(Where(S >= 8, S, 8), 2), Max(FloorDiv(S, 2), 4)),
    eq(Where(Eq(S, T), S, U), Where(Ne(S, T), U, T)),
    Le(FloorDiv(Min(S, T), 3), FloorDiv(S, 3), evaluate=False),
    Le(S, Max(*int_symbols(*"abcdefgh"), S), evaluate=False),
    Lt(2 * S + PythonMod(-2 * S, 5), 5 * FloorDiv(2 * S + 4, 5) + 2, evaluate=False),
    And(eq(S, S + T - T), Lt(N - 1, N + T - T, evaluate=False)),
]
FALSE = [
    eq(S + Mod(-S, 4), S),
    eq(S, T),
    eq(FloorDiv(S, 2) * 2, S),
    eq(Where(S > 3, S, 0), S),
    Le(
        FloorDiv(Where(Ne(N, 3), N + 1, N + 2), 5) + 1,
        FloorDiv(Where(Ne(N, 3), N + 1, N + 2), 5),
        evaluate=False,
    ),
    Ne(FloorDiv(2 * Max(N, P), 10), FloorDiv(Max(N, P), 7) + 2, evaluate=False),
    Lt(64 * FloorDiv(5 * P + 66, 64), 5 * P + 66, evaluate=False),
    Lt(64 * FloorDiv((P + 1) * (N + 2) + 63, 64), (P + 1) * (N + 2) + 63, evaluate=False),
    Ne(S, 7, evaluate=False),
    Lt(N, 2 * N, evaluate=False),
    Le(P, 5, evaluate=False),
    eq(Mod(S, 3), 0),
    eq(Max(S, T), S),
]


@pytest.mark.parametrize("claim", [*BEYOND_TORCH, *TRUE], ids=str)
def test_proved(claim: sympy.Basic) -> None:
    check(decide(claim), Truth.PROVED, claim)


@pytest.mark.parametrize("claim", FALSE, ids=str)
def test_refuted_with_a_witness(claim: sympy.Basic) -> None:
    proof = decide(claim)
    check(proof, Truth.REFUTED, claim)
    assert proof.witness.keys() == claim.free_symbols


def test_a_size_that_is_a_multiple_today_is_not_one_tomorrow() -> None:
    env, s = sized(8192)
    claim = eq(s + Mod(-s, 4), s)
    check(decide(claim, env), Truth.REFUTED, claim)


def test_claims_without_symbols_are_looked_at() -> None:
    assert decide(sympy.true).proved
    refuted = decide(eq(2, 3))
    assert refuted.truth is Truth.REFUTED
    assert not refuted.witness
    assert decide(sympy.false).truth is Truth.REFUTED


@pytest.mark.parametrize("claim", [S + 1, sympy.Integer(1), "s == 1", 3, None, S], ids=repr)
def test_what_is_no_claim_is_refused(claim: object) -> None:
    with pytest.raises(TypeError, match="not a claim"):
        decide(claim)


def test_unknown_says_why() -> None:
    proof = decide(eq(S * T * U * FloorDiv(S, 10**6), U * T * S * FloorDiv(S + 0 * T, 10**6)))
    assert proof.proved
    for claim in slow_claims():
        proof = decide(claim)
        if proof.truth is Truth.UNKNOWN:
            assert "no proof found" in proof.by


def slow_claims() -> list[sympy.Basic]:
    xs = int_symbols(*(f"x{i}" for i in range(10)))
    eights = sum(FloorDiv(x, 8) for x in xs[:6])
    clamp: Expr = xs[0]
    for i in range(7):
        clamp = Max(clamp + 1, Min(xs[i], clamp), evaluate=False)
    squares = sum(FloorDiv(x * y, 2) for x, y in itertools.pairwise(xs))
    return [
        eq(FloorDiv(S, 10**6) * 10**6 + Mod(S, 10**6), S),
        Ne(FloorDiv(S, 10**6), FloorDiv(S + T * T, 10**6) + 1, evaluate=False),
        eq(eights, FloorDiv(sum(xs[:6]), 8)),
        Ne(2 * FloorDiv(eights, 2), FloorDiv(eights + 8, 2) * 2 - 8 + FloorDiv(eights, 4), evaluate=False),
        Ne(FloorDiv(squares, 4), FloorDiv(squares + 1, 5) + 1, evaluate=False),
        Le(clamp, clamp + Max(xs[1], 3) - 3, evaluate=False),
        eq((S + T + U + 1) ** 8 * FloorDiv(S, 2), 0),
    ]


@pytest.mark.parametrize("claim", slow_claims(), ids=range(7))
def test_no_question_hangs(claim: sympy.Basic) -> None:
    began = time.process_time()
    decide(claim)
    assert time.process_time() - began < 1


def test_a_limit_on_work_is_given_as_the_reason() -> None:
    xs = int_symbols("a", "b", "c", "d")
    # Fails only where x*y, of four unknowns with period 16, has one residue out of 65536.
    claim = Ne(
        sum(FloorDiv(x * x, 16) for x in xs), 2 * FloorDiv(S * S, 16) * FloorDiv(T, 16) - 1, evaluate=False
    )
    proof = decide(claim, assume=[Lt(x, -(10**9)) for x in xs])
    assert proof.truth is not Truth.PROVED
    if proof.truth is Truth.UNKNOWN:
        assert proof.by.startswith("no proof found: ")


# Facts


def test_assumptions_are_used_and_named() -> None:
    assert decide(eq(FloorDiv(S, 4) * 4, S), assume=[eq(Mod(S, 4), 0)]).proved
    assert decide(eq(Mod(S * T, 4), 0), assume=[eq(Mod(S, 4), 0)]).proved
    assert decide(Le(S, T + 1), assume=[Lt(S, T)]).proved
    assert decide(eq(S, T), assume=[eq(S, T)]).by == "assumed by the user"
    claim = Le(S, 5)
    refuted = decide(claim, assume=[Le(S, 10)])
    check(refuted, Truth.REFUTED, claim)
    assert 5 < refuted.witness[S] <= 10


def test_contradictory_assumptions_do_not_crash() -> None:
    for wrong in ([Lt(S, T), Lt(T, S)], [eq(S, 1), eq(S, 2)], [sympy.false], [Or(eq(S, 1), eq(S, 2))]):
        assert decide(eq(S, T + 1), assume=wrong).truth in Truth


def test_ranges_of_a_shape_env() -> None:
    env, s = sized(8)
    assert decide(Ne(s, 0, evaluate=False), env).proved
    env.var_to_range[s] = ValueRanges(2, 16)
    assert decide(Le(s, 16, evaluate=False), env).proved
    assert decide(eq(Min(s, 16), s), env).proved
    refuted = decide(Le(s, 15, evaluate=False), env)
    assert refuted.truth is Truth.REFUTED


def test_guards_asserts_and_unbacked_sizes() -> None:
    env, s = sized(8)
    u = env.create_unbacked_symint().node.expr
    v = env.create_unbacked_symint().node.expr
    env.evaluate_expr(Eq(Mod(s, 4), 0))
    env.guard_or_defer_runtime_assert(sympy.Ge(u, 2), "", None)
    env.guard_or_defer_runtime_assert(Le(u, v), "", None)
    env.guard_or_defer_runtime_assert(Eq(Mod(v, 8), 0), "", None)
    before = snapshot(env)
    prover = Prover(env)
    assert prover.decide(eq(FloorDiv(s, 4) * 4, s)).proved
    assert prover.decide(Lt(1, v, evaluate=False)).proved
    assert prover.decide(eq(Min(u, v), u)).proved
    assert prover.decide(eq(Mod(v, 4), 0)).proved
    claim = eq(Mod(u, 8), 0)
    check(prover.decide(claim), Truth.REFUTED, claim)
    assert snapshot(env) == before


def test_a_point_that_only_remainders_allow_is_found() -> None:
    u = sympy.Symbol("u", integer=True, positive=True)
    facts = [eq(Mod(u, 8), 2), eq(Mod(u, 3), 0)]
    for claim in (Le(u + 1, u, evaluate=False), eq(u + 6, u), eq(Mod(u, 24), 17)):
        proof = decide(claim, assume=facts)
        check(proof, Truth.REFUTED, claim)
        assert proof.witness[u] % 24 == 18


def test_replacements() -> None:
    env, s = sized(8)
    t = env.create_symbol(16, ConstantSource("y"), DimDynamic.DYNAMIC)
    env.evaluate_expr(Eq(t, 2 * s))
    assert decide(eq(FloorDiv(t, 2), s), env).proved
    assert decide(Lt(s, t, evaluate=False), env).proved


def test_a_replaced_symbol_outside_the_claim_still_has_its_range() -> None:
    env = ShapeEnv()
    a, b, c = (env.create_unbacked_symint().node.expr for _ in range(3))
    for symbol, low, high in ((a, 0, 10), (b, 0, 10), (c, 5, 8)):
        env.var_to_range[symbol] = ValueRanges(low, high)
    env.replacements[c] = a + b
    assert decide(Le(a, 8, evaluate=False), env).truth is not Truth.REFUTED


def test_todays_sizes_that_an_assert_forbids_are_no_witness() -> None:
    env, s = sized(2)
    t = env.create_symbol(3, ConstantSource("y"), DimDynamic.DYNAMIC)
    u = env.create_unbacked_symint().node.expr
    env.guard_or_defer_runtime_assert(Le(t, u), "", None)
    env.guard_or_defer_runtime_assert(eq(u, s), "", None)
    claim = eq(u + t, 7)
    proof = decide(claim, env)
    check(proof, Truth.REFUTED, claim)
    assert proof.witness[t] <= proof.witness[u]


@pytest.mark.parametrize(
    "claim",
    [
        Ne(2 * IntTrueDiv(S, 2), 1, evaluate=False),
        eq(FloorDiv(4 * (S / 2), 4), S / 2),
        eq(FloorDiv(2 * IntTrueDiv(S, 2) + 1, 2), IntTrueDiv(S, 2)),
        Ne(2 * 2**S, 1, evaluate=False),
        Ne(4 / S, 2, evaluate=False),
        Le(sympy.Symbol("x") + 1, 2 * sympy.Symbol("x") + 1 - sympy.Symbol("x") * S, evaluate=False),
    ],
    ids=str,
)
def test_values_that_are_no_integers_are_not_reasoned_about(claim: sympy.Basic) -> None:
    assert not decide(claim).proved


def test_strict_facts_about_reals_say_nothing_of_the_next_integer() -> None:
    x, y = sympy.symbols("x y", real=True)
    assert not decide(Le(x + 1, y, evaluate=False), assume=[Lt(x, y)]).proved
