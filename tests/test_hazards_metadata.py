"""What hangs on the nodes: the output's strides by index, stack traces, the storages of the fake tensors."""

from __future__ import annotations

import copy

import torch
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten


def matrix(b: Builder, name: str = "x") -> fx.Node:
    return b.input(name, (4, 4))


def test_the_output_node_keeps_its_metadata() -> None:
    b = Builder()
    made = b.call(aten.view.default, b.call(aten.sin.default, matrix(b)), [4, 4])
    gm = b.output(made)
    out = gm.graph.output_node()
    out.meta["original_output_strides"] = [[4, 1]]
    out.meta["user_visible_output_idxs"] = [0]
    check(gm, removed=made.name)
    assert out.meta["original_output_strides"] == [[4, 1]]
    assert out.meta["user_visible_output_idxs"] == [0]


def test_stack_traces_survive() -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = b.call(aten.cos.default, b.call(aten.view.default, base, [4, 4]))
    base.meta["stack_trace"], made.meta["stack_trace"] = "line 1", "line 3"
    check(b.output(made))
    assert (base.meta["stack_trace"], made.meta["stack_trace"]) == ("line 1", "line 3")


def test_a_deep_copy_of_a_module_is_as_good_as_the_module() -> None:
    """The copies share their fake tensors, and storages are told apart by identity."""
    b = Builder()
    x = matrix(b)
    old = b.call(aten.clone.default, x)
    b.call(aten.zero_.default, b.call(aten.select.int, x, 0, 1))
    view = b.call(aten.alias.default, x)
    gm = b.output(b.call(aten.sub.Tensor, old, view))
    for module in (copy.deepcopy(gm), copy.deepcopy(copy.deepcopy(gm)), gm):
        check(module, kept=old.name, removed=view.name)


def test_graphs_that_share_metadata_do_not_disturb_one_another() -> None:
    b = Builder()
    node = b.call(aten.view.default, b.call(aten.sin.default, matrix(b)), [16])
    gm = b.output(b.call(aten.cos.default, b.call(aten.view.default, node, [2, 8])))
    twin = copy.deepcopy(gm)
    was = {n.name: n.meta["val"].shape for n in twin.graph.nodes if n.op != "output"}
    check(gm)
    assert {n.name: n.meta["val"].shape for n in twin.graph.nodes if n.op != "output"} == was
    check(twin)
