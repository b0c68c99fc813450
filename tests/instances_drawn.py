"""Instances drawn for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from noopelim import OpCall, Rule, var
from noopelim.choices import DeadEnd, every
from noopelim.drawing import Drawer, Drawn
from noopelim.instances import CallOf
from noopelim.pattern import variables_in
from noopelim.plain import plain
from noopelim.scope import Scope


def rule_of(pattern: OpCall) -> Rule:
    return Rule("test/any", pattern, var(next(variables_in(pattern))), "b", lambda x: x)


def drawn_every(rule: Rule, scope: Scope, sweep: str = "shapes") -> Iterator[Drawn]:
    return every(Drawer(rule, scope, sweep, dtype=plain(rule).dtype).draw)


def drawn_some(rule: Rule, scope: Scope, sweep: str, count: int) -> list[Drawn]:
    random, found, drawer = Random(0), list[Drawn](), Drawer(rule, scope, sweep, dtype=plain(rule).dtype)

    def pick(values: Sequence[Any]) -> Any:
        if not len(values):
            raise DeadEnd
        return random.choice(values)

    for _ in range(200 * count):
        if len(found) == count:
            break
        with contextlib.suppress(DeadEnd):
            found.append(drawer.draw(pick))
    return found


def key_of(part: Any) -> Any:
    """What tells an instance from another."""
    if isinstance(part, CallOf):
        return (str(part.target), *map(key_of, part.args))
    return tuple(map(key_of, part)) if isinstance(part, list) else (type(part), str(part), part)
