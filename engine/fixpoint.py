"""Apply rules to one graph until none applies.

A worklist of nodes, producers first. A rewrite puts back the users that now read another value and the
producers that lost a user; when the list is empty, nodes that a rule matched and could not have are tried
once more if anything changed since, because a rewrite elsewhere may have removed what stood in the way.

It ends: each rewrite replaces a node by a value whose expression, written out as a tree down to the graph's
inputs, has fewer calls (checked when a rule is made), and no other node's tree grows.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch.fx import Graph, Node

from .answers import Answers, trace
from .attempt import Attempt
from .calls import op_name
from .constants import constants
from .duplicates import DEAD, Duplicates, dead_calls, may_have_twin, plan_merge
from .equal_constants import EqualConstants
from .errors import RewriteError
from .integers import Prover
from .legality import Legality
from .moves import Moves
from .plans import NewCall, Plan, Refusal
from .proof import Proof
from .remarks import Passed, Report
from .rewrite import carry_out, clear_away, retire
from .rule_index import Index
from .transaction import Transaction
from .worklist import Worklist, calls_of, count_calls

_FEW = 4
"""Nodes for each target, up to which a walk of the graph is cheaper than its table of targets."""
_UNREAD = Proof.of(True, "nobody reads it", "the graph")


MOST_PER_CALL = 100
"""Rewrites for each call of a graph beyond which a run is taken not to end. Rules are checked to shrink what they
replace when they are made, so that only a mistake of this engine gets there."""


class Run:
    """One run over one graph: :meth:`to_fixpoint` edits it inside a transaction and leaves a report."""

    def __init__(
        self,
        graph: Graph,
        index: Index,
        prover: Prover,
        path: str = "",
        may_alias: bool = False,
        fused_later: bool = True,
    ) -> None:
        self.report = Report(nodes_before=count_calls(graph))
        self.transaction = Transaction(graph)
        self._graph, self._index, self._prover, self._path = graph, index, prover, path
        self._may_alias, self._fused_later = may_alias, fused_later
        self._known_legality: Legality | None = None
        self._moves = Moves(prover)
        self._worklist = Worklist()
        self._answers = Answers(prover, index, self._moves.layouts)
        self._again = False
        self._duplicates = Duplicates() if index.tidy else None
        self._constants = EqualConstants(constants(prover)) if index.tidy else None

    def to_fixpoint(self) -> None:
        """Rewrite until nothing applies. Raises ``RewriteError``, with the graph as it was, if a rule raises."""
        try:
            seeds = self._seeds()
            if self._index.tidy:
                dead = dead_calls(self._graph)
                if dead and seeds:
                    # What a dead call says of aliasing is said before it goes.
                    self._legality()
                self._bury(dead)
            self._drain(seeds)
        except BaseException:
            self.transaction.rollback()
            raise
        self.report.nodes_after = self.report.nodes_before - self.transaction.net_removed
        self.report.missed_later.append(self._answers.missed(self._path))

    def _legality(self) -> Legality:
        """Read off the graph when first asked for, which is before the first rewrite: most graphs have none."""
        if self._known_legality is None:
            self._known_legality = Legality(
                self._graph, self._prover, self._may_alias, self._moves.layouts, self._fused_later
            )
        return self._known_legality

    def _seeds(self) -> list[Node]:
        """In graph order."""
        named, nodes = self._index.named, self._graph.nodes
        if self._duplicates is not None:
            fixed = set(self._constants.seeds(self._graph)) if self._constants is not None else ()
            return [
                n
                for n in nodes
                if n.op == "call_function" and (id(n.target) in named or may_have_twin(n) or n in fixed)
            ]
        if len(nodes) < _FEW * len(named):
            return [n for n in nodes if id(n.target) in named and n.op == "call_function"]
        return sorted(n for target in self._index.targets for n in calls_of(self._graph, target))

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
                        trace(node),
                    )
                )
                retire(node, self.transaction)

    def _drain(self, seeds: list[Node]) -> None:
        self._worklist.begin(seeds)
        progress = True
        while progress:
            progress = False
            while (node := self._worklist.pop()) is not None:
                if not self.transaction.is_dead(node):
                    progress |= self._visit(node)
            if progress:
                self._again = True
                self._worklist.begin(self._answers.to_ask_again())

    def _visit(self, node: Node) -> bool:
        nearest: Refusal | None = None
        if self._duplicates is not None and may_have_twin(node):
            merged = self._merged(node, self._duplicates)
            if isinstance(merged, Plan):
                self._apply(merged)
                return True
            nearest = merged
        if self._constants is not None:
            same = self._constants.plan(node, self.transaction.is_dead, self._legality)
            if isinstance(same, Plan):
                self._apply(same)
                return True
            nearest = nearest or same
        found = self._index.at(node)
        if found is None:
            self._answers.give(node, nearest, None, None, afar=True)
            return False
        afar = nearest is not None or found.sprawling
        description = None if afar else self._answers.description(node, found.depth)
        if self._answers.repeat(node, description):
            return False
        attempt = Attempt(node, self._path, self._prover, self._moves, self._legality, nearest)
        likely = self._answers.applies(description)
        applies = (attempt.first((likely,)) if likely is not None else None) or attempt.first(found.rules)
        if applies is None:
            self._answers.give(node, attempt.nearest, description, attempt.facts, afar)
            return False
        planned, rule = applies
        if attempt.settled and rule is not found.rules[0]:
            self._answers.applied(description, rule)
        self._apply(planned)
        return True

    def _merged(self, node: Node, known: Duplicates) -> Plan | Refusal | None:
        twin = known.earlier(node, self.transaction.is_dead)
        if known.displaced is not None:
            self._reopen(known.displaced, node)
        return None if twin is None else plan_merge(node, twin, self._legality())

    def _reopen(self, refused: Node, visited: Node) -> None:
        """Try a refused node once more, in this sweep if that is one over refused nodes and still to come to it."""
        if self._answers.reopen(refused) and self._again and visited < refused:
            self._worklist.push(refused)

    def _apply(self, found: Plan) -> None:
        root, legality = found.root, self._legality()
        if len(self.report.passed) > MOST_PER_CALL * self.report.nodes_before:
            raise RewriteError(
                f"rule {found.rule.name!r} still applies at node {self._path}{root.name} ({op_name(root)}) after "
                f"{len(self.report.passed)} rewrites of {self.report.nodes_before} calls: rules undo each other; "
                "the graph is unchanged; leave the rule out"
            )
        self._answers.settle(root)
        if self._duplicates is not None and not self._duplicates.complete:
            self._duplicates.know(self._graph.nodes)
        lone = [] if isinstance(found.to, NewCall) or len(found.to.users) != 1 else list(found.to.users)
        operands = root.all_input_nodes
        to, users, made = carry_out(found, self.transaction)
        for new in made:
            if new is not root:
                legality.storages.add(new)
            self._worklist.push(new)
            lone += [next(iter(read.users)) for read in new.all_input_nodes if len(read.users) == 2]
        # Who was alone to read a value may have a twin now.
        # What is told of a view has changed, and with it what is told of its readers.
        restated = [node for view in found.values for node in (view, *view.users)]
        for node in (*lone, *restated):
            self._reopen(node, root)
        if to is root:
            legality.rewritten(root)
        else:
            legality.took_over(root, to)
        self._answers.replaced(root, to)
        self.report.passed.append(
            Passed(
                root.name,
                op_name(root),
                found.rule.name,
                to.name,
                found.proof,
                str(found.verdict.why),
                self._path,
                trace(root),
            )
        )
        retired = clear_away(root, to, operands, self.transaction)
        self._answers.rewritten(found, to, users, made, retired)
        for node in retired:
            if self.transaction.is_dead(node):
                self._answers.settle(node)
            else:
                self._worklist.push(node)
        self._worklist.extend(self._index.reached_from(users))
