"""How the command line speaks on stderr and with which code it exits."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

import click

EXIT_CODES = """\b
Exit codes:
  0  done
  1  bad input: a file that cannot be read or written, or a program that
     cannot be rewritten; one line on stderr says which and what to do
  2  bad usage: an unknown option, or a rule name that matches nothing
  3  a bug in noopelim; the traceback is on stderr
  4  verify only: a rule is refuted, or could not be verified
"""


class BadInput(click.ClickException):
    """One line on stderr."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"noopelim: {self.message}", err=True)


class BadUsage(BadInput):
    """What the caller typed cannot be meant."""

    exit_code = 2


class Bug(BadInput):
    """Ours to mend."""

    exit_code = 3


class Commands(click.Group):
    """Turns what a command raises into an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            _fail(error)


def _fail(error: Exception) -> NoReturn:
    from .errors import NoopelimError, RewriteError, RuleError

    if isinstance(error, NoopelimError) and not isinstance(error, RewriteError | RuleError):
        raise BadInput(str(error)) from error
    # All rules are ours here, so a rule that raises is our bug too.
    traceback.print_exception(error)
    raise Bug(f"internal error, please report it: {type(error).__name__}: {error}") from error


def note(text: str) -> None:
    """A line on stderr that changes no exit code."""
    click.echo(f"noopelim: note: {text}", err=True)


@contextlib.contextmanager
def busy(doing: str | None) -> Iterator[None]:
    """A spinner on stderr while the body runs, if somebody is there to see it."""
    if doing is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield
