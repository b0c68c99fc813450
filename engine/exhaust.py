"""The exhaustive part of verification: every instance within a scope, the smallest first."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .choices import Pick, estimated, every
from .drawing import Drawn, draw, heads
from .instances import CallOf
from .law import Judge, Wrong
from .rule import Rule
from .scope import Scope


@dataclass
class Tried:
    """What trying a rule came to: instances by what became of them, and the first that it is wrong on."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: Wrong | None = None
    fired: list[CallOf] = field(default_factory=list)


def within_reach(rule: Rule, scope: Scope, sweep: str = "shapes") -> Scope:
    """The scope with ``dim``, then ``rank``, lowered until about ``scope.most`` instances are left."""
    ladder = [(r, d) for d in range(scope.dim, 0, -1) for r in range(scope.rank, 0, -1)]
    ladder.sort(key=lambda rd: -((rd[1] + 1) ** rd[0]))
    for rank, dim in ladder:
        smaller = replace(scope, rank=rank, dim=dim)
        if _size(rule, smaller, sweep) <= scope.most:
            return smaller
    return replace(scope, rank=1, dim=1)


def _size(rule: Rule, scope: Scope, sweep: str) -> float:
    known = _heads(rule, sweep)

    def make(pick: Pick) -> Drawn:
        return draw(rule, scope, pick, pick(known), sweep)

    return estimated(make, dives=200)


def _heads(rule: Rule, sweep: str) -> list[tuple[object, ...]]:
    return heads(rule, together=sweep == "spellings")


def exhaust(rule: Rule, scope: Scope, sweep: str, part: int = 0, parts: int = 1) -> Tried:
    """Every instance of one sweep, or every ``parts``-th of them from ``part`` on. It ends at the first one on
    which the rule is wrong."""
    tried, judge = Tried(), Judge(rule)
    for count, drawn in enumerate(_instances(rule, scope, sweep)):
        if count % parts != part:
            continue
        judgement = judge.judge(drawn)
        tried.counts["instances"] += 1
        tried.counts["matched"] += judgement.proof is not None
        tried.counts["fired"] += judgement.fired
        if judgement.wrong is not None:
            tried.wrong = judgement.wrong
            break
    return tried


def _instances(rule: Rule, scope: Scope, sweep: str) -> Iterator[Drawn]:
    spelled = _heads(rule, sweep)
    ways = [every(lambda pick, head=head: draw(rule, scope, pick, head, sweep)) for head in spelled]  # type: ignore[misc]
    return itertools.chain.from_iterable(ways)
