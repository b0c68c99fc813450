"""Where a value begins in its storage may differ if no reader can see it."""

from __future__ import annotations

import torch
from graphs import Builder, check

aten = torch.ops.aten


def offset_clone(b: Builder) -> torch.fx.Node:
    x = b.call(aten.sin.default, b.input("x", (4, 6)))
    return b.call(aten.clone.default, b.call(aten.slice.Tensor, x, 0, 1, 3))


def test_arithmetic_does_not_see_it() -> None:
    b = Builder()
    copy = offset_clone(b)
    check(b.output(b.call(aten.neg.default, copy)), removed=[copy.name])


def test_nor_by_way_of_views() -> None:
    b = Builder()
    copy = offset_clone(b)
    view = b.call(aten.slice.Tensor, b.call(aten.permute.default, copy, [1, 0]), 0, 2, 5)
    gm = b.output(b.call(aten.neg.default, view))
    check(gm, removed=[copy.name])


def test_a_view_that_is_returned_shows_it() -> None:
    b = Builder()
    copy = offset_clone(b)
    check(b.output(b.call(aten.permute.default, copy, [1, 0])), kept=[copy.name])


def test_as_strided_counts_from_the_start_of_the_storage() -> None:
    b = Builder()
    copy = offset_clone(b)
    strided = b.call(aten.as_strided.default, copy, [3], [1], 2)
    check(b.output(b.call(aten.neg.default, strided)), kept=[copy.name])


def test_bits_read_as_another_type_may_not_be_aligned() -> None:
    b = Builder()
    copy = offset_clone(b)
    wider = b.call(aten.view.dtype, copy, torch.float64)
    check(b.output(b.call(aten.neg.default, wider)), kept=[copy.name])
