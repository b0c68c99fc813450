"""The stages of verification, each a function of a rule and a scope that may run anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from .all_sizes import for_all_sizes
from .choices import DeadEnd
from .contexts import check_in_contexts
from .counterexample import Counterexample, of_engine, of_values
from .drawing import Drawer
from .exhaust import exhaust
from .law import Judge, Wrong
from .pattern import Assembly, Chain
from .rule import Rule
from .scope import Scope
from .sweeps import SWEEPS
from .symbolic import Symbolic

BEYOND = Scope("beyond", rank=5, dim=30, window=3)
"""What samples are drawn from."""


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
        for one in rule.of_each_length(self.scope.calls):
            parts.append(STAGES[self.stage](one, self))
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
        whole = not tried.sampled and tried.counts["instances"] > 0
        return Found(
            dict(tried.counts),
            of_values(rule, tried.wrong) if tried.wrong else None,
            notes=() if whole else (tried.told,),
            exhausted=(tried.told,) if whole else (),
        )

    return run


def _symbolic(rule: Rule, task: Task) -> Found:
    """Random instances with symbols, until enough of them could be made."""
    stage = Symbolic(Judge(rule), task.scope, task.part)
    for _ in range(12 * task.scope.symbolic):
        wrong = stage.attempt()
        if wrong is not None:
            return Found(dict(stage.counts), of_values(rule, wrong))
        if stage.counts["symbolic"] >= task.scope.symbolic:
            break
    return Found(dict(stage.counts))


def _samples(rule: Rule, task: Task) -> Found:
    """Large instances, drawn and shrunk by Hypothesis."""
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError:
        return Found(notes=("no large samples: they need `pip install noopelim[testing]`",))
    judge, drawer = Judge(rule), Drawer(rule, BEYOND)
    counts = {"samples": 0}
    last: list[Wrong] = []

    @hypothesis.settings(
        max_examples=task.scope.samples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        verbosity=hypothesis.Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(st.data())
    def sampled(data: st.DataObject) -> None:
        def pick(options: Any) -> Any:
            if not options:
                raise DeadEnd
            return data.draw(st.sampled_from(options))

        try:
            drawn = drawer.draw(pick)
        except DeadEnd:
            hypothesis.reject()
        counts["samples"] += 1
        judged = judge.judge(drawn)
        if judged.wrong is not None:
            last[:] = [judged.wrong]
            raise AssertionError(judged.wrong.what)

    try:
        sampled()
    except AssertionError:
        return Found(counts, of_values(rule, last[0]))
    except hypothesis.errors.Unsatisfiable:
        return Found(counts, notes=("no large samples: few of those drawn were legal calls",))
    return Found(counts)


def _contexts(rule: Rule, task: Task) -> Found:
    """Instances on which the rule fires, in every graph context, through the engine."""
    random, judge = Random(task.part), Judge(rule)
    counts = {"instances in graphs": 0, "graphs": 0}
    scope = replace(task.scope, rank=min(task.scope.rank, 2), dim=min(task.scope.dim, 2))
    drawers = [Drawer(rule, scope, sweep) for sweep in SWEEPS]

    def pick(options: Any) -> Any:
        if not options:
            raise DeadEnd
        return random.choice(options)

    for _ in range(400 * task.scope.contexts):
        if counts["instances in graphs"] >= task.scope.contexts:
            break
        try:
            drawn = pick(drawers).draw(pick)
        except DeadEnd:
            continue
        if not judge.judge(drawn).fired:
            continue
        checked = check_in_contexts(rule, drawn.call, dynamic=counts["instances in graphs"] % 3 == 2)
        counts["instances in graphs"] += checked.ran > 0
        counts["graphs"] += checked.ran
        if checked.misfit is not None:
            m = checked.misfit
            return Found(counts, of_engine(rule, drawn.call, m.context, m.what, m.before, m.after))
    return Found(counts)


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
