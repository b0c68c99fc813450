"""The stages of verification, each a function of a rule and a scope that may run anywhere."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from .all_sizes import for_all_sizes
from .choices import Pick, draws
from .contexts import check_in_contexts
from .counterexample import Counterexample, of_engine, of_values
from .drawing import Drawer, Drawn
from .exhaust import exhaust, instances, within_reach
from .instances import CallOf
from .law import Judge, Wrong
from .pattern import Assembly, Chain
from .plain import plain
from .rule import Rule
from .sampling import sampled
from .scope import Scope
from .shrinking import shrunk
from .sweeps import SWEEPS
from .symbolic import Symbolic
from .trial import Misfit


@dataclass(frozen=True, slots=True)
class Found:
    """What one task came to; plain data, so that it travels between processes."""

    counts: dict[str, int] = field(default_factory=dict)
    counterexample: Counterexample | None = None
    exhausted: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One stage over one part of its instances."""

    stage: str
    scope: Scope
    part: int = 0
    parts: int = 1

    def run(self, rule: Rule) -> Found:
        """Do it, for a chain of each length."""
        if self.stage == "all sizes" and isinstance(rule.pattern, Assembly | Chain):
            return Found(notes=("all sizes: not tried; what a chain reads is worked out anew at each match",))
        parts: list[Found] = []
        rules = rule.of_each_length(self.scope.calls)
        task = replace(self, scope=self.scope.shared(len(rules)))
        for one in rules:
            parts.append(STAGES[self.stage](one, task))
            if parts[-1].counterexample is not None:
                break
        return (
            parts[0]
            if len(parts) == 1
            else _merged(parts, "calls" if isinstance(rule.pattern, Chain) else "form")
        )


def _merged(parts: Sequence[Found], label: str) -> Found:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)

    def each(texts: Callable[[Found], tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(f"{label} {n}: {text}" for n, part in enumerate(parts, 1) for text in texts(part))

    wrong = next((part.counterexample for part in parts if part.counterexample), None)
    return Found(
        dict(counts), wrong, each(lambda p: p.exhausted), each(lambda p: p.proved), each(lambda p: p.notes)
    )


def _exhausted(sweep: str) -> Callable[[Rule, Task], Found]:
    def run(rule: Rule, task: Task) -> Found:
        tried = exhaust(rule, task.scope, sweep, task.part, task.parts)
        whole = not (tried.sampled or tried.empty)
        return Found(
            dict(tried.counts),
            of_values(rule, _smallest(rule, tried.wrong)) if tried.wrong else None,
            notes=() if whole else (tried.told,),
            exhausted=(tried.told,) if whole else (),
        )

    return run


def _smallest(rule: Rule, wrong: Wrong) -> Wrong:
    """The same kind of mistake, on as small an instance as can be."""
    judge, kind = Judge(rule), wrong.what.split()[0]

    def still(drawn: Drawn) -> Wrong | None:
        found = judge.judge(drawn).wrong
        return found if found is not None and found.what.split()[0] == kind else None

    at = re.match(r"element (\d+) ", wrong.what)
    return shrunk(wrong.call, wrong, still, at=int(at[1]) if at else None)


def _symbolic(rule: Rule, task: Task) -> Found:
    """Random instances with symbols, until enough of them could be made."""
    stage = Symbolic(Judge(rule), task.scope, task.part)
    for _ in range(8 * task.scope.symbolic):
        wrong = stage.attempt()
        if wrong is not None:
            return Found(dict(stage.counts), of_values(rule, _smallest(rule, wrong)))
        if stage.counts["symbolic"] >= task.scope.symbolic:
            break
    return Found(dict(stage.counts))


def _samples(rule: Rule, task: Task) -> Found:
    """Large instances, drawn and shrunk by Hypothesis."""
    try:
        counts, wrong, note = sampled(rule, task.scope)
    except ImportError:
        return Found(notes=("no large samples: they need `pip install noopelim[testing]`",))
    return Found(
        counts, of_values(rule, _smallest(rule, wrong)) if wrong else None, notes=(note,) if note else ()
    )


def _contexts(rule: Rule, task: Task) -> Found:
    """Instances on which the rule fires, in every graph context, through the engine."""
    random, judge = Random(task.part), Judge(rule)
    counts = {"instances in graphs": 0, "graphs": 0}
    scope = replace(task.scope, rank=min(task.scope.rank, 2), dim=min(task.scope.dim, 2))
    drawers = [Drawer(rule, scope, sweep, dtype=plain(rule).dtype) for sweep in SWEEPS]

    def draw(pick: Pick) -> Drawn:
        drawn: Drawn = pick(drawers).draw(pick)
        return drawn

    rare = within_reach(rule, scope, "shapes")[0]
    # Of a rule that fires seldom, random draws may all miss.
    drawn_or_found = itertools.chain(
        draws(draw, random.choice, 400 * task.scope.contexts), itertools.islice(instances(rare), scope.most)
    )
    for drawn in drawn_or_found:
        if counts["instances in graphs"] >= task.scope.contexts:
            break
        if not judge.judge(drawn).fired:
            continue
        dynamic = counts["instances in graphs"] % 3 == 2
        checked = check_in_contexts(rule, drawn.call, dynamic=dynamic)
        counts["instances in graphs"] += checked.ran > 0
        counts["graphs"] += checked.ran
        if checked.misfit is not None:
            return Found(counts, _smallest_misfit(rule, drawn.call, checked.misfit, dynamic))
    return Found(counts)


def _smallest_misfit(rule: Rule, call: CallOf, misfit: Misfit, dynamic: bool) -> Counterexample:
    """Of those in the same context."""

    def still(drawn: Drawn) -> tuple[CallOf, Misfit] | None:
        found = check_in_contexts(rule, drawn.call, dynamic=dynamic, only=misfit.context).misfit
        return None if found is None else (drawn.call, found)

    call, found = shrunk(call, (call, misfit), still, attempts=60)
    return of_engine(rule, call, found.context, found.what, found.before, found.after)


def _all_sizes(rule: Rule, task: Task) -> Found:
    """The law for all sizes, where both sides only move data."""
    told = for_all_sizes(rule)
    return Found(proved=(told.summary(),))


STAGES: dict[str, Callable[[Rule, Task], Found]] = {
    **{f"exhaust {sweep}": _exhausted(sweep) for sweep in SWEEPS},
    "symbolic": _symbolic,
    "samples": _samples,
    "contexts": _contexts,
    "all sizes": _all_sizes,
}
"""By name, in order of cost."""
