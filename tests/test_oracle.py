"""The oracle of ``tests/bench/models.py`` on graphs small enough that its answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from bench_modules import bench_module
from torch.fx.experimental.proxy_tensor import make_fx

aten = torch.ops.aten
SIZES = ((3, 4, 6), (2, 8, 5))


@pytest.fixture(scope="module")
def oracle() -> Any:
    return bench_module("oracle")


def found(
    oracle: Any, function: Callable[..., Any], sizes: tuple[tuple[int, ...], ...] = SIZES
) -> list[tuple[str, str, int]]:
    """Kind, operator and saving of each finding, from runs at all of the sizes of ``x``."""
    generator = torch.Generator().manual_seed(0)
    calls = [[torch.randn(shape, generator=generator)] for shape in sizes]
    gm = make_fx(function, tracing_mode="symbolic")(*calls[0])
    told = oracle.findings(gm, oracle.recorded(gm, calls))
    return [(f.kind, f.node.target.overloadpacket.__name__, f.saved) for f in told]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: aten.mul(x, 1.0).sin(), ("no-op", "mul", 1)),
        (lambda x: aten.expand(x, x.shape).sin(), ("no-op", "expand", 1)),
        (lambda x: aten.clone(x.sin()).cos(), ("no-op", "clone", 1)),
        (lambda x: x.sin().mT.contiguous().mT.contiguous().cos(), ("ancestor", "clone", 1)),
        (lambda x: x.sin().transpose(0, 1).transpose(0, 1).cos(), ("ancestor", "transpose", 1)),
        (lambda x: aten.slice(torch.cat([x.sin(), x]), 0, 0, x.shape[0]).cos(), ("ancestor", "slice", 1)),
        (lambda x: x.sin() + x.sin().cos(), ("duplicate", "sin", 1)),
        (
            lambda x: torch.full(x.shape, 2.0).cos() + torch.full(x.shape, 2.0).sin(),
            ("duplicate", "full", 1),
        ),
        (lambda x: aten.add(x, 0.0).sin(), ("by value", "add", 1)),  # -0.0 becomes 0.0
        (lambda x: aten.where(x < torch.inf, x, 0.0).sin(), ("by value", "where", 1)),
        (lambda x: aten.where(x.sum() < 1e6, x, 0.0).sin(), ("by value", "where", 1)),  # with this sum
        (lambda x: aten.where(torch.ones(x.shape[0], 1, 1) > 0.5, x, 0.0).sin(), ("no-op", "where", 1)),
    ],
)
def test_one_equality(oracle: Any, function: Callable[..., Any], expected: tuple[str, str, int]) -> None:
    assert found(oracle, function) == [expected]


def test_what_is_equal_at_these_sizes_only(oracle: Any) -> None:
    first_three = [("by size", "slice", 1)]
    assert found(oracle, lambda x: aten.slice(x.sin(), 0, 0, 3).cos(), ((3, 4, 6), (3, 2, 5))) == first_three


@pytest.mark.parametrize(
    "function",
    [
        lambda x: aten.add(x.square(), 1e-12),  # lost in rounding, here
        lambda x: aten.relu(x.abs()),  # nothing was negative
        lambda x: aten.clamp(x, -100.0, 100.0),
        lambda x: aten.where(x < 100.0, x, 0.0),
        lambda x: (x > 100.0).logical_or(x < -100.0),  # all false, as both of its operands are
        lambda x: torch.rand_like(x) + torch.rand_like(x),
        lambda x: x.sin().clone().add_(1.0).cos(),
        lambda x: aten.expand(aten.slice(x, 2, 0, 1), x.shape).cos(),
        lambda x: x.sin().mT.contiguous().mT,  # the same values, and other strides
    ],
)
def test_what_only_looks_like_nothing(oracle: Any, function: Callable[..., Any]) -> None:
    assert found(oracle, function) == []


@pytest.mark.parametrize(
    ("function", "saved", "form"),
    [
        (
            lambda x: x.view(x.shape[0], 4, -1, 2).permute(0, 2, 1, 3).permute(0, 2, 3, 1),
            1,
            "permute(0, 1, 3, 2)",
        ),
        (lambda x: x.view(-1).view(x.shape[0], -1), 1, "reshape(3, 24)"),
        (lambda x: x.permute(1, 2, 0).permute(1, 2, 0), 1, "permute(2, 0, 1)"),
        (lambda x: x.unsqueeze(0).unsqueeze(3).unsqueeze(3), 2, "reshape(1, 3, 4, 1, 1, 6)"),
        (lambda x: x.flip(0).flip(1), 1, "flip(0, 1)"),
        (lambda x: aten.slice(aten.slice(x, 1, 1, 4), 1, 1, 3), 1, "slice(1, 2, 4, 1)"),
        (lambda x: aten.select(aten.slice(x, 1, 1, 4), 1, 1), 1, "select(1, 2)"),
        # A reshape copies by itself.
        (lambda x: x.mT.reshape(-1), 1, "reshape(72)"),
        (lambda x: x.view(-1).view(-1, 2).unsqueeze(1).mT, 3, "reshape(36, 2, 1)"),
        (lambda x: x.unsqueeze(1).expand(-1, 2, -1, -1), 0, ""),
        (lambda x: x.view(x.shape[0], 4, -1, 2).transpose(1, 2), 0, ""),
        (lambda x: aten.slice(x, 1, 1, 3).flip(1), 0, ""),
        # The middle is needed, so writing the end anew would save nothing.
        (lambda x: (y := x.permute(1, 2, 0)).cos().sum() + y.permute(2, 1, 0).exp().sum(), 0, ""),
    ],
)
def test_chains(oracle: Any, function: Callable[..., Any], saved: int, form: str) -> None:
    generator = torch.Generator().manual_seed(0)
    calls = [[torch.randn(shape, generator=generator)] for shape in SIZES]
    gm = make_fx(lambda x: function(x.sin()) + 1.0, tracing_mode="symbolic")(*calls[0])
    told = oracle.findings(gm, oracle.recorded(gm, calls))
    assert sum(f.saved for f in told) == saved, told
    assert all(f.kind == "chain" and form in f.form for f in told), told
