"""Proofs: Kleene logic that never turns one refuted point into a claim about all points."""

from __future__ import annotations

import itertools

import pytest
import sympy

from noopelim import Proof, Truth

A, B = sympy.symbols("a b", integer=True)


def proof(truth: Truth, claim: str = "claim", **at: int) -> Proof:
    return Proof(truth, claim, "test", {sympy.Symbol(k, integer=True): v for k, v in at.items()})


YES, NO, MAYBE = proof(Truth.PROVED), proof(Truth.REFUTED), proof(Truth.UNKNOWN)
NO_AT_1, NO_AT_2 = proof(Truth.REFUTED, a=1), proof(Truth.REFUTED, a=2)


def test_a_proof_has_no_bool() -> None:
    for each in (YES, NO, MAYBE):
        with pytest.raises(TypeError, match="three-valued"):
            bool(each)


def test_and_follows_kleene() -> None:
    order = {Truth.REFUTED: 0, Truth.UNKNOWN: 1, Truth.PROVED: 2}
    for left, right in itertools.product((YES, NO, MAYBE), repeat=2):
        least = min(left.truth, right.truth, key=order.__getitem__)
        assert (left & right).truth is least


def test_or_follows_kleene_for_claims_without_symbols() -> None:
    order = {Truth.REFUTED: 0, Truth.UNKNOWN: 1, Truth.PROVED: 2}
    for left, right in itertools.product((YES, NO, MAYBE), repeat=2):
        greatest = max(left.truth, right.truth, key=order.__getitem__)
        assert (left | right).truth is greatest


def test_or_of_two_claims_that_fail_at_different_points_is_open() -> None:
    assert (NO_AT_1 | NO_AT_2).truth is Truth.UNKNOWN
    both = NO_AT_1 | NO_AT_1
    assert both.truth is Truth.REFUTED
    assert dict(both.witness) == {A: 1}
    one_sided = NO | NO_AT_1
    assert one_sided.truth is Truth.REFUTED
    assert dict(one_sided.witness) == {A: 1}


def test_not_flips_only_what_is_settled_everywhere() -> None:
    assert (~YES).truth is Truth.REFUTED
    assert (~NO).truth is Truth.PROVED
    assert (~NO_AT_1).truth is Truth.UNKNOWN
    assert (~MAYBE).truth is Truth.UNKNOWN


def test_a_conjunction_names_the_part_that_failed() -> None:
    broken = Proof.all((YES, proof(Truth.UNKNOWN, "a == b"), YES), "all of it")
    assert broken.claim == "all of it"
    assert broken.why_not().claim == "a == b"
    assert Proof.all(()).proved


def test_text_shows_claim_step_and_witness() -> None:
    assert str(NO_AT_1) == "claim: refuted by test at a=1"
