"""One rule, tried in one context: the same graph before and after a run, and everything by which they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.fx import GraphModule

from .audit import untruths
from .drafts import Draft, Outputs, Unbuildable
from .driver import eliminate
from .observe import Seen, difference, observe
from .rule import Rule, RuleSet
from .torch_api import ShapeEnv, changes, snapshot


@dataclass(frozen=True, slots=True)
class Misfit:
    """How a run could be told from no run. ``before`` and ``after`` are the graphs, printed."""

    context: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule in one context. ``lay`` makes the same graph of each new ``draft``, with ``env`` behind it."""

    rule: Rule
    name: str
    lay: Callable[[Draft], Outputs]
    draft: Callable[[], Draft]
    env: ShapeEnv | None

    def judged(self) -> Misfit | None:
        """What went wrong. Raises ``Unbuildable`` if this context cannot tell."""
        draft = self.draft()
        gm = draft.closed(self.lay(draft))
        try:
            was = self.seen(gm, draft)
        except Exception as error:
            raise Unbuildable(f"the graph does not run: {error}") from error
        before, laid, facts = str(gm.graph), _state(gm), snapshot(self.env)
        what = self.broken_promise(gm, facts)
        if what is None and _state(gm) != laid:
            what = self.visible_change(gm, draft, was)
            if what is not None and self.was_untrue():
                raise Unbuildable("the metadata was untrue from the start")
            what = what or self.unrest(gm, facts)
        return None if what is None else Misfit(self.name, what, before, str(gm.graph))

    def broken_promise(self, gm: GraphModule, facts: dict[str, frozenset[object]]) -> str | None:
        """Eliminate in ``gm``, in place. What must not happen in any graph, whatever its metadata says?"""
        try:
            report = eliminate(gm, RuleSet((self.rule,)))
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        seen = dict.fromkeys((*report.shape_env_changes, *changes(facts, snapshot(self.env))))
        return f"the ShapeEnv changed: {'; '.join(seen)}" if seen else None

    def visible_change(self, gm: GraphModule, draft: Draft, was: Seen) -> str | None:
        """What can be seen of the rewrite when the graph is run, or when it is compared with its metadata."""
        try:
            now = self.seen(gm, draft)
        except Exception as error:
            return f"the graph no longer runs: {type(error).__name__}: {error}"
        return difference(was, now) or "; ".join(sorted(untruths(gm, draft.case))) or None

    def unrest(self, gm: GraphModule, facts: dict[str, frozenset[object]]) -> str | None:
        """What a second run does, which is to do nothing."""
        rested = _state(gm)
        what = self.broken_promise(gm, facts)
        return what or ("a second run changes the graph again" if _state(gm) != rested else None)

    def was_untrue(self) -> bool:
        """Did the metadata of the graph as laid describe something else than its run?"""
        draft = self.draft()
        return bool(untruths(draft.closed(self.lay(draft)), draft.case))

    def seen(self, gm: GraphModule, draft: Draft) -> Seen:
        return observe(gm, draft.case, draft.constants, self.rule.exact)


def _state(gm: GraphModule) -> list[tuple[Any, ...]]:
    """Whatever a rewrite may change of a graph."""
    return [(n, n.target, n.args, dict(n.kwargs), id(n.meta.get("val"))) for n in gm.graph.nodes]
