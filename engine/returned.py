"""What a graph returns: which nodes, which may be one tensor object, and which lie in one piece of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch.fx import Node

from .calls import nodes_in
from .storage import Storages, object_chain


class Returned:
    """The outputs of one graph, kept true through rewrites by :meth:`took_over`. ``objects``: nodes that may be the
    very object that is returned for some output."""

    def __init__(self, nodes: Iterable[Node], storages: Storages) -> None:
        self._storages = storages
        self._outputs = {leaf: None for n in nodes if n.op == "output" for leaf in nodes_in(n.args)}
        self.objects = self._objects()

    def objects_but(self, node: Node) -> set[Node]:
        """As ``objects``, for the outputs that are not returned by way of ``node``."""
        return self._objects(but=node)

    def within(self, storage: Node) -> Iterator[Node]:
        """The outputs whose memory is the class that ``storage`` represents."""
        return (n for n in self._outputs if self._storages.find(n) is storage)

    def took_over(self, root: Node, replacement: Node) -> None:
        """Record that ``replacement`` now stands where ``root`` stood."""
        if root in self._outputs:
            # Outputs keep their order, which messages name.
            self._outputs = {replacement if n is root else n: None for n in self._outputs}
        if root in self.objects:
            self.objects = self._objects()

    def _objects(self, but: Node | None = None) -> set[Node]:
        chains = (list(object_chain(leaf)) for leaf in self._outputs)
        return {node for chain in chains if but not in chain for node in chain}
