"""noopelim inside Inductor: as a custom graph pass, and as rules in somebody's ``PatternMatcherPass``."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from weakref import WeakKeyDictionary

import torch
from torch.fx import Graph, Node

from .calls import op_name
from .driver import find_shape_env, rule_set, run
from .errors import RewriteError
from .facts import Facts
from .fingerprint import fingerprint
from .integers import Prover
from .legality import Legality
from .match import compile_pattern
from .pattern import calls_in
from .plans import Plan
from .remarks import Report
from .rewrite import carry_out, clear_away, plan
from .rule import Rule, RuleSet
from .rule_index import Index
from .torch_api import (
    CustomGraphPass,
    GraphPatternEntry,
    Match,
    PatternMatcherPass,
    ranks_must_agree,
    runs_after_joint_patterns,
)
from .transaction import Transaction

log = logging.getLogger(__name__)

_REPORTS_KEPT = 64
_aten = torch.ops.aten
_KEPT_ON_ALL_RANKS = (_aten.slice.Tensor, _aten.slice_copy.Tensor, _aten.constant_pad_nd.default)


class NoOpElimination(CustomGraphPass):
    """A pass for any of Inductor's graph hooks, joint and post-grad, before or after its own passes.

    ``tidy``: merge equal calls and drop those that nobody reads, too (by default, if no rules are named).
    ``reports`` holds the reports of the last runs, newest last. Under Inductor's overlap scheduling, which
    needs equal graphs on all ranks, slices and pads stay, as in Inductor's own pass. Where Inductor has not looked for
    attention yet, or the pass is not itself what a hook holds, nothing is made that could be taken for another part of it.
    """

    def __init__(self, rules: RuleSet | Iterable[Rule] | None = None, *, tidy: bool | None = None) -> None:
        self.rules = rule_set(rules)
        self._tidy = rules is None if tidy is None else tidy
        self.reports: deque[Report] = deque(maxlen=_REPORTS_KEPT)
        self._index = Index(self.rules, self._tidy)
        self._same_on_all_ranks = Index(r for r in self.rules if not _drops_slices_or_pads(r))

    def __call__(self, graph: Graph) -> None:
        """Eliminate in place. Raises ``RewriteError`` if a rule raises, with the graph as it was."""
        index = self._same_on_all_ranks if ranks_must_agree() else self._index
        report = run(graph, index, fused_later=not runs_after_joint_patterns(self))
        self.reports.append(report)
        log.info("%s", report.headline)

    def __deepcopy__(self, memo: dict[int, object]) -> NoOpElimination:
        # Inductor copies its configuration, passes and all, and the reports belong to the caller's object.
        return self

    def uuid(self) -> str | None:
        """Identity for Inductor's caches. None, which makes Inductor bypass them, if a rule has none."""
        return fingerprint(self.rules, self._tidy)


def _drops_slices_or_pads(rule: Rule) -> bool:
    return any(fn in _KEPT_ON_ALL_RANKS for call in calls_in(rule.pattern) for fn in call.fns)


def register(target: PatternMatcherPass, rules: RuleSet | Iterable[Rule] | None = None) -> None:
    """Add the rules to a ``PatternMatcherPass``, each with the same proofs and legality checks as a run.

    One ``apply`` of such a pass is one sweep, not a fixpoint: a chain may need several.
    """
    for rule in rule_set(rules):
        _Entry(rule).register(target)


class _Entry(GraphPatternEntry):
    """One rule as a pattern entry. ``pattern_name`` is what torch counts matches under."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(pattern=rule.pattern, extra_check=self._check, handler=self._apply_plan)
        self.pattern_name = rule.name
        self._rule = rule
        self._matcher = compile_pattern(rule.pattern)
        # Keyed by match, so that nothing is carried from one match to another.
        self._plans: WeakKeyDictionary[Match, Plan] = WeakKeyDictionary()

    def _check(self, match: Match) -> bool:
        root: Node = match.output_node()
        matched = self._matcher(root)
        if matched is None:
            return False
        prover = Prover(find_shape_env(root.graph))
        try:
            found = plan(
                self._rule,
                root,
                matched,
                prover,
                lambda: Legality(root.graph, prover),
                lambda: Facts(prover, root),
            )
        except Exception as error:
            raise RewriteError(
                f"rule {self._rule.name!r} raised at node {root.name} ({op_name(root)}): "
                f"{type(error).__name__}: {error}; mend the rule or leave it out"
            ) from error
        if isinstance(found, Plan):
            self._plans[match] = found
            return True
        return False

    def _apply_plan(self, match: Match, *args: object, **kwargs: object) -> None:
        found = self._plans.pop(match)
        root, transaction = found.root, Transaction(found.root.graph)
        operands = root.all_input_nodes
        to, _, _ = carry_out(found, transaction)
        clear_away(root, to, operands, transaction)
        transaction.commit()
