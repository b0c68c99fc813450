"""The tables of the benchmark of the prover, what was missed, and which targets hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import product
from statistics import median, quantiles

from questions import in_complete_class
from race import CONTENDERS, OURS, PROVED, REFUTED, SYMINT, SYMPY, UNKNOWN, Result
from rich.console import Console
from rich.table import Table

console = Console(width=120, highlight=False)
EXAMPLES = 5
SLOW = 5_000_000
"""Nanoseconds past which a claim of ours is named."""
RATIOS = {True: 5, False: 20}
"""How many times cheaper the median must be, on claims that hold and on those that fail."""
ALL, DIFFERENT = TOTALS = ("all", "all but a == a")
Test = Callable[[Result], bool]


def show(results: list[Result], changes: dict[str, Counter[str]]) -> int:
    """Print all of it. The exit status: 1 if a target does not hold."""
    families = list(dict.fromkeys(r.family for r in results))
    console.print(_verdicts(results, families, changes), _costs(results, families))
    console.print(f"architectures traced: {len({r.group.name for r in results if r.group.family == 'real'})}")
    _list("proved by us though false", results, lambda r: not r.holds and _ours(r) == PROVED)
    _list("proved by torch though false", results, lambda r: not r.holds and _torch(r))
    _list("refuted by us with a witness that evaluation does not confirm", results, _false_witness)
    _list("proved by torch and not by us", results, lambda r: _torch(r) and _ours(r) != PROVED)
    _list("proved by us with torch's evaluation as the last resort", results, _helped)
    _list("true, in the complete class, not proved", results, _missed, 50)
    _list(
        "true, outside of that class, not proved",
        results,
        lambda r: r.holds and _ours(r) != PROVED and not _missed(r),
        20,
    )
    _list("false, not refuted", results, lambda r: not r.holds and _ours(r) == UNKNOWN, 20)
    _list("of more than 5 ms", results, lambda r: r.times[OURS] > SLOW, 20)
    return _targets(results, changes)


def _ours(result: Result) -> str:
    return result.answers[OURS].truth


def _torch(result: Result) -> bool:
    return PROVED in (result.answers[SYMPY].truth, result.answers[SYMINT].truth)


def _missed(result: Result) -> bool:
    return result.holds and _ours(result) != PROVED and in_complete_class(result.claim, result.group.env)


def _helped(result: Result) -> bool:
    return _ours(result) == PROVED and result.answers[OURS].by == "torch's static evaluation"


def _false_witness(result: Result) -> bool:
    return result.confirmed is False


def _list(title: str, results: Iterable[Result], test: Test, most: int = EXAMPLES) -> None:
    found = [r for r in results if test(r)]
    console.print(f"claims {title}: {len(found)}", style="bold")
    for result in found[:most]:
        ours = result.answers[OURS]
        cost = ", ".join(f"{name} {_us(result.times[name])}" for name in CONTENDERS)
        console.print(
            f"  {result.group.family}, {result.group.name}: {result.claim}\n"
            f"    {ours.truth} by {ours.by}; {cost}",
            style="dim",
            markup=False,
        )


def _verdicts(results: list[Result], families: list[str], changes: dict[str, Counter[str]]) -> Table:
    table = Table(title="what was proved", title_justify="left")
    titles = "family|claims|noopelim proved|refuted|un- known|torch proved sympy|SymInt|torch only|guards, ours|torch"
    for index, name in enumerate(titles.split("|")):
        table.add_column(name, justify="right" if index else "left", no_wrap=not index)
    for family in [*families, *TOTALS]:
        if family == ALL:
            table.add_section()
        for holds in (True, False):
            part = _part(results, family, holds)
            if not part:
                continue
            guards = sum(changes.values(), Counter()) if family == ALL else changes.get(family, Counter())
            cells = [
                len(part),
                *(sum(_ours(r) == truth for r in part) for truth in (PROVED, REFUTED, UNKNOWN)),
                *(sum(r.answers[name].truth == PROVED for r in part) for name in (SYMPY, SYMINT)),
                sum(_torch(r) and _ours(r) != PROVED for r in part),
            ]
            counted = family == ALL or family in changes
            added = [f"{guards[OURS]}", f"{guards[SYMPY] + guards[SYMINT]}"] if counted else ["", ""]
            table.add_row(f"{family}, {'true' if holds else 'false'}", *map(str, cells), *added)
    return table


def _costs(results: list[Result], families: list[str]) -> Table:
    table = Table(title="microseconds per claim: median / p99", title_justify="left")
    for index, name in enumerate(("family", "claims", *CONTENDERS, "sympy / ours", "SymInt / ours")):
        table.add_column(name, justify="right" if index else "left", no_wrap=not index)
    for family in [*families, *TOTALS]:
        if family == ALL:
            table.add_section()
        for holds in (True, False):
            part = _part(results, family, holds)
            if not part:
                continue
            costs = (
                f"{_us(_median(part, name))} / {_us(_p99([r.times[name] for r in part]))}"
                for name in CONTENDERS
            )
            ratios = (f"{_ratio(part, name):.1f}" for name in (SYMPY, SYMINT))
            table.add_row(f"{family}, {'true' if holds else 'false'}", f"{len(part)}", *costs, *ratios)
    return table


def _part(results: list[Result], family: str, holds: bool) -> list[Result]:
    """``family`` is a family or a total. A guard is counted against the family as a whole."""
    return [
        r
        for r in results
        if r.holds is holds and (family in (r.family, ALL) or (family == DIFFERENT and not r.identical))
    ]


def _median(results: list[Result], name: str) -> float:
    return median(r.times[name] for r in results)


def _p99(times: list[int]) -> float:
    return quantiles(times, n=100, method="inclusive")[-1] if len(times) > 1 else times[0]


def _ratio(results: list[Result], name: str) -> float:
    """How many times ours the median of ``name`` is."""
    return _median(results, name) / _median(results, OURS) if results else float("inf")


def _us(nanoseconds: float) -> str:
    return f"{nanoseconds / 1000:.1f}" if nanoseconds < 100_000 else f"{nanoseconds / 1000:.0f}"


def _targets(results: list[Result], changes: dict[str, Counter[str]]) -> int:
    held = {
        "no false claim proved": not any(not r.holds and _ours(r) == PROVED for r in results),
        "every witness confirmed": not any(map(_false_witness, results)),
        "no guards added": sum(counts[OURS] for counts in changes.values()) == 0,
        "every true claim of the complete class proved": not any(map(_missed, results)),
        "every claim that torch proves, proved": not any(_torch(r) and _ours(r) != PROVED for r in results),
    }
    # Answers decide the exit status; times are told and decide nothing, since they depend on the machine.
    wrong = int(not all(held.values()))
    for (holds, least), total, name in product(RATIOS.items(), TOTALS, (SYMPY, SYMINT)):
        if holds or total == ALL:
            ratio = _ratio(_part(results, total, holds), name)
            said = (
                f"median on claims that {'hold' if holds else 'fail'}, {total}, at most 1/{least} of {name}"
            )
            held[f"{said}: 1/{ratio:.1f}"] = ratio >= least
    for target, holds in held.items():
        console.print(f"{'held' if holds else 'NOT HELD'}: {target}", style="green" if holds else "bold red")
    return wrong
