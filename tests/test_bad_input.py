"""Graphs that are odd, broken, huge or not ours: skipped with a remark or refused, never damaged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_structure import printed
from graphs import Builder, check, ops, trace
from torch import fx

import noopelim
from noopelim import errors
from noopelim.pattern import ANY, X
from noopelim.proof import Proof
from noopelim.remarks import Stage
from noopelim.rule import Rule, RuleSet
from noopelim.spellings import clone, reshape

aten = torch.ops.aten


def state(gm: fx.GraphModule) -> list[tuple[Any, ...]]:
    """Everything a failed run must leave as it was, objects included."""
    return [
        (
            node,
            node.name,
            node.target,
            node.args,
            dict(node.kwargs),
            list(node.users),
            {key: id(value) for key, value in node.meta.items()},
        )
        for node in gm.graph.nodes
    ]


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


EMPTY: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "reshape": lambda b, x: b.call(aten.reshape.default, x, [0, 4]),
    "view": lambda b, x: b.call(aten.view.default, x, [0, 4]),
    "round trip": lambda b, x: b.call(aten.view.default, b.call(aten.view.default, x, [4, 0]), [0, 4]),
    "slice": lambda b, x: b.call(aten.slice.Tensor, x, 0, 0, 9),
    "slice of the other dim": lambda b, x: b.call(aten.slice.Tensor, x, 1, 0, 4),
    "slice_scatter": lambda b, x: b.call(aten.slice_scatter.default, b.call(aten.exp.default, x), x),
    "permute": lambda b, x: b.call(aten.permute.default, x, [0, 1]),
    "expand": lambda b, x: b.call(aten.expand.default, x, [0, 4]),
    "clone": lambda b, x: b.call(aten.clone.default, x),
    "contiguous": lambda b, x: b.call(aten.contiguous.default, x),
    "alias": lambda b, x: b.call(aten.alias.default, x),
    "copy": lambda b, x: b.call(aten.copy.default, b.call(aten.exp.default, x), x),
    "cast": lambda b, x: b.call(aten._to_copy.default, x, dtype=torch.float32),
    "repeat": lambda b, x: b.call(aten.repeat.default, x, [1, 1]),
}


@pytest.mark.parametrize("kind", EMPTY)
def test_zero_sized_tensors(kind: str) -> None:
    b = Builder()
    node = EMPTY[kind](b, b.call(aten.sin.default, b.input("x", (0, 4))))
    check(b.output(node), removed=node.name)
    b = Builder()
    node = EMPTY[kind](b, b.input("x", (0, 4)))
    check(b.output(node), removed=())


EMPTY_KEPT: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "view": lambda b, x: b.call(aten.view.default, x, [4, 0]),
    "view of one dim": lambda b, x: b.call(aten.view.default, x, [0]),
    "slice": lambda b, x: b.call(aten.slice.Tensor, x, 1, 1, 4),
    "permute": lambda b, x: b.call(aten.permute.default, x, [1, 0]),
    "cast": lambda b, x: b.call(aten._to_copy.default, x, dtype=torch.float64),
    "repeat": lambda b, x: b.call(aten.repeat.default, x, [1, 2]),
    "repeat in front": lambda b, x: b.call(aten.repeat.default, x, [1, 1, 1]),
    "empty scatter": lambda b, x: b.call(aten.slice_scatter.default, b.input("base", (3, 4)), x, 0, 1, 1),
}


@pytest.mark.parametrize("kind", EMPTY_KEPT)
def test_zero_sized_neighbours(kind: str) -> None:
    b = Builder()
    node = EMPTY_KEPT[kind](b, b.call(aten.sin.default, b.input("x", (0, 4))))
    check(b.output(b.call(aten.relu.default, node)), kept=node.name)


def test_scalars() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", ()))
    for op, args in (
        (aten.view.default, ([],)),
        (aten.permute.default, ([],)),
        (aten.expand.default, ([],)),
        (aten.repeat.default, ([],)),
        (aten.clone.default, ()),
        (aten.squeeze.default, ()),
    ):
        x = b.call(op, x, *args)
    done = check(b.output(b.call(aten.cos.default, x)))
    assert len(done.ops) <= 3


def again(b: Builder, target: Any, x: fx.Node, *args: Any) -> fx.Node:
    """A view in a long chain of them, as a view of the first node: torch keeps each chain of views alive."""
    node = b.bare(target, x, *args)
    base = x.meta.get("base", x.meta["val"])
    with b.mode:
        node.meta["val"], node.meta["base"] = target(base, *args), base
    return node


LINKS: dict[str, Callable[[Builder, fx.Node, int], fx.Node]] = {
    "reshapes": lambda b, x, i: again(b, aten.view.default, x, [[24], [2, 12], [4, 6]][i % 3]),
    "clones": lambda b, x, i: b.call(aten.clone.default, x),
    "aliases": lambda b, x, i: again(b, aten.alias.default, x),
    "alternating": lambda b, x, i: [
        lambda: b.call(aten.clone.default, x),
        lambda: b.call(aten.slice.Tensor, x, 0, 0, 99),
        lambda: b.call(aten.permute.default, x, [1, 0]),
        lambda: b.call(aten.permute.default, x, [1, 0]),
    ][i % 4](),
    "with work between": lambda b, x, i: b.call([aten.neg.default, aten.clone.default][i % 2], x),
}


@pytest.mark.parametrize("kind", LINKS)
def test_ten_thousand_nodes(kind: str) -> None:
    """A recursive engine overflows here, and a quadratic one takes minutes."""
    b = Builder()
    node = b.call(aten.sin.default, b.input("x", (4, 6)))
    link = LINKS[kind]
    for i in range(9_996):
        node = link(b, node, i)
    gm = b.output(b.call(aten.cos.default, node))
    expected = gm(torch.ones(4, 6))[0]
    noopelim.eliminate(gm)
    gm.graph.lint()
    assert torch.equal(gm(torch.ones(4, 6))[0], expected)
    assert len(ops(gm)) == (5_000 if kind == "with work between" else 2)


def test_ten_thousand_readers_of_one_node() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (2,)))
    total = b.call(aten.zeros.default, [2])
    for _ in range(3_000):
        total = b.call(aten.add.Tensor, total, b.call(aten.clone.default, x))
    gm = b.output(total)
    noopelim.eliminate(gm)
    assert "aten.clone.default" not in ops(gm)


class Boom(Exception):
    """Something no engine expects."""


def exploding(after: int) -> RuleSet:
    """All the rules, and one tried before them that raises when it is asked the ``after``-th time."""
    asked = 0

    def where(f: Any) -> Proof:
        nonlocal asked
        asked += 1
        if asked >= after:
            raise Boom("bang")
        return Proof.of(False, "not yet", "counting")

    rule = Rule(
        name="a/explodes",
        pattern=clone(X),
        where=where,
        to=X,
        because="it does not hold",
        example=lambda x: aten.clone(aten.neg(x)),
    )
    return RuleSet((rule,)) | noopelim.patterns.ALL


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_rule_that_raises_leaves_everything_as_it_was(after: int) -> None:
    b = Builder()
    s = b.size("s0")
    node = b.call(aten.sin.default, b.input("x", (s, 6)))
    for _ in range(3):
        node = b.call(aten.view.default, b.call(aten.view.default, node, [-1]), [s, 6])
        node = b.call(aten.clone.default, b.call(aten.cos.default, node))
    gm = b.output(node)
    was, text = state(gm), printed(gm)
    clones = [n.name for n in gm.graph.nodes if n.target is aten.clone.default]
    with pytest.raises(errors.RewriteError) as caught:
        noopelim.eliminate(gm, exploding(after))
    assert "a/explodes" in str(caught.value)
    assert any(name in str(caught.value) for name in clones)
    assert isinstance(caught.value.__cause__, Boom)
    assert (state(gm), printed(gm)) == (was, text)
    gm.graph.lint()
    check(gm)


def test_a_rule_that_raises_in_a_nested_graph() -> None:
    b = Builder()
    inner = Builder(b)
    y = inner.call(aten.view.default, inner.call(aten.sin.default, inner.input("y", (4,))), [4])
    sub = inner.output(inner.call(aten.cos.default, inner.call(aten.clone.default, y)))
    x = b.call(aten.view.default, b.call(aten.sin.default, b.input("x", (4,))), [4])
    call = b.bare(torch.ops.higher_order.invoke_subgraph, b.subgraph("subgraph_0", sub), "subgraph_0", x)
    call.meta["val"] = (x.meta["val"],)
    gm = b.output(b.get(call, 0))
    was = state(gm), state(sub)
    with pytest.raises(errors.RewriteError, match="a/explodes"):
        noopelim.eliminate(gm, exploding(1))
    assert (state(gm), state(sub)) == was


def test_a_rule_that_answers_with_something_else() -> None:
    rule = Rule(
        name="test/answers-true",
        pattern=reshape(X, ANY),
        where=lambda f: True,  # type: ignore[arg-type, return-value]
        to=X,
        because="it does not hold",
        example=lambda x: aten.reshape(aten.neg(x), x.shape),
    )
    gm = chain()
    was = state(gm)
    with pytest.raises(errors.RewriteError, match="test/answers-true"):
        noopelim.eliminate(gm, RuleSet((rule,)))
    assert state(gm) == was
