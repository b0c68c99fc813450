"""Rules by where they are found, so that another process can load them: a rule holds functions and is not sent."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys

from .errors import RuleError
from .loading import load_rules
from .rule import Rule, RuleSet

Reference = tuple[str, str, str]
"""A module's dotted name or a file's path, the list in it, and the name of the rule."""
LISTS = ("RULES", "VALUE_EQUAL")


def reference_of(rule: Rule) -> Reference:
    """Where an importable rule is found. Raises ``RuleError`` for one that is in no module's ``RULES`` or
    ``VALUE_EQUAL``."""
    for (name, module), listed in itertools.product(list(sys.modules.items()), LISTS):
        rules = getattr(module, listed, ())
        if isinstance(rules, tuple | list | RuleSet) and any(r is rule for r in rules):
            file = getattr(module, "__file__", None)
            by_path = name == "__main__" or name.startswith("_noopelim_rules_")
            if not by_path or file:
                return (str(file) if by_path else name), listed, rule.name
    raise RuleError(
        f"rule {rule.name!r}: other processes cannot load it; put it in the RULES of a module, "
        "or verify it without an executor"
    )


def rule_at(where: str, listed: str, name: str) -> Rule:
    """The rule of that name in a list of a module or file. Raises ``RuleError``."""
    return _rules(where, listed, _state_of(where))[name]


def _state_of(where: str) -> tuple[int, int] | None:
    """Changes with a file: a cluster's workers outlive the editing of rules. None for a module's name."""
    with contextlib.suppress(OSError):
        found = os.stat(where)
        return found.st_mtime_ns, found.st_size
    return None


@functools.lru_cache(maxsize=64)
def _rules(where: str, listed: str, state: tuple[int, int] | None) -> RuleSet:
    return load_rules(where, listed)
