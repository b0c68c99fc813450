"""The nodes that a run has still to visit, and how to find them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from torch.fx import Graph, Node


class Worklist:
    """A set of nodes, taken in graph order. A node's order key is fixed while it is in a graph."""

    def __init__(self) -> None:
        # What a sweep begins with is in order already; a heap takes what comes meanwhile.
        self._first: list[Node] = []
        self._heap: list[Node] = []
        self._waiting: set[Node] = set()

    def begin(self, nodes: list[Node]) -> None:
        """Take nodes in graph order, each once, when none is waiting."""
        self._first = nodes[::-1]
        self._waiting.update(nodes)

    def push(self, node: Node) -> None:
        """Put a node back, if it is not waiting."""
        if node not in self._waiting:
            self._waiting.add(node)
            heapq.heappush(self._heap, node)

    def extend(self, nodes: Iterable[Node]) -> None:
        """Put nodes back."""
        for node in nodes:
            self.push(node)

    def pop(self) -> Node | None:
        """The first node in graph order; None if there is none."""
        first, heap = self._first, self._heap
        if heap and not (first and first[-1] < heap[0]):
            node = heapq.heappop(heap)
        elif first:
            node = first.pop()
        else:
            return None
        self._waiting.discard(node)
        return node


def count_calls(graph: Graph) -> int:
    """Nodes that compute something."""
    others = ("placeholder", "get_attr", "output")
    return len(graph.nodes) - sum(len(graph.find_nodes(op=op, sort=False)) for op in others)


def calls_of(graph: Graph, target: object) -> Iterable[Node]:
    """The calls of one target, in no order."""
    return graph.find_nodes(op="call_function", target=target, sort=False)  # type: ignore[arg-type]
