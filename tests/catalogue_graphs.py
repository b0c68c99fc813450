"""Rows of the catalogue: whole graphs, functionalised operators, nested graphs, orderings. Laid by hand."""

from __future__ import annotations

from collections.abc import Callable

import torch
from catalogue_row import Row, aten, ex_graph, row
from custom_ops import define, store
from graphs import Builder
from torch import fx

TITLE = "Whole graphs"

higher_order = torch.ops.higher_order
functionalized = higher_order.auto_functionalized
MAX = 2**63 - 1


@define("catalogue_rotary(Tensor angles, Tensor(a!) query, Tensor(b!) key) -> ()")
def rotary(angles: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> None:
    """Turns two tensors in place, as rotary embeddings do."""
    query.mul_(angles)
    key.mul_(angles)


def _rows(b: Builder, dynamic: bool) -> int | fx.Node:
    return b.size("s0") if dynamic else 4


def _unread_calls(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    x = b.input("x", (_rows(b, dynamic), 6))
    b.call(aten.exp.default, b.call(aten.sin.default, x))
    return b.output(b.call(aten.cos.default, x))


def _unread_parts(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    parts = b.call(aten.split.Tensor, b.input("x", (_rows(b, dynamic), 6)), 2, 1)
    read, *_ = [b.get(parts, i) for i in range(3)]
    return b.output(b.call(aten.cos.default, read))


def _unread_sizes(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    x = b.input("x", (_rows(b, dynamic), 6))
    b.call(aten.sym_size.int, b.call(aten.exp.default, x), 0)
    return b.output(b.call(aten.cos.default, x))


def _unread_branch(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    rows = _rows(b, dynamic)
    flag, x = b.input("flag", (), torch.bool), b.input("x", (rows, 6))
    _branch(b, flag, x, rows, lambda inner, operand: inner.call(aten.sin.default, operand))
    return b.output(b.call(aten.cos.default, x))


def _views_around_a_write(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    rows = _rows(b, dynamic)
    x, y = b.input("x", (rows, 6)), b.input("y", (rows, 6))
    whole = b.call(aten.slice.Tensor, x, 1, 0, MAX)
    written = b.get(b.call(functionalized, store, dst=whole, src=b.call(aten.view.default, y, [rows, 6])), 1)
    return b.output(b.call(aten.cos.default, b.call(aten.slice_scatter.default, x, written, 1, 0, MAX)))


def _rotated(b: Builder, rows: int | fx.Node) -> tuple[fx.Node, list[fx.Node], list[fx.Node]]:
    """Query, key and value side by side; the first two cut out and turned."""
    qkv, angles = b.input("qkv", (rows, 6)), b.input("angles", (rows, 2))
    split = b.call(aten.split_with_sizes.default, qkv, [2, 2, 2], -1)
    parts = [b.get(split, i) for i in range(3)]
    turned = b.call(functionalized, rotary, angles=angles, query=parts[0], key=parts[1])
    return qkv, parts, [b.get(turned, 1), b.get(turned, 2)]


def _written_back_and_split_again(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    qkv, _, (query, key) = _rotated(b, _rows(b, dynamic))
    once = b.call(aten.slice_scatter.default, qkv, query, 1, 0, 2)
    twice = b.call(aten.slice_scatter.default, once, key, 1, 2, 4)
    again = b.call(aten.split_with_sizes.default, twice, [2, 2, 2], -1)
    return b.output(*(b.call(aten.cos.default, b.get(again, i)) for i in range(3)))


def _written_back_one_by_one(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    qkv, _, (query, key) = _rotated(b, _rows(b, dynamic))
    once = b.call(aten.slice_scatter.default, qkv, query, 1, 0, 2)
    first = b.get(b.call(aten.split_with_sizes.default, once, [2, 2, 2], -1), 0)
    twice = b.call(aten.slice_scatter.default, once, key, 1, 2, 4)
    second = b.call(aten.slice.Tensor, twice, 1, 2, 4)
    third = b.call(aten.slice.Tensor, twice, 1, 4, MAX)
    return b.output(*(b.call(aten.cos.default, part) for part in (first, second, third)))


def _branch(
    b: Builder,
    flag: fx.Node,
    x: fx.Node,
    rows: int | fx.Node,
    body: Callable[[Builder, fx.Node], fx.Node],
) -> fx.Node:
    """``cond`` with the same body on both sides."""
    sides = []
    for name in ("true_graph_0", "false_graph_0"):
        inner = Builder(b)
        sides.append(b.subgraph(name, inner.output(body(inner, _operand(inner, x)))))
    node = b.bare(higher_order.cond, flag, *sides, (x,))
    with b.mode:
        node.meta["val"] = (torch.empty_like(x.meta["val"]),)
    return b.get(node, 0)


def _operand(inner: Builder, x: fx.Node) -> fx.Node:
    return inner.placeholder("operand", x.meta["val"])


def _double_negation(b: Builder, x: fx.Node) -> fx.Node:
    return b.call(aten.cos.default, b.call(aten.permute.default, b.call(aten.t.default, x), [1, 0]))


def _noops_in_branches(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    rows = _rows(b, dynamic)
    flag, x = b.input("flag", (), torch.bool), b.input("x", (rows, 6))
    base = b.call(aten.sin.default, x)
    return b.output(_branch(b, flag, base, rows, _double_negation))


def _noops_in_a_call(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (_rows(b, dynamic), 6)))
    inner = Builder(b)
    body = inner.output(_double_negation(inner, _operand(inner, x)))
    node = b.bare(higher_order.invoke_subgraph, b.subgraph("subgraph_0", body), "subgraph_0", x)
    with b.mode:
        node.meta["val"] = (torch.empty_like(x.meta["val"]),)
    return b.output(b.get(node, 0))


def _ordered(dynamic: bool) -> fx.GraphModule:
    from torch._inductor.fx_passes.control_dependencies import control_deps

    b = Builder()
    rows = _rows(b, dynamic)
    x, y = b.input("x", (rows, 6)), b.input("y", (rows, 6))
    first = b.call(aten.sin.default, x)
    operand = b.call(aten.view.default, y, [rows, 6])
    inner = Builder(b)
    body = inner.output(inner.call(aten.exp.default, _operand(inner, operand)), bare=True)
    node = b.bare(control_deps, (first,), b.subgraph("ordered_0", body), operand)
    with b.mode:
        node.meta["val"] = torch.empty_like(y.meta["val"])
    return b.output(b.call(aten.cos.default, node))


ROWS: tuple[Row, ...] = (
    row(
        188,
        "calls that nobody reads",
        "core",
        ex_graph("calls", _unread_calls, 1),
        ex_graph("parts of a split", _unread_parts, 3),
        ex_graph("sizes", _unread_sizes, 1),
        ex_graph("the result of a branch", _unread_branch, 4),
    ),
    row(
        190,
        "no-ops around functionalised operators",
        "compose",
        ex_graph("whole slices", _views_around_a_write, 3),
        ex_graph("written back and split again", _written_back_and_split_again, 10),
        ex_graph("written back one by one", _written_back_one_by_one, 10),
    ),
    row(
        191,
        "graphs in graphs",
        "core",
        ex_graph("branches", _noops_in_branches, 5),
        ex_graph("a called graph", _noops_in_a_call, 4),
    ),
    row(
        192,
        "an imposed order is respected",
        "core",
        ex_graph("around it", _ordered, 4),
    ),
)
