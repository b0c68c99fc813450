"""Who shares memory with whom in a graph, who writes it and until when it is in use, kept true through rewrites."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.fx import Graph, GraphModule, Node

from .calls import signature
from .effects import attribute, written_by
from .integers import Prover
from .layout import Compared, same_layout
from .layout_numbers import LayoutNumbers
from .returned import Returned
from .scalars import Scalars
from .storage import Storages
from .strided import Asked
from .torch_api import OpOverload


@dataclass(frozen=True, slots=True)
class Site:
    """A proposed rewrite: the value of ``root``, computed by the calls in ``matched`` from ``source``."""

    root: Node
    matched: tuple[Node, ...]
    source: Node


class Aliasing:
    """Aliasing facts of one graph, kept true through rewrites by :meth:`took_over`.

    ``inputs_may_alias``: treat all placeholders as one piece of memory, as in a nested graph that writes.
    ``layouts``: those of the run, if it keeps them.
    """

    def __init__(
        self,
        graph: Graph,
        prover: Prover,
        inputs_may_alias: bool = False,
        layouts: LayoutNumbers | None = None,
    ) -> None:
        self._prover = prover
        self._layouts = LayoutNumbers(prover) if layouts is None else layouts
        self._comparisons: dict[tuple[int, int], Compared] = {}
        self.storages = Storages(graph)
        self.scalars = Scalars(graph, prover)
        self.asked = Asked()
        nodes = list(graph.nodes)
        inputs = [n for n in nodes if n.op == "placeholder" or _is_constant(n)]
        if inputs_may_alias:
            for one in inputs[1:]:
                self.storages.join(inputs[0], one)
        self._returned = Returned(nodes, self.storages)
        find = self.storages.find
        self._input_classes = {find(n) for n in inputs}
        self._writers: dict[Node, list[Node]] = {}
        self._turned: list[tuple[Node, Node]] = []
        for node in nodes:
            target = node.target
            if isinstance(target, OpOverload) and not signature(target).written:
                continue
            for operand in written_by(node):
                self._writers.setdefault(find(operand), []).append(node)
                if isinstance(target, OpOverload) and torch.Tag.inplace_view in target.tags:
                    self._turned.append((node, operand))

    def compared(self, ours: torch.Tensor, theirs: torch.Tensor) -> Compared:
        """As ``same_layout``, worked out once for two layouts."""
        numbers = self._layouts.of(ours), self._layouts.of(theirs)
        found = self._comparisons.get(numbers)
        if found is None:
            found = self._comparisons[numbers] = same_layout(self._prover, ours, theirs)
        return found

    def turner(self, site: Site) -> Node | None:
        """A call like ``t_`` or ``unsqueeze_``, which changes what a tensor is instead of what is in its memory, on the
        root, the source or another view of the memory of either: which of these objects it changes must not change."""
        find = self.storages.find
        near = (find(site.root), find(site.source)) if self._turned else ()
        return next((node for node, operand in self._turned if find(operand) in near), None)

    def is_view(self, site: Site) -> bool:
        """Does the root surely share the source's memory, through matched calls alone?"""
        node: Node | None = site.root
        while node is not None and node is not site.source:
            node = self.storages.viewed(node) if node in site.matched else None
        return node is site.source

    def took_over(self, root: Node, replacement: Node) -> None:
        """Record that ``replacement`` now stands where ``root`` stood, and shares its fate."""
        self._returned.took_over(root, replacement)
        self._join(replacement, root)

    def rewritten(self, node: Node) -> None:
        """Record that ``node`` is called on other values now."""
        for other in self.storages.shared_with(node):
            self._join(other, node)
        self._returned.took_over(node, node)

    def _join(self, left: Node, right: Node) -> None:
        merged = self.storages.join(left, right)
        if merged is not None:
            kept, gone = merged
            if gone in self._input_classes:
                self._input_classes.add(kept)
            writers = self._writers.pop(gone, [])
            if writers:
                self._writers.setdefault(kept, []).extend(writers)

    def _first_copy(self, site: Site) -> Node:
        """Where the value may have stopped following the source's memory: sure views still see its writes."""
        return min((n for n in site.matched if self.storages.views(n) is not True), default=site.root)

    def _write_between(self, storage: Node, first: Node, root: Node, to_last_use: bool) -> Node | None:
        """A node that writes ``storage`` after ``first``, up to the root or up to the last use of its memory."""
        writers = [w for w in self._writers.get(storage, ()) if first < w]
        if not writers:
            return None
        last = self._last_use(root) if to_last_use else root
        return next((w for w in writers if last is None or not last < w), None)

    def _last_use(self, node: Node) -> Node | None:
        """The last node that reads ``node`` or a view of it; None if that is the caller of the graph."""
        users = [user for n in (node, *self.views_of(node)) for user in n.users]
        return None if any(u.op == "output" for u in users) else max(users, default=node)

    def views_of(self, node: Node) -> list[Node]:
        """What may share the memory of ``node`` by way of it, in graph order."""
        find = self.storages.find
        stack, found = [node], set[Node]()
        while stack:
            for user in stack.pop().users:
                if user not in found and user.op != "output" and find(user) is find(node):
                    found.add(user)
                    stack.append(user)
        return sorted(found)


def _is_constant(node: Node) -> bool:
    return node.op == "get_attr" and not isinstance(attribute(node), GraphModule)
