"""Attention inputs as servers write them: one projection, split, rotated in place by a custom operator, split again.

Functionalised, that is a write into the projection and another split of it for every reader. What should be left is
the rotated parts themselves.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
import torch
from custom_ops import define
from graphs import Builder, check
from torch._higher_order_ops.auto_functionalize import auto_functionalized
from torch._inductor import config
from torch._prims_common import clone_preserve_strides

import noopelim
from noopelim.inductor import NoOpElimination

aten = torch.ops.aten
HEADS, KV, SIZE = 3, 1, 8


def _rotate(positions: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> None:
    angle = positions[:, None].to(query.dtype)
    query.mul_(angle.cos())
    key.mul_(angle.sin())


rotary = define(
    "rotary(Tensor positions, Tensor(a!) query, Tensor(b!) key) -> ()",
    lambda positions, query, key: None,
)(_rotate)


class Attention(torch.nn.Module):
    """The part of an attention layer before the attention itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 32 * 40).reshape(32, 40), requires_grad=False)

    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> tuple[torch.Tensor, ...]:
        qkv = x @ self.weight
        q, k, v = qkv.split([HEADS * SIZE, KV * SIZE, KV * SIZE], dim=-1)
        rotary(positions, q, k)
        q, k, v = q.view(-1, HEADS, SIZE), k.view(-1, KV, SIZE), v.view(-1, KV, SIZE)
        return q.sin(), k.cos(), v.exp()


class _Ops(NoOpElimination):
    """Keeps the targets that are left."""

    def __call__(self, graph: torch.fx.Graph) -> None:
        super().__call__(graph)
        self.left = [n.target for n in graph.nodes if n.op == "call_function"]


@pytest.mark.parametrize("dynamic", [False, True])
def test_nothing_is_written_back_to_be_split_again(dynamic: bool) -> None:
    model, hook = Attention(), _Ops()
    x, positions = torch.linspace(0, 1, 5 * 32).reshape(5, 32), torch.arange(5)
    torch._dynamo.reset()
    settings = {"enable_auto_functionalized_v2": False, "force_disable_caches": True}
    with config.patch(post_grad_custom_post_pass=hook, **settings), torch.no_grad():
        compiled = torch.compile(model, dynamic=dynamic)
        found = compiled(x, positions)
    for got, expected in zip(found, model(x, positions), strict=True):
        torch.testing.assert_close(got, expected)
    assert aten.slice_scatter.default not in hook.left
    assert hook.left.count(aten.split_with_sizes.default) == 1
    assert hook.reports[-1].guards_added == 0


def _split(b: Builder, x: torch.fx.Node) -> list[torch.fx.Node]:
    call = b.call(aten.split_with_sizes.default, x, [24, 8, 8], -1)
    return [b.get(call, k) for k in range(3)]


def test_equal_splits_are_one() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (4, 40)))
    parts = [_split(b, x)[k] for k in range(3)]
    gm = b.output(*(b.call(aten.neg.default, part) for part in parts))
    check(gm)
    assert sum(n.target is aten.split_with_sizes.default for n in gm.graph.nodes) == 1


def test_a_permute_that_moves_nothing_on_the_way_to_attention() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (2, 5, 24)))
    heads = b.call(aten.permute.default, b.call(aten.reshape.default, x, [2, 5, 3, 8]), [0, 2, 1, 3])
    back = b.call(aten.permute.default, heads, [0, 2, 1, 3])
    flat = b.call(aten.reshape.default, back, [10, 24])
    gm = b.output(b.call(aten.neg.default, b.call(aten.reshape.default, flat, [2, 5, 24])))
    check(gm)
    assert [n.target for n in gm.graph.nodes if n.op == "call_function"] == [
        aten.sin.default,
        aten.neg.default,
    ]


def _functional(b: Builder, qkv: torch.fx.Node, region: Callable[[int], tuple[int, int]]) -> torch.fx.Graph:
    positions = b.input("positions", (4,), dtype=torch.int64)
    q, k, _ = _split(b, qkv)
    graph = b.graph
    call = graph.call_function(auto_functionalized, (rotary,), {"positions": positions, "query": q, "key": k})
    with b.mode:
        call.meta["val"] = (None, *(clone_preserve_strides(part.meta["val"]) for part in (q, k)))
    written = qkv
    for index in (1, 2):
        part = graph.call_function(operator.getitem, (call, index))
        part.meta["val"] = call.meta["val"][index]
        written = b.call(aten.slice_scatter.default, written, part, 1, *region(index))
    outputs = [b.call(aten.neg.default, part) for part in _split(b, written)]
    return b.output(*outputs).graph


@pytest.mark.parametrize(("second", "left"), [((24, 32), 0), ((25, 33), 2)])
def test_only_what_was_written_where_it_is_read(second: tuple[int, int], left: int) -> None:
    b = Builder()
    qkv = b.call(aten.sin.default, b.input("x", (4, 40)))
    graph = _functional(b, qkv, lambda index: (0, 24) if index == 1 else second)
    noopelim.eliminate(graph)
    assert sum(n.target is aten.slice_scatter.default for n in graph.nodes) == left
