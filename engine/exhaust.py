"""The exhaustive part of verification: every instance within a scope, the smallest first."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from .choices import DeadEnd, Pick, estimated, every
from .drawing import Drawn, draw, heads
from .law import Judge, Wrong
from .rule import Rule
from .scope import Scope


@dataclass
class Tried:
    """What trying a rule came to: instances by what became of them, and the first that it is wrong on."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: Wrong | None = None
    sampled: bool = False
    """Were there too many, so that only some were tried?"""


def within_reach(rule: Rule, scope: Scope, sweep: str = "shapes") -> Scope:
    """The scope with ``dim``, then ``rank``, lowered until about ``scope.most`` instances are left."""
    if sweep != "shapes":
        return scope
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


def _heads(rule: Rule, sweep: str) -> list[tuple[Any, ...]]:
    return heads(rule, together=sweep == "spellings")


def exhaust(rule: Rule, scope: Scope, sweep: str, part: int = 0, parts: int = 1) -> Tried:
    """Every instance of one sweep, or one of several parts of them; a random sample where they are more than
    ``scope.most``. It ends at the first one on which the rule is wrong."""
    tried, judge = Tried(), Judge(rule)
    tried.sampled = _size(rule, scope, sweep) > 1.5 * scope.most
    make = _sample if tried.sampled else _instances
    for drawn in make(rule, scope, sweep, part, parts):
        judgement = judge.judge(drawn)
        tried.counts["instances"] += 1
        tried.counts["matched"] += judgement.proof is not None
        tried.counts["fired"] += judgement.fired
        if judgement.wrong is not None:
            tried.wrong = judgement.wrong
            break
    return tried


def _instances(rule: Rule, scope: Scope, sweep: str, part: int, parts: int) -> Iterator[Drawn]:
    spelled = _heads(rule, sweep)
    ways = (
        every(lambda pick, head=head: draw(rule, scope, pick, head, sweep), part, parts)  # type: ignore[misc]
        for head in spelled
    )
    return itertools.chain.from_iterable(ways)


def _sample(rule: Rule, scope: Scope, sweep: str, part: int, parts: int) -> Iterator[Drawn]:
    random, known = Random(part), _heads(rule, sweep)

    def pick(options: Sequence[Any]) -> Any:
        if not options:
            raise DeadEnd
        return random.choice(options)

    for _ in range(scope.most // parts):
        with contextlib.suppress(DeadEnd):
            yield draw(rule, scope, pick, pick(known), sweep)
