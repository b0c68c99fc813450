"""The fusion that an inference engine registers: norm, then quantisation, become one kernel."""

from __future__ import annotations

import torch
from fp8_ops import EPSILON, FP8, ops
from torch._inductor.custom_graph_pass import CustomGraphPass
from torch._inductor.pattern_matcher import PatternMatcherPass, fwd_only, register_replacement
from torch.fx import Graph

HIDDEN = 64


class Fusion(CustomGraphPass):
    """Replaces norm, then quantisation, by the one kernel that does both; counts what it replaced."""

    def __init__(self, first: CustomGraphPass | None) -> None:
        self.first = first
        self.matches = 0
        self.patterns = PatternMatcherPass()
        shape = (4, HIDDEN)
        examples = [
            torch.empty(shape),
            torch.empty(shape, dtype=FP8),
            torch.empty(shape),
            torch.empty(HIDDEN),
            torch.empty(()),
        ]
        register_replacement(separate, fused, examples, fwd_only, self.patterns)

    def __call__(self, graph: Graph) -> None:
        if self.first is not None:
            self.first(graph)
        self.matches += self.patterns.apply(graph)

    def uuid(self) -> None:
        """No stable identity, hence no caching."""


def written(op: torch._ops.OpOverload, result: torch.Tensor, **arguments: object) -> torch.Tensor:
    """``result`` after ``op`` has written it, as a functional graph says it; item 0 is what ``op`` returns."""
    outputs: tuple[None, torch.Tensor] = torch.ops.higher_order.auto_functionalized_v2(
        op, **arguments, _result_base_index=0, _all_bases=[result]
    )
    return outputs[1]


def separate(
    buffer: torch.Tensor, result: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """The two kernels, and nothing between them: one no-op there and this is not found."""
    normed = written(ops.rms_norm.default, buffer, input=x, weight=weight, epsilon=EPSILON)
    return written(ops.static_scaled_fp8_quant.default, result, input=normed, scale=scale)


def fused(
    buffer: torch.Tensor, result: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """The one kernel, which needs no ``buffer``."""
    kernel = ops.rms_norm_static_fp8_quant.default
    return written(kernel, result, input=x, weight=weight, scale=scale, epsilon=EPSILON)
