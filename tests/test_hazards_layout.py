"""Offset, strides, memory format, conj and neg bits: for a copy, the layout is part of the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from custom_ops import strides
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten


def offset(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, b.call(aten.sin.default, b.input("x", (8,))), 0, 1, 9)


def every_other(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, b.call(aten.sin.default, b.input("x", (8,))), 0, 0, 8, 2)


def transposed(b: Builder) -> fx.Node:
    return b.call(aten.permute.default, b.call(aten.sin.default, b.input("x", (3, 4))), [1, 0])


def broadcast(b: Builder) -> fx.Node:
    return b.call(aten.expand.default, b.call(aten.sin.default, b.input("x", (1, 4))), [3, 4])


def image(b: Builder) -> fx.Node:
    return b.call(aten.sin.default, b.input("x", (2, 3, 4, 5)))


def image_of_one_channel(b: Builder) -> fx.Node:
    return b.call(aten.sin.default, b.input("x", (2, 1, 4, 5)))


def conjugate(b: Builder) -> fx.Node:
    return b.call(aten._conj.default, b.call(aten.sin.default, b.input("x", (3, 4), torch.complex64)))


def negative(b: Builder) -> fx.Node:
    made = b.call(aten._neg_view.default, b.call(aten.sin.default, b.input("x", (3, 4))))
    assert made.meta["val"].is_neg()
    return made


def plain(b: Builder) -> fx.Node:
    return b.call(aten.sin.default, b.input("x", (3, 4)))


def head(b: Builder) -> fx.Node:
    return b.call(aten.slice.Tensor, b.call(aten.sin.default, b.input("x", (8,))), 0, 0, 4)


Copy = tuple[Any, tuple[Any, ...], dict[str, Any]]
CLONE: Copy = (aten.clone.default, (), {})
DENSE: Copy = (aten.clone.default, (), {"memory_format": torch.contiguous_format})
CHANNELS: Copy = (aten.clone.default, (), {"memory_format": torch.channels_last})

CHANGES_LAYOUT: list[tuple[Callable[[Builder], fx.Node], Copy]] = [
    (offset, CLONE),
    (offset, (aten._to_copy.default, (), {"dtype": torch.float32})),
    (offset, (aten.repeat.default, ([1],), {})),
    (every_other, CLONE),
    (every_other, (aten.contiguous.default, (), {})),
    (transposed, DENSE),
    (transposed, (aten.contiguous.default, (), {})),
    (transposed, (aten.repeat.default, ([1, 1],), {})),
    (transposed, (aten._to_copy.default, (), {"memory_format": torch.contiguous_format})),
    (broadcast, CLONE),
    (broadcast, (aten.contiguous.default, (), {})),
    (image, CHANNELS),
    (image, (aten.contiguous.default, (), {"memory_format": torch.channels_last})),
    (image, (aten._to_copy.default, (), {"memory_format": torch.channels_last})),
    (conjugate, CLONE),
    (conjugate, (aten.repeat.default, ([1, 1],), {})),
    (negative, CLONE),
    (negative, (aten._to_copy.default, (), {"dtype": torch.float32})),
    (negative, (aten.lift_fresh_copy.default, (), {})),
]

KEEPS_LAYOUT: list[tuple[Callable[[Builder], fx.Node], Copy]] = [
    (plain, CLONE),
    (plain, DENSE),
    (plain, (aten.contiguous.default, (), {})),
    (head, CLONE),
    (transposed, CLONE),
    (transposed, (aten.clone.default, (), {"memory_format": torch.preserve_format})),
    (transposed, (aten._to_copy.default, (), {"dtype": torch.float32})),
    (image, DENSE),
    (every_other, (aten.alias.default, (), {})),
    (offset, (aten.alias.default, (), {})),
    (offset, (aten.slice.Tensor, (0, 0, 99), {})),
    (broadcast, (aten.expand.default, ([3, 4],), {})),
    (conjugate, (aten.alias.default, (), {})),
    (conjugate, (aten.permute.default, ([0, 1],), {})),
    (negative, (aten.alias.default, (), {})),
    (negative, (aten.expand.default, ([3, 4],), {})),
]


def label(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join([str(value[0]), *map(str, value[1]), *map(str, value[2].values())])
    return str(value.__name__)


def made(b: Builder, source: Callable[[Builder], fx.Node], copy: Copy) -> fx.Node:
    target, args, kwargs = copy
    return b.call(target, source(b), *args, **kwargs)


@pytest.mark.parametrize(("source", "copy"), CHANGES_LAYOUT, ids=label)
def test_a_copy_that_changes_the_layout_stays(source: Callable[[Builder], fx.Node], copy: Copy) -> None:
    b = Builder()
    node = made(b, source, copy)
    check(b.output(node), kept=node.name)
    b = Builder()
    node = made(b, source, copy)
    check(b.output(b.call(strides, node)), kept=node.name)


@pytest.mark.parametrize(("source", "copy"), KEEPS_LAYOUT, ids=label)
def test_one_that_keeps_it_goes(source: Callable[[Builder], fx.Node], copy: Copy) -> None:
    b = Builder()
    node = made(b, source, copy)
    check(b.output(node), removed=node.name)
    b = Builder()
    node = made(b, source, copy)
    check(b.output(b.call(strides, node)), removed=node.name)


def test_as_strided_counts_from_the_start_of_the_storage() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, offset(b))
    check(b.output(b.call(aten.as_strided.default, copy, [2], [1], 0)), kept=copy.name)


def test_as_strided_of_a_copy_without_offset() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, head(b))
    check(b.output(b.call(aten.as_strided.default, copy, [2], [1], 0)), removed=copy.name)


def test_view_as_real_needs_a_resolved_operand() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, conjugate(b))
    check(b.output(b.call(aten.view_as_real.default, copy)), kept=copy.name)


def test_view_as_real_of_a_copy_that_resolves_nothing() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, b.call(aten.sin.default, b.input("x", (3, 4), torch.complex64)))
    check(b.output(b.call(aten.view_as_real.default, copy)), removed=copy.name)


def unit_dims(b: Builder) -> fx.Node:
    """A contiguous [1, 4] whose first stride is 1; a contiguous copy of it has stride 4 there."""
    return b.call(aten.permute.default, b.call(aten.sin.default, b.input("x", (4, 1))), [1, 0])


def test_strides_of_unit_dims_that_a_kernel_sees() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, unit_dims(b), memory_format=torch.contiguous_format)
    assert copy.meta["val"].stride() == (4, 1)
    check(b.output(b.call(strides, copy)), kept=copy.name)


def test_strides_of_unit_dims_that_the_caller_sees() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, unit_dims(b), memory_format=torch.contiguous_format)
    check(b.output(copy), kept=copy.name)


def test_strides_of_unit_dims_that_a_view_passes_on() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, unit_dims(b), memory_format=torch.contiguous_format)
    check(b.output(b.call(aten.slice.Tensor, copy, 1, 1, 3)), kept=copy.name)


def test_strides_of_unit_dims_that_nobody_sees() -> None:
    b = Builder()
    copy = b.call(aten.clone.default, unit_dims(b), memory_format=torch.contiguous_format)
    check(b.output(b.call(aten.sum.default, copy)), removed=copy.name)


def test_strides_of_unit_dims_that_a_view_takes_over_from_its_operand() -> None:
    """A view to [1] of a scalar has stride 1, of a [1] with stride 4 it has stride 4."""
    b = Builder()
    one = b.call(aten.select.int, b.call(aten.sin.default, b.input("x", (1, 4))), 1, 3)
    node = b.call(aten.view.default, b.call(aten.squeeze.dim, one, 0), [-1])
    assert (one.meta["val"].stride(), node.meta["val"].stride()) == ((4,), (1,))
    check(b.output(node))


def test_and_that_nobody_sees() -> None:
    b = Builder()
    one = b.call(aten.select.int, b.call(aten.sin.default, b.input("x", (1, 4))), 1, 3)
    node = b.call(aten.view.default, b.call(aten.squeeze.dim, one, 0), [-1])
    done = check(b.output(b.call(aten.sum.default, node)))
    assert len(done.ops) == 3


def test_a_copy_of_another_dtype_bits_and_all() -> None:
    b = Builder()
    x = b.call(aten.view.dtype, b.call(aten.sin.default, b.input("x", (3, 4))), torch.int32)
    copy = b.call(aten.clone.default, x)
    check(b.output(copy), removed=copy.name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex128])
def test_every_bit_of_every_dtype_is_kept(dtype: torch.dtype) -> None:
    b = Builder()
    flip: Any = aten.logical_not.default if dtype is torch.bool else aten.neg.default
    copy = b.call(aten.clone.default, b.call(flip, b.input("x", (16,), dtype)))
    check(b.output(copy), removed=copy.name)
