"""A copy and a later write to what it was copied from: the copy is the old value. Without the write, it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from custom_ops import running_sum, store, store_all, store_kw, store_maybe
from graphs import Builder, check
from torch import fx

from noopelim import eliminate, patterns

aten = torch.ops.aten

Write = Callable[[Builder, fx.Node, fx.Node], Any]

# Each writes its first operand by way of the second, every one in another spelling.
WRITES: dict[str, Write] = {
    "in place": lambda b, x, y: b.call(aten.mul_.Tensor, x, y),
    "in place, as keyword": lambda b, x, y: b.call(aten.mul_.Tensor, self=x, other=y),
    "copy_": lambda b, x, y: b.call(aten.copy_.default, x, y),
    "fill_": lambda b, x, y: b.call(aten.fill_.Scalar, x, 3.0),
    "out=": lambda b, x, y: b.call(aten.add.out, y, y, out=x),
    "index_put_": lambda b, x, y: b.call(
        aten.index_put_.default, x, [b.call(aten.arange.default, 2)], b.call(aten.slice.Tensor, y, 0, 0, 2)
    ),
    "custom": lambda b, x, y: b.call(store, x, y),
    "custom, by keyword": lambda b, x, y: b.call(store_kw, y, dst=x),
    "custom, all by keyword": lambda b, x, y: b.call(store, src=y, dst=x),
    "custom, optional": lambda b, x, y: b.call(store_maybe, y, x),
    "custom, in a list": lambda b, x, y: b.call(store_all, y, [x]),
    "custom, in a list by keyword": lambda b, x, y: b.call(store_all, src=y, dsts=[x]),
    "foreach": lambda b, x, y: b.call(aten._foreach_add_.List, [x], [y]),
    "foreach, by keyword": lambda b, x, y: b.call(aten._foreach_mul_.Scalar, self=[x], scalar=2.0),
    "by way of a slice": lambda b, x, y: b.call(aten.exp_.default, b.call(aten.slice.Tensor, x, 0, 1, 3)),
    "by way of a transposed reshape": lambda b, x, y: b.call(
        aten.zero_.default, b.call(aten.permute.default, b.call(aten.view.default, x, [2, 2, 4]), [2, 0, 1])
    ),
    "by way of split": lambda b, x, y: b.call(aten.zero_.default, b.get(b.call(aten.split.Tensor, x, 2), 1)),
    "by way of a bit cast": lambda b, x, y: b.call(
        aten.bitwise_not_.default, b.call(aten.view.dtype, x, torch.int32)
    ),
    "by way of as_strided": lambda b, x, y: b.call(
        aten.zero_.default, b.call(aten.as_strided.default, x, [2, 2], [4, 1], 5)
    ),
    "twice removed": lambda b, x, y: b.call(aten.neg_.default, b.call(aten.mul_.Tensor, x, y)),
}

COPIES: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "clone": lambda b, x: b.call(aten.clone.default, x),
    "lift_fresh_copy": lambda b, x: b.call(aten.lift_fresh_copy.default, x),
    "_to_copy": lambda b, x: b.call(aten._to_copy.default, x, dtype=torch.float32),
    "convert_element_type": lambda b, x: b.call(
        torch.ops.prims.convert_element_type.default, x, torch.float32
    ),
    "to with copy": lambda b, x: b.call(aten.to.dtype, x, torch.float32, False, True),
    "repeat": lambda b, x: b.call(aten.repeat.default, x, [1, 1]),
    "copy": lambda b, x: b.call(aten.copy.default, b.call(aten.empty_like.default, x), x),
    "slice_scatter": lambda b, x: b.call(aten.slice_scatter.default, b.call(aten.empty_like.default, x), x),
    "clone of a view": lambda b, x: b.call(aten.clone.default, b.call(aten.view.default, x, [4, 4])),
}


def base(b: Builder, owned: bool = False) -> tuple[fx.Node, fx.Node]:
    """What is copied and written, and another operand; an input, or memory that the graph made itself."""
    x, y = b.input("x", (4, 4)), b.input("y", (4, 4))
    return (b.call(aten.exp.default, x) if owned else x), y


@pytest.mark.parametrize("owned", [False, True], ids=["input", "own"])
@pytest.mark.parametrize("write", WRITES)
def test_a_copy_before_a_write_stays(write: str, owned: bool) -> None:
    b = Builder()
    x, y = base(b, owned)
    copy = b.call(aten.clone.default, x)
    WRITES[write](b, x, y)
    check(b.output(b.call(aten.cos.default, copy), b.call(aten.sin.default, x)), kept=copy.name)


@pytest.mark.parametrize("owned", [False, True], ids=["input", "own"])
@pytest.mark.parametrize("write", WRITES)
def test_a_copy_used_up_before_the_write_goes(write: str, owned: bool) -> None:
    b = Builder()
    x, y = base(b, owned)
    copy = b.call(aten.clone.default, x)
    used = b.call(aten.cos.default, copy)
    WRITES[write](b, x, y)
    check(b.output(used, b.call(aten.sin.default, x)), removed=copy.name)


@pytest.mark.parametrize("write", WRITES)
def test_a_copy_after_the_write_goes(write: str) -> None:
    b = Builder()
    x, y = base(b)
    WRITES[write](b, x, y)
    copy = b.call(aten.clone.default, x)
    check(b.output(b.call(aten.cos.default, copy)), removed=copy.name)


@pytest.mark.parametrize("write", WRITES)
def test_a_view_across_the_write_goes(write: str) -> None:
    b = Builder()
    x, y = base(b)
    view = b.call(aten.alias.default, x)
    WRITES[write](b, x, y)
    check(b.output(b.call(aten.cos.default, view)), removed=view.name)


@pytest.mark.parametrize("write", WRITES)
def test_a_write_elsewhere_is_no_reason(write: str) -> None:
    b = Builder()
    x, y = base(b)
    z = b.input("z", (4, 4))
    copy = b.call(aten.clone.default, x)
    WRITES[write](b, z, y)
    check(b.output(b.call(aten.cos.default, copy)), removed=copy.name)


@pytest.mark.parametrize("write", WRITES)
def test_a_written_copy_stays(write: str) -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    WRITES[write](b, copy, y)
    check(b.output(b.call(aten.cos.default, copy), b.call(aten.sin.default, x)), kept=copy.name)


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("owned", [False, True], ids=["input", "own"])
def test_every_kind_of_copy_before_a_write(copy: str, owned: bool) -> None:
    b = Builder()
    x, y = base(b, owned)
    made = COPIES[copy](b, x)
    b.call(aten.mul_.Tensor, x, y)
    check(b.output(b.call(aten.cos.default, made)), kept=made.name)


@pytest.mark.parametrize("copy", COPIES)
def test_every_kind_of_copy_without_one(copy: str) -> None:
    b = Builder()
    x, y = base(b)
    made = COPIES[copy](b, x)
    used = b.call(aten.cos.default, made)
    b.call(aten.mul_.Tensor, x, y)
    check(b.output(used), removed=made.name)


@pytest.mark.parametrize("copy", COPIES)
def test_every_kind_of_written_copy(copy: str) -> None:
    b = Builder()
    x, y = base(b)
    made = COPIES[copy](b, x)
    b.call(aten.mul_.Tensor, b.call(aten.select.int, made, 0, 1), 2.0)
    check(b.output(b.call(aten.cos.default, made), b.call(aten.add.Tensor, x, y)), kept=made.name)


def test_the_call_that_uses_the_copy_may_be_the_one_that_writes() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    copy = b.call(aten.clone.default, x)
    b.call(running_sum, copy, x)
    check(b.output(b.call(aten.cos.default, x)), kept=copy.name)


def test_the_call_that_uses_the_copy_writes_something_else() -> None:
    b = Builder()
    x, y = b.input("x", (4, 4)), b.input("y", (4, 4))
    copy = b.call(aten.clone.default, x)
    b.call(running_sum, copy, y)
    check(b.output(b.call(aten.cos.default, x)), removed=copy.name)


def test_a_view_of_the_copy_outlives_it() -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    row = b.call(aten.select.int, copy, 0, 1)
    b.call(aten.mul_.Tensor, x, y)
    check(b.output(b.call(aten.cos.default, row)), kept=copy.name)


def test_a_view_of_the_copy_used_up_in_time() -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    used = b.call(aten.cos.default, b.call(aten.select.int, copy, 0, 1))
    b.call(aten.mul_.Tensor, x, y)
    check(b.output(used), removed=copy.name)


def test_a_copy_with_a_late_use_among_early_ones() -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    early = [b.call(op, copy) for op in (aten.cos.default, aten.sin.default, aten.exp.default)]
    b.call(aten.mul_.Tensor, x, y)
    check(b.output(*early, b.call(aten.tan.default, copy)), kept=copy.name)


def test_a_copy_of_a_copy_before_a_write() -> None:
    b = Builder()
    x, y = base(b)
    first = b.call(aten.clone.default, x)
    second = b.call(aten.clone.default, first)
    b.call(aten.mul_.Tensor, x, y)
    done = check(b.output(b.call(aten.cos.default, second)))
    assert done.ops.count("aten.clone.default") == 1


def test_two_copies_across_one_write() -> None:
    b = Builder()
    x, y = base(b)
    old = b.call(aten.clone.default, x)
    b.call(aten.mul_.Tensor, x, y)
    new = b.call(aten.clone.default, x)
    check(b.output(b.call(aten.sub.Tensor, old, new)), kept=old.name, removed=new.name)


def test_inputs_that_share_memory() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    lap = b.input("lap", (2, 4), of=x, offset=4)
    copy = b.call(aten.clone.default, x)
    b.call(aten.zero_.default, lap)
    check(b.output(b.call(aten.cos.default, copy)), kept=copy.name)


@pytest.mark.parametrize(
    "silently",
    [
        lambda b, x: b.call(aten.lift.default, x),
        lambda b, x: b.call(aten.type_as.default, x, x),
    ],
    ids=("lift", "type_as"),
)
def test_what_a_schema_does_not_say_of_memory_is_told_by_metadata(
    silently: Callable[[Builder, fx.Node], fx.Node],
) -> None:
    """The copied value is the base itself, or a view of it, though its schema says that its memory is its own."""
    b = Builder()
    base = b.call(aten.cos.default, b.input("x", (1, 4, 2, 2)))
    old = b.call(aten.clone.default, silently(b, base))
    b.call(aten.mul_.Tensor, base, 2.0)
    check(b.output(b.call(aten.sub.Tensor, old, base)), kept=old.name)


SILENT_SPLITS = {
    "unsafe_split": lambda b, x: b.call(aten.unsafe_split.Tensor, x, 2),
    "unsafe_chunk": lambda b, x: b.call(aten.unsafe_chunk.default, x, 2),
    "unsafe_split_with_sizes": lambda b, x: b.call(aten.unsafe_split_with_sizes.default, x, [2, 2]),
}
"""Their results are views, and their schemas do not say so."""


def _silently_split(name: str) -> tuple[Builder, fx.Node, fx.Node]:
    """A copy of a part, of which the base is written by a call that returns nothing: no other view is there to tell."""
    b = Builder()
    base = b.call(aten.cos.default, b.input("x", (4, 3)))
    part = b.get(SILENT_SPLITS[name](b, base), 0)
    old = b.call(aten.clone.default, part)
    b.call(store, base, b.input("y", (4, 3)))
    return b, part, old


@pytest.mark.parametrize("name", SILENT_SPLITS)
def test_results_that_are_views_though_a_schema_does_not_say_so(name: str) -> None:
    b, _, old = _silently_split(name)
    check(b.output(b.call(aten.neg.default, old)), kept=old.name)


@pytest.mark.parametrize("name", SILENT_SPLITS)
def test_nor_metadata_that_was_read_from_a_file(name: str) -> None:
    """It gives every view a storage of its own."""
    b, part, old = _silently_split(name)
    with b.mode:
        part.meta["val"] = torch.empty_strided(part.meta["val"].shape, part.meta["val"].stride())
    gm = b.output(b.call(aten.neg.default, old))
    assert not eliminate(gm, patterns.ALL).passed
