"""Instances on fake tensors, with symbols for some of their sizes and integers."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch

from .instances import CallOf, evaluated
from .operands import Operand
from .symbols import PRIMES, Symbols
from .torch_api import (
    OpOverload,
    ShapeEnv,
    backed_size,
    enable_python_dispatcher,
    expression_of,
    no_new_guards,
    refusals_unlogged,
    uncached_fake_mode,
)


@dataclass(frozen=True, slots=True)
class Open:
    """An operand whose sizes may be expressions."""

    like: Operand
    shape: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Faked:
    """An instance on fake tensors: its call with ``SymInt`` arguments, and values by slot and by call."""

    call: CallOf
    tensors: dict[int, Any]
    done: dict[int, Any]


def faked(opened: CallOf, symbols: Symbols) -> Faked | None:
    """The instance on fake tensors. Guards that the kernels ask for become facts, or are refused; or the kernels
    see sizes that are all different, and what they compute is told of today's. None if a kernel raises."""
    way = symbols.random.random()
    try:
        with refusals_unlogged():
            if way < 0.6:
                return _told_of_others(opened, symbols)
            guards = no_new_guards(symbols.env) if way < 0.7 else contextlib.nullcontext()
            with guards, uncached_fake_mode(symbols.env):
                return _run(opened, symbols.size_of)
    except Exception:
        return None


def opened(part: Any, symbols: Symbols, seen: dict[int, Any], is_size: bool = False) -> Any:
    """The instance with some numbers replaced by expressions."""
    if isinstance(part, Operand):
        if part.slot not in seen:
            seen[part.slot] = Open(part, tuple(map(symbols.for_size, part.shape)))
        return seen[part.slot]
    if isinstance(part, CallOf):
        if id(part) not in seen:
            sizes = _size_positions(part.target)
            args = tuple(opened(a, symbols, seen, i in sizes) for i, a in enumerate(part.args))
            seen[id(part)] = CallOf(part.target, args)
        return seen[id(part)]
    if isinstance(part, list):
        return [opened(p, symbols, seen, is_size) for p in part]
    return symbols.for_argument(part) if is_size and type(part) is int else part


@functools.cache
def _size_positions(target: Any) -> frozenset[int]:
    """Positions of the schema that take symbolic integers, as the schema's text says."""
    if not isinstance(target, OpOverload):
        return frozenset()
    text = str(target._schema)
    inside = text[text.index("(") + 1 : text.rindex("->")]
    types = re.findall(r"(?:^|, )(?!\*)([A-Za-z]\w*)", inside)
    return frozenset(i for i, kind in enumerate(types) if kind == "SymInt")


def mapped(part: Any, number: Any, opens: dict[int, Open], seen: dict[int, Any]) -> Any:
    """The instance with expressions replaced by what ``number`` makes of them."""
    if isinstance(part, Open):
        opens[part.like.slot] = part
        return part.like
    if isinstance(part, CallOf):
        if id(part) not in seen:
            seen[id(part)] = CallOf(part.target, tuple(mapped(a, number, opens, seen) for a in part.args))
        return seen[id(part)]
    if isinstance(part, list):
        return [mapped(p, number, opens, seen) for p in part]
    return number(part)


def _run(opened: CallOf, number: Callable[[Any], Any]) -> Faked:
    opens: dict[int, Open] = {}
    call = mapped(opened, number, opens, {})
    fakes = {
        slot: torch.empty([number(n) for n in part.shape], dtype=part.like.dtype)
        for slot, part in opens.items()
    }
    done: dict[int, Any] = {}
    # Some operators take symbolic sizes only in their Python form.
    with enable_python_dispatcher():
        evaluated(call, fakes, done)
    return Faked(call, fakes, done)


def _told_of_others(opened: CallOf, symbols: Symbols) -> Faked | None:
    """Run where every symbol is another prime, so that no kernel asks whether sizes are equal, or one."""
    others = Symbols(ShapeEnv(), symbols.random)
    theirs: dict[sympy.Basic, sympy.Expr] = {}
    for symbol, prime in zip(symbols.hints, PRIMES, strict=False):
        size = backed_size(others.env, str(symbol), prime, least=2)
        theirs[symbol], others.sizes[size.node.expr] = size.node.expr, size
    ours = {other: symbol for symbol, other in theirs.items()}

    def there(expr: Any) -> Any:
        return others.size_of(expr.xreplace(theirs) if isinstance(expr, sympy.Expr) else expr)

    def here(value: Any) -> Any:
        def told(numbers: Sequence[Any]) -> list[int | torch.SymInt]:
            return [symbols.number(sympy.sympify(expression_of(n)).xreplace(ours)) for n in numbers]

        if isinstance(value, list | tuple):
            return [here(v) for v in value]
        if not isinstance(value, torch.Tensor):
            return told([value])[0] if isinstance(value, torch.SymInt) else value
        # Whatever torch would ask of the sizes of a new tensor, it is not to learn.
        with symbols.env.suppress_guards(), mode:
            return torch.empty_strided(told(value.shape), told(value.stride()), dtype=value.dtype)

    with no_new_guards(others.env), uncached_fake_mode(others.env):
        run = _run(opened, there)
    mode = uncached_fake_mode(symbols.env)
    today = mapped(opened, symbols.size_of, {}, {})
    done = dict(zip(_calls_in(today), map(here, run.done.values()), strict=True))
    return Faked(today, {slot: here(fake) for slot, fake in run.tensors.items()}, done)


def _calls_in(call: CallOf) -> list[int]:
    """The ``id`` of each call, once, in the order of evaluation."""
    found: dict[int, None] = {}

    def visit(part: Any) -> None:
        if isinstance(part, CallOf) and id(part) not in found:
            for argument in (*part.split()[0], *part.split()[1].values()):
                visit(argument)
            found[id(part)] = None
        elif isinstance(part, list):
            for item in part:
                visit(item)

    visit(call)
    return list(found)
