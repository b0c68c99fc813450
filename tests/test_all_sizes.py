"""What is proved for all sizes, by name, and that nothing false is."""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import sympy
import torch

from noopelim import ANY, SIZE, OpCall, Proof, Rule, X, patterns, var
from noopelim.all_sizes import for_all_sizes, replacements
from noopelim.facts import Facts, Value
from noopelim.form_arguments import SYMBOLS
from noopelim.generality import Generality, Outcome
from noopelim.known import Known
from noopelim.match import compile_pattern
from noopelim.points import Unevaluable, evaluate
from noopelim.positions import Fact, Moved, Position
from noopelim.proof import Truth
from noopelim.spellings import expand, permute, relabel, reorder, reshape, slice_, slice_scatter
from noopelim.supposing import World, firings

aten = torch.ops.aten


def same_shape(f: Facts, x: Value) -> Proof:
    return f.same_shape(x, f.root)


def rule(pattern: OpCall, to: object = X, where: Callable[..., Proof] | None = None) -> Rule:
    return Rule("test/rule", pattern, to, "a law for tests", lambda x: x, where)  # type: ignore[arg-type]


@functools.cache
def built_in(name: str) -> Generality:
    # Two dims say what three do, sooner.
    return for_all_sizes(patterns.ALL[name], most_rank=2)


WHOLLY_PROVED = {
    # name: least number of forms proved, and of spellings in them
    "reshape/of-reshape": (3000, 17),
    "reshape/to-own-shape": (85, 18),
    "reshape/round-trip": (2500, 17),
    "reshape/dtype-view-to-own-dtype": (3, 2),
    "slice/whole": (450, 4),
    "permute/identity": (20, 12),
    "permute/round-trip": (120, 6),
    "permute/of-permute": (200, 6),
    "expand/to-own-shape": (20, 4),
    "expand/of-expand": (75, 3),
    "repeat/by-ones": (18, 2),
    "copy/clone": (6, 2),
    "copy/alias": (21, 10),
    "copy/copy": (3, 1),
    "cast/same-dtype": (20, 5),
}


@pytest.mark.parametrize("name", WHOLLY_PROVED)
def test_a_built_in_rule_is_proved_at_every_form(name: str) -> None:
    found, (forms, spellings) = built_in(name), WHOLLY_PROVED[name]
    unproved = [r for r in found.of(Outcome.TESTED) if "repeat_interleave" not in str(r.form)]
    assert unproved == []
    assert len(found.of(Outcome.PROVED)) >= forms
    told = re.search(r"(\d+) spelling", found.summary())
    assert told is not None
    assert int(told[1]) >= spellings


def test_slice_scatter_is_proved_but_for_steps() -> None:
    found = built_in("slice_scatter/whole")
    assert len(found.of(Outcome.PROVED)) >= 120
    unproved = [str(r.form) for r in found.of(Outcome.TESTED)]
    assert [f for f in unproved if "step=1)" in f] == []
    assert "slice_scatter with step=positive symbolic" in found.summary()
    assert not found.proved


def test_the_rules_named_here_are_shipped() -> None:
    assert {r.name for r in patterns.ALL} >= {*WHOLLY_PROVED, "slice_scatter/whole"}


def from_zero_to_the_end(f: Facts, x: Value) -> Proof:
    start, end = f.argument(f.root, "start"), f.argument(f.root, "end")
    to_the_end = (
        Proof.of(True, "no end", "None") if end is None else f.le(x.shape[f.argument(f.root, "dim")], end)
    )
    return f.eq(0 if start is None else start, 0) & to_the_end


INNER, SRC = var("inner"), var("src")


def equal_today(f: Facts, x: Value) -> Proof:
    ours, theirs = ([n.node.hint for n in v.node.meta["val"].shape] for v in (f.root, x))
    return Proof.of(ours == theirs, f"{ours} == {theirs}", "today's sizes")


def ones_today(f: Facts, x: Value) -> Proof:
    """Kept, or a one that is expanded to what is 1 today."""
    if f.root.rank != x.rank:
        return Proof.of(False, "as many dims", "ranks")
    today = [getattr(getattr(n, "node", None), "hint", n) for n in f.root.node.meta["val"].shape]
    sizes = zip(x.shape, f.root.shape, today, strict=True)
    return Proof.all(Proof.of(h == 1, f"{m} is 1", "hint") if n == 1 else f.eq(n, m) for n, m, h in sizes)


WRONG = {
    "ones-today": rule(expand(X), where=ones_today),
    "equal-today": rule(slice_(X), where=equal_today),
    "permute-by-equal-shape": rule(reorder(X), where=same_shape),
    "slice-ignoring-its-step": rule(slice_(X), where=from_zero_to_the_end),
    "slice-to-minus-one": rule(slice_(X, ANY, 0, -1, 1)),
    "reshape-of-permute": rule(reshape(reorder(X), SIZE), reshape(X, SIZE)),
    "flip-by-equal-shape": rule(OpCall(aten.flip.default, X, ANY), where=same_shape),
    "expand-of-expand-with-the-inner-size": rule(expand(expand(X, INNER)), expand(X, INNER)),
    "expand-of-expand-without-care": rule(expand(expand(X), SIZE), expand(X, SIZE)),
    "slice-scatter-of-anything": rule(slice_scatter(X, SRC), SRC),
    "repeat-where-the-first-dim-agrees": rule(
        OpCall(aten.repeat.default, X, rest="any"),
        where=lambda f, x: f.eq(x.shape[0], f.root.shape[0]) if x.rank else Proof.of(False, "", ""),
    ),
    "either-of-two": rule(
        OpCall(aten.slice.Tensor, X, rest="any"),
        where=lambda f, x: f.same_shape(x, f.root) | f.eq(f.root.shape[0], 1),
    ),
    "what-is-not-known-to-differ": rule(
        slice_(X), where=lambda f, x: Proof.of(f.same_shape(x, f.root).truth is not Truth.REFUTED, "", "")
    ),
    "what-is-known-to-differ": rule(
        slice_(X), where=lambda f, x: Proof.of(f.same_shape(x, f.root).truth is Truth.REFUTED, "", "")
    ),
    "other-dtype": rule(OpCall(torch.ops.prims.convert_element_type.default, X, ANY), where=same_shape),
    "slice-scatter-of-another-dtype": rule(
        slice_scatter(ANY, SRC, 0, 0), SRC, where=lambda f, src: f.same_shape(src, f.root)
    ),
    "no-movement": rule(OpCall(aten.neg.default, X)),
    "no-movement-of-a-list": rule(OpCall(aten.clone.default, OpCall(aten.cat.default, X, 0)), X),
    "movement-of-no-movement": rule(reshape(OpCall(aten.neg.default, X), SIZE), reshape(X, SIZE)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_not_proved(name: str) -> None:
    found = for_all_sizes(WRONG[name], most_rank=2)
    assert not found.proved
    assert found.of(Outcome.TESTED)
    assert "tested only" in found.summary()


def test_the_wrong_forms_are_the_ones_not_proved() -> None:
    found = for_all_sizes(WRONG["permute-by-equal-shape"], most_rank=3)
    for result in found.results:
        if "self of ones" in result.form.given:
            assert result.outcome is Outcome.PROVED
            continue
        dims = next((w for w in result.form.given if w.startswith("dims=")), None)
        if dims in ("dims=[0, 1]", "dims=[0, 1, 2]", "dims=[-2, -1]"):
            assert result.outcome is Outcome.PROVED
        elif dims in ("dims=[1, 0]", "dims=[1, 2, 0]", "dims=[-1, -2]"):
            assert result.outcome is Outcome.TESTED


def elements(value: Moved, at: dict[sympy.Symbol, int]) -> dict[tuple[int, ...], tuple[object, int]] | None:
    """Which element of which operand is where, at one valuation; None if the value is not defined there."""

    def number(expr: Any) -> int:
        return evaluate(sympy.sympify(expr), at)

    if not all(number(f.claim) for f in value.facts):
        return None
    shape = tuple(map(number, value.shape))
    indices = sympy.symbols(f"i:{len(shape)}", integer=True, nonnegative=True)
    reads, found = value.reads(Position(tuple(indices), value.shape)), {}
    for index in itertools.product(*map(range, shape)):
        at.update(zip(indices, index, strict=True))
        (read,) = (r for r in reads if all(number(f.claim) for f in r.when))
        found[index] = (read.slot, number(read.position.flat))
    return found


@pytest.mark.parametrize("name", WRONG)
def test_what_is_proved_of_a_wrong_rule_is_true_at_small_sizes(name: str) -> None:
    """The proof goes by symbols; this goes by numbers, and knows nothing of it."""
    wrong, world, compared = WRONG[name], World(), 0
    matcher, scatter = compile_pattern(wrong.pattern), random.Random(name)
    proved = for_all_sizes(wrong, most_rank=2).of(Outcome.PROVED)
    for result in scatter.sample(proved, min(40, len(proved))):
        for firing in firings(wrong, matcher, result.form, world):
            others = replacements(firing)
            for case in result.form.cases or ():
                for _ in range(60):
                    at = {symbol: scatter.choice((0, 1, 1, 2, 3)) for symbol in SYMBOLS}
                    try:
                        if not all(evaluate(f.claim, at) for f in firing.supposed):
                            continue
                        ours, theirs = elements(case, at), [elements(o, at) for o in others]
                    except Unevaluable:
                        continue  # divides by a size that is 0, so it is not defined
                    if ours is not None:
                        assert ours in theirs, (str(result.form), firing.supposed, at)
                        compared += 1
    assert compared or not proved


RIGHT = {
    "unsqueeze-of-squeeze-by-dims": rule(
        OpCall(aten.squeeze.dim, OpCall(aten.unsqueeze.default, X, 0), 0),
    ),
    "flip-of-flip": rule(OpCall(aten.flip.default, OpCall(aten.flip.default, X, SIZE), SIZE)),
    "select-of-unsqueeze": rule(OpCall(aten.select.int, OpCall(aten.unsqueeze.default, X, 0), 0, 0)),
    "reshape-of-clone": rule(reshape(OpCall(aten.clone.default, X, rest="any"), SIZE), reshape(X, SIZE)),
    "writing-back-what-was-read": rule(
        slice_scatter(X, slice_(X, var("d"), var("s"), var("e"), 1), var("d"), var("s"), var("e"), 1)
    ),
    "empty": rule(slice_(X, ANY, 0, 0, 1), where=same_shape),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rule_of_a_user_is_proved(name: str) -> None:
    found = for_all_sizes(RIGHT[name], most_rank=2)
    assert found.proved, [f"{r.form}: {r.why}" for r in found.of(Outcome.TESTED)][:5]


def test_a_rule_that_never_fires_is_not_proved() -> None:
    never = for_all_sizes(rule(relabel(X), where=lambda f, x: f.eq(x.rank, -1)), most_rank=1)
    assert {r.outcome for r in never.results} == {Outcome.SILENT}
    assert not never.proved
    assert never.summary() == "fires at no form of symbolic sizes"


def test_a_rule_that_raises_or_asks_too_much_is_tested_only() -> None:
    def asks(f: Facts, x: Value) -> Proof:
        return Proof.all(f.eq(n, 10 + k) for n in x.shape for k in range(6))

    for where, reason in ((lambda f, x: f.nothing, "AttributeError"), (asks, "TooManyCourses")):
        found = for_all_sizes(rule(permute(X), where=where), most_rank=2)
        tested = [r for r in found.results if reason in r.why]
        assert tested
        assert all(r.outcome is Outcome.TESTED for r in tested)


def test_strides_are_supposed_and_not_seen() -> None:
    """Of a tensor that lies otherwise the predicate would say otherwise, and the rule is wrong there."""
    dense = rule(reorder(X), where=lambda f, x: f.eq(x.stride[-1], 1) if x.rank > 1 else f.eq(0, 1))
    assert not for_all_sizes(dense, most_rank=2).proved


def test_known_facts_are_carried_out() -> None:
    a, b, c = sympy.symbols("a b c", integer=True, nonnegative=True)
    known = Known.of((Fact(sympy.Eq, a, b + 1), Fact(sympy.Le, a, c)))
    assert known is not None
    assert known.proves(Fact(sympy.Lt, b, c))
    assert not known.proves(Fact(sympy.Lt, a, c))
    assert known.possible
    assert Known.of((Fact(sympy.Eq, a, b + 1), Fact(sympy.Eq, a, 0))) is None
    impossible = Known.of((Fact(sympy.Lt, a, b), Fact(sympy.Lt, b, a)))
    assert impossible is not None
    assert not impossible.possible
    assert impossible.contradictory()


def test_a_list_of_patterns_is_left_to_the_tests() -> None:
    rule = Rule(
        "user/permute-of-two",
        OpCall(aten.permute.default, X, [var("a"), var("b")]),
        X,
        "nothing that is right",
        lambda x: aten.permute(x, (0, 1)),
        where=lambda f, x: f.same_shape(x, f.root),
    )
    told = for_all_sizes(rule)
    assert not told.proved
    assert "nothing for all sizes" in told.summary()
