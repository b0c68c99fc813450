"""Tensors of no elements, of no dims, and graphs of ten thousand nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check, ops
from torch import fx

import noopelim

aten = torch.ops.aten

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
}


@pytest.mark.parametrize("kind", EMPTY_KEPT)
def test_zero_sized_neighbours(kind: str) -> None:
    b = Builder()
    node = EMPTY_KEPT[kind](b, b.call(aten.sin.default, b.input("x", (0, 4))))
    check(b.output(b.call(aten.relu.default, node)), kept=node.name)


def test_an_empty_write_goes() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (0, 4)))
    node = b.call(aten.slice_scatter.default, b.input("base", (3, 4)), x, 0, 1, 1)
    check(b.output(b.call(aten.relu.default, node)), removed=node.name)


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
    "with work between": lambda b, x, i: b.call([aten.sin.default, aten.clone.default][i % 2], x),
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


def test_a_reshape_of_an_empty_value_whose_strides_torch_tells_wrong() -> None:
    b = Builder()
    wide = b.call(aten.expand.default, b.input("x", (0, 2)), [1, 2, 0, 2])
    flat = b.call(aten.view.default, b.call(aten._to_copy.default, wide, dtype=torch.float64), [-1])
    gm = b.output(b.call(aten.view.default, flat, [1, 2, 0, 2]))
    check(gm, truthful=False)
