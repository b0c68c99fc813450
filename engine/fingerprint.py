"""An identity for rules and the code behind them, so that caches of compiled graphs stay right."""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import noopelim.patterns

from .pattern import Built, Calls, Computed, OpCall
from .rule import Rule

_STABLE = (int, float, complex, str, bytes, bool, type(None))
_OURS = ("torch", "sympy", "noopelim", "builtins", "math", "operator")


class Unidentifiable(Exception):
    """Something a rule depends on has no stable identity."""


def fingerprint(rules: Iterable[Rule], options: object = None) -> str | None:
    """Changes whenever a rule, an option or noopelim's source changes; None if that cannot be told, because
    a rule's function depends on an object without a stable identity."""
    digest = hashlib.sha256(repr(options).encode())
    try:
        for path in sorted(_own_sources()):
            digest.update(path.read_bytes())
        for rule in rules:
            for part in _parts_of(rule):
                digest.update(part.encode() + b"\0")
    except Unidentifiable:
        return None
    return digest.hexdigest()


def _own_sources() -> Iterator[Path]:
    for folder in (Path(__file__).parent, *map(Path, noopelim.patterns.__path__)):
        yield from folder.glob("*.py")


def _parts_of(rule: Rule) -> Iterator[str]:
    yield from (rule.name, rule.exact.name)
    for expression in (rule.pattern, rule.to):
        yield from _parts_of_expression(expression)
    if rule.where is not None:
        yield from _parts_of_function(rule.where, set())


def _parts_of_expression(expression: object) -> Iterator[str]:
    if isinstance(expression, OpCall):
        yield f"{type(expression).__name__} {' '.join(map(str, expression.fns))} rest={expression.rest}"
        for argument in expression.args:
            yield from _parts_of_expression(argument)
    elif isinstance(expression, Calls):
        yield from _parts_of_expression(expression.x)
        yield from _parts_of_function(expression.of, set())
    elif isinstance(expression, Built | Computed):
        yield from _parts_of_function(expression.of, set())
    else:
        yield _stable(expression)


def _parts_of_function(function: Callable[..., Any], seen: set[int]) -> Iterator[str]:
    if id(function) in seen:
        return
    seen.add(id(function))
    if not isinstance(function, types.FunctionType):
        yield _stable(function)
        return
    yield from _parts_of_code(function.__code__)
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield from _parts_of_value(value, seen)
    outside = inspect.getclosurevars(function)
    for name, value in (*outside.nonlocals.items(), *outside.globals.items()):
        yield name
        yield from _parts_of_value(value, seen)


def _parts_of_code(code: types.CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts_of_code(constant)
        else:
            yield repr(constant)


def _parts_of_value(value: object, seen: set[int]) -> Iterator[str]:
    origin = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    if isinstance(origin, str) and origin.split(".")[0] in _OURS and not isinstance(value, _STABLE):
        # Fixed by the versions of the libraries, which the cache key has anyway.
        yield f"{origin}.{getattr(value, '__qualname__', value)}"
    elif isinstance(value, types.FunctionType):
        yield from _parts_of_function(value, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts_of_value(item, seen)
    elif isinstance(value, types.ModuleType) and getattr(value, "__file__", None):
        yield hashlib.sha256(Path(str(value.__file__)).read_bytes()).hexdigest()
    else:
        yield _stable(value)


def _stable(value: object) -> str:
    text = repr(value)
    if isinstance(value, _STABLE) or " at 0x" not in text:
        return text
    raise Unidentifiable(text)
