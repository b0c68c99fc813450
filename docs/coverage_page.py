"""``docs/coverage.md``: the catalogue of no-ops, and which rules removed what in a run of its graphs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalogue import SECTIONS
from catalogue_not_built import NOT_BUILT
from catalogue_row import BURIAL, Example, Outcome, Row, name_of

from noopelim import Exact

HEAD = """# Coverage

<!-- Made by `python docs/generate.py` from a run of the graphs in `tests/catalogue*.py`. Edit those. -->

Every no-op that some compiler is known to remove, {rows} rows, with the graphs that show it, {runs} runs in all. A
graph is run once with fixed sizes and, where that makes sense, once with symbols for its sizes. Of {whole} rows all
goes that should, in every run; of {partly} in some runs; of {none} nothing goes, for the reason given.

*By* names the rules that removed something in these runs. *Static* and *symbolic* count the graphs from which all
went that should. `VALUE_EQUAL` says that some graphs need rules that keep less than every bit, which are off by
default. `tests/test_catalogue.py` runs the same graphs and compares every result with the original's, bit by bit or
as exactly as the rules say, at other sizes too.
"""

TABLE = """
| row | what | by | static | symbolic | what stays, and why |
|--|--|--|--|--|--|
"""


@dataclass(frozen=True)
class Run:
    """One example, run with or without symbols."""

    section: str
    row: Row
    example: Example
    dynamic: bool
    outcome: Outcome

    @property
    def name(self) -> str:
        return name_of(self.row, self.example, self.dynamic)

    @property
    def kept(self) -> str:
        """Why nothing should go; empty if something should."""
        return self.example.stays or self.row.reason

    @property
    def done(self) -> bool:
        """Has all gone that should?"""
        return not self.kept and self.outcome.left <= self.example.left


def run_all() -> list[Run]:
    """Run every graph of the catalogue once."""
    return [
        Run(section, row, example, dynamic, Outcome.of(example, dynamic))
        for section, rows in SECTIONS.items()
        for row in rows
        for example in row.examples
        for dynamic in (False, True)
        if not (dynamic and example.static_only)
    ]


def page(runs: Sequence[Run]) -> str:
    by_row = [list(group) for _, group in itertools.groupby(runs, lambda run: run.row.number)]
    should = [[run.done for run in group if not run.kept] for group in by_row]
    text = HEAD.format(
        rows=len(by_row),
        runs=len(runs),
        whole=sum(all(done) and bool(done) for done in should) + sum(_anti(group) for group in by_row),
        partly=sum(any(done) and not all(done) for done in should),
        none=sum(not any(done) for done in should) - sum(_anti(group) for group in by_row),
    )
    for section, group in itertools.groupby(by_row, lambda group: group[0].section):
        text += f"\n## {section}\n{TABLE}" + "".join(map(_line, group))
    return text


def _anti(group: Sequence[Run]) -> bool:
    """A row that says what must not be removed."""
    return all(run.example.stays for run in group)


def _line(group: Sequence[Run]) -> str:
    row = group[0].row
    rules = sorted({name for run in group if run.done for name in _rules(run)})
    weaker = any(run.example.level is not Exact.BITS for run in group if not run.kept)
    by = ", ".join(f"`{name}`" for name in rules) + (" (`VALUE_EQUAL`)" if weaker and rules else "")
    cells = (
        str(row.number),
        row.title,
        by or "no rule",
        _count([run for run in group if not run.dynamic]),
        _count([run for run in group if run.dynamic]),
        "; ".join(_remarks(group)),
    )
    return f"| {' | '.join(cells)} |\n"


def _rules(run: Run) -> list[str]:
    return run.outcome.rules or [name for name in run.outcome.report.counts if name == BURIAL]


def _count(runs: Sequence[Run]) -> str:
    should = [run for run in runs if not run.kept]
    return f"{sum(run.done for run in should)} of {len(should)}" if should else ""


def _remarks(group: Sequence[Run]) -> Iterator[str]:
    row = group[0].row
    if row.reason:
        yield row.reason
    for example in row.examples:
        if example.stays:
            yield f"{example.name}: {example.stays}"
        if example.static_only:
            yield f"{example.name}, symbolic: {example.static_only}"
        missed = [run for run in group if run.example is example and not run.kept and not run.done]
        if len(missed) == 1 and not example.static_only:
            yield f"{example.name}, {'symbolic' if missed[0].dynamic else 'static'}: {_why(missed[0])}"
        elif missed:
            yield f"{example.name}: {_why(missed[0])}"


def _why(run: Run) -> str:
    return NOT_BUILT.get(run.name, "not looked into")


def todo(runs: Sequence[Run]) -> str:
    """What is left to build, with graphs before and after."""
    missed = [run for run in runs if not run.kept and not run.done]
    gone = [run.name for run in runs if run.name in NOT_BUILT and run.done]
    wrong = [run for run in runs if run.kept and run.outcome.rules]
    rows = len({run.row.number for run in missed})
    text = f"# Not removed: {len(missed)} of {len(runs)} runs, in {rows} rows\n\n"
    text += "Names: row, example, sizes. Each ends in consumers, which are not counted.\n"
    for section, group in itertools.groupby(missed, lambda run: run.section):
        text += f"\n## {section}\n"
        for run in group:
            text += (
                f"\n### {run.name}\n{run.row.title}: {run.outcome.left} calls left, not {run.example.left}\n"
            )
            text += f"```\n{_graphs(run.outcome)}\n```\n"
    text += "\n## Gone, though expected to stay\n\n"
    text += "".join(f"### {run.name}\n{run.kept}\n```\n{run.outcome}\n```\n" for run in wrong)
    text += "\n## Lines of tests/catalogue_not_built.py to drop\n\n" + "".join(f"- {name}\n" for name in gone)
    return text


def _graphs(outcome: Outcome) -> str:
    return str(outcome) if outcome.report.counts else "\n".join((*outcome.before, "unchanged"))


def not_built(runs: Sequence[Run]) -> str:
    """What to add to ``tests/catalogue_not_built.py``, and what to drop from it, by this run."""
    missed = {run.name for run in runs if not run.kept and not run.done}
    lines = [f"add: {name}\n" for name in sorted(missed - set(NOT_BUILT))]
    return "".join((*lines, *(f"drop: {name}\n" for name in sorted(set(NOT_BUILT) - missed))))
