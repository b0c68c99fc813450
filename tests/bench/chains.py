"""Chains of calls that only move data, composed by running them on ``arange`` and compared with shorter ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from findings import CHAIN, Finding, Run
from forms import shortest
from steps import Step
from torch.fx import GraphModule, Node
from values import moves


def shorter_chains(gm: GraphModule, runs: Sequence[Run], equal: Mapping[Node, Node]) -> list[Finding]:
    """Chains that would be shorter in every run. ``equal``: nodes that another stands for already, so that
    they do not count again. The nodes saved are those that no one else uses."""
    reduced = _Reduced(gm, equal)
    found = []
    for node in gm.graph.nodes:
        if node in reduced.users and moves(node) and not reduced.continues(node):
            best = max(
                (_saving(reduced, runs, node, k) for k in range(2, len(reduced.path(node)) + 1)),
                default=None,
                key=lambda f: f.saved if f else 0,
            )
            if best is not None:
                found.append(best)
    return found


class _Reduced:
    """The graph as it is once every node that another stands for is gone."""

    def __init__(self, gm: GraphModule, equal: Mapping[Node, Node]) -> None:
        self._equal = equal
        self.users: dict[Node, list[Node]] = {}
        for node in reversed(gm.graph.nodes):
            needed = node in self.users or node.op in ("output", "placeholder") or node.is_impure()
            if not needed or node in equal:
                continue
            self.users.setdefault(node, [])
            for operand in {self.source(o) for o in node.all_input_nodes}:
                self.users.setdefault(operand, []).append(node)

    def source(self, node: Node) -> Node:
        while node in self._equal:
            node = self._equal[node]
        return node

    def continues(self, node: Node) -> bool:
        """Is the node a middle of one chain only?"""
        users = self.users[node]
        return len(users) == 1 and moves(users[0]) and self.operand(users[0]) is node

    def operand(self, node: Node) -> Node:
        first = node.args[0]
        assert isinstance(first, Node)
        return self.source(first)

    def path(self, end: Node) -> list[Node]:
        """The chain that ends here, last call first."""
        found = [end]
        while moves(found[-1]) and moves(self.operand(found[-1])):
            found.append(self.operand(found[-1]))
        return found


def _saving(reduced: _Reduced, runs: Sequence[Run], end: Node, length: int) -> Finding | None:
    """What is saved if the last ``length`` calls of the chain are written anew."""
    path = reduced.path(end)[:length]
    source = reduced.operand(path[-1])
    gone = 1
    while gone < length and reduced.continues(path[gone]):
        gone += 1
    saved, form = gone, None
    for run in runs:
        if not all(n in run.values for n in (source, end)):
            return None
        steps = tuple(_step(node, run) for node in reversed(path))
        new = shortest(run.values[source].layout, run.values[end].layout, steps, gone - 1)
        if new is None:
            return None
        if gone - len(new.steps) < saved or form is None:
            saved, form = gone - len(new.steps), new
    return Finding(end, CHAIN, source, saved, str(form)) if form is not None and saved > 0 else None


def _step(node: Node, run: Run) -> Step:
    args, kwargs = run.arguments[node]
    assert callable(node.target)
    return Step(
        node.target, tuple(tuple(a) if isinstance(a, list) else a for a in args), tuple(kwargs.items())
    )
