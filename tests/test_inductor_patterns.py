"""Inductor's own patterns fire as often with noopelim at the hooks as without: attention, padding, folding and all.

A model goes through all of Inductor's passes and is then run node by node, so nothing is compiled. The same runs
tell that results and gradients keep every bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import small_models
import torch
from bench_modules import bench_module
from torch import Tensor, nn
from torch._inductor import config
from torch.nn import functional as F

from noopelim import NoOpElimination

HOOKS: tuple[tuple[str, ...], ...] = (
    ("joint_custom_post_pass", "post_grad_custom_post_pass"),
    ("joint_custom_post_pass", "post_grad_custom_pre_pass"),
)
_bench: Any = bench_module("compiled")


def seen(
    function: Callable[..., Any], inputs: tuple[Tensor, ...], hooks: tuple[str, ...], **options: Any
) -> tuple[Mapping[str, int], list[Tensor], int]:
    """How often each pattern fired, the results, and how often noopelim changed something."""
    passes = {hook: NoOpElimination() for hook in hooks}
    torch._dynamo.reset()
    with config.patch(options), _bench.watched(passes) as (backend, found):
        results = torch.compile(function, backend=backend)(*inputs)
        grown = [x for x in inputs if x.requires_grad]
        leaves = list(results) if isinstance(results, tuple) else [results]
        if grown:
            leaves += torch.autograd.grad(sum(r.sum() for r in leaves), grown)
    torch._dynamo.reset()
    return found.patterns, leaves, sum(len(r.passed) for p in passes.values() for r in p.reports)


def bits(tensor: Tensor) -> tuple[torch.Size, tuple[int, ...], list[int]]:
    return tensor.shape, tensor.stride(), tensor.detach().contiguous().view(torch.uint8).tolist()


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-2, -1)).div(math.sqrt(q.shape[-1])).softmax(-1) @ v


def scaled_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return ((q @ k.transpose(-2, -1)) * 0.25).softmax(-1).clone() @ v


def permuted_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (x.permute(0, 2, 1, 3) for x in (q, k, v))
    return (q @ k.transpose(-2, -1)).div(math.sqrt(q.shape[-1])).softmax(-1) @ v


def padded_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """With a view pair and an expand on the way that are nothing."""
    q = q.reshape(-1, *q.shape[2:]).reshape(q.shape).expand(q.shape)
    return attention(q, k, v).transpose(1, 2).contiguous().reshape(q.shape[0], q.shape[2], -1)


def sum_of_products(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return (a @ b) + (c @ d)


def with_bias(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return (a.view(-1, a.shape[-1]) @ b + c).view(a.shape[0], -1)


def positions(x: Tensor) -> Tensor:
    return x + torch.ones(x.shape, dtype=torch.int64).cumsum(1)


def chained_views(x: Tensor) -> Tensor:
    return (x.sin().view(-1).view(x.shape) + 0).permute(1, 0).permute(1, 0).cos()


def cats(x: Tensor) -> Tensor:
    parts = x.sin().split(4, 1)
    return torch.cat(parts, 1).cos() + torch.cat([x.split(4, 1)[0], x.split(4, 1)[1]], 1)


def _drawn(*shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(small_models.drawn(shape, seed) for seed, shape in enumerate(shapes))


QKV = ((2, 4, 16, 8),) * 3
CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...], str]] = {
    "attention": (attention, QKV, "fuse_attention"),
    "scaled attention": (scaled_attention, QKV, "fuse_attention"),
    "permuted attention": (permuted_attention, QKV, "fuse_attention"),
    "padded attention": (padded_attention, QKV, "fuse_attention"),
    "mm plus mm": (sum_of_products, ((16, 8), (8, 16), (16, 8), (8, 16)), "pattern_matcher_count"),
    "bias": (with_bias, ((4, 4, 8), (8, 16), (16,)), "pattern_matcher_count"),
    "pointless cumsum": (positions, ((4, 8),), "pattern_matcher_count"),
    "views": (chained_views, ((4, 6),), "pattern_matcher_count"),
    "cats and splits": (cats, ((4, 8),), ""),
}


@pytest.mark.parametrize("hooks", HOOKS, ids="-".join)
@pytest.mark.parametrize("case", CASES)
def test_patterns_of_inference_and_training(case: str, hooks: tuple[str, ...]) -> None:
    function, given, counter = CASES[case]
    for training in (False, True):
        inputs = tuple(x.requires_grad_(training) for x in _drawn(*given))
        with torch.set_grad_enabled(training):
            alone, expected, _ = seen(function, inputs, ())
            fired, results, _ = seen(function, inputs, hooks)
        assert not counter or alone[counter] > 0
        fewer = {k: (n, fired.get(k, 0)) for k, n in alone.items() if fired.get(k, 0) < n}
        assert not fewer
        assert list(map(bits, results)) == list(map(bits, expected))


class Convolved(nn.Module):
    """A convolution and a norm, which freezing folds into one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 8, 3, bias=False), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)).clone())


@pytest.mark.parametrize("hooks", HOOKS, ids="-".join)
def test_patterns_of_freezing(hooks: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    model = Convolved().eval()
    inputs = _drawn((2, 4, 8, 8))
    # Kernels of that library are chosen as calls on Inductor's own values, which cannot run node by node.
    with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False):
        alone, expected, _ = seen(model, inputs, (), freezing=True)
        fired, results, _ = seen(model, inputs, hooks, freezing=True)
    assert alone["binary_folding"] > 0
    assert all(fired.get(k, 0) >= n for k, n in alone.items())
    assert list(map(bits, results)) == list(map(bits, expected))


@pytest.mark.parametrize("name", small_models.MODELS)
def test_models_train_alike(name: str) -> None:
    model = small_models.model(name, training=True)
    inputs = (*_drawn(small_models.shapes(name)[0]), *model.parameters())
    inputs[0].requires_grad_()

    def function(x: Tensor, *_: Tensor) -> Any:
        return model(x)

    alone, expected, _ = seen(function, inputs, ())
    model = small_models.model(name, training=True)
    inputs = (inputs[0], *model.parameters())
    fired, results, changes = seen(function, inputs, HOOKS[0])
    assert changes
    assert list(map(bits, results)) == list(map(bits, expected))
    assert all(fired.get(k, 0) >= n for k, n in alone.items() if k != "pattern_matcher_nodes")
