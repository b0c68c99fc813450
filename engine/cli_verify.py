"""The command ``noopelim verify``."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .console import EXIT_CODES, BadInput, BadUsage, busy

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .rule import RuleSet
    from .verification import Progress, Verdict

UNVERIFIED = 4
"""The exit code if a rule was refuted or could not be verified."""


SHIPPED = "noopelim.patterns"


@click.command(epilog=EXIT_CODES, short_help="Check that rules are right.")
@click.argument("where", metavar="[FILE_OR_MODULE]", default=SHIPPED)
@click.option("--rule", "only", multiple=True, metavar="GLOB", help="Only the rules whose name matches.")
@click.option(
    "--scope",
    default="default",
    type=click.Choice(["ci", "default", "full"]),
    show_default=True,
    help="How far to look.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Processes. Default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="A list of verdicts, for scripts.")
@click.option("-q", "--quiet", is_flag=True, help="Print only rules that are not verified.")
def verify(
    where: str, only: tuple[str, ...], scope: str, jobs: int | None, as_json: bool, quiet: bool
) -> None:
    """Check the rules of a Python file or module: no counterexample exists up to a scope, or here is one.

    FILE_OR_MODULE is a file such as my_rules.py, or a dotted module; what RULES in it holds is checked. Its
    code is run. Without it, the rules that noopelim ships are checked.
    """
    with busy("starting"):
        from .scope import NAMED
        from .verification import verify_all

        rules = _rules(where, only)
    jobs = jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or 1
    told: list[Verdict] = []
    with _workers(jobs) as executor, _bar(not as_json) as progress:
        for verdict in verify_all(rules, NAMED[scope], jobs=jobs, executor=executor, progress=progress):
            told.append(verdict)
            if not as_json and not (quiet and verdict.verified):
                click.echo(str(verdict))
    if as_json:
        click.echo(json.dumps([_dict(verdict) for verdict in told], indent=2))
    else:
        verified = sum(v.verified for v in told)
        click.echo(f"{verified} of {len(told)} rules verified at scope {scope}")
    if not all(v.verified for v in told):
        sys.exit(UNVERIFIED)


def _rules(where: str, only: tuple[str, ...]) -> RuleSet:
    from .errors import RuleError
    from .loading import load_rules

    try:
        rules = load_rules(where)
        if where == SHIPPED:
            from .patterns import VALUE_EQUAL

            rules |= VALUE_EQUAL
    except RuleError as error:
        raise BadInput(str(error)) from error
    try:
        return rules.only(*only) if only else rules
    except RuleError as error:
        raise BadUsage(str(error)) from error


@contextlib.contextmanager
def _workers(jobs: int) -> Iterator[Executor | None]:
    """Processes that share nothing with this one: a fork of a process that has used torch's threads can hang."""
    if jobs == 1:
        yield None
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_alone) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _alone() -> None:
    import torch

    torch.set_num_threads(1)


@contextlib.contextmanager
def _bar(shown: bool) -> Iterator[Progress | None]:
    """A progress bar on stderr, if that is a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verifying", total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=name)


def _dict(verdict: Verdict) -> dict[str, Any]:
    wrong = verdict.counterexample
    return {
        "rule": verdict.rule,
        "verified": verdict.verified,
        "scope": verdict.scope.name,
        "counts": verdict.counts,
        "exhausted": list(verdict.exhausted),
        "proved": list(verdict.proved),
        "notes": list(verdict.notes),
        "seconds": round(verdict.seconds, 3),
        "counterexample": wrong and {"what": wrong.what, "claim": wrong.claim, "script": wrong.script()},
    }
