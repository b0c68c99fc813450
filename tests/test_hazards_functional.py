"""``auto_functionalized``, v1 and v2: calls that write nothing yet, and will once they are made in-place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from custom_ops import store, store_all
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten
v1 = torch.ops.higher_order.auto_functionalized
v2 = torch.ops.higher_order.auto_functionalized_v2

# The functional forms write nothing by themselves. A later pass makes them do so in place, which is sound only
# as long as nobody needs the old value, so for us they are writes.
FUNCTIONAL: dict[str, Callable[[Builder, fx.Node, fx.Node], Any]] = {
    "v1": lambda b, x, y: b.get(b.call(v1, store, dst=x, src=y), 1),
    "v1, in a list": lambda b, x, y: b.get(b.call(v1, store_all, src=y, dsts=[x]), 1),
    "v2": lambda b, x, y: b.get(b.call(v2, store, src=y, _dst_base_index=0, _all_bases=[x]), 1),
    "v2, of a slice": lambda b, x, y: b.get(
        b.call(
            v2,
            store,
            src=b.call(aten.slice.Tensor, y, 0, 1, 3),
            _dst_base_index=0,
            _dst_slice_dim=0,
            _dst_slice_start=1,
            _dst_slice_end=3,
            _all_bases=[x],
        ),
        1,
    ),
}


def base(b: Builder) -> tuple[fx.Node, fx.Node]:
    return b.call(aten.exp.default, b.input("x", (4, 4))), b.input("y", (4, 4))


@pytest.mark.parametrize("form", FUNCTIONAL)
def test_a_functionalised_call_counts_as_a_write(form: str) -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    after = FUNCTIONAL[form](b, x, y)
    check(b.output(b.call(aten.cos.default, copy), *_tensors(b, after)), kept=copy.name)


@pytest.mark.parametrize("form", FUNCTIONAL)
def test_a_functionalised_call_after_the_last_use(form: str) -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, x)
    used = b.call(aten.cos.default, copy)
    after = FUNCTIONAL[form](b, x, y)
    check(b.output(used, *_tensors(b, after)), removed=copy.name)


@pytest.mark.parametrize("form", FUNCTIONAL)
def test_a_functionalised_call_that_reads_the_copy_of_its_base(form: str) -> None:
    b = Builder()
    x, _ = base(b)
    copy = b.call(aten.clone.default, x)
    after = FUNCTIONAL[form](b, x, copy)
    check(b.output(*_tensors(b, after)), kept=copy.name)


@pytest.mark.parametrize("form", FUNCTIONAL)
def test_a_functionalised_call_that_reads_the_copy_of_another(form: str) -> None:
    b = Builder()
    x, y = base(b)
    copy = b.call(aten.clone.default, y)
    after = FUNCTIONAL[form](b, x, copy)
    check(b.output(*_tensors(b, after)), removed=copy.name)


def _tensors(b: Builder, node: fx.Node) -> list[fx.Node]:
    return [b.get(node, 0)] if isinstance(node.meta["val"], list | tuple) else [node]
