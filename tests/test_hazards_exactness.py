"""Equal shapes and equal hints prove nothing about bits: casts, signed zeros, NaN, promotion, moved elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten
prims = torch.ops.prims
f16, bf16, f32, f64, i32 = torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32


def values(b: Builder, dtype: torch.dtype = f32, *shape: int) -> fx.Node:
    return b.call(aten.neg.default, b.input("x", shape or (4, 4), dtype))


@pytest.mark.parametrize(
    ("start", "first", "then"),
    [
        (f32, f16, bf16),
        (bf16, f16, bf16),
        (f16, bf16, f16),
        (f32, f16, f32),
        (f32, bf16, f32),
        (f64, f32, f64),
        (f32, i32, f32),
        (i32, f32, i32),
        (torch.int64, i32, torch.int64),
        (torch.int64, torch.bool, torch.int64),
    ],
)
@pytest.mark.parametrize("op", [aten._to_copy.default, prims.convert_element_type.default])
def test_a_lossy_pair_of_casts_stays(
    op: Any, start: torch.dtype, first: torch.dtype, then: torch.dtype
) -> None:
    b = Builder()
    node = values(b, start)
    for dtype in (first, then):
        args = (dtype,) if op is prims.convert_element_type.default else ()
        node = b.call(op, node, *args, **({} if args else {"dtype": dtype}))
    check(b.output(b.call(aten.flip.default, node, [0])), kept=op)


@pytest.mark.parametrize("dtype", [f16, bf16, f32, f64, i32, torch.bool, torch.complex64])
def test_a_cast_to_its_own_dtype_goes(dtype: torch.dtype) -> None:
    b = Builder()
    x = b.call(aten.permute.default, b.input("x", (4, 4), dtype), [1, 0])
    node = b.call(aten._to_copy.default, x, dtype=dtype)
    node = b.call(prims.convert_element_type.default, node, dtype)
    done = check(b.output(b.call(aten.flip.default, node, [0])))
    assert done.ops == ["aten.permute.default", "aten.flip.default"]


def test_a_cast_to_its_own_dtype_in_a_lossy_chain_goes_alone() -> None:
    b = Builder()
    node = values(b)
    for dtype in (f16, f16, f32, f32):
        node = b.call(prims.convert_element_type.default, node, dtype)
    done = check(b.output(b.call(aten.flip.default, node, [0])))
    assert done.ops.count("prims.convert_element_type.default") == 2


def test_a_cast_that_moves_to_its_own_device_is_a_copy_whatever_its_metadata_says() -> None:
    """Under the fake mode the result *is* the operand; the run copies."""
    b = Builder()
    x = b.input("x", (4, 4))
    node = b.call(aten._to_copy.default, x, device=torch.device("cpu"))
    assert node.meta["val"] is x.meta["val"]
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.flip.default, node, [0])), kept=node.name, truthful=False)


def test_written_casts_that_move_to_their_own_device() -> None:
    b = Builder()
    x = values(b)
    node = b.call(aten._to_copy.default, x, device=torch.device("cpu"))
    b.call(aten.mul_.Tensor, node, 2.0)
    check(b.output(b.call(aten.flip.default, x, [0]), node), kept=node.name, truthful=False)


def test_to_copies_only_if_it_must() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    view = b.call(aten.to.dtype, x, f32)
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.flip.default, view, [0])), removed=view.name)


KEPT: dict[str, Callable[[Builder], fx.Node]] = {
    "x + 0.0 turns -0.0 into 0.0": lambda b: b.call(aten.add.Tensor, values(b), 0.0),
    "x * 0 is NaN for infinity": lambda b: b.call(aten.mul.Tensor, values(b), 0.0),
    "x * 1 of another dtype": lambda b: b.call(aten.mul.Tensor, values(b, i32), 1.0),
    "x / 1 of an integer": lambda b: b.call(aten.div.Tensor, values(b, i32), 1),
    "x + 0 of bool": lambda b: b.call(aten.add.Tensor, b.input("x", (4, 4), torch.bool), 0),
    "a sum over a unit dim of -0.0": lambda b: b.call(aten.sum.dim_IntList, values(b, f32, 4, 1), [1], True),
    "a sum over a unit dim of int32": lambda b: b.call(aten.sum.dim_IntList, values(b, i32, 4, 1), [1], True),
    "a sum that casts": lambda b: b.call(aten.sum.dim_IntList, values(b, f32, 4, 1), [1], True, dtype=f64),
    "a norm over a unit dim": lambda b: b.call(
        aten.linalg_vector_norm.default, values(b, f32, 4, 1), 2, [1], True
    ),
    "permute of a square": lambda b: b.call(aten.permute.default, values(b), [1, 0]),
    "flip": lambda b: b.call(aten.flip.default, values(b), [0]),
    "roll": lambda b: b.call(aten.roll.default, values(b), [1], [0]),
    "pad by one and minus one": lambda b: b.call(aten.constant_pad_nd.default, values(b), [1, -1]),
    "view as another dtype": lambda b: b.call(aten.view.dtype, values(b), i32),
    "index_select": lambda b: b.call(aten.index_select.default, values(b), 0, _order(b)),
    "as_strided of the same shape": lambda b: b.call(aten.as_strided.default, values(b), [4, 4], [1, 4]),
    "an empty operand that promotes": lambda b: b.call(aten.cat.default, [values(b), _none(b, f64)]),
    "an empty operand of another shape that promotes": lambda b: b.call(
        aten.cat.default, [values(b), _none(b, f64, 0)]
    ),
    "cat of two": lambda b: b.call(aten.cat.default, [values(b), _none(b, f32, 1, 4)]),
}


def _none(b: Builder, dtype: torch.dtype, *shape: int) -> fx.Node:
    return b.input("empty", shape or (0, 4), dtype)


def _order(b: Builder) -> fx.Node:
    return b.call(aten.flip.default, b.call(aten.arange.default, 4), [0])


@pytest.mark.parametrize("what", KEPT)
def test_it_is_not_the_identity(what: str) -> None:
    b = Builder()
    node = KEPT[what](b)
    done = check(b.output(node), kept=node.name)
    assert not done.report.passed


@pytest.mark.parametrize("what", KEPT)
def test_what_follows_it_may_go(what: str) -> None:
    b = Builder()
    node = KEPT[what](b)
    copy = b.call(aten.alias.default, node)
    check(b.output(copy), kept=node.name, removed=copy.name)


def test_awkward_values_pass_through_unharmed() -> None:
    b = Builder()
    x = b.input("x", (6,))
    node = b.call(aten.clone.default, b.call(aten.view.default, b.call(aten.neg.default, x), [6]))
    quiet = torch.tensor([0.0, -0.0, float("nan"), float("inf"), 1e-45], dtype=f32)
    odd = torch.tensor([0x7FC12345], dtype=i32).view(f32)
    check(b.output(node), [torch.cat([quiet, odd])], removed=node.name)
