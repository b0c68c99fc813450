"""Sizes that are equal under today's hint only, against sizes that are equal for every valuation."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_inputs import valuations
from graphs import Builder, check
from torch import fx

from noopelim.audit import evaluate

aten = torch.ops.aten

Fill = Callable[[Builder], fx.Node]


def value(b: Builder, name: str, *shape: Any) -> fx.Node:
    """An intermediate, so that being an input is no reason to keep what follows."""
    return b.call(aten.neg.default, b.input(name, shape))


def slice_to_another_size(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    return b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, t)


def slice_to_the_hint(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.size("s0"), 4), 0, 0, 8)


def slice_from_minus_the_hint(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.size("s0"), 4), 0, -8)


def scatter_of_another_size(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    x, src = value(b, "x", s, 4), value(b, "src", t, 4)
    return b.call(aten.slice_scatter.default, x, src, 0, 0, t)


def reshape_that_swaps(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    return b.told(aten.view.default, value(b, "x", s, t), [t, s], shape=[t, s], stride=[s, 1])


def unflatten_that_swaps(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    flat = b.call(aten.view.default, value(b, "x", s, t), [b.call(operator.mul, s, t)])
    return b.told(aten.view.default, flat, [t, s], shape=[t, s], stride=[s, 1])


def repeat_by_a_hint_of_one(b: Builder) -> fx.Node:
    times = b.size("s1", hint=1, low=1)
    return b.call(aten.repeat.default, value(b, "x", b.size("s0"), 4), [times, 1])


def expand_to_a_hint_of_one(b: Builder) -> fx.Node:
    s = b.size("s0", hint=1, low=1)
    return b.told(aten.expand.default, value(b, "x", 1, 4), [s, 4], shape=[s, 4], stride=[0, 1])


def strided_by_a_hint_of_one(b: Builder) -> fx.Node:
    step = b.size("s0", hint=1, low=1)
    rows = b.call(operator.floordiv, b.call(operator.add, step, 5), step)
    stride = b.call(operator.mul, step, 4)
    x = value(b, "x", 6, 4)
    return b.told(aten.slice.Tensor, x, 0, 0, 6, step, shape=[rows, 4], stride=[stride, 1])


def padded(b: Builder) -> tuple[fx.Node, fx.Node, fx.Node]:
    """x[s0] padded to a multiple of four; under the hint 8 the padding is empty."""
    s = b.size("s0")
    lack = b.call(operator.mod, b.call(operator.neg, s), 4)
    return s, lack, b.call(aten.constant_pad_nd.default, value(b, "x", s, 4), [0, 0, 0, lack], 7.0)


def pad_that_is_empty_today(b: Builder) -> fx.Node:
    return padded(b)[2]


def slice_to_another_unbacked(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.unbacked("u0"), 4), 0, 0, b.unbacked("u1"))


def slice_of_a_size_by_unbacked(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.size("s0"), 4), 0, 0, b.unbacked("u0"))


def slice_one_short_of_the_range(b: Builder) -> fx.Node:
    s = b.size("s0", high=9)
    rows = b.call(torch.sym_min, s, 8)
    return b.told(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, 8, shape=[rows, 4], stride=[4, 1])


@pytest.mark.parametrize(
    "fill",
    [
        slice_to_another_size,
        slice_to_the_hint,
        slice_from_minus_the_hint,
        scatter_of_another_size,
        reshape_that_swaps,
        repeat_by_a_hint_of_one,
        expand_to_a_hint_of_one,
        strided_by_a_hint_of_one,
        pad_that_is_empty_today,
        slice_to_another_unbacked,
        slice_of_a_size_by_unbacked,
        slice_one_short_of_the_range,
    ],
)
def test_equal_under_the_hint_only(fill: Fill) -> None:
    b = Builder()
    node = fill(b)
    # Returned as it is: most consumers would guard on the strides that the hints give it.
    gm, name = b.output(node), node.name
    shapes = {node.name: node.meta["val"].shape for node in gm.graph.nodes if _is_tensor(node)}
    assert any(
        [evaluate(n, at) for n in shapes[name]] != [evaluate(n, at) for n in shape]
        for at in valuations(gm)
        for other, shape in shapes.items()
        if other != name
    ), "building the graph guarded on the hints"
    # What torch says of the strides of a broadcast dim of size one depends on the hint, too.
    done = check(gm, kept=name, truthful=fill is not expand_to_a_hint_of_one)
    assert not any(passed.node == name for passed in done.report.passed)


def test_a_swap_by_way_of_a_flat_view_is_at_most_shortened() -> None:
    b = Builder()
    done = check(b.output(unflatten_that_swaps(b)))
    assert done.ops[-1] == "aten.view.default"


def _is_tensor(node: fx.Node) -> bool:
    return isinstance(node.meta["val"], torch.Tensor)


def slice_to_more(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    return b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, b.call(operator.add, s, t))


def slice_to_double(b: Builder) -> fx.Node:
    s = b.size("s0")
    return b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, b.call(operator.mul, s, 2))


def slice_to_the_top_of_the_range(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.size("s0", high=64), 4), 0, 0, 64)


def slice_from_below_the_range(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, value(b, "x", b.size("s0", high=64), 4), 0, -64)


def reshape_by_the_product(b: Builder) -> fx.Node:
    s, t = b.size("s0"), b.size("s1")
    flat = b.call(aten.reshape.default, value(b, "x", s, t), [b.call(operator.mul, s, t)])
    return b.call(aten.reshape.default, flat, [s, t])


def reshape_by_quotients(b: Builder) -> fx.Node:
    s = b.size("s0")
    split = b.call(aten.reshape.default, value(b, "x", s, 4), [b.call(operator.floordiv, s, 4), 4, 4])
    return b.call(aten.reshape.default, split, [s, 4])


def slice_of_the_whole_pad(b: Builder) -> fx.Node:
    s, lack, pad = padded(b)
    return b.call(aten.slice.Tensor, pad, 0, 0, b.call(operator.add, s, lack))


def slice_to_the_rounded_size(b: Builder) -> fx.Node:
    s, _, pad = padded(b)
    up = b.call(operator.floordiv, b.call(operator.add, s, 3), 4)
    return b.call(aten.slice.Tensor, pad, 0, 0, b.call(operator.mul, up, 4))


def slice_of_two_halves(b: Builder) -> fx.Node:
    s = b.size("s0")
    low = b.call(operator.floordiv, s, 2)
    high = b.call(operator.floordiv, b.call(operator.add, s, 1), 2)
    return b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, b.call(operator.add, low, high))


def expand_to_the_same_unbacked(b: Builder) -> fx.Node:
    u = b.unbacked("u0")
    return b.call(aten.expand.default, value(b, "x", u, 4), [u, 4])


def slice_to_the_same_unbacked(b: Builder) -> fx.Node:
    u = b.unbacked("u0")
    return b.call(aten.slice.Tensor, value(b, "x", u, 4), 0, 0, u)


def slice_to_an_unbacked_known_equal(b: Builder) -> fx.Node:
    s, u = b.size("s0"), b.unbacked("u0")
    torch._check(u.meta["val"] == s.meta["val"])  # type: ignore[no-untyped-call]
    return b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, u)


def slice_to_an_unbacked_known_larger(b: Builder) -> fx.Node:
    u, v = b.unbacked("u0"), b.unbacked("u1")
    torch._check(u.meta["val"] <= v.meta["val"])  # type: ignore[no-untyped-call]
    return b.call(aten.slice.Tensor, value(b, "x", u, 4), 0, 0, v)


def whole_slice_of_a_data_dependent_size(b: Builder) -> fx.Node:
    found = b.call(aten.nonzero.default, value(b, "x", b.size("s0"), 4))
    return b.call(aten.slice.Tensor, found, 0, 0, sys.maxsize)


@pytest.mark.parametrize(
    "fill",
    [
        slice_to_more,
        slice_to_double,
        slice_to_the_top_of_the_range,
        slice_from_below_the_range,
        reshape_by_the_product,
        reshape_by_quotients,
        slice_of_the_whole_pad,
        slice_to_the_rounded_size,
        slice_of_two_halves,
        expand_to_the_same_unbacked,
        slice_to_the_same_unbacked,
        slice_to_an_unbacked_known_equal,
        slice_to_an_unbacked_known_larger,
        whole_slice_of_a_data_dependent_size,
    ],
)
def test_equal_for_every_valuation(fill: Fill) -> None:
    b = Builder()
    node = fill(b)
    check(b.output(b.call(aten.cos.default, node)), removed=node.name)
