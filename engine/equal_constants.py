"""Values computed from numbers alone that are equal, however they were computed: the later is the earlier."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from torch.fx import Graph, Node

from .aliasing import Site
from .constants import MADE, Constants
from .legality import Legality
from .plans import Law, Plan, Refusal, with_values
from .proof import Proof
from .remarks import Stage

SAME = Law(
    "engine/same-constant", "what is computed from numbers alone is what these calls compute when they run"
)


class EqualConstants:
    """The constants met so far in one run, by their elements."""

    def __init__(self, known: Constants) -> None:
        self._known = known
        self._nodes: dict[Hashable, list[Node]] = {}

    def seeds(self, graph: Graph) -> list[Node]:
        """Calls on constants alone, and all constants taken in."""
        found = list(_reached(graph, self._known))
        for node in found:
            self._add(node)
        return [n for n in found if n.target not in MADE]

    def plan(
        self, root: Node, is_dead: Callable[[Node], bool], aliasing: Callable[[], Legality]
    ) -> Plan | Refusal | None:
        """The earliest constant that has the root's elements in its place; None if there is none."""
        operands = root._input_nodes
        if root.target in MADE or not operands or not all(map(self._known.has, operands)):
            return None
        refusal: Refusal | None = None
        for twin in sorted(n for n in self._add(root) if n < root and not is_dead(n)):
            if not self._known.equal(root, twin):
                continue
            legality = aliasing()
            verdict = legality.may_replace(Site(root, (root,), twin))
            if verdict.legal:
                proof = Proof.of(True, f"{root.name} is {twin.name} element by element", "both were computed")
                site = Site(root, (root,), twin)
                return with_values(Plan(SAME, root, twin, proof, verdict), site, twin.meta["val"], legality)
            refusal = refusal or Refusal(SAME, Stage.BLOCKED, verdict.why)
        return refusal

    def _add(self, node: Node) -> list[Node]:
        look = self._known.look(node)
        if look is None:
            return []
        alike = self._nodes.setdefault(look, [])
        if node not in alike:
            alike.append(node)
        return alike


def _reached(graph: Graph, known: Constants) -> Iterator[Node]:
    """Constants in graph order."""
    stack = [n for target in MADE for n in graph.find_nodes(op="call_function", target=target, sort=False)]
    found: set[Node] = set()
    while stack:
        node = stack.pop()
        if node in found or not known.knows(node):
            continue
        found.add(node)
        stack.extend(user for user in node.users if all(o in found for o in user._input_nodes))
    yield from sorted(found)
