"""Instances: that they fit the pattern, that none is left out, and that none is drawn twice."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
import torch
from instances_drawn import drawn_every, drawn_some, key_of, rule_of
from torch._inductor.pattern_matcher import ListOf

from noopelim import ANY, SIZE, OpCall, Rule, X, Y, patterns, var
from noopelim.drawing import heads
from noopelim.errors import RuleError
from noopelim.instances import operands_of
from noopelim.laying import as_graph
from noopelim.match import compile_pattern
from noopelim.operands import Operand
from noopelim.sampling import BEYOND
from noopelim.schema_values import MOST_ELEMENTS
from noopelim.scope import Scope
from noopelim.spellings import expand, permute, reshape, slice_, slice_scatter
from noopelim.sweeps import SWEEPS

aten = torch.ops.aten
SMALL = Scope(rank=2, dim=2, window=2)


@pytest.mark.parametrize("rule", list(patterns.ALL), ids=lambda rule: rule.name)
def test_in_every_sweep_the_instances_of_a_rule_match_its_pattern(rule: Rule) -> None:
    for one in rule.of_each_length(2):
        match = compile_pattern(one.pattern)
        found = [drawn for sweep in SWEEPS for drawn in drawn_some(one, Scope(dim=2), sweep, 5)]
        assert found
        for drawn in found:
            root, _ = as_graph(drawn.call, drawn.tensors, drawn.done)
            assert match(root) is not None, drawn.call


@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("name", ["slice/whole", "expand/to-own-shape", "copy/copy", "reshape/to-own-shape"])
def test_no_instance_is_drawn_twice(name: str, sweep: str) -> None:
    found = itertools.islice(drawn_every(patterns.ALL[name], Scope(rank=1, dim=1, window=1), sweep), 1500)
    keys = Counter(key_of(drawn.call) for drawn in found)
    assert keys
    assert max(keys.values()) == 1


def test_second_operands_go_with_the_first() -> None:
    seen: dict[tuple[int, ...], set[Any]] = {}
    for drawn in drawn_every(rule_of(OpCall(aten.add.Tensor, X, Y)), SMALL):
        x, y = drawn.call.args[:2]
        seen.setdefault(x.shape, set()).add(y.shape if isinstance(y, Operand) else str(y))
    assert {(2, 2), (1, 2), (2, 1), (2,), (), "-0.0", "0", "1.0"} <= seen[2, 2]
    assert {(), (2,), (1, 2)} <= seen[()]


def test_one_variable_is_one_operand() -> None:
    for drawn in itertools.islice(drawn_every(rule_of(OpCall(aten.cat.default, [X, X])), SMALL), 50):
        (one, other) = drawn.call.args[0]
        assert one is other
        assert len(drawn.tensors) == 1


def test_one_call_in_two_places_is_one_node() -> None:
    inner = OpCall(aten.neg.default, X)
    for drawn in itertools.islice(drawn_every(rule_of(OpCall(aten.mul.Tensor, inner, inner)), SMALL), 20):
        assert drawn.call.args[0] is drawn.call.args[1]
        root, behind = as_graph(drawn.call, drawn.tensors, drawn.done)
        assert root.args[0] is root.args[1]
        assert len(behind) == 3


def test_patterns_may_hold_lists() -> None:
    pattern = OpCall(aten.cat.default, [X, OpCall(aten.neg.default, Y)], ANY)
    found = drawn_some(rule_of(pattern), SMALL, "shapes", 30)
    assert len(found) == 30
    for drawn in found:
        one, other = drawn.call.args[0]
        assert isinstance(one, Operand)
        assert other.target is aten.neg.default
        assert len(list(operands_of(drawn.call))) == 2


def test_a_list_may_hold_integers() -> None:
    drawn = list(drawn_every(rule_of(permute(X, [var("a"), ANY])), SMALL))
    found = {tuple(d.call.args[1]) for d in drawn if d.call.args[0].shape == (2, 1)}
    assert found == {(a, b) for a, b in itertools.product(range(-2, 2), repeat=2) if a % 2 != b % 2}


def test_a_variable_may_be_a_list_of_tensors() -> None:
    found = drawn_some(rule_of(OpCall(aten.cat.default, var("xs"), ANY)), SMALL, "shapes", 30)
    assert {len(d.call.args[0]) for d in found} == {1, 2}
    assert all(isinstance(o, Operand) for d in found for o in d.call.args[0])


def test_an_argument_left_out_has_its_default_and_one_left_open_its_default_first() -> None:
    for pattern, expected in (
        (OpCall(aten.rsub.Tensor, X, X), ["1"]),
        (OpCall(aten.rsub.Tensor, X, X, rest="any"), ["1", "0", "2", "-1", "1.0", "0.0", "-0.0", "0.5"]),
    ):
        scope = Scope(rank=0, dim=1)
        assert [str(d.call.args[2]) for d in drawn_every(rule_of(pattern), scope)] == expected


@pytest.mark.parametrize(
    ("pattern", "mend"),
    [
        (OpCall(aten.cat.default, ListOf(X)), "write the pattern with OpCall"),
        (OpCall(aten.cat.default, [ListOf(X)]), "write the pattern with OpCall"),
        (OpCall(aten.einsum.default, ANY, [X], rest="any"), "type str for 'equation' .* write a constant"),
    ],
)
def test_a_pattern_without_instances_is_refused_with_the_mend(pattern: OpCall, mend: str) -> None:
    rule = Rule("test/any", pattern, X, "b", lambda x: x)
    with pytest.raises(RuleError, match=f"test/any.*{mend}"):
        list(drawn_every(rule, SMALL))


@pytest.mark.parametrize("name", ["repeat/by-ones", "slice_scatter/whole", "copy/copy", "expand/of-expand"])
def test_samples_beyond_the_scope_are_large_but_fit_in_memory(name: str) -> None:
    found = drawn_some(patterns.ALL[name], BEYOND, "shapes", 60)
    counts = [max(d.done[id(d.call)].numel(), *(t.numel() for t in d.tensors.values())) for d in found]
    assert len(found) == 60
    assert 100 < max(counts) <= MOST_ELEMENTS


def test_spellings_are_combined_in_their_own_sweep_only() -> None:
    rule = rule_of(slice_scatter(OpCall(aten.neg.default, X), slice_(reshape(expand(X), SIZE))))
    spelled = [2, 5, 3]
    assert len(heads(rule)) == 2 * 5 * 3
    assert len(heads(rule, together=False)) == 1 + sum(n - 1 for n in spelled)
