"""Arguments in every spelling: -1, steps, defaults, keywords, None, negative and over-long bounds."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check, trace
from torch import fx
from torch.utils import _pytree as pytree

aten = torch.ops.aten
prims = torch.ops.prims
LAST = sys.maxsize


Call = tuple[Any, tuple[Any, ...], dict[str, Any]]


def used(call: Call, *, symbolic: bool = False) -> tuple[fx.GraphModule, str]:
    """The call on ``X`` and ``SRC``, both [8, 16] or [s0, 16], its result consumed by arithmetic.

    Intermediates and a consumer, so that neither inputs nor outputs stand in the way of removal.
    """
    b = Builder()
    rows: Any = b.size("s0") if symbolic else 8
    makers: dict[str, Callable[[], Any]] = {
        "X": lambda: b.call(aten.neg.default, b.input("x", (rows, 16))),
        "SRC": lambda: b.call(aten.exp.default, b.input("src", (rows, 16))),
        "UNIT": lambda: b.call(aten.neg.default, b.input("unit", (1, 16))),
        "S0": lambda: rows,
        "-S0": lambda: b.call(operator.neg, rows),
        "S0+5": lambda: b.call(operator.add, rows, 5),
    }
    target, *operands = call
    args, kwargs = pytree.tree_map(lambda a: makers[a]() if isinstance(a, str) else a, operands)
    node = b.call(target, *args, **kwargs)
    return b.output(b.call(aten.cos.default, node)), node.name


SLICE = aten.slice.Tensor
SCATTER = aten.slice_scatter.default

WHOLE: list[Call] = [
    (SLICE, ("X",), {}),
    (SLICE, ("X", 1), {}),
    (SLICE, ("X", -2), {}),
    (SLICE, ("X", 0, 0), {}),
    (SLICE, ("X", 0, None, None), {}),
    (SLICE, ("X", 0, None, 8), {}),
    (SLICE, ("X", 1, 0, 16), {}),
    (SLICE, ("X", -1, 0, 16, 1), {}),
    (SLICE, ("X", 1, 0, LAST), {}),
    (SLICE, ("X", 1, 0, 99), {}),
    (SLICE, ("X", 1, -16), {}),
    (SLICE, ("X", 1, -99, LAST), {}),
    (SLICE, (), {"self": "X"}),
    (SLICE, ("X",), {"dim": 1, "end": 16}),
    (SLICE, (), {"self": "X", "dim": -1, "start": -16, "end": LAST, "step": 1}),
    (SLICE, ("UNIT", 0, 0, 1, 3), {}),
    (SCATTER, ("X", "SRC"), {}),
    (SCATTER, ("X", "SRC", 1), {}),
    (SCATTER, ("X", "SRC", -1, 0), {}),
    (SCATTER, ("X", "SRC", 1, None, None), {}),
    (SCATTER, ("X", "SRC", 1, 0, LAST, 1), {}),
    (SCATTER, ("X", "SRC", 1, -16, 99), {}),
    (SCATTER, ("X",), {"src": "SRC", "dim": 1}),
    (SCATTER, (), {"self": "X", "src": "SRC", "end": 8}),
    (aten.permute.default, ("X", [0, 1]), {}),
    (aten.permute.default, ("X", [-2, -1]), {}),
    (aten.permute.default, ("X", [0, -1]), {}),
    (aten.permute.default, ("X",), {"dims": [0, 1]}),
    (aten.expand.default, ("X", [8, 16]), {}),
    (aten.expand.default, ("X", [-1, -1]), {}),
    (aten.expand.default, ("X", [-1, 16]), {"implicit": True}),
    (aten.expand.default, (), {"self": "X", "size": [8, -1]}),
    (aten.reshape.default, ("X", [8, 16]), {}),
    (aten.reshape.default, ("X", [-1, 16]), {}),
    (aten.reshape.default, (), {"self": "X", "shape": [8, -1]}),
    (aten.view.default, ("X", [8, -1]), {}),
    (aten.view.default, ("X",), {"size": [8, 16]}),
    (aten._unsafe_view.default, ("X", [8, 16]), {}),
    (aten.repeat.default, ("X", [1, 1]), {}),
    (aten.repeat.default, ("X",), {"repeats": [1, 1]}),
    (aten.clone.default, ("X",), {}),
    (aten.clone.default, (), {"self": "X"}),
    (aten.clone.default, ("X",), {"memory_format": None}),
    (aten.clone.default, ("X",), {"memory_format": torch.contiguous_format}),
    (aten.clone.default, ("X",), {"memory_format": torch.preserve_format}),
    (aten.alias.default, ("X",), {}),
    (aten.detach.default, ("X",), {}),
    (aten.lift_fresh.default, ("X",), {}),
    (aten.lift_fresh_copy.default, ("X",), {}),
    (prims.view_of.default, ("X",), {}),
    (prims.view_of.default, (), {"a": "X"}),
    (aten.contiguous.default, ("X",), {}),
    (aten.contiguous.default, ("X",), {"memory_format": torch.contiguous_format}),
    (aten.copy.default, ("X", "SRC"), {}),
    (aten.copy.default, ("X",), {"src": "SRC"}),
    (aten.copy.default, ("X", "SRC", True), {}),
    (aten._to_copy.default, ("X",), {}),
    (aten._to_copy.default, ("X",), {"dtype": torch.float32}),
    (aten._to_copy.default, ("X",), {"dtype": torch.float32, "device": torch.device("cpu")}),
    (aten._to_copy.default, ("X",), {"dtype": None, "layout": torch.strided, "non_blocking": True}),
    (prims.convert_element_type.default, ("X", torch.float32), {}),
    (prims.convert_element_type.default, (), {"a": "X", "dtype": torch.float32}),
    (aten.to.dtype, ("X", torch.float32), {}),
    (aten.to.dtype, ("X", torch.float32, False, True), {}),
    (aten.to.dtype, ("X",), {"dtype": torch.float32, "copy": True}),
]

PARTIAL: list[Call] = [
    (SLICE, ("X", 0, 0, -1), {}),
    (SLICE, ("X",), {"dim": 1, "end": -1}),
    (SLICE, ("X", 0, 0, LAST, 2), {}),
    (SLICE, ("X", 0, None, None, 2), {}),
    (SLICE, ("X",), {"step": 3}),
    (SLICE, ("X", 0, 1), {}),
    (SLICE, ("X", 0, -7), {}),
    (SLICE, ("X", -1, 0, 15), {}),
    (SLICE, ("X", 0, 8), {}),
    (SLICE, ("X", 0, 0, -8), {}),
    (SCATTER, ("X", "UNIT", 0, 0, 1), {}),
    (SCATTER, ("X", "UNIT", 0, -1), {}),
    (SCATTER, ("X", "UNIT", 0, 0, LAST, 8), {}),
    (aten.permute.default, ("X", [1, 0]), {}),
    (aten.permute.default, ("X", [-1, -2]), {}),
    (aten.expand.default, ("X", [1, 8, 16]), {}),
    (aten.expand.default, ("UNIT", [8, 16]), {}),
    (aten.expand.default, ("UNIT", [8, -1]), {}),
    (aten.reshape.default, ("X", [16, 8]), {}),
    (aten.reshape.default, ("X", [-1]), {}),
    (aten.view.default, ("X", [1, 8, 16]), {}),
    (aten.view.dtype, ("X", torch.int32), {}),
    (aten.repeat.default, ("X", [1, 2]), {}),
    (aten.repeat.default, ("X", [1, 1, 1]), {}),
    (aten.copy.default, ("X", "UNIT"), {}),
    (aten._to_copy.default, ("X",), {"dtype": torch.float64}),
    (prims.convert_element_type.default, ("X", torch.float16), {}),
    (aten.to.dtype, ("X", torch.int32), {}),
]


def label(case: Call) -> str:
    target, args, kwargs = case
    spelled = [*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())]
    return f"{target}({', '.join(spelled)})".replace(str(LAST), "LAST")


@pytest.mark.parametrize("case", WHOLE, ids=label)
def test_every_spelling_of_a_noop_goes(case: Call) -> None:
    gm, name = used(case)
    check(gm, removed=name)


@pytest.mark.parametrize("case", PARTIAL, ids=label)
def test_its_neighbour_stays(case: Call) -> None:
    gm, name = used(case)
    done = check(gm, kept=name)
    assert not done.report.passed


SYMBOLIC: list[Call] = [
    (SLICE, ("X", 0, 0, "S0"), {}),
    (SLICE, ("X", 0, 0, "S0+5"), {}),
    (SLICE, ("X", 0, "-S0"), {}),
    (SLICE, ("X",), {"start": None, "end": "S0"}),
    (SLICE, ("X", 0, 0, LAST), {}),
    (SCATTER, ("X", "SRC", 0, 0, "S0"), {}),
    (SCATTER, ("X", "SRC", 0, "-S0", "S0+5"), {}),
    (SCATTER, ("X", "SRC", 0), {}),
    (aten.expand.default, ("X", ["S0", 16]), {}),
    (aten.expand.default, ("X", [-1, 16]), {}),
    (aten.reshape.default, ("X", ["S0", 16]), {}),
    (aten.reshape.default, ("X", [-1, 16]), {}),
    (aten.reshape.default, ("X", ["S0", -1]), {}),
    (aten.view.default, ("X", [-1, 16]), {}),
    (aten._unsafe_view.default, ("X", ["S0", 16]), {}),
    (aten.copy.default, ("X", "SRC"), {}),
]

SYMBOLIC_PARTIAL: list[Call] = [
    (SLICE, ("X", 0, 0, -1), {}),
    (SLICE, ("X", 0, 1), {}),
    (SLICE, ("X", 0, 0, LAST, 2), {}),
    (SLICE, ("X", 0, 0, "S0", 2), {}),
    (SLICE, ("X", 0, 0, 8), {}),
    (SLICE, ("X", 0, -8), {}),
    (SLICE, ("X", 1, 0, "S0"), {}),
    (SCATTER, ("X", "UNIT", 0, 0, 1), {}),
    (aten.reshape.default, ("X", [16, "S0"]), {}),
    (aten.reshape.default, ("X", [16, -1]), {}),
    (aten.reshape.default, ("X", [-1, 4, 4]), {}),
]


@pytest.mark.parametrize("case", SYMBOLIC, ids=label)
def test_every_spelling_of_a_symbolic_noop_goes(case: Call) -> None:
    gm, name = used(case, symbolic=True)
    check(gm, removed=name)


@pytest.mark.parametrize("case", SYMBOLIC_PARTIAL, ids=label)
def test_its_symbolic_neighbour_stays(case: Call) -> None:
    gm, name = used(case, symbolic=True)
    done = check(gm, kept=name)
    assert not done.report.passed


def test_two_inputs_of_one_size_share_a_symbol() -> None:
    def whole(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x * 2)[: y.shape[0]] + y

    gm = trace(whole, torch.randn(6, 3), torch.randn(6, 3), dynamic=True)
    check(gm, removed=aten.slice.Tensor)


def test_a_static_graph_needs_no_shape_env() -> None:
    def whole(x: torch.Tensor) -> torch.Tensor:
        return (x * 2)[0:6].view(6, 3) + 1

    check(trace(whole, torch.randn(6, 3)), removed=(aten.slice.Tensor, aten.view.default))
