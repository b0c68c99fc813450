"""What Inductor makes of a model never grows: not the graph, not the kernels, not the bytes that they move.

Inductor generates its code and is stopped before that would be built, so nothing is compiled and nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import small_models
import torch
from bench_modules import bench_module
from torch._inductor import config, metrics
from torch.fx import Graph

from noopelim import NoOpElimination

code = bench_module("code_only")

HOOKS: tuple[tuple[str, ...], ...] = (
    ("joint_custom_post_pass", "post_grad_custom_post_pass"),
    ("post_grad_custom_pre_pass",),
)


@dataclass
class Made:
    nodes: int = 0
    kernels: int = 0
    bytes: int = 0


class _Counted(NoOpElimination):
    """The last pass, which also counts what is left. Without rules it changes nothing."""

    def __init__(self, made: Made, rules: tuple[()] | None) -> None:
        super().__init__(rules)
        self._made = made

    def __call__(self, graph: Graph) -> None:
        super().__call__(graph)
        self._made.nodes += sum(n.op == "call_function" for n in graph.nodes)


def generated(name: str, dynamic: bool, passes: Mapping[str, NoOpElimination]) -> Made:
    """What is generated for one model with these passes."""
    made = Made()

    def count(nodes: list[Any]) -> list[Any]:
        made.bytes += sum(node.get_read_write_buffers_sizes() for node in nodes)
        return nodes

    last = _Counted(made, None if "post_grad_custom_post_pass" in passes else ())
    hooks: dict[str, Any] = dict(passes) | {
        "post_grad_custom_post_pass": last,
        "_post_fusion_custom_pass": count,
    }
    model, shape = small_models.model(name), small_models.shapes(name)[0]
    torch._dynamo.reset()
    metrics.reset()
    with (
        torch.no_grad(),
        config.patch(force_disable_caches=True, **hooks),
        code.code_only(),
        pytest.raises(code.Generated),
    ):
        torch.compile(model, dynamic=dynamic)(small_models.drawn(shape))
    torch._dynamo.reset()
    made.kernels = metrics.generated_kernel_count
    assert made.nodes
    assert made.kernels
    assert made.bytes
    return made


@pytest.mark.parametrize(
    ("name", "dynamic"),
    [*((name, False) for name in small_models.MODELS), ("resized", True)],
    ids=[*(f"{name}-static" for name in small_models.MODELS), "resized-symbolic"],
)
def test_nothing_grows(name: str, dynamic: bool) -> None:
    alone = generated(name, dynamic, {})
    for hooks in HOOKS:
        made = generated(name, dynamic, {hook: NoOpElimination() for hook in hooks})
        assert made.nodes < alone.nodes, hooks
        assert made.kernels <= alone.kernels, hooks
        assert made.bytes <= alone.bytes, hooks
