"""``pytest --noopelim-rules my_rules.py``: the tests that a file or module of rules owes, beside your own.

Ids are ``my_rules.py::slice/whole::verify``, and may be given on the command line to run one again. Nothing of
torch is imported unless the option is used.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .rule_checks import RuleCheck

_CHOSEN = pytest.StashKey[dict[str, list[str]]]()
"""Per file or module, the ids asked for on the command line; none means all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.getgroup("noopelim").addoption(
        "--noopelim-rules",
        action="append",
        default=[],
        metavar="FILE_OR_MODULE",
        help="also test the rules in FILE_OR_MODULE, a Python file or dotted module with RULES; repeatable",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Takes ids of rules from the arguments: there is no such path for pytest to collect."""
    chosen: dict[str, list[str]] = {where: [] for where in config.getoption("--noopelim-rules")}
    for argument in list(config.args):
        where, separator, rest = argument.partition("::")
        for known in chosen if separator else ():
            if os.path.abspath(where) == os.path.abspath(known):
                chosen[known].append(rest)
                config.args.remove(argument)
    config.stash[_CHOSEN] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Puts the files and modules of rules beside what pytest found."""
    report = yield
    if isinstance(collector, pytest.Session) and report.passed:
        chosen = collector.config.stash[_CHOSEN]
        report.result += [
            RuleModule.from_parent(collector, name=where, nodeid=_nodeid(where, collector.config))
            for where in chosen
        ]
    return report


def _nodeid(where: str, config: pytest.Config) -> str:
    """As pytest's own: relative to the root directory, if it is a file within."""
    path = Path(where).absolute()
    if path.is_file() and path.is_relative_to(config.rootpath):
        return path.relative_to(config.rootpath).as_posix()
    return where


class RuleModule(pytest.Collector):
    """A file or module of rules, as it was named on the command line."""

    def collect(self) -> Iterator[RuleNode]:
        """One node per rule that is asked for."""
        from .errors import RuleError
        from .loading import load_rules
        from .rule_checks import checks_of

        try:
            rules = load_rules(self.name)
        except RuleError as error:
            raise self.CollectError(str(error)) from error
        wanted = self.config.stash[_CHOSEN][self.name]
        nodes = {rule.name: [check.name for check in checks_of(rule)] for rule in rules}
        known = {*nodes, *(f"{rule}::{name}" for rule, names in nodes.items() for name in names)}
        for asked in wanted:
            if asked not in known:
                raise self.CollectError(f"no test is called {asked}; the rules are {', '.join(nodes)}")
        for rule in rules:
            if not wanted or any(asked.partition("::")[0] == rule.name for asked in wanted):
                yield RuleNode.from_parent(self, name=rule.name, checks=list(checks_of(rule)))


class RuleNode(pytest.Collector):
    """One rule."""

    def __init__(self, *, checks: list[RuleCheck], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checks = checks

    def collect(self) -> Iterator[RuleItem]:
        """One item per test that the rule owes and that is asked for."""
        assert self.parent is not None
        wanted = self.config.stash[_CHOSEN][self.parent.name]
        for check in self.checks:
            if not wanted or self.name in wanted or str(check) in wanted:
                yield RuleItem.from_parent(self, name=check.name, check=check)


class RuleItem(pytest.Item):
    """One test."""

    def __init__(self, *, check: RuleCheck, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        """Runs it."""
        self.check.run()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """What is wrong with the rule; a traceback, without pytest's part, only if something else was raised."""
        error = excinfo.value
        if isinstance(error, AssertionError):
            return str(error)
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code is not RuleItem.runtest.__code__:
            frames = frames.tb_next
        return "".join(traceback.format_exception(type(error), error, frames))

    def reportinfo(self) -> tuple[str, None, str]:
        """What the failure is headed with."""
        module = self.listchain()[1]
        return module.name, None, str(self.check)
