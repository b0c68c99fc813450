"""Answers given once for all nodes of one description: what tells nodes apart, and what a rewrite changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from graphs import Builder
from torch.fx import GraphModule, Node

from noopelim import eliminate, patterns
from noopelim.descriptions import Descriptions
from noopelim.driver import _index
from noopelim.integers import Prover
from noopelim.layout_numbers import LayoutNumbers
from noopelim.proof import Proof
from noopelim.remarks import Missed
from noopelim.uniform import InQuestion

aten = torch.ops.aten


def descriptions(*nodes: Node) -> list[int | None]:
    index = _index(patterns.ALL, False)
    known = Descriptions(index, LayoutNumbers(Prover(None)), InQuestion())
    found = [index.at(node) for node in nodes]
    return [
        None if c is None or c.depth is None else known.of(n, c.depth)
        for n, c in zip(nodes, found, strict=True)
    ]


def source(b: Builder, name: str, shape: tuple[int, ...] = (4, 6), **how: object) -> Node:
    return b.call(aten.sin.default, b.input(name, shape, **how))  # type: ignore[arg-type]


def test_the_same_calls_on_values_of_the_same_metadata_have_one_description() -> None:
    b = Builder()
    made = [b.call(aten.view.default, source(b, name), [24]) for name in ("x", "y")]
    chains = [b.call(aten.permute.default, b.call(aten.view.default, m, [4, 6]), [1, 0]) for m in made]
    first, second, one, other = descriptions(*made, *chains)
    assert first == second is not None
    assert one == other is not None
    assert one != first


@pytest.mark.parametrize(
    "other",
    [
        lambda b, x: b.call(aten.add.Tensor, x, 1.0),
        lambda b, x: b.call(aten.add.Tensor, x, True),
        lambda b, x: b.call(aten.add.Tensor, x, 1, alpha=2),
        lambda b, x: b.call(aten.sub.Tensor, x, 1),
        lambda b, x: b.call(aten.add.Tensor, source(b, "y", (6, 4)), 1),
        lambda b, x: b.call(aten.add.Tensor, b.call(aten.permute.default, source(b, "y", (6, 4)), [1, 0]), 1),
        lambda b, x: b.call(aten.add.Tensor, source(b, "y", dtype=torch.float64), 1),
        lambda b, x: b.call(aten.add.Tensor, b.input("y", (4, 6)), 1),
    ],
)
def test_what_a_rule_may_ask_about_tells_nodes_apart(other: Callable[[Builder, Node], Node]) -> None:
    b = Builder()
    x = source(b, "x")
    one, two = descriptions(b.call(aten.add.Tensor, x, 1), other(b, x))
    assert one is not None
    assert one != two


def test_which_operands_are_one_node_tells_nodes_apart() -> None:
    b = Builder()
    x, y = source(b, "x"), source(b, "y")
    apart, alike, again = descriptions(
        b.call(aten.maximum.default, x, y),
        b.call(aten.maximum.default, x, x),
        b.call(aten.maximum.default, y, y),
    )
    assert apart != alike == again


def test_nothing_is_said_in_advance_of_operands_that_are_known_to_the_last_element() -> None:
    b = Builder()
    ones = b.call(aten.full.default, [4, 6], 1.0)
    assert descriptions(b.call(aten.mul.Tensor, source(b, "x"), ones)) == [None]


def layers(count: int) -> GraphModule:
    b = Builder()
    x = source(b, "x")
    for _ in range(count):
        x = b.call(aten.mul.Tensor, x, b.call(aten.cos.default, x))
        x = b.call(aten.slice.Tensor, b.call(aten.cat.default, [x, x]), 0, 1, 5)
    return b.output(x)


def stays(gm: GraphModule) -> dict[str, Missed]:
    return {m.node: m for m in eliminate(gm, patterns.ALL).missed}


def test_the_remark_of_a_later_node_names_the_one_it_quotes() -> None:
    report = eliminate(layers(4), patterns.ALL)
    _, first, *rest = (m for m in report.missed if m.op == "aten.mul.Tensor")
    assert first.like == ""
    assert [m.like for m in rest] == [first.node] * 2
    assert {(m.rule, m.stage, m.reason) for m in rest} == {(first.rule, first.stage, first.reason)}
    assert f"{rest[0].node} [aten.mul.Tensor]  (as {first.node}, " in str(report)


def test_the_answers_are_those_that_each_node_would_get(monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = stays(layers(4))
    monkeypatch.setattr(Descriptions, "of", lambda *_: None)
    own = stays(layers(4))
    assert not any(m.like for m in own.values())
    assert {n: (m.rule, m.stage) for n, m in quoted.items()} == {n: (m.rule, m.stage) for n, m in own.items()}


def test_few_rules_are_simply_asked() -> None:
    asked = []

    def where(f: object, x: object) -> Proof:
        asked.append(x)
        return Proof.of(False, "never", "a test")

    rule = patterns.ALL["arithmetic/times-one"]
    report = eliminate(
        layers(3), [type(rule)(rule.name, rule.pattern, rule.to, rule.because, rule.example, where)]
    )
    assert len(asked) == 3
    assert not any(m.like for m in report.missed)


def test_a_rewrite_changes_the_description_of_what_reads_it() -> None:
    """Two equal chains, of which one becomes shorter: the other's answer is not given for it."""
    b = Builder()
    x, y = source(b, "x", (2, 3, 4)), source(b, "y", (2, 3, 4))
    once = b.call(aten.permute.default, x, [1, 0, 2])
    twice = b.call(aten.permute.default, b.call(aten.alias.default, y), [1, 0, 2])
    back = [b.call(aten.permute.default, b.call(aten.neg.default, n), [1, 0, 2]) for n in (once, twice)]
    gm = b.output(*back, b.call(aten.permute.default, twice, [1, 0, 2]))
    report = eliminate(gm, patterns.ALL)
    assert report.counts["copy/alias"] == 1
    assert gm.graph.output_node().args[0][2] is y  # type: ignore[index]
