"""Part 1: a Llama from ``transformers`` through Inductor, with and without the pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch._inductor.config as inductor_config
from race import Keep, call_nodes, race
from table import check, console, new_table, same_bits, step
from torch._dynamo.utils import compilation_time_metrics, counters
from torch._inductor.custom_graph_pass import CustomGraphPass
from torch._inductor.fx_passes.post_grad import remove_noop_ops
from torch.fx import Graph
from transformers import LlamaConfig, LlamaForCausalLM

import noopelim

LAYERS = 8
TRACED = (3, 17)
OTHERS = ((2, 29), (5, 8))
ROUNDS = 9


class Hook(NamedTuple):
    """``option`` installs a pass; ``meter`` is where torch notes the time of ``remove_noop_ops`` right after it."""

    option: str
    meter: str


# The joint graph comes before Inductor's own clean-up, the post-grad graph is what that left behind.
HOOKS = {
    "joint graph": Hook("joint_custom_pre_pass", "pass.joint_graph_passes.remove_noop_ops"),
    "post-grad graph": Hook("post_grad_custom_pre_pass", "pass.post_grad_passes.remove_noop_ops"),
}


def build() -> LlamaForCausalLM:
    """Random weights; attention and all else as ``transformers`` chooses by itself."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        use_cache=False,
    )
    model = LlamaForCausalLM(config)
    model.train(False)
    return model


def tokens(size: tuple[int, int]) -> torch.Tensor:
    """Token ids that depend on the size alone."""
    return torch.randint(0, 256, size, generator=torch.Generator().manual_seed(sum(size)))


def run(model: LlamaForCausalLM, passes: Mapping[str, CustomGraphPass]) -> list[torch.Tensor]:
    """Compile once, for any batch and any sequence length; the logits at the sizes that were not traced."""
    torch._dynamo.reset()
    compiled = torch.compile(lambda ids: model(input_ids=ids).logits, fullgraph=True)
    hooks: dict[str, Any] = {HOOKS[graph].option: a_pass for graph, a_pass in passes.items()}
    graphs = counters["stats"]["unique_graphs"]
    # Without the caches the pass runs in every run of the demo.
    with torch.no_grad(), inductor_config.patch(force_disable_caches=True, **hooks):
        ids = tokens(TRACED)
        torch._dynamo.mark_dynamic(ids, 0)
        torch._dynamo.mark_dynamic(ids, 1)
        compiled(ids)
        logits = [compiled(tokens(size)) for size in OTHERS]
    compilations = counters["stats"]["unique_graphs"] - graphs
    check(compilations == 1, f"one compilation serves all sizes (there were {compilations})")
    return logits


def compare(graph: Graph, eliminator: noopelim.NoOpElimination) -> dict[str, str]:
    """Figures of both passes, each by itself on copies of ``graph``."""
    ours, theirs = race(graph, eliminator, remove_noop_ops, ROUNDS)
    nodes, report = call_nodes(graph), eliminator.reports[0]
    return {
        "call nodes before": f"{nodes}",
        "  after noopelim": f"{ours.left}",
        "  after remove_noop_ops": f"{theirs.left}",
        "removed by noopelim": f"{nodes - ours.left}",
        "removed by remove_noop_ops": f"{nodes - theirs.left}",
        f"median time of noopelim, {ROUNDS} runs": f"{ours.median * 1e3:.1f} ms",
        f"median time of remove_noop_ops, {ROUNDS} runs": f"{theirs.median * 1e3:.1f} ms",
        "  ratio": f"{ours.median / theirs.median:.2f}",
        "rewrites by noopelim": f"{len(report.passed)}",
        **{f"  {rule}": f"{count}" for rule, count in report.counts.items()},
    }


def demo() -> None:
    """Print the table, or raise ``DemoFailed``."""
    model = build()
    kept = {graph: Keep() for graph in HOOKS}
    with step(f"compile a Llama of {LAYERS} layers, batch and sequence dynamic"):
        plain = run(model, kept)
        theirs = [compilation_time_metrics[hook.meter][-1] for hook in HOOKS.values()]
    installed = {graph: noopelim.NoOpElimination() for graph in HOOKS}
    with step("compile it again with noopelim in both hooks"):
        changed = run(model, installed)
    by_itself = {graph: noopelim.NoOpElimination() for graph in HOOKS}
    columns: dict[str, dict[str, str]] = {}
    for graph, keep in kept.items():
        with step(f"{graph}: noopelim and Inductor's remove_noop_ops in turns, {ROUNDS} copies each"):
            columns[graph] = compare(keep.graph, by_itself[graph])

    table = new_table(
        "Llama: noopelim beside Inductor's remove_noop_ops", "on copies of the same graph", *HOOKS
    )
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        table.add_row(row, *(column.get(row, "0") for column in columns.values()))
    table.add_section()
    in_compile = [each.reports for each in installed.values()]
    ours = [sum(report.seconds for report in reports) for reports in in_compile]
    table.add_row("in one compilation, noopelim in both hooks")
    table.add_row("  rewrites", *(f"{sum(len(r.passed) for r in reports)}" for reports in in_compile))
    table.add_row("  guards added", *(f"{sum(r.guards_added for r in reports)}" for reports in in_compile))
    table.add_row("  time of noopelim", *(f"{seconds * 1e3:.1f} ms" for seconds in ours))
    table.add_row("  time of remove_noop_ops without it", *(f"{seconds * 1e3:.1f} ms" for seconds in theirs))
    equal = [same_bits(left, right) for left, right in zip(plain, changed, strict=True)]
    for (batch, sequence), same in zip(OTHERS, equal, strict=True):
        verdict = "same bits" if same else "DIFFERENT"
        table.add_row(f"  logits at {batch} x {sequence} (traced at {TRACED[0]} x {TRACED[1]})", "", verdict)
    console.print(table)

    everywhere = [*installed.values(), *by_itself.values()]
    changes = [
        change for each in everywhere for report in each.reports for change in report.shape_env_changes
    ]
    check(not changes, f"no guards are added (there were: {changes})")
    check(any(report.passed for reports in in_compile for report in reports), "noopelim removes something")
    check(all(equal), "the logits have the same bits with and without noopelim")
