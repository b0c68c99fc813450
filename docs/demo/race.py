"""Two passes timed in turns on copies of one graph."""

from __future__ import annotations

import copy
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch._inductor.custom_graph_pass import CustomGraphPass
from torch.fx import Graph

Pass = Callable[[Graph], Any]


class Keep(CustomGraphPass):
    """Keeps a copy of the graph it is given and changes nothing."""

    graph: Graph

    def __call__(self, graph: Graph) -> None:
        self.graph = copy.deepcopy(graph)

    def uuid(self) -> None:
        """No stable identity, hence no caching."""


@dataclass(frozen=True)
class Timing:
    """``left``: call nodes after the pass. ``median``: seconds for one run."""

    left: int
    median: float


def call_nodes(graph: Graph) -> int:
    """Placeholders, constants and the output are not counted."""
    return sum(node.op.startswith("call_") for node in graph.nodes)


def timed(a_pass: Pass, graph: Graph) -> float:
    """Seconds of one run over ``graph``, which is rewritten."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        a_pass(graph)
        return time.perf_counter() - start
    finally:
        gc.enable()


def race(graph: Graph, ours: Pass, theirs: Pass, rounds: int) -> tuple[Timing, Timing]:
    """Fresh copies throughout, first one pass, then the other, so that a drifting machine meets both alike."""
    seconds: tuple[list[float], list[float]] = [], []
    left = [0, 0]
    for _ in range(rounds):
        for index, a_pass in enumerate((ours, theirs)):
            work = copy.deepcopy(graph)
            seconds[index].append(timed(a_pass, work))
            left[index] = call_nodes(work)
    first, second = (Timing(n, statistics.median(s)) for n, s in zip(left, seconds, strict=True))
    return first, second
