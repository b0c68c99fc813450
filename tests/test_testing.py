"""The strategies keep their caps, the facts they tell can hold, and the graphs they make are true."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from bad_rules import BAD, GOOD
from graph_checks import check
from graph_inputs import inputs_at, valuations
from graph_structure import count_calls
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from torch.fx import GraphModule

from noopelim import Rule, patterns, testing
from noopelim.audit import untruths
from noopelim.instances import CallOf, evaluated, operands_of
from noopelim.match import compile_pattern
from noopelim.operands import Operand
from noopelim.scope import CI
from noopelim.testing import EXAMPLE_SHAPE, Known, as_written, checks_of, rule_tests, traced

aten = torch.ops.aten
SEARCH = settings(max_examples=5000, phases=[Phase.generate])


@given(testing.shapes(max_rank=2, max_dim=3))
def test_shapes_keep_their_caps(shape: tuple[int, ...]) -> None:
    assert len(shape) <= 2
    assert all(0 <= n <= 3 for n in shape)


@pytest.mark.parametrize("wanted", [(), (0,), (4, 4, 4), (1, 0, 4)], ids=str)
def test_shapes_reach_the_corners(wanted: tuple[int, ...]) -> None:
    assert find(testing.shapes(), lambda s: s == wanted, settings=SEARCH) == wanted


@given(testing.operands(max_rank=2, max_dim=3, dtypes=(torch.int8, torch.float16), slot=3))
def test_operands_are_what_they_say(operand: Operand) -> None:
    made = operand.tensor()
    assert operand.slot == 3
    assert tuple(made.shape) == operand.shape
    assert made.dim() <= 2
    assert max(made.shape, default=0) <= 3
    assert made.dtype in (torch.int8, torch.float16)


@given(testing.facts(max_symbols=2, max_size=9))
def test_facts_can_hold(known: Known) -> None:
    """By the environment's own account: hints, ranges, guards and runtime asserts hold at the point."""
    env, point = known.env, dict(known.point)
    assert 1 <= len(known.sizes) <= 2
    assert all(0 <= v <= 9 for v in point.values())
    for symbol, value in point.items():
        bounds = env.var_to_range[symbol]
        assert bounds.lower <= value <= bounds.upper
        assert env.backed_var_to_val.get(symbol, value) == value
        assert env.replace(symbol).subs(point) == value
    claims = [guard.expr for guard in env.guards]
    claims += [told.expr for group in env.deferred_runtime_asserts.values() for told in group]
    assert all(claim.subs(point) == True for claim in claims)  # noqa: E712


@pytest.mark.parametrize(
    "wanted",
    [
        lambda known: len(known.env.deferred_runtime_asserts) == 3,
        lambda known: any("Mod" in str(guard.expr) for guard in known.env.guards),
        lambda known: len(set(known.point)) == 2 and len(set(known.point.values())) == 1,
    ],
    ids=["three unbacked symbols", "a divisor", "two symbols of one value"],
)
def test_facts_reach_the_corners(wanted: Any) -> None:
    assert wanted(find(testing.facts(), wanted, settings=SEARCH))


@settings(max_examples=25)
@given(st.data(), st.sampled_from([*patterns.ALL, *GOOD, *BAD]))
def test_instances_match_the_pattern_and_run(data: st.DataObject, rule: Rule) -> None:
    call = data.draw(testing.instances(rule, CI))
    operands = list(operands_of(call))
    assert all(len(o.shape) <= CI.rank and max(o.shape, default=0) <= CI.dim for o in operands)
    made = evaluated(call, {o.slot: o.tensor() for o in operands})
    assert isinstance(made, torch.Tensor)
    assert _matches(rule, call, operands)


def _matches(rule: Rule, call: CallOf, operands: list[Operand]) -> bool:
    """Is the instance, as a graph, what the compiled pattern matches?"""
    graph = torch.fx.Graph()
    nodes = {o.slot: graph.placeholder(f"x{o.slot}") for o in operands}
    done: dict[int, Any] = {}

    def node(part: Any) -> Any:
        if isinstance(part, Operand):
            return nodes[part.slot]
        if isinstance(part, CallOf):
            if id(part) not in done:
                args, kwargs = part.split()
                named = {name: node(a) for name, a in kwargs.items()}
                done[id(part)] = graph.call_function(part.target, tuple(map(node, args)), named)
            return done[id(part)]
        return [node(p) for p in part] if isinstance(part, list) else part

    return compile_pattern(rule.pattern)(node(call)) is not None


@settings(max_examples=60)
@given(testing.graphs(max_steps=6, max_rank=2, max_dim=3))
def test_graphs_are_small_true_and_run(gm: GraphModule) -> None:
    gm.graph.lint()
    inputs = gm.graph.find_nodes(op="placeholder")
    assert 1 <= len(inputs) <= 2
    assert all(max(n.meta["val"].shape, default=0) <= 3 for n in inputs if not _symbolic(n.meta["val"]))
    # A cat doubles; nothing else makes a tensor larger.
    assert count_calls(gm) <= 6 * 4
    for node in gm.graph.nodes:
        assert node.op == "output" or "val" in node.meta, node
    cases = [inputs_at(gm, at, seed) for seed, at in enumerate(valuations(gm))]
    assert cases
    for case in cases:
        assert not untruths(gm, case), f"{untruths(gm, case)}\n{gm.graph}"


def _symbolic(value: Any) -> bool:
    return not isinstance(value, torch.Tensor) or any(isinstance(n, torch.SymInt) for n in value.shape)


@settings(max_examples=60)
@given(testing.graphs())
def test_graphs_are_fit_to_be_checked(gm: GraphModule) -> None:
    check(gm)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda gm: any(_symbolic(n.meta["val"]) for n in gm.graph.find_nodes(op="placeholder")),
        lambda gm: bool(gm.graph.find_nodes(op="call_function", target=aten.slice_scatter.default)),
        lambda gm: bool(gm.graph.find_nodes(op="call_function", target=aten.cat.default)),
    ],
    ids=["symbols", "slice_scatter", "cat"],
)
def test_graphs_reach_the_corners(wanted: Any) -> None:
    assert wanted(find(testing.graphs(), wanted, settings=SEARCH))


def test_examples_are_traced_with_a_consumer_and_near_misses_as_they_are() -> None:
    example, miss = traced(aten.neg.default), as_written(aten.neg.default)
    assert [n.target for n in example.graph.nodes][1:-1] == [
        aten.sin.default,
        aten.neg.default,
        aten.cos.default,
    ]
    assert [n.target for n in miss.graph.nodes][1:-1] == [aten.neg.default]
    (x,) = miss.graph.find_nodes(op="placeholder")
    assert tuple(x.meta["val"].shape) == EXAMPLE_SHAPE
    shapes = [
        n.meta["val"].shape
        for n in as_written(aten.neg.default, dynamic=True).graph.nodes
        if n.op == "call_function"
    ]
    assert all(isinstance(n, torch.SymInt) for shape in shapes for n in shape)


@pytest.mark.parametrize("check", [c for r in GOOD for c in checks_of(r) if c.name != "verify"], ids=str)
def test_a_right_rule_passes_its_checks(check: testing.RuleCheck) -> None:
    check.run()


def broken(**changes: Any) -> Rule:
    fields: dict[str, Any] = {"example": lambda x: aten.clone(aten.neg(x)), "near_miss": (aten.clone,)}
    rule = patterns.ALL["copy/clone"]
    return Rule("test/broken", rule.pattern, rule.to, rule.because, **{**fields, **changes})


@pytest.mark.parametrize(
    ("rule", "name", "message"),
    [
        (broken(example=aten.neg), "example-static", "does not fire on its example"),
        (
            broken(near_miss=(lambda x: aten.cos(aten.clone(aten.neg(x))),)),
            "near-miss-0-symbolic",
            "fires on a near miss",
        ),
        (broken(where=lambda f, x: _guarding(f)), "example-symbolic", "adds guards"),
    ],
    ids=["example", "near miss", "guards"],
)
def test_a_wrong_rule_fails_its_checks(rule: Rule, name: str, message: str) -> None:
    failing = [check for check in checks_of(rule) if check.name == name]
    with pytest.raises(AssertionError, match=f"test/broken {message}"):
        failing[0].run()


def _guarding(f: Any) -> Any:
    assert f.root.node.meta["val"].shape[0] == 4
    return f.eq(1, 1)


def test_rule_tests_are_a_class_with_readable_ids() -> None:
    made = rule_tests(GOOD)
    (mark,) = made.test_rule.pytestmark  # type: ignore[attr-defined]
    ids = [parameter.id for parameter in mark.args[1]]
    assert len(ids) == len(set(ids)) == sum(3 + 2 * len(rule.near_miss) for rule in GOOD)
    for wanted in (
        "good/neg-of-neg::example-static",
        "good/neg-of-neg::near-miss-1-symbolic",
        "good/abs-once::verify",
    ):
        assert wanted in ids


def test_without_hypothesis_the_error_names_the_mend() -> None:
    probe = "import sys; sys.modules['hypothesis'] = None\ntry:\n    import noopelim.testing\nexcept ImportError as e:\n    print(e)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "pip install noopelim[testing]" in done.stdout
