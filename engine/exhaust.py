"""The exhaustive part of verification: every instance within a scope, the smallest first."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from .choices import draws, estimated, every
from .drawing import Drawer, Drawn
from .law import Judge, Wrong
from .plain import plain
from .rule import Rule
from .scope import Scope
from .sweeps import ladder


@dataclass
class Tried:
    """What trying a rule came to: instances by what became of them, the first that it is wrong on, and in words
    what was tried. ``sampled``: there were too many, so that only some were; ``empty``: there are none."""

    told: str
    sampled: bool = False
    empty: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    wrong: Wrong | None = None


def exhaust(rule: Rule, scope: Scope, sweep: str, part: int = 0, parts: int = 1) -> Tried:
    """Every instance of one sweep that ``scope`` can afford, or one of several parts of them; a random sample
    where even the least of it is too much. It ends at the first one on which the rule is wrong."""
    drawer, tried = within_reach(rule, scope, sweep)
    judge, most = Judge(rule), affordable(scope, sweep)
    sample = draws(drawer.draw, Random(part).choice, most // parts)
    for instance in sample if tried.sampled else instances(drawer, part, parts):
        judgement = judge.judge(instance)
        tried.counts["instances"] += 1
        tried.counts["matched"] += judgement.proof is not None
        tried.counts["fired"] += judgement.fired
        if judgement.wrong is not None:
            tried.wrong = judgement.wrong
            break
    if not tried.counts["instances"] and next(instances(drawer, 0, 1), None) is None:
        tried.empty, tried.told = True, f"{sweep}: no instance could be made"
    return tried


def within_reach(rule: Rule, scope: Scope, sweep: str) -> tuple[Drawer, Tried]:
    """What draws about as many instances as the scope allows in this sweep, and what there is to tell of it: for
    shapes ``dim`` and then ``rank`` are lowered, for the rest how much varies beside what it is about."""
    most = affordable(scope, sweep)
    for drawer in _drawers(rule, scope, sweep):
        least = sweep != "shapes" and drawer.few.values == 1
        if _size(drawer) <= (1.5 * most if least else most):
            told = f"all shapes: {drawer.scope}" if sweep == "shapes" else drawer.few.told(sweep)
            of = "" if sweep in ("dtypes", "values") else f", of {str(drawer.dtype).removeprefix('torch.')}"
            return drawer, Tried(told + of)
    return drawer, Tried(f"{sweep}: a sample of {most:,} draws", sampled=True)


def affordable(scope: Scope, sweep: str) -> int:
    """How many instances of a sweep are tried."""
    return scope.most if sweep == "shapes" else scope.narrow


def _drawers(rule: Rule, scope: Scope, sweep: str) -> Iterator[Drawer]:
    dtype = plain(rule).dtype
    if sweep != "shapes":
        drawers = [Drawer(rule, scope, sweep, few, dtype) for few in ladder(sweep)]
        if not any(draws(drawers[0].draw, Random(0).choice, 300)):
            # As of a call that takes three dims or more.
            few = (replace(few, shapes=plain(rule).shapes) for few in ladder(sweep))
            drawers = [Drawer(rule, scope, sweep, one, dtype) for one in few]
        yield from drawers
        return
    bounds = [(r, d) for d in range(scope.dim, 0, -1) for r in range(scope.rank, 0, -1)]
    bounds.sort(key=lambda rd: -((rd[1] + 1) ** rd[0]))
    yield from (Drawer(rule, replace(scope, rank=rank, dim=dim), sweep, dtype=dtype) for rank, dim in bounds)


def _size(drawer: Drawer) -> float:
    return estimated(drawer.draw, dives=200)


def instances(drawer: Drawer, part: int = 0, parts: int = 1) -> Iterator[Drawn]:
    """All that a drawer draws, or one of several parts of it, the smallest first."""
    ways = (
        every(lambda pick, head=head: drawer.draw(pick, head), part, parts)  # type: ignore[misc]
        for head in drawer.heads
    )
    return itertools.chain.from_iterable(ways)
