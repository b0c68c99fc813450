"""Graphs in graphs: ``cond``, ``while_loop`` and their kin are visited, and their operands may be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check, trace
from torch import fx

aten = torch.ops.aten
cond = torch.ops.higher_order.cond
invoke_subgraph = torch.ops.higher_order.invoke_subgraph
while_loop = torch.ops.higher_order.while_loop

Body = Callable[[Builder, fx.Node], Any]


def body(outer: Builder, fill: Body, shape: tuple[int, ...] = (4, 4)) -> fx.GraphModule:
    b = Builder(outer)
    return b.output(*fill(b, b.input("operand", shape)))


def branching(yes: Body, no: Body) -> tuple[Builder, fx.Node, fx.Node]:
    b = Builder()
    flag, x = b.input("flag", (), torch.bool), b.input("x", (4, 4))
    base = b.call(aten.sin.default, x)
    t = b.subgraph("true_graph_0", body(b, yes))
    f = b.subgraph("false_graph_0", body(b, no))
    node = b.bare(cond, flag, t, f, (base,))
    with b.mode:
        node.meta["val"] = (torch.empty(4, 4),)
    return b, base, b.get(node, 0)


CASES = ([torch.tensor(True), torch.randn(4, 4)], [torch.tensor(False), torch.randn(4, 4)])


def plain(b: Builder, x: fx.Node) -> list[fx.Node]:
    return [b.call(aten.cos.default, x)]


def test_a_noop_in_a_branch_goes() -> None:
    def noop(b: Builder, x: fx.Node) -> list[fx.Node]:
        return [b.call(aten.cos.default, b.call(aten.view.default, x, [4, 4]))]

    b, _, out = branching(noop, plain)
    done = check(b.output(out), *CASES, removed=aten.view.default)
    (passed,) = done.report.passed
    assert passed.graph == "true_graph_0."


def test_a_branch_may_not_return_its_operand() -> None:
    def copy(b: Builder, x: fx.Node) -> list[fx.Node]:
        return [b.call(aten.clone.default, x)]

    b, _, out = branching(copy, plain)
    check(b.output(out), *CASES, kept=aten.clone.default)


def test_a_branch_may_not_return_a_view_of_its_operand() -> None:
    def view_of_copy(b: Builder, x: fx.Node) -> list[fx.Node]:
        return [b.call(aten.view.default, b.call(aten.clone.default, x), [4, 4])]

    b, _, out = branching(view_of_copy, plain)
    done = check(b.output(out), *CASES)
    assert "aten.clone.default" in [str(n.target) for n in _submodule(done.after, "true_graph_0").graph.nodes]


def _submodule(gm: fx.GraphModule, name: str) -> fx.GraphModule:
    found = gm.get_submodule(name)
    assert isinstance(found, fx.GraphModule)
    return found


def test_noops_around_a_branch_go() -> None:
    b = Builder()
    flag, x = b.input("flag", (), torch.bool), b.input("x", (4, 4))
    base = b.call(aten.alias.default, b.call(aten.sin.default, x))
    t, f = b.subgraph("true_graph_0", body(b, plain)), b.subgraph("false_graph_0", body(b, plain))
    node = b.bare(cond, flag, t, f, (base,))
    with b.mode:
        node.meta["val"] = (torch.empty(4, 4),)
    again = b.call(aten.view.default, b.get(node, 0), [4, 4])
    check(b.output(b.call(aten.cos.default, again)), *CASES, removed=(base.name, again.name))


def test_the_two_branches_may_be_one_module() -> None:
    def noop(b: Builder, x: fx.Node) -> list[fx.Node]:
        return [b.call(aten.cos.default, b.call(aten.view.default, x, [4, 4]))]

    b = Builder()
    flag, x = b.input("flag", (), torch.bool), b.input("x", (4, 4))
    shared = body(b, noop)
    t, f = b.subgraph("true_graph_0", shared), b.subgraph("false_graph_0", shared)
    node = b.bare(cond, flag, t, f, (x,))
    with b.mode:
        node.meta["val"] = (torch.empty(4, 4),)
    check(b.output(b.get(node, 0)), *CASES, removed=aten.view.default)


def invoking(fill: Body, after: Callable[[Builder, fx.Node, fx.Node], fx.Node]) -> fx.GraphModule:
    """``copy = clone(x)``, a call of the body on x, and then something of the copy."""
    b = Builder()
    x = b.input("x", (4, 4))
    copy = b.call(aten.clone.default, x)
    sub = b.subgraph("subgraph_0", body(b, fill))
    node = b.bare(invoke_subgraph, sub, "subgraph_0", x)
    with b.mode:
        node.meta["val"] = (torch.empty(4, 4),)
    return b.output(after(b, b.get(node, 0), copy))


def use(b: Builder, out: fx.Node, copy: fx.Node) -> fx.Node:
    return b.call(aten.add.Tensor, out, copy)


def test_a_body_that_writes_its_operand() -> None:
    def writing(b: Builder, x: fx.Node) -> list[fx.Node]:
        done = b.call(aten.mul_.Tensor, x, 2.0)
        return [b.call(aten.cos.default, done)]

    check(invoking(writing, use), kept="clone")


def test_a_body_that_writes_its_operand_by_way_of_a_view() -> None:
    def writing(b: Builder, x: fx.Node) -> list[fx.Node]:
        b.call(aten.zero_.default, b.call(aten.select.int, x, 0, 1))
        return [b.call(aten.cos.default, x)]

    check(invoking(writing, use), kept="clone")


def test_a_body_that_only_reads() -> None:
    check(invoking(plain, use), removed="clone")


def test_a_copy_in_a_body_that_writes() -> None:
    def writing(b: Builder, x: fx.Node) -> list[fx.Node]:
        old = b.call(aten.clone.default, x)
        b.call(aten.mul_.Tensor, x, 2.0)
        return [b.call(aten.cos.default, old)]

    check(invoking(writing, use), kept=aten.clone.default)


def test_operands_of_a_body_that_writes_may_be_one_tensor() -> None:
    """Inside the body nothing says that its two operands are the same memory."""
    b = Builder()
    x = b.input("x", (4, 4))
    inner = Builder(b)
    one, other = inner.input("one", (4, 4)), inner.input("other", (4, 4))
    old = inner.call(aten.clone.default, one)
    inner.call(aten.mul_.Tensor, other, 2.0)
    sub = b.subgraph("subgraph_0", inner.output(inner.call(aten.cos.default, old)))
    node = b.bare(invoke_subgraph, sub, "subgraph_0", x, x)
    with b.mode:
        node.meta["val"] = (torch.empty(4, 4),)
    # The placeholders' metadata cannot know either, so it is not held against them.
    check(b.output(b.get(node, 0)), kept=aten.clone.default, truthful=False)


def test_a_loop() -> None:
    def loop(x: torch.Tensor) -> torch.Tensor:
        def more(i: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return i < 3

        def step(i: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return i + 1, y.view(y.shape).clone() * 2

        out: tuple[torch.Tensor, torch.Tensor] = while_loop(
            more, step, (torch.zeros((), dtype=torch.int64), x), ()
        )
        return out[1]

    gm = trace(loop, torch.randn(3, 4))
    check(gm, removed=(aten.view.default, aten.clone.default))


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_traced_branch(dynamic: bool) -> None:
    def branch(flag: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.cond(
            flag, lambda y: y.view(y.shape).sin(), lambda y: y[0 : y.shape[0]].cos(), (x.t().t(),)
        )
        return out

    gm = trace(branch, torch.tensor(True), torch.randn(3, 5), dynamic=dynamic)
    cases = [[torch.tensor(flag), torch.randn(3, 5)] for flag in (True, False)]
    check(gm, *cases, removed=(aten.view.default, aten.slice.Tensor, aten.t.default))
