"""The predicate under symbols: what it proves, refutes and asks for is held against real sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sympy
import torch
from bad_rules import BAD

from noopelim import ANY, OpCall, Proof, Rule, X, patterns, symbolic
from noopelim.facts import Facts
from noopelim.integers import Expr, Prover
from noopelim.law import Judge, Wrong
from noopelim.points import evaluate
from noopelim.proof import Truth
from noopelim.scope import Scope
from noopelim.spellings import alias, getitem
from noopelim.stages import Task

aten = torch.ops.aten
MANY = Scope(rank=2, dim=2, window=2, symbolic=400)


def rule_of(pattern: OpCall, where: Any = None) -> Rule:
    return Rule("test/any", pattern, X, "b", lambda x: x, where)


def same_shape(f: Facts, x: Any) -> Proof:
    return f.same_shape(x, f.root)


def stage_of(rule: Rule, seed: int = 0) -> symbolic.Symbolic:
    return symbolic.Symbolic(Judge(rule), MANY, seed)


def wrong_of(rule: Rule, attempts: int = 600, seed: int = 0) -> Wrong | None:
    """The first mistake found in so many attempts."""
    stage = stage_of(rule, seed)
    return next((w for _ in range(attempts) if (w := stage.attempt()) is not None), None)


def symbols_of(x: Any) -> list[sympy.Symbol]:
    return sorted({s for n in x.shape for s in sympy.sympify(n).free_symbols}, key=str)


# What the predicate is blamed for


def test_a_predicate_proved_by_today_s_sizes_is_caught_at_others() -> None:
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-hint")
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("shape ")
    assert "today's sizes" in wrong.claim
    assert " today)" in wrong.claim
    assert wrong.to is not None


def test_a_predicate_that_adds_a_guard_is_caught() -> None:
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-guard")
    wrong = wrong_of(rule)
    assert wrong is not None
    # Of an unbacked symbol it has no value to guard on.
    assert re.match(r"`where` (adds a guard on symbolic sizes|raised GuardOnDataDep)", wrong.what)
    assert len(wrong.what.splitlines()) == 1


def test_a_predicate_that_fails_only_on_symbols_is_caught() -> None:
    rule = rule_of(alias(X), lambda f, x: Proof.all([f.eq(int(n), n) for n in x.shape]))
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("`where` raised TypeError")


def test_a_witness_at_which_the_claim_is_proved_is_caught() -> None:
    def where(f: Facts, x: Any) -> Proof:
        proof = same_shape(f, x)
        if not symbols_of(x):
            return proof
        return Proof(Truth.REFUTED, "planted", "nothing", dict.fromkeys(symbols_of(x), 6))

    wrong = wrong_of(rule_of(alias(X), where))
    assert wrong is not None
    assert wrong.what.startswith("refuted at {")
    assert wrong.what.endswith("yet proved there")
    assert "planted" in wrong.claim


def test_a_witness_that_the_facts_do_not_allow_is_caught() -> None:
    """Zero, of sizes some of which are known to be two at least."""

    def where(f: Facts, x: Any) -> Proof:
        if not symbols_of(x):
            return Proof.of(0 not in x.shape, "no size is zero", "looking")
        return Proof(Truth.REFUTED, "no size is zero", "nothing", dict.fromkeys(symbols_of(x), 0))

    wrong = wrong_of(rule_of(alias(X), where))
    assert wrong is not None
    assert wrong.what.endswith("which the facts do not allow")


def test_a_true_witness_is_no_mistake() -> None:
    def where(f: Facts, x: Any) -> Proof:
        return Proof.all([f.le(n, 5) for n in x.shape])

    stage = stage_of(rule_of(alias(X), where))
    assert not any(stage.attempt() for _ in range(300))
    assert stage.counts["symbolic, refuted"] > 50


def test_a_value_without_elements_may_lie_otherwise_than_its_fake() -> None:
    """A stride of s0 is 1 where s0 is 0, and there the claim is refuted of the symbol."""

    def where(f: Facts, x: Any) -> Proof:
        return Proof.all([f.eq(n, 1) for n in x.stride[:1]])

    stage = stage_of(rule_of(alias(X), where))
    assert not any(stage.attempt() for _ in range(600))


class Hasty(Prover):
    """Takes sizes that are equal today for equal."""

    def equal(self, left: Expr, right: Expr) -> Proof:
        hint = {
            s: self.knowledge.hint.get(s, 1) for e in (left, right) for s in sympy.sympify(e).free_symbols
        }
        values = [evaluate(sympy.sympify(e), hint) for e in (left, right)]
        return Proof.of(values[0] == values[1], f"{left} == {right}", "a planted mistake")


def test_a_prover_that_errs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = patterns.ALL["slice/whole"]
    assert wrong_of(rule, 300) is None
    monkeypatch.setattr(symbolic, "Prover", Hasty)
    wrong = wrong_of(rule)
    assert wrong is not None
    assert "a planted mistake" in wrong.claim
    assert wrong.what.startswith("shape ")


def test_a_proof_that_holds_nowhere_else_is_caught_even_if_the_values_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An alias is its operand whatever the predicate says: only the claim is false."""
    monkeypatch.setattr(symbolic, "Prover", Hasty)
    rule = rule_of(alias(X), lambda f, x: Proof.all([f.eq(n, x.shape[0]) for n in x.shape]))
    wrong = wrong_of(rule)
    assert wrong is not None
    assert wrong.what.startswith("proved for all sizes, yet not for these: ")
    assert wrong.to is None


# What it is not blamed for


@pytest.fixture
def even() -> Iterator[Any]:
    """Leaves out the last row of an odd number. Its fake kernel says that it never does."""
    with torch.library._scoped_library("noopelim_test_symbolic", "FRAGMENT") as library:
        library.define("even(Tensor x) -> Tensor")
        library.impl("even", lambda x: x[: x.shape[0] // 2 * 2].clone() if x.dim() else x.clone(), "CPU")
        library.impl("even", lambda x: x.clone(), "Meta")
        yield torch.ops.noopelim_test_symbolic.even.default


def test_metadata_that_torch_tells_wrongly_is_not_blamed_on_the_rule(even: Any) -> None:
    rule = rule_of(OpCall(even, X), same_shape)
    stage = stage_of(rule)
    assert not any(stage.attempt() for _ in range(400))
    assert stage.counts["symbolic, proved"] > 50
    # Where it is told truly, the rule was tried.
    assert 0 < stage.counts["valuations"] < 6 * stage.counts["symbolic, proved"]


def test_calls_with_several_results_are_tried(even: Any) -> None:
    """Theirs are told by the kernels alone."""
    rule = rule_of(getitem(OpCall(aten.split.Tensor, X, ANY, ANY), 0), same_shape)
    stage = stage_of(rule)
    assert not any(stage.attempt() for _ in range(400))
    assert stage.counts["valuations"] > 20


def test_attempts_follow_from_the_seed() -> None:
    def counts(seed: int) -> dict[str, int]:
        stage = stage_of(patterns.ALL["slice/whole"], seed)
        assert not any(stage.attempt() for _ in range(60))
        return stage.counts

    assert counts(1) == counts(1)
    assert counts(1) != counts(2)
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-hint")
    (one, other) = (wrong_of(rule, seed=3) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.what, one.claim) == (other.what, other.claim)


def test_the_stage_ends_when_enough_instances_were_symbolic() -> None:
    found = Task("symbolic", Scope("small", symbolic=7)).run(patterns.ALL["copy/alias"])
    assert found.counterexample is None
    assert found.counts["symbolic"] == 7
