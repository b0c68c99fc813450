"""``verify``: is a rule right? A counterexample, or the scope within which there is none."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace

from .counterexample import Counterexample
from .reference import Reference, reference_of, rule_at
from .rule import Rule
from .scope import DEFAULT, Scope
from .stages import STAGES, Found, Task

Progress = Callable[[int, int, str], None]
"""Called with how many of how many tasks are done, and the name of the rule that the last was about."""


@dataclass(frozen=True)
class Verdict:
    """What verification found. ``counts``: instances by what became of them; ``exhausted``: the scope within
    which there is no counterexample; ``proved``: for which forms the law is proved for all sizes; ``notes``:
    what was left out, and why."""

    rule: str
    scope: Scope
    counterexample: Counterexample | None = None
    counts: dict[str, int] = field(default_factory=dict)
    exhausted: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verified(self) -> bool:
        """No counterexample exists up to the scope, and the rule did fire."""
        return self.counterexample is None and self.counts.get("fired", 0) > 0

    def __str__(self) -> str:
        counted = ", ".join(f"{n:,} {what}" for what, n in self.counts.items() if n)
        lines = [f"{self.rule}: {self._said()}", f"  tried: {counted or 'nothing'} ({self.seconds:.1f} s)"]
        for label, texts in (("exhausted", self.exhausted), ("proved", self.proved), ("note", self.notes)):
            lines += [f"  {label}: {text}" for text in texts]
        if self.counterexample is not None:
            lines += ["  counterexample:", *(f"    {s}" for s in self.counterexample.script().splitlines())]
        return "\n".join(lines)

    def _said(self) -> str:
        if self.counterexample is not None:
            return f"REFUTED: {self.counterexample.what}"
        if not self.verified:
            return "NOT VERIFIED: it fired on no instance that could be made"
        return "verified: no counterexample exists up to this scope"


def verify(
    rule: Rule,
    scope: Scope = DEFAULT,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Check one rule: the very pattern, predicate and replacement that run.

    With ``executor`` the work goes there, in as many parts as ``jobs`` says; the rule must then be importable
    by name, as one in a module's ``RULES``. Raises ``RuleError`` for a rule of which no instance can be made.
    """
    (verdict,) = verify_all([rule], scope, jobs=jobs, executor=executor, progress=progress)
    return verdict


def verify_all(
    rules: Iterable[Rule],
    scope: Scope = DEFAULT,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[Verdict]:
    """A verdict for each rule, in order, as soon as it is known."""
    rules = list(rules)
    plans = [list(_tasks(rule, scope, jobs if executor else 1)) for rule in rules]
    total, done = sum(map(len, plans)), itertools.count(1)

    def told(rule: Rule) -> None:
        if progress is not None:
            progress(next(done), total, rule.name)

    if executor is None:
        for rule, tasks in zip(rules, plans, strict=True):
            yield _in_turn(rule, scope, tasks, told)
        return
    began = time.perf_counter()
    running = {}
    for rule, tasks in zip(rules, plans, strict=True):
        where = reference_of(rule)
        running[rule] = [executor.submit(run_task, where, task) for task in tasks]
    try:
        for rule in rules:
            for _ in _settled(running[rule]):
                told(rule)
            found = [future.result() for future in running[rule] if not future.cancelled()]
            yield _verdict(rule, scope, found, time.perf_counter() - began)
    finally:
        # Of use only if a rule raised, or if nobody wants the rest.
        for future in itertools.chain.from_iterable(running.values()):
            future.cancel()


def _settled(running: Iterable[Future[Found]]) -> Iterator[Future[Found]]:
    """Each task as it is done, or is not needed any more. Raises what a task raised."""
    waiting = set(running)
    while waiting:
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        if any(future.result().counterexample for future in finished):
            # What has not begun would only find another. Who cancels need not wait: Dask may never tell.
            cancelled = {future for future in waiting if future.cancel()}
            waiting -= cancelled
            yield from cancelled
        yield from finished


def run_task(where: Reference, task: Task) -> Found:
    """One task of one rule, named by where it is found: what an executor's workers are asked to do."""
    return task.run(rule_at(*where))


def _tasks(rule: Rule, scope: Scope, parts: int) -> Iterator[Task]:
    for stage in STAGES:
        split = parts if stage.startswith("exhaust") else 1
        yield from (Task(stage, scope, part, split) for part in range(split))


def _in_turn(rule: Rule, scope: Scope, tasks: list[Task], told: Callable[[Rule], None]) -> Verdict:
    """A first counterexample ends it: the stages are in order of cost."""
    began = time.perf_counter()
    found: list[Found] = []
    for task in tasks:
        if not any(f.counterexample for f in found):
            found.append(task.run(rule))
        told(rule)
    return _verdict(rule, scope, found, time.perf_counter() - began)


def _verdict(rule: Rule, scope: Scope, found: list[Found], seconds: float) -> Verdict:
    counts: Counter[str] = Counter()
    for one in found:
        counts.update(one.counts)
    wrong = min((f.counterexample for f in found if f.counterexample), key=lambda c: c.size, default=None)
    verdict = Verdict(rule.name, scope, wrong, dict(counts), seconds=seconds)
    if wrong is not None:
        return verdict
    return replace(
        verdict,
        exhausted=tuple(dict.fromkeys(t for f in found for t in f.exhausted)),
        proved=tuple(dict.fromkeys(t for f in found for t in f.proved)),
        notes=tuple(dict.fromkeys(t for f in found for t in f.notes)),
    )
