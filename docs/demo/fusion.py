"""Part 2: what the pass is for. A fused kernel is found only once the no-ops inside its pattern are gone.

A lone ``view(-1, hidden)`` of a matrix or ``x[: x.shape[0]]`` would not do here: Inductor removes these itself.
The three layers below are what it leaves behind at the last hook before lowering.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch._inductor.config as inductor_config
from fp8_ops import EPSILON, FP8, ops
from fusion_pass import HIDDEN, Fusion
from table import check, console, new_table, same_bits, step
from torch._dynamo.utils import counters
from torch.nn.functional import pad

import noopelim

LAYERS = 8
HEADS = 4
ALIGNMENT = 8
TRACED = 13
OTHERS = (31, 40)

Layer = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    result = torch.empty_like(x)
    ops.rms_norm(result, x, weight, EPSILON)
    return result


def quantise(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    result = torch.empty_like(x, dtype=FP8)
    ops.static_scaled_fp8_quant(result, x, scale)
    return result


def packed(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """The model code wants a batch, so packed tokens become a batch of one; the kernel wants a matrix."""
    batch = norm(x, weight).unsqueeze(0)
    return quantise(batch.view(-1, HIDDEN), scale)


def by_head(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Through the shape of the batch and the shape of the heads back to a matrix."""
    batch = norm(x, weight).view(1, -1, HIDDEN)
    heads = batch.view(-1, HEADS, HIDDEN // HEADS)
    return quantise(heads.flatten(-2), scale)


def aligned(x: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Rows padded to the tile of the kernel, which then reads as many rows as its tiles cover: all of them."""
    rows = x.shape[0]
    normed = norm(pad(x, (0, 0, 0, -rows % ALIGNMENT)), weight)
    covered = (rows + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    return quantise(normed[:covered], scale)[:rows]


STACKS: dict[str, Layer] = {
    "unsqueeze, view": packed,
    "view, view, flatten": by_head,
    "x[: (n + 7) // 8 * 8]": aligned,
}


def stack(layer: Layer) -> Callable[[torch.Tensor], torch.Tensor]:
    """``LAYERS`` residual layers with weights of their own."""
    seed = torch.Generator().manual_seed(0)
    norms = [torch.rand(HIDDEN, generator=seed) + 0.5 for _ in range(LAYERS)]
    weights = [torch.randn(HIDDEN, HIDDEN, generator=seed) / HIDDEN**0.5 for _ in range(LAYERS)]
    scales = [torch.rand((), generator=seed) / 100 + 0.01 for _ in range(LAYERS)]

    def forward(x: torch.Tensor) -> torch.Tensor:
        for weight, matrix, scale in zip(norms, weights, scales, strict=True):
            x = x + ops.fp8_linear(layer(x, weight, scale), matrix, scale)
        return x

    return forward


def tokens(count: int) -> torch.Tensor:
    return torch.randn(count, HIDDEN, generator=torch.Generator().manual_seed(count))


def run(forward: Callable[[torch.Tensor], torch.Tensor], fusion: Fusion) -> list[torch.Tensor]:
    """Compile once for any number of tokens; the results at the traced and the other counts."""
    torch._dynamo.reset()
    compiled = torch.compile(forward, fullgraph=True)
    graphs = counters["stats"]["unique_graphs"]
    # The last hook before lowering: Inductor has done all the removing that it does.
    with torch.no_grad(), inductor_config.patch(force_disable_caches=True, post_grad_custom_post_pass=fusion):
        traced = tokens(TRACED)
        torch._dynamo.mark_dynamic(traced, 0)
        results = [compiled(traced), *(compiled(tokens(count)) for count in OTHERS)]
    compilations = counters["stats"]["unique_graphs"] - graphs
    check(compilations == 1, f"one compilation serves all token counts (there were {compilations})")
    return results


def demo() -> None:
    """Print the table, or raise ``DemoFailed``."""
    table = new_table(
        "rms_norm, then static_scaled_fp8_quant: layers in which the fused kernel was found",
        "between the two",
        "layers",
        "without noopelim",
        "with noopelim",
        "no-ops removed",
    )
    failures: list[str] = []
    guards = 0
    for name, layer in STACKS.items():
        forward = stack(layer)
        eliminator = noopelim.NoOpElimination()
        alone, helped = Fusion(None), Fusion(eliminator)
        with step(f"compile {LAYERS} layers with {name}, without and with noopelim"):
            plain, changed = run(forward, alone), run(forward, helped)
        for count, left, right in zip((TRACED, *OTHERS), plain, changed, strict=True):
            eager = forward(tokens(count))
            check(same_bits(left, eager), f"{name}: {count} tokens, compiled without noopelim equals eager")
            check(same_bits(right, eager), f"{name}: {count} tokens, compiled with noopelim equals eager")
        guards += sum(report.guards_added for report in eliminator.reports)
        if (alone.matches, helped.matches) != (0, LAYERS):
            failures.append(f"{name}: {alone.matches} and {helped.matches}")
        removed = sum(report.nodes_before - report.nodes_after for report in eliminator.reports)
        table.add_row(name, f"{LAYERS}", f"{alone.matches}", f"{helped.matches}", f"{removed}")
    console.print(table)
    check(guards == 0, f"no guards are added (there were {guards})")
    check(not failures, f"fused layers are 0 without and {LAYERS} with noopelim (there were {failures})")
    counted = ", ".join(map(str, (TRACED, *OTHERS)))
    console.print(f"results at {counted} tokens: bit-equal to eager in all versions, one compilation each")
