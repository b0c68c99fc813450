"""An instance with symbols for some of its sizes and integers, as calls on fake tensors.

Two symbols may share a value today and still be two.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

import sympy
import torch

from .instances import CallOf, evaluated
from .knowledge import Knowledge
from .operands import Operand
from .points import evaluate
from .torch_api import (
    OpOverload,
    ShapeEnv,
    backed_size,
    enable_python_dispatcher,
    expression_of,
    no_new_guards,
    refusals_unlogged,
    told_tensor,
    uncached_fake_mode,
)

Point = Mapping[sympy.Symbol, int]
VALUES = (0, 1, 2, 3, 4, 6, 7, 12)
PRIMES = (5, 7, 11, 13)


@dataclass
class Symbols:
    """Symbols of one instance, with today's values as ``hints``. ``where``: what they may stand for."""

    env: ShapeEnv
    random: Random
    hints: dict[sympy.Symbol, int] = field(default_factory=dict)
    sizes: dict[sympy.Expr, torch.SymInt] = field(default_factory=dict)
    divisors: dict[sympy.Symbol, int] = field(default_factory=dict)
    where: str = "anywhere"

    def __post_init__(self) -> None:
        self.where = self.random.choice(("anywhere", "anywhere", "operands", "arguments"))

    def for_size(self, value: int) -> int | sympy.Expr:
        """A number as it is, or an old or new symbol that has this value today."""
        if self.where == "arguments":
            return value
        kind = self.random.random()
        known = [e for e in self.sizes if evaluate(e, self.hints) == value]
        if kind < 0.35 and known:
            return self.random.choice(known)
        return self._new(value) if kind < 0.7 and len(self.hints) < len(PRIMES) else value

    def for_argument(self, value: int) -> int | sympy.Expr:
        """As :meth:`for_size`, and products of two sizes; negative numbers only negated."""
        if value < 0:
            return value if value == -1 or self.random.random() < 0.5 else -self._known(-value)
        return self._known(value)

    def _known(self, value: int) -> int | sympy.Expr:
        products = [a * b for a, b in itertools.combinations(self.sizes, 2)]
        known = [e for e in (*self.sizes, *products) if evaluate(e, self.hints) == value]
        kind = self.random.random()
        if known and kind < 0.6:
            return self.random.choice(known)
        if kind > 0.7 or self.where == "operands" or len(self.hints) == len(PRIMES) or value >= 2**40:
            return value
        return self._new(value)

    def _new(self, value: int) -> sympy.Expr:
        # As torch makes them of inputs, from 2 on; or any.
        least = 2 if value >= 2 and self.random.random() < 0.6 else 0
        size = backed_size(self.env, f"n{len(self.hints)}", value, least)
        symbol = size.node.expr
        self.hints[symbol], self.sizes[symbol] = value, size
        if value % 2 == 0 and value and self.random.random() < 0.2:
            self.divisors[symbol] = 2
        return symbol

    def size_of(self, expr: Any) -> Any:
        """The ``SymInt`` of an expression over the symbols; anything else as it is."""
        if not isinstance(expr, sympy.Expr) or isinstance(expr, sympy.Integer):
            return int(expr) if isinstance(expr, sympy.Integer) else expr
        if expr not in self.sizes:
            parts = [self.size_of(a) for a in expr.args]
            return prod(parts) if isinstance(expr, sympy.Mul) else sum(parts)
        return self.sizes[expr]

    @property
    def facts(self) -> list[sympy.Basic]:
        """What is assumed beyond ranges."""
        return [sympy.Eq(sympy.Mod(s, d), 0, evaluate=False) for s, d in self.divisors.items()]

    def points(self, count: int) -> Iterator[Point]:
        """At most ``count`` valuations that the facts allow, guards included: today's, then others."""
        known = Knowledge(self.env, self.facts)
        free = [s for s in self.hints if s not in self.env.replacements]
        yield dict(self.hints)
        for _ in range(8 * count):
            point = {s: self.random.choice(VALUES) for s in free}
            if count > 0 and known.allows(point, known.relations):
                count -= 1
                yield known.complete(point, self.hints)


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
            if way < 0.5:
                return _told_of_others(opened, symbols)
            guards = no_new_guards(symbols.env) if way < 0.8 else contextlib.nullcontext()
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

    def here(fake: torch.Tensor) -> torch.Tensor:
        def told(numbers: Sequence[Any]) -> list[Any]:
            return [sympy.sympify(expression_of(n)).xreplace(ours) for n in numbers]

        return told_tensor(mode, told(fake.shape), told(fake.stride()), fake.dtype)

    with no_new_guards(others.env), uncached_fake_mode(others.env):
        run = _run(opened, there)
    if not all(isinstance(value, torch.Tensor) for value in run.done.values()):
        return None
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
