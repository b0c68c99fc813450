"""Instances of a pattern: calls with all their arguments, over operands of given shape, dtype and layout."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .operands import Operand
from .torch_api import OpOverload


@dataclass(frozen=True, slots=True, eq=False)
class CallOf:
    """A call with every argument in schema order: an ``Operand``, another ``CallOf``, a constant, or a list of
    these. One object that occurs twice is one node."""

    target: Callable[..., Any]
    args: tuple[Any, ...]

    def split(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments, as the target wants to be called."""
        plain, names = keywords_of(self.target)
        # A template may leave defaults out.
        return self.args[:plain], dict(zip(names, self.args[plain:], strict=False)) if names else {}


@functools.lru_cache(maxsize=1024)
def keywords_of(target: Any) -> tuple[int | None, tuple[str, ...]]:
    """How many arguments of a call are positional, None for all, and the names of the rest."""
    if not isinstance(target, OpOverload):
        return None, ()
    schema = target._schema.arguments
    count = sum(not a.kwarg_only for a in schema)
    return count, tuple(a.name for a in schema[count:])


def operands_of(call: object) -> Iterator[Operand]:
    """Each operand below, once per slot, in order."""
    found: dict[int, Operand] = {}
    _collect(call, found)
    yield from (found[slot] for slot in sorted(found))


def _collect(part: object, found: dict[int, Operand]) -> None:
    if isinstance(part, Operand):
        found[part.slot] = part
    elif isinstance(part, CallOf):
        _collect(part.args, found)
    elif isinstance(part, list | tuple):
        for item in part:
            _collect(item, found)


def evaluated(part: Any, tensors: dict[int, Any], done: dict[int, Any] | None = None) -> Any:
    """What an instance computes on ``tensors`` by slot, real or fake. Raises what the calls raise."""
    done = {} if done is None else done
    if isinstance(part, Operand):
        return tensors[part.slot]
    if isinstance(part, CallOf):
        if id(part) not in done:
            args, kwargs = part.split()
            done[id(part)] = part.target(
                *(evaluated(a, tensors, done) for a in args),
                **{name: evaluated(a, tensors, done) for name, a in kwargs.items()},
            )
        return done[id(part)]
    return [evaluated(a, tensors, done) for a in part] if isinstance(part, list) else part
