"""``slice_scatter`` and ``copy``: the result has the dtype and layout of the base and storage of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
import torch
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten

Overwrite: TypeAlias = Callable[[Builder, fx.Node, fx.Node], fx.Node]


def scatter(b: Builder, base: fx.Node, src: fx.Node) -> fx.Node:
    return b.call(aten.slice_scatter.default, base, src, 0, 0, 4)


def copy(b: Builder, base: fx.Node, src: fx.Node) -> fx.Node:
    return b.call(aten.copy.default, base, src)


both = pytest.mark.parametrize("op", [scatter, copy])


def value(b: Builder, name: str, dtype: torch.dtype = torch.float32) -> fx.Node:
    return b.call(aten.neg.default, b.input(name, (4, 6), dtype))


def transposed(b: Builder, name: str) -> fx.Node:
    return b.call(aten.permute.default, b.call(aten.neg.default, b.input(name, (6, 4))), [1, 0])


@both
def test_a_like_source_replaces_the_base(op: Overwrite) -> None:
    b = Builder()
    node = op(b, value(b, "x"), value(b, "src"))
    done = check(b.output(b.call(aten.cos.default, node)), removed=node.name)
    assert done.ops == ["aten.neg.default", "aten.cos.default"], "the base is dead and pure"


@both
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32, torch.bool])
def test_a_source_of_another_dtype(op: Overwrite, dtype: torch.dtype) -> None:
    b = Builder()
    src = b.call(aten._to_copy.default, value(b, "src"), dtype=dtype)
    node = op(b, value(b, "x"), src)
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


@both
def test_a_source_of_other_strides(op: Overwrite) -> None:
    b = Builder()
    node = op(b, value(b, "x"), transposed(b, "src"))
    check(b.output(node), kept=node.name)


@both
def test_a_base_of_other_strides(op: Overwrite) -> None:
    b = Builder()
    node = op(b, transposed(b, "x"), value(b, "src"))
    assert node.meta["val"].stride() == (1, 4)
    check(b.output(node), kept=node.name)


@both
def test_a_base_and_a_source_of_the_same_odd_strides(op: Overwrite) -> None:
    b = Builder()
    node = op(b, transposed(b, "x"), transposed(b, "src"))
    check(b.output(node), removed=node.name)


@both
def test_a_source_with_an_offset(op: Overwrite) -> None:
    b = Builder()
    big = b.call(aten.neg.default, b.input("src", (5, 6)))
    node = op(b, value(b, "x"), b.call(aten.slice.Tensor, big, 0, 1, 5))
    check(b.output(node), kept=node.name)


@both
def test_a_source_that_is_broadcast(op: Overwrite) -> None:
    b = Builder()
    row = b.call(aten.neg.default, b.input("src", (1, 6)))
    node = op(b, value(b, "x"), b.call(aten.expand.default, row, [4, 6]))
    check(b.output(node), kept=node.name)


@both
def test_a_source_with_the_conj_bit(op: Overwrite) -> None:
    b = Builder()
    src = b.call(aten._conj.default, value(b, "src", torch.complex64))
    node = op(b, value(b, "x", torch.complex64), src)
    check(b.output(node), kept=node.name)


@both
def test_a_source_that_is_an_input(op: Overwrite) -> None:
    b = Builder()
    node = op(b, value(b, "x"), b.input("src", (4, 6)))
    check(b.output(node), kept=node.name)


@both
def test_a_source_that_is_an_input_and_a_result_that_is_consumed(op: Overwrite) -> None:
    b = Builder()
    node = op(b, value(b, "x"), b.input("src", (4, 6)))
    check(b.output(b.call(aten.cos.default, node)), removed=node.name)


@both
def test_a_source_that_is_an_output_too(op: Overwrite) -> None:
    b = Builder()
    src = value(b, "src")
    node = op(b, value(b, "x"), src)
    check(b.output(node, src), kept=node.name)


@both
def test_a_base_that_is_an_output_too(op: Overwrite) -> None:
    b = Builder()
    x = value(b, "x")
    node = op(b, x, value(b, "src"))
    check(b.output(node, x), removed=node.name)


@both
def test_a_source_that_is_written_later(op: Overwrite) -> None:
    b = Builder()
    src = value(b, "src")
    node = op(b, value(b, "x"), src)
    b.call(aten.mul_.Tensor, src, 2.0)
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


@both
def test_a_base_that_is_written_later(op: Overwrite) -> None:
    b = Builder()
    x = value(b, "x")
    node = op(b, x, value(b, "src"))
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.cos.default, node), x), removed=node.name)


@both
def test_a_result_that_is_written(op: Overwrite) -> None:
    b = Builder()
    src = value(b, "src")
    node = op(b, value(b, "x"), src)
    b.call(aten.mul_.Tensor, node, 2.0)
    check(b.output(b.call(aten.cos.default, src), node), kept=node.name)


@both
def test_a_source_that_is_a_view_of_the_base(op: Overwrite) -> None:
    b = Builder()
    x = value(b, "x")
    node = op(b, x, b.call(aten.view.default, x, [4, 6]))
    done = check(b.output(b.call(aten.cos.default, node)), removed=node.name)
    assert done.ops == ["aten.neg.default", "aten.cos.default"]


def test_a_scatter_into_part_of_the_base() -> None:
    b = Builder()
    part = b.call(aten.slice.Tensor, value(b, "src"), 0, 0, 3)
    node = b.call(aten.slice_scatter.default, value(b, "x"), part, 0, 0, 3)
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


def test_a_scatter_with_a_step() -> None:
    b = Builder()
    part = b.call(aten.slice.Tensor, value(b, "src"), 0, 0, 2)
    node = b.call(aten.slice_scatter.default, value(b, "x"), part, 0, 0, 4, 2)
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


def test_a_copy_that_broadcasts() -> None:
    b = Builder()
    node = copy(b, value(b, "x"), b.call(aten.neg.default, b.input("src", (6,))))
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


def test_a_scatter_of_a_slice_that_was_computed_on() -> None:
    """The functional form of ``x[:, 0:6] += 1``: the outer pair goes, the sum stays."""
    b = Builder()
    x = value(b, "x")
    part = b.call(aten.slice.Tensor, x, 1, 0, 6)
    more = b.call(aten.add.Tensor, part, 1.0)
    node = b.call(aten.slice_scatter.default, x, more, 1, 0, 6)
    done = check(b.output(b.call(aten.cos.default, node)), removed=(node.name, part.name))
    assert done.ops == ["aten.neg.default", "aten.add.Tensor", "aten.cos.default"]
