"""Unbacked sizes: nodes that bind them stay, and what metadata says of memory may fail at sizes 0 and 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten


def value(b: Builder, name: str, *shape: Any) -> fx.Node:
    return b.call(aten.neg.default, b.input(name, shape))


def binding_slice(b: Builder) -> tuple[fx.Node, fx.Node, fx.Node]:
    """A slice to an end of unknown sign, which binds a fresh symbol for its size."""
    s, u = b.size("s0", low=0), b.unbacked("u0", size_like=False)
    node = b.call(aten.slice.Tensor, value(b, "x", s, 4), 0, 0, u)
    assert node.meta["unbacked_bindings"]
    return s, u, node


def test_a_slice_that_binds_a_symbol_stays() -> None:
    b = Builder()
    _, _, node = binding_slice(b)
    check(b.output(b.call(aten.cos.default, node)), kept=node.name)


def test_a_binding_slice_stays_even_when_it_is_known_to_be_whole() -> None:
    b = Builder()
    s, _, node = binding_slice(b)
    torch._check(node.meta["val"].shape[0] == s.meta["val"])  # type: ignore[no-untyped-call]
    gm = b.output(b.call(aten.cos.default, node))
    rows = torch.randn(5, 4)
    check(gm, [5, 5, rows], [5, 9, rows], kept=node.name)


def test_a_binding_slice_stays_without_users() -> None:
    b = Builder()
    _, _, node = binding_slice(b)
    check(b.output(b.call(aten.cos.default, b.input("y", (3,)))), kept=node.name)


def test_what_follows_a_binding_slice_may_go() -> None:
    b = Builder()
    _, _, node = binding_slice(b)
    again = b.call(aten.slice.Tensor, node, 0, 0, sys.maxsize)
    check(b.output(b.call(aten.cos.default, again)), kept=node.name, removed=again.name)


VIEW_OR_COPY: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "reshape": lambda b, x: b.call(aten.reshape.default, x, [-1]),
    "contiguous": lambda b, x: b.call(aten.contiguous.default, x),
}
each = pytest.mark.parametrize("kind", VIEW_OR_COPY)


def turned(b: Builder, rows: fx.Node) -> tuple[fx.Node, fx.Node]:
    x = b.input("x", (rows, 4))
    return x, b.call(aten.permute.default, x, [1, 0])


@each
def test_what_copies_by_its_metadata_is_a_view_if_the_size_is_one(kind: str) -> None:
    b = Builder()
    x, columns = turned(b, b.unbacked("u0"))
    copy = b.call(aten.clone.default, VIEW_OR_COPY[kind](b, columns))
    check(b.output(copy, x), kept=copy.name, truthful=False)


@each
def test_so_a_later_write_may_reach_it(kind: str) -> None:
    b = Builder()
    x, columns = turned(b, b.unbacked("u0"))
    copy = b.call(aten.clone.default, VIEW_OR_COPY[kind](b, columns))
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.sin.default, copy)), kept=copy.name, truthful=False)


@each
def test_of_a_size_that_is_not_one_the_metadata_is_true(kind: str) -> None:
    b = Builder()
    x, columns = turned(b, b.size("s0", low=1))
    copy = b.call(aten.clone.default, VIEW_OR_COPY[kind](b, columns))
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.sin.default, copy)), removed=copy.name)


@each
def test_of_a_data_dependent_size_without_a_write_the_copy_goes(kind: str) -> None:
    b = Builder()
    _, columns = turned(b, b.unbacked("u0"))
    copy = b.call(aten.clone.default, VIEW_OR_COPY[kind](b, columns))
    check(b.output(b.call(aten.sin.default, copy)), removed=copy.name, truthful=False)
