"""No answer of the prover is wrong: proofs are checked at all small allowed points and many large ones,
refutations at their witness, by an evaluator that shares nothing with the prover."""

from __future__ import annotations

import itertools
from random import Random

import pytest
import soak
import sympy
from claim_families import claim_of, complete_equality
from claim_worlds import world
from claims import Maker, compiled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._sympy.functions import Mod, ModularIndexing, PythonMod
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from noopelim.integers import Prover, decide
from noopelim.proof import Truth
from noopelim.torch_api import snapshot

randoms = st.randoms(use_true_random=False)


# One example draws a world and several claims: large, on purpose.
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(randoms)
def test_no_answer_is_wrong(random: Random) -> None:
    told = world(random)
    points = told.points(Random(0), 1000, 300)
    prover, before = Prover(told.env, told.assume), snapshot(told.env)
    make = Maker(random, told.symbols)
    for _ in range(3):
        made = claim_of(make)
        proof = prover.decide(made.claim)
        complaint = soak.objection(proof, made.claim, told, points)
        assert complaint in (None, "unconfirmed"), f"{complaint}: {proof}\n{told}"
    assert snapshot(told.env) == before


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(randoms)
def test_true_equalities_of_quasi_polynomials_are_proved(random: Random) -> None:
    make = Maker(random, [sympy.Symbol(f"s{i}", integer=True) for i in range(random.choice((1, 2)))])
    claim = complete_equality(make)
    proof = decide(claim)
    assert proof.truth is Truth.PROVED, proof


@pytest.mark.parametrize("seed", range(900_000, 900_006))
def test_a_slice_of_the_soak(seed: int) -> None:
    counts, wrong, _ = soak.check_world(seed)
    assert not wrong, "\n".join(wrong)
    assert sum(n for (_, column), n in counts.items() if column == "claims") == soak.PER_WORLD


def test_torchs_own_ranges_of_remainders_are_not_believed() -> None:
    # torch takes the remainder of a negative number to be negative, as C does: -u mod 3 "is" at most 0.
    env = ShapeEnv()
    u = env.create_unbacked_symint().node.expr
    env.var_to_range[u] = ValueRanges(2, int_oo)
    rare = sympy.Eq(PythonMod(u, 1009), 500, evaluate=False)  # so that no point is found where it fails
    for base, kind in itertools.product((-u, -5 * u), (ModularIndexing, Mod)):
        remainder = kind(base, 2, 3) if kind is ModularIndexing else kind(base, 3)
        assert not decide(sympy.Le(remainder, 0, evaluate=False), env, [rare]).proved


def test_the_check_itself_notices_a_wrong_proof_and_a_wrong_witness() -> None:
    s = sympy.Symbol("s", integer=True, nonnegative=True)
    told = world(Random(0))
    told.symbols, told.ranges, told.facts, told.env = [s], {s: (0, 99)}, [sympy.Ne(s, 0)], None
    points = told.points(Random(0), 50, 10)
    assert "false at s=3" in str(soak.objection(decide(sympy.Eq(s, s)), sympy.Ne(s, 3), told, points))
    refuted = decide(sympy.Ge(s, 5))
    assert refuted.witness == {s: 0}
    assert "outside" in str(soak.objection(refuted, sympy.Ge(s, 5), told, points))
    assert "true at the witness" in str(soak.objection(refuted, sympy.Le(s, 1), told, points))
    assert compiled(sympy.Ge(s, 1), [s])(1)
