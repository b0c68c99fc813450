"""The command line: ``noopelim run``, ``explain``, ``rules`` and ``verify``.

Torch takes seconds to import, so nothing here imports it before a command has work for it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .cli_verify import verify
from .console import EXIT_CODES, BadInput, BadUsage, Commands, busy, note

if TYPE_CHECKING:
    from .remarks import Report
    from .rule import RuleSet

_F = TypeVar("_F", bound=Callable[..., Any])


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="noopelim", message="%(package)s %(version)s")
def cli() -> None:
    """Find the operations in a PyTorch graph that do nothing, prove it, and remove them.

    IN.pt2 is a file written by torch.export.save. Loading one runs pickle: only load what you trust.
    """
    # Torch says this at its import where numpy is missing, and numpy is not needed.
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")


cli.add_command(verify)


def _selection(command: _F) -> _F:
    """The options that choose rules and prepare for loading."""
    for option in (
        click.option(
            "--import",
            "packages",
            multiple=True,
            metavar="PACKAGE",
            help="Import PACKAGE before loading, so that the operators it registers are known; repeatable.",
        ),
        click.option(
            "--without",
            multiple=True,
            metavar="GLOB",
            help="Leave out the rules whose name matches; repeatable.",
        ),
        click.option(
            "--rules",
            "only",
            multiple=True,
            metavar="GLOB",
            help="Use only the rules whose name matches, as in 'reshape/*'; repeatable. Default: all.",
        ),
    ):
        command = option(command)
    return command


@cli.command(epilog=EXIT_CODES, short_help="Remove what does nothing, and write the result.")
@click.argument("source", metavar="IN.pt2")
@click.option("-o", "--output", required=True, metavar="OUT.pt2", help="Where to write the result.")
@_selection
@click.option("--report", "report_to", metavar="FILE.json", help="Write the remarks there; - for stdout.")
@click.option("-f", "--force", is_flag=True, help="Replace files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def run(
    source: str,
    output: str,
    only: tuple[str, ...],
    without: tuple[str, ...],
    packages: tuple[str, ...],
    report_to: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Remove what does nothing from IN.pt2 and write OUT.pt2.

    OUT.pt2 is written even if nothing was removed. Extra files in the archive are carried over. Each output
    file appears whole or not at all.
    """
    to_stdout = report_to == "-"
    outputs = [output] if report_to is None or to_stdout else [output, report_to]
    with busy(None if quiet else "starting"):
        from . import archive, files

        for path in outputs:
            if not force and os.path.lexists(path):
                raise BadInput(f"{path}: exists already; pass --force to replace it")
            files.writable(path)
        if len({os.path.realpath(path) for path in outputs}) < len(outputs):
            raise BadUsage(f"{output}: is named twice; the report needs a file of its own")
        rules = _rules(only, without)
    extra_files: dict[str, str] = {}
    with busy(None if quiet else f"loading {source}"):
        _import(packages)
        program = archive.load(source, extra_files)
        others = archive.other_contents(source)
    with busy(None if quiet else "eliminating"):
        report = _eliminate(program, rules, tidy=not only)
    with busy(None if quiet else f"saving {output}"):
        archive.save(program, output, extra_files)
        if report_to is not None and not to_stdout:
            with files.replacing(report_to) as file:
                file.write(report.to_json().encode() + b"\n")
    if others and not quiet:
        note(f"{source}: also holds {', '.join(others)}, which {output} does not")
    if to_stdout:
        click.echo(report.to_json())
    elif not quiet:
        from .tables import print_summary

        print_summary(sys.stdout, f"{source} -> {output}", report)


@cli.command(epilog=EXIT_CODES, short_help="Say what would go and what would stay, and why.")
@click.argument("source", metavar="IN.pt2")
@_selection
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON; see docs/report.md.")
@click.option("--all", "everything", is_flag=True, help="Also list calls that match a rule and do something.")
def explain(
    source: str,
    only: tuple[str, ...],
    without: tuple[str, ...],
    packages: tuple[str, ...],
    as_json: bool,
    everything: bool,
) -> None:
    """Say what `run` would remove from IN.pt2, by which proof, and what would stay for want of which fact.

    Nothing is written. On a terminal this prints tables, elsewhere a line per node with its fields separated
    by tabs. What goes: node, rule, what stands for it, law, proof, why memory is no obstacle, source. What
    stays: node, rule, why, the fact that would suffice, source.
    """
    with busy("starting"):
        from . import archive

        rules = _rules(only, without)
    with busy(f"loading {source}"):
        _import(packages)
        program = archive.load(source)
    with busy("eliminating"):
        report = _eliminate(program, rules, tidy=not only)
    if as_json:
        click.echo(report.to_json())
    else:
        from .tables import print_explanation

        print_explanation(sys.stdout, report, rules, everything)


@cli.command(epilog=EXIT_CODES, short_help="List the rules.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for scripts.")
def rules(as_json: bool) -> None:
    """List the rules: their laws, what of a value they keep, and the calls they look at."""
    from . import patterns
    from .tables import print_rules, rule_dict

    if as_json:
        click.echo(json.dumps([rule_dict(rule) for rule in patterns.ALL], indent=2))
    else:
        print_rules(sys.stdout, patterns.ALL)


def _rules(only: tuple[str, ...], without: tuple[str, ...]) -> RuleSet:
    from .errors import RuleError
    from .patterns import ALL
    from .rule import RuleSet

    try:
        chosen = ALL.only(*only) if only else ALL
        rest = ALL.without(*without)
    except RuleError as error:
        raise BadUsage(f"{error} (noopelim rules lists them)") from error
    left = RuleSet(tuple(rule for rule in chosen if rule in rest.rules))
    if not left.rules:
        raise BadUsage("--without leaves no rule of those that --rules names; drop one of them")
    return left


def _import(packages: tuple[str, ...]) -> None:
    # As with `python -m`; last, so that nothing installed is shadowed.
    if packages and "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    for package in packages:
        try:
            importlib.import_module(package)
        except Exception as error:  # a foreign module raises anything
            raise BadInput(
                f"--import {package}: {' '.join(traceback.format_exception_only(error)[-1].split())}; "
                "check the name, and that it can be imported in this environment"
            ) from error


def _eliminate(program: Any, rules: RuleSet, tidy: bool) -> Report:
    from . import eliminate

    report = eliminate(program, rules, tidy=tidy)
    if not report.converged:
        note("stopped before nothing more applied; please report this")
    for change in report.shape_env_changes:
        note(f"the run changed a fact about sizes, please report this: {change}")
    return report


def main() -> None:
    """The console script."""
    cli()
