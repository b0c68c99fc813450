"""Reports and rules for people: tables on a terminal, tab-separated lines anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .remarks import Missed, Passed, Report, Stage
from .rule import Exact, Rule, RuleSet

_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+), in (?P<function>.+)')
_KEPT = {Exact.BITS: "every bit", Exact.NAN_PAYLOAD: "all but NaN payloads", Exact.VALUES: "equal numbers"}
_PLAINLY = {
    Stage.SKIPPED: "not looked at",
    Stage.REFUTED: "does something",
    Stage.UNKNOWN: "not proved",
    Stage.BLOCKED: "proved, but needed",
}


def print_summary(file: TextIO, title: str, report: Report) -> None:
    """One line on the whole run, and one per rule that fired."""
    guards = f", {report.guards_added} guards added" if report.guards_added else ""
    file.write(
        f"{title}: {report.nodes_before} -> {report.nodes_after} nodes, {len(report.passed)} rewrites{guards}, "
        f"{report.seconds * 1e3:.1f} ms\n"
    )
    for rule, count in report.counts.items():
        file.write(f"{count:6d}  {rule}\n")


def print_explanation(file: TextIO, report: Report, rules: RuleSet, everything: bool) -> None:
    """What goes and by which proof; what stays and which fact would have sufficed.

    A node that a pattern matches and that plainly does something is shown only if ``everything`` is.
    """
    missed = sorted(report.missed, key=lambda m: -m.stage)
    shown = [m for m in missed if everything or m.stage is not Stage.REFUTED]
    goes = [_went(p, rules) for p in report.passed]
    stays = [_stayed(m) for m in shown]
    _print(
        file,
        f"{len(goes)} would go",
        ("node", "rule", "stands for it", "law", "proof", "memory", "source"),
        goes,
    )
    _print(file, f"{len(stays)} would stay", ("node", "rule", "why", "would suffice", "source"), stays)
    if hidden := len(missed) - len(shown):
        file.write(f"{hidden} more matched a pattern and do something: --all lists them\n")
    file.write(f"{report.nodes_before} nodes, {report.nodes_after} after a run\n")


def print_rules(file: TextIO, rules: Iterable[Rule]) -> None:
    """One row per rule."""
    rows = [(r.name, _KEPT[r.exact], r.because, _packets(r)) for r in rules]
    _print(file, f"{len(rows)} rules", ("rule", "keeps", "law", "looks at"), rows)


def rule_dict(rule: Rule) -> dict[str, Any]:
    """The stable form documented in ``docs/cli.md``; keys are only ever added."""
    return {
        "name": rule.name,
        "because": rule.because,
        "exact": rule.exact.name.lower(),
        "ops": ops_of(rule),
    }


def ops_of(rule: Rule) -> list[str]:
    """The calls that a rule may remove, by the names that graphs print."""
    return sorted({_op(fn) for fn in rule.pattern.fns})


def _op(fn: Any) -> str:
    text = str(fn)
    return getattr(fn, "__name__", text) if text.startswith("<") else text


def _packets(rule: Rule) -> str:
    """The calls without their overloads."""
    return ", ".join(dict.fromkeys(".".join(op.split(".")[:2]) for op in ops_of(rule)))


def _short(op: str) -> str:
    return op.removesuffix(".default")


def _went(remark: Passed, rules: RuleSet) -> tuple[str, ...]:
    law = next((r.because for r in rules if r.name == remark.rule), "")
    return (
        f"{remark.graph}{remark.node} [{_short(remark.op)}]",
        remark.rule,
        remark.stands,
        law,
        str(remark.proof),
        remark.legality,
        _place(remark.source),
    )


def _stayed(remark: Missed) -> tuple[str, ...]:
    return (
        f"{remark.graph}{remark.node} [{_short(remark.op)}]",
        remark.rule,
        f"{_PLAINLY[remark.stage]}: {f'as {remark.like}, ' if remark.like else ''}{remark.reason}",
        remark.claim or "",
        _place(remark.source),
    )


def _place(source: str | None) -> str:
    """``file:line``, which editors and terminals know how to open."""
    if source is None:
        return ""
    frame = _FRAME.search(source)
    return f"{frame['file']}:{frame['line']} in {frame['function']}" if frame else source


def _print(file: TextIO, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    console = Console(file=file, highlight=False)
    if not console.is_terminal:
        file.write(f"{title}\n")
        file.writelines("\t".join(_one_line(cell) for cell in row) + "\n" for row in rows)
        return
    console.print(Text(title, style="bold"))
    if not rows:
        return
    # The first two columns name things, so they stay whole; what remains of the width goes to one column of
    # sentences, because four narrow ones cannot be read.
    table = Table(show_lines=True)
    table.add_column(" / ".join(heads[:2]), overflow="fold", max_width=max(24, console.width // 3))
    table.add_column(" / ".join(heads[2:]), overflow="fold")
    for row in rows:
        name = Text.assemble((row[0], "bold"), "\n", (row[1], "cyan"))
        parts = [
            Text.assemble((f"{head}: ", "dim"), cell)
            for head, cell in zip(heads[2:], row[2:], strict=True)
            if cell
        ]
        table.add_row(name, Text("\n").join(parts))
    console.print(table)


def _one_line(cell: str) -> str:
    return " ".join(cell.split())
