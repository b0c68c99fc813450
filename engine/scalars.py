"""Sizes as arguments of new calls: numbers, or nodes of the graph that compute them already."""

from __future__ import annotations

import torch
from torch.fx import Graph, Node

from .extents import Extent, extent
from .integers import Prover
from .polynomial import OutOfReach
from .torch_api import expression_of


class Scalars:
    """The integer values that one graph computes, by normal form. Read when first asked for: a run makes none."""

    def __init__(self, graph: Graph, prover: Prover) -> None:
        self._graph, self._prover = graph, prover
        self._nodes: dict[object, list[Node]] | None = None

    def argument(self, size: Extent, before: Node) -> int | Node | None:
        """What to write for ``size`` in a call that stands where ``before`` does; None if nothing is at hand."""
        if isinstance(size, int):
            return size
        if self._nodes is None:
            self._nodes = self._read()
        return next((node for node in self._nodes.get(_key(size), ()) if node < before), None)

    def _read(self) -> dict[object, list[Node]]:
        found: dict[object, list[Node]] = {}
        for node in self._graph.nodes:
            value = node.meta.get("val")
            if isinstance(value, torch.SymInt):
                try:
                    size = extent(self._prover, expression_of(value))
                except OutOfReach:
                    continue
                if not isinstance(size, int):
                    found.setdefault(_key(size), []).append(node)
        return found


def _key(size: Extent) -> object:
    return size if isinstance(size, int) else frozenset(size.items())
