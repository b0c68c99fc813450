"""Graphs that are odd, broken, huge or not ours: skipped with a remark or refused, never damaged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_structure import state
from graphs import Builder, check, ops, trace
from torch import fx

import noopelim
from noopelim import errors
from noopelim.remarks import Stage

aten = torch.ops.aten


def strip(gm: fx.GraphModule, *names: str) -> None:
    for node in gm.graph.nodes:
        if not names or node.name in names:
            node.meta.pop("val", None)


def chain() -> fx.GraphModule:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (4, 6)))
    node = b.call(aten.view.default, x, [4, 6])
    node = b.call(aten.cos.default, b.call(aten.clone.default, node))
    return b.output(b.call(aten.exp.default, b.call(aten.alias.default, node)))


def test_no_metadata_at_all() -> None:
    gm = chain()
    strip(gm)
    was = state(gm)
    report = noopelim.eliminate(gm)
    assert state(gm) == was
    assert not report.passed
    assert {(m.node, m.stage) for m in report.missed} == {
        (name, Stage.SKIPPED) for name in ("view", "clone", "alias")
    }


@pytest.mark.parametrize("name", ["view", "sin"])
def test_a_node_without_metadata_is_skipped_alone(name: str) -> None:
    gm = chain()
    strip(gm, name)
    args = [torch.randn(4, 6)]
    expected = gm(*args)
    report = noopelim.eliminate(gm)
    assert "view" in [node.name for node in gm.graph.nodes]
    assert "alias" not in [node.name for node in gm.graph.nodes]
    assert any(m.node == "view" and m.stage is Stage.SKIPPED for m in report.missed)
    assert torch.equal(gm(*args)[0], expected[0])


def test_a_reader_without_metadata_does_not_matter() -> None:
    gm = chain()
    strip(gm, "exp", "output")
    noopelim.eliminate(gm)
    assert ops(gm) == ["aten.sin.default", "aten.cos.default", "aten.exp.default"]


def test_a_writer_without_metadata_is_still_a_writer() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    old = b.call(aten.clone.default, x)
    row = b.call(aten.select.int, x, 0, 1)
    b.call(aten.zero_.default, row)
    gm = b.output(b.call(aten.cos.default, old))
    strip(gm, "select", "zero_")
    check(gm, [torch.randn(4, 4)], kept="clone")


def test_a_view_without_metadata_between_a_copy_and_its_last_use() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    old = b.call(aten.clone.default, x)
    row = b.call(aten.select.int, old, 0, 1)
    b.call(aten.zero_.default, x)
    gm = b.output(b.call(aten.cos.default, row))
    strip(gm, "select")
    check(gm, [torch.randn(4, 4)], kept="clone")


def test_metadata_that_is_not_a_tensor() -> None:
    gm = chain()
    for node in gm.graph.nodes:
        if node.name in ("view", "clone"):
            node.meta["val"] = "nonsense"
    expected = gm(torch.ones(4, 6))
    noopelim.eliminate(gm)
    assert "view" in [node.name for node in gm.graph.nodes]
    assert torch.equal(gm(torch.ones(4, 6))[0], expected[0])


def test_real_tensors_for_metadata() -> None:
    gm = fx.symbolic_trace(lambda x: aten.cos(aten.clone.default(aten.view.default(aten.sin(x), [2, 3]))))
    for node in gm.graph.nodes:
        node.meta["val"] = torch.zeros(2, 3)
    gm(torch.ones(2, 3))
    noopelim.eliminate(gm)
    gm.graph.lint()
    assert torch.equal(gm(torch.ones(2, 3)), torch.ones(2, 3).sin().cos())


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_sparse_tensors(dtype: torch.dtype) -> None:
    def copies(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return aten.clone.default(aten.neg.default(x)), aten.clone.default(aten.neg.default(y))

    x, y = torch.eye(3, dtype=dtype).to_sparse(), torch.eye(3, dtype=dtype)
    gm = trace(copies, x, y)
    check(gm, [x, y], kept="clone", removed="clone_1")


@pytest.mark.parametrize("convert", [torch.Tensor.to_sparse_csr, torch.Tensor.to_sparse_csc])
def test_compressed_sparse_tensors(convert: Callable[[torch.Tensor], torch.Tensor]) -> None:
    b = Builder()
    x = convert(torch.eye(4))
    node = b.placeholder("x", b.mode.from_tensor(x))
    copied = b.bare(aten.clone.default, node)
    copied.meta["val"] = node.meta["val"]
    gm = b.output(copied, b.call(aten.view.default, b.call(aten.sin.default, b.input("y", (3,))), [3]))
    check(gm, [x, torch.randn(3)], kept="clone", removed="view")


def test_quantised_tensors() -> None:
    b = Builder()
    x = torch.quantize_per_tensor(torch.randn(3), 0.1, 0, torch.qint8)
    node = b.placeholder("x", x)
    copied = b.bare(aten.clone.default, node)
    copied.meta["val"] = x.clone()
    gm = b.output(copied)
    noopelim.eliminate(gm)
    assert ops(gm) == ["aten.clone.default"]


def test_values_that_are_not_tensors() -> None:
    b = Builder()
    s = b.size("s0")
    number = b.call(aten.sym_size.int, b.input("x", (s, 3)), 0)
    parts = b.call(aten.split.Tensor, b.call(aten.view.default, b.input("y", (4, 3)), [4, 3]), 2)
    check(b.output(number, 3, None, "text", b.get(parts, 0), 2.5, [True]), removed=())


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("what", ["input", "number", "nothing"])
def test_trivial_graphs(bare: bool, what: str) -> None:
    b = Builder()
    x = b.input("x", (3,))
    out = {"input": x, "number": 3, "nothing": None}[what]
    done = check(b.output(out, bare=bare))
    assert not done.report.passed


def test_graphs_without_nodes() -> None:
    empty = fx.Graph()
    report = noopelim.eliminate(empty)
    assert (report.nodes_before, report.nodes_after, report.passed) == (0, 0, [])
    only_output = Builder()
    check(only_output.output())


def test_a_graph_without_an_output() -> None:
    b = Builder()
    b.call(aten.cos.default, b.call(aten.view.default, b.input("x", (3,)), [3]))
    report = noopelim.eliminate(b.graph)
    b.graph.lint()
    assert report.guards_added == 0


def test_a_graph_without_a_module() -> None:
    gm = chain()
    loose = copy.deepcopy(gm.graph)
    assert loose.owning_module is None
    noopelim.eliminate(loose)
    assert len(loose.nodes) == len(gm.graph.nodes) - 3


@pytest.mark.parametrize("target", [None, 3, "graph", torch.nn.Linear(1, 1), [fx.Graph()]])
def test_what_is_no_graph_is_refused(target: Any) -> None:
    with pytest.raises(TypeError):
        noopelim.eliminate(target)


def test_a_graph_out_of_order_is_refused_untouched() -> None:
    gm = chain()
    sin, view = (next(n for n in gm.graph.nodes if n.name == name) for name in ("sin", "view"))
    sin.prepend(view)
    was = state(gm)
    with pytest.raises(errors.GraphError):
        noopelim.eliminate(gm)
    assert state(gm) == was


def test_a_graph_with_a_stranger_for_operand_is_refused_untouched() -> None:
    gm, other = chain(), chain()
    cos = next(n for n in gm.graph.nodes if n.name == "cos")
    cos.args = (next(n for n in other.graph.nodes if n.name == "sin"),)
    was = state(gm)
    with pytest.raises(errors.GraphError):
        noopelim.eliminate(gm)
    assert state(gm) == was
