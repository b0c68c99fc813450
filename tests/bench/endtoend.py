"""One architecture compiled in full, without noopelim and with it in turns: what compiling costs, and what it gives."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from compiled import HOOKS
from measure import DYNAMIC, FIXED, Record
from torch._inductor import config, metrics
from torch._inductor.compile_fx import compile_fx
from torch.utils import _pytree as pytree
from values import Value, copied, kept
from zoo import Architecture, Sizes

import noopelim

ARCHITECTURES = ("Llama", "GPT2 eager", "Bert", "T5", "ViT", "Swin", "UNet2D condition", "SD3")
"""Compiled in full; the others only up to where Inductor would make kernels."""
TRACED: Sizes = {"b": 5, "s": 61, "t": 47, "h": 65, "w": 63, "l": 1003}
OTHER: Sizes = {"b": 7, "s": 53, "t": 31, "h": 97, "w": 81, "l": 1207}
ONE: Sizes = {"b": 1, "s": 64, "t": 48, "h": 64, "w": 64, "l": 1000}
_BLOCKS = 12
_BLOCK_SECONDS = 0.1


@dataclass
class _Made:
    """One compilation: ``seconds`` of the first call, generated kernels, bytes that all kernels read and write, and the
    compiled graphs with the arguments of their last call."""

    seconds: float
    kernels: int
    bytes: int
    pass_seconds: float
    results: list[list[Value]]
    graphs: list[tuple[Callable[..., Any], list[Any]]] = field(default_factory=list)

    def run(self) -> None:
        for graph, arguments in self.graphs:
            graph(*arguments)


def end_to_end(architecture: Architecture, mode: str, hooks: Sequence[str], rounds: int) -> Record:
    """Medians over ``rounds`` compilations of each kind; of run times, over blocks in turns."""
    made: dict[bool, list[_Made]] = {False: [], True: []}
    _compiled(architecture, mode, {})  # the first compilation of a process also loads Inductor's patterns
    for index in range(rounds):
        for noopelim_too in (False, True) if index % 2 == 0 else (True, False):
            passes = {hook: noopelim.NoOpElimination() for hook in hooks} if noopelim_too else {}
            made[noopelim_too].append(_compiled(architecture, mode, passes))
    without, with_it = made[False][-1], made[True][-1]
    return {
        "name": architecture.name,
        "mode": mode,
        "compile_seconds": [[m.seconds for m in made[key]] for key in (False, True)],
        "pass_seconds": [m.pass_seconds for m in made[True]],
        "kernels": [without.kernels, with_it.kernels],
        "bytes": [without.bytes, with_it.bytes],
        "run_seconds": _in_turns(without.run, with_it.run),
        "same_bits": [a == b for a, b in zip(without.results, with_it.results, strict=True)],
    }


def _compiled(architecture: Architecture, mode: str, passes: Mapping[str, noopelim.NoOpElimination]) -> _Made:
    torch._dynamo.reset()
    metrics.reset()
    model = architecture.model(training=False)
    graphs: list[tuple[Callable[..., Any], list[Any]]] = []

    def backend(gm: torch.fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
        inner: Any = compile_fx(gm, example_inputs)

        def call(*arguments: Any) -> Any:
            graphs[:] = [g for g in graphs if g[0] is not inner]
            graphs.append((inner, [copied(a) for a in arguments]))
            return inner(*arguments)

        return call

    moved = 0

    def count(nodes: list[Any]) -> list[Any]:
        nonlocal moved
        moved += sum(node.get_read_write_buffers_sizes() for node in nodes)
        return nodes

    options: Mapping[str, Any] = {hook: passes.get(hook) for hook in HOOKS} | {
        "_post_fusion_custom_pass": count
    }
    results = []
    with config.patch(force_disable_caches=True, compile_threads=1, **options), torch.no_grad():
        compiled = torch.compile(model, backend=backend, dynamic=mode != FIXED)
        began = time.perf_counter()
        for seed, sizes in enumerate((TRACED, OTHER) if mode == DYNAMIC else (ONE, ONE)):
            given = compiled(**architecture.arguments(sizes, seed))
            if not seed:
                seconds = time.perf_counter() - began
            results.append([kept(x) for x in pytree.tree_leaves(given) if isinstance(x, torch.Tensor)])
    pass_seconds = sum(report.seconds for each in passes.values() for report in each.reports)
    return _Made(seconds, metrics.generated_kernel_count, moved, pass_seconds, results, graphs)


def _in_turns(left: Callable[[], None], right: Callable[[], None]) -> list[list[float]]:
    """Seconds per call in each block, A B, then B A, and so on."""
    calls = 1
    while True:
        began = time.perf_counter()
        for _ in range(calls):
            left()
        if time.perf_counter() - began > _BLOCK_SECONDS:
            break
        calls *= 2
    times: list[list[float]] = [[], []]
    for block in range(_BLOCKS):
        for which in (0, 1) if block % 2 == 0 else (1, 0):
            function = (left, right)[which]
            began = time.perf_counter()
            for _ in range(calls):
                function()
            times[which].append((time.perf_counter() - began) / calls)
    return times


def medians(pair: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Of what was measured without and with noopelim."""
    return statistics.median(pair[0]), statistics.median(pair[1])
