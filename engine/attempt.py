"""The rules tried at one node, in order, until one applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch.fx import Node

from .calls import op_name
from .errors import RewriteError
from .facts import Facts
from .integers import Prover
from .legality import Legality
from .match import Matched, Matcher
from .moves import Moves
from .plans import Plan, Refusal
from .rewrite import plan
from .rule import Rule


class Attempt:
    """``nearest``: the refusal that came nearest to a rewrite. ``facts``: those of the node, once a rule asked for them.
    ``settled``: do the refusals before the rule that applied rest on the node's description alone?"""

    __slots__ = ("_legality", "_moves", "_path", "_prover", "facts", "nearest", "node", "settled")

    def __init__(
        self,
        node: Node,
        path: str,
        prover: Prover,
        moves: Moves,
        legality: Callable[[], Legality],
        nearest: Refusal | None,
    ) -> None:
        self.node, self.nearest = node, nearest
        self.facts: Facts | None = None
        self.settled = True
        self._path, self._prover, self._moves, self._legality = path, prover, moves, legality

    def first(self, rules: Sequence[tuple[Rule, Matcher]]) -> tuple[Plan, tuple[Rule, Matcher]] | None:
        """The first that applies, and which it is. Raises ``RewriteError`` if a rule raises."""
        node = self.node
        matcher: Matcher | None = None
        matched: Matched | None = None
        for entry in rules:
            rule, match = entry
            try:
                if match is not matcher:
                    matcher, matched = match, match(node)
                if matched is None:
                    continue
                self.settled = self.facts is None or self.facts.near
                outcome = plan(rule, node, matched, self._prover, self._legality, self._facts)
            except Exception as error:
                raise RewriteError(
                    f"rule {rule.name!r} raised at node {self._path}{node.name} ({op_name(node)}): "
                    f"{type(error).__name__}: {error}; the graph is unchanged; mend the rule or leave it out"
                ) from error
            if isinstance(outcome, Plan):
                return outcome, entry
            if outcome is not None and (self.nearest is None or outcome.stage > self.nearest.stage):
                self.nearest = outcome
        return None

    def _facts(self) -> Facts:
        if self.facts is None:
            self.facts = Facts(self._prover, self.node, self._moves)
        return self.facts
