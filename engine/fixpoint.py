"""Apply rules to one graph until none applies.

A worklist of nodes, producers first. A rewrite puts back the users that now read another value and the
producers that lost a user; when the list is empty, nodes that a rule matched and could not have are tried
once more if anything changed since, because a rewrite elsewhere may have removed what stood in the way.

It ends: each rewrite replaces a node by a value whose expression, written out as a tree down to the graph's
inputs, has fewer calls (checked when a rule is made), and no other node's tree grows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from torch.fx import Graph, Node

from .calls import op_name
from .constants import constants
from .duplicates import DEAD, Duplicates, dead_calls, may_have_twin, plan_merge
from .equal_constants import EqualConstants
from .errors import RewriteError
from .integers import Prover
from .legality import Legality
from .match import MAX_CALLS, Index
from .plans import Plan, Refusal
from .proof import Proof
from .remarks import Missed, Passed, Report
from .rewrite import carry_out, plan, retire
from .transaction import Transaction

_UNREAD = Proof.of(True, "nobody reads it", "the graph")


class Run:
    """One run over one graph: :meth:`to_fixpoint` edits it inside a transaction and leaves a report."""

    def __init__(
        self, graph: Graph, index: Index, prover: Prover, path: str = "", may_alias: bool = False
    ) -> None:
        self.report = Report(nodes_before=count_calls(graph))
        self.transaction = Transaction(graph)
        self._graph, self._index, self._prover, self._path = graph, index, prover, path
        self._may_alias = may_alias
        self._worklist = _Worklist()
        self._refused: dict[Node, Refusal] = {}
        self._duplicates = Duplicates() if index.tidy else None
        self._constants = EqualConstants(constants(prover)) if index.tidy else None

    def to_fixpoint(self) -> None:
        """Rewrite until nothing applies. Raises ``RewriteError``, with the graph as it was, if a rule raises."""
        try:
            seeds = self._seeds()
            legality = Legality(self._graph, self._prover, self._may_alias) if seeds else None
            if self._index.tidy:
                self._bury(dead_calls(self._graph))
            if legality is not None:
                self._drain(legality, seeds)
        except BaseException:
            self.transaction.rollback()
            raise
        self.report.nodes_after = self.report.nodes_before - self.transaction.net_removed
        self.report.missed = [self._missed(node, refusal) for node, refusal in self._refused.items()]

    def _seeds(self) -> list[Node]:
        seeds = [n for target in self._index.targets for n in _calls_of(self._graph, target)]
        if self._duplicates is not None:
            seeds += [n for n in self._graph.nodes if n.op == "call_function" and may_have_twin(n)]
        if self._constants is not None:
            seeds += self._constants.seeds(self._graph)
        return seeds

    def _bury(self, dead: Iterable[Node]) -> None:
        """Retire calls that nobody reads, and what only they read."""
        for node in dead:
            if not self.transaction.is_dead(node):
                self.report.passed.append(
                    Passed(
                        node.name,
                        op_name(node),
                        DEAD.name,
                        "",
                        _UNREAD,
                        DEAD.because,
                        self._path,
                        _trace(node),
                    )
                )
                retire(node, self.transaction)

    def _drain(self, legality: Legality, seeds: Iterable[Node]) -> None:
        self._worklist.extend(seeds)
        progress = True
        while progress:
            progress = False
            while (node := self._worklist.pop()) is not None:
                if not self.transaction.is_dead(node):
                    progress |= self._visit(node, legality)
            if progress:
                self._worklist.extend(self._refused)

    def _visit(self, node: Node, legality: Legality) -> bool:
        nearest: Refusal | None = None
        if self._duplicates is not None and may_have_twin(node):
            merged = self._merged(node, self._duplicates, legality)
            if isinstance(merged, Plan):
                self._refused.pop(node, None)
                self._apply(merged, legality)
                return True
            nearest = merged
        if self._constants is not None:
            same = self._constants.plan(node, self.transaction.is_dead, legality)
            if isinstance(same, Plan):
                self._refused.pop(node, None)
                self._apply(same, legality)
                return True
            nearest = nearest or same
        for rule, match in self._index.at(node):
            try:
                matched = match(node)
                outcome = plan(rule, node, matched, self._prover, lambda: legality) if matched else None
            except Exception as error:
                raise RewriteError(
                    f"rule {rule.name!r} raised at node {self._path}{node.name} ({op_name(node)}): "
                    f"{type(error).__name__}: {error}; the graph is unchanged; mend the rule or leave it out"
                ) from error
            if isinstance(outcome, Plan):
                self._refused.pop(node, None)
                self._apply(outcome, legality)
                return True
            if outcome is not None and (nearest is None or outcome.stage > nearest.stage):
                nearest = outcome
        if nearest is None:
            self._refused.pop(node, None)
        else:
            self._refused[node] = nearest
        return False

    def _merged(self, node: Node, known: Duplicates, legality: Legality) -> Plan | Refusal | None:
        twin = known.earlier(node, self.transaction.is_dead)
        return None if twin is None else plan_merge(node, twin, legality)

    def _apply(self, found: Plan, legality: Legality) -> None:
        root = found.root
        if self._duplicates is not None and not self._duplicates.complete:
            self._duplicates.know(self._graph.nodes)
        to, users, made = carry_out(found, self.transaction)
        for new in made:
            legality.storages.add(new)
            self._worklist.push(new)
        legality.took_over(root, to)
        self.report.passed.append(
            Passed(
                root.name,
                op_name(root),
                found.rule.name,
                to.name,
                found.proof,
                str(found.verdict.why),
                self._path,
                _trace(root),
            )
        )
        for node in retire(root, self.transaction):
            if self.transaction.is_dead(node):
                self._refused.pop(node, None)
            else:
                self._worklist.push(node)
        self._requeue(users)

    def _requeue(self, users: Iterable[Node]) -> None:
        """A change can complete a match at most ``depth`` calls further down."""
        level = list(users)
        for _ in range(self._index.depth):
            self._worklist.extend(level)
            level = [user for node in level for user in node.users]
        links = [user for user in users if user.target in self._index.chained]
        for _ in range(MAX_CALLS):
            self._worklist.extend(links)
            links = [user for node in links for user in node.users if user.target in self._index.chained]

    def _missed(self, node: Node, refusal: Refusal) -> Missed:
        return Missed(
            node.name,
            op_name(node),
            refusal.rule.name,
            refusal.stage,
            refusal.why,
            self._path,
            _trace(node),
        )


class _Worklist:
    """A set of nodes, taken in graph order. A node's order key is fixed while it is in a graph."""

    def __init__(self) -> None:
        self._heap: list[Node] = []
        self._waiting: set[Node] = set()

    def push(self, node: Node) -> None:
        if node not in self._waiting:
            self._waiting.add(node)
            heapq.heappush(self._heap, node)

    def extend(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self.push(node)

    def pop(self) -> Node | None:
        if not self._heap:
            return None
        node = heapq.heappop(self._heap)
        self._waiting.discard(node)
        return node


def count_calls(graph: Graph) -> int:
    """Nodes that compute something."""
    return sum(n.op.startswith("call_") for n in graph.nodes)


def _calls_of(graph: Graph, target: object) -> Iterable[Node]:
    return graph.find_nodes(op="call_function", target=target, sort=False)  # type: ignore[arg-type]


def _trace(node: Node) -> str | None:
    trace = node.meta.get("stack_trace")
    return trace if isinstance(trace, str) else None
