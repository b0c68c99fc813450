"""What a run did and did not do, as remarks in the manner of LLVM: passed, missed, and why."""

from __future__ import annotations

import enum
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .proof import Proof

JSON_VERSION = 1


class Stage(enum.IntEnum):
    """How far the nearest rule came before it stopped; the last one is the nearest miss."""

    SKIPPED = 0
    """The node could not be looked at: no usable metadata."""
    REFUTED = 1
    """The pattern matched and the claim is false: the node does something."""
    UNKNOWN = 2
    """The claim may hold, and no proof was found."""
    BLOCKED = 3
    """The value is the same, and something else (aliasing, a write, layout) needs the node."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One rewrite. ``replacement`` names the node whose value now stands for ``node``, which is ``node`` itself if it
    is called on other values now."""

    node: str
    op: str
    rule: str
    replacement: str
    proof: Proof
    legality: str
    graph: str = ""
    trace: str | None = field(default=None, repr=False)

    @property
    def stands(self) -> str:
        """What stands for the node, in words."""
        return "itself, of other values" if self.replacement == self.node else self.replacement or "nothing"

    @property
    def source(self) -> str | None:
        """The innermost frame outside torch in the node's stack trace."""
        return _innermost(self.trace)


@dataclass(frozen=True, slots=True)
class Missed:
    """A node that a rule's pattern matched and that stayed, for want of ``proof`` or for another reason."""

    node: str
    op: str
    rule: str
    stage: Stage
    why: Proof | str
    graph: str = ""
    trace: str | None = field(default=None, repr=False)
    like: str = ""
    """The node that ``why`` speaks of, if it is another of the same description: same calls, same metadata."""

    @property
    def reason(self) -> str:
        """What kept it."""
        return self.why if isinstance(self.why, str) else str(self.why)

    @property
    def claim(self) -> str | None:
        """The fact that would have sufficed, if one would."""
        return None if isinstance(self.why, str) else self.why.why_not().claim

    @property
    def needs(self) -> str | None:
        """A simple fact about the symbols that would have sufficed; see ``Proof.needs``."""
        return None if isinstance(self.why, str) else self.why.why_not().needs

    @property
    def source(self) -> str | None:
        """The innermost frame outside torch in the node's stack trace."""
        return _innermost(self.trace)


@dataclass(slots=True)
class Report:
    """Result of one run.

    ``nodes_before`` and ``nodes_after`` count call nodes (placeholders, ``get_attr`` and the output are not
    counted) over the graph and its nested graphs. ``guards_added`` counts guards, replacements, runtime
    asserts and range changes that appeared in the ``ShapeEnv`` during the run; it is 0 or a bug of ours, and
    ``shape_env_changes`` then says which. ``seconds`` is wall time of the run.
    """

    passed: list[Passed] = field(default_factory=list)
    missed_later: list[Callable[[], list[Missed]]] = field(default_factory=list, repr=False)
    """What ``missed`` is made of when it is read first: most reports are not read."""
    _missed: list[Missed] = field(default_factory=list)
    nodes_before: int = 0
    nodes_after: int = 0
    seconds: float = 0.0
    converged: bool = True
    shape_env_changes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def missed(self) -> list[Missed]:
        """Nodes that a rule matched and that stayed."""
        while self.missed_later:
            self._missed += self.missed_later.pop(0)()
        return self._missed

    @property
    def counts(self) -> dict[str, int]:
        """Rewrites per rule, most frequent first, ties by name."""
        tally = Counter(remark.rule for remark in self.passed)
        return dict(sorted(tally.items(), key=lambda item: (-item[1], item[0])))

    @property
    def guards_added(self) -> int:
        """See the class docstring; 0 unless something is broken."""
        return len(self.shape_env_changes)

    def merge(self, other: Report) -> None:
        """Add the remarks and counts of a run over another graph of the same program."""
        self.passed += other.passed
        self.missed_later += [lambda: other.missed]
        self.nodes_before += other.nodes_before
        self.nodes_after += other.nodes_after
        self.seconds += other.seconds
        self.converged &= other.converged
        self.shape_env_changes += other.shape_env_changes

    def to_dict(self) -> dict[str, Any]:
        """The stable form documented in ``docs/report.md``; keys are only ever added."""
        return {
            "version": JSON_VERSION,
            "nodes_before": self.nodes_before,
            "nodes_after": self.nodes_after,
            "counts": self.counts,
            "converged": self.converged,
            "seconds": self.seconds,
            "guards_added": self.guards_added,
            "shape_env_changes": list(self.shape_env_changes),
            "assumptions": list(self.assumptions),
            "passed": [
                {
                    "node": r.node,
                    "op": r.op,
                    "rule": r.rule,
                    "replacement": r.replacement,
                    "claim": r.proof.claim,
                    "by": r.proof.by,
                    "legality": r.legality,
                    "graph": r.graph,
                    "source": r.source,
                }
                for r in self.passed
            ],
            "missed": [
                {
                    "node": r.node,
                    "op": r.op,
                    "rule": r.rule,
                    "stage": r.stage.name.lower(),
                    "reason": r.reason,
                    "claim": r.claim,
                    "needs": r.needs,
                    "like": r.like,
                    "graph": r.graph,
                    "source": r.source,
                }
                for r in self.missed
            ],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """``to_dict`` as text."""
        return json.dumps(self.to_dict(), indent=indent)

    @property
    def headline(self) -> str:
        """The run in one line."""
        return (
            f"noopelim: {self.nodes_before} -> {self.nodes_after} nodes, {len(self.passed)} rewrites, "
            f"{self.guards_added} guards added, {self.seconds * 1e3:.1f} ms"
            + ("" if self.converged else ", NOT converged")
        )

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {count:5d}  {rule}" for rule, count in self.counts.items()]
        if self.passed:
            lines.append("removed:")
        for r in self.passed:
            lines.append(f"  {r.graph}{r.node} [{r.op}] -> {r.stands}  ({r.rule}: {r.proof})")
            if r.source:
                lines.append(f"      {r.source}")
        kept = [r for r in self.missed if r.stage is not Stage.REFUTED]
        if kept:
            lines.append("kept, and why:")
        for m in sorted(kept, key=lambda r: -r.stage):
            needs = f"; would need {m.claim}" if m.claim else ""
            if m.needs:
                needs += f"; needs {m.needs}"
            like = f"as {m.like}, " if m.like else ""
            lines.append(f"  {m.graph}{m.node} [{m.op}]  ({like}{m.rule}: {m.reason}{needs})")
            if m.source:
                lines.append(f"      {m.source}")
        refuted = len(self.missed) - len(kept)
        if refuted:
            lines.append(f"{refuted} more matched a pattern and do something (see to_json)")
        return "\n".join(lines)


def _innermost(trace: str | None) -> str | None:
    """``File "model.py", line 7, in forward`` of the last frame that is not torch's own, or else the last."""
    frames = [line.strip() for line in (trace or "").splitlines() if line.lstrip().startswith("File ")]
    theirs = [f for f in frames if f"{os.sep}torch{os.sep}" not in f]
    return next(reversed(theirs or frames), None)
