"""Symbols for the sizes and integers of an instance, and what is known of them.

Two symbols may share a value today and still be two.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

import sympy
import torch

from .knowledge import Knowledge
from .points import evaluate
from .torch_api import ShapeEnv, backed_size, hints

Point = Mapping[sympy.Symbol, int]
_tell: Callable[[object], None] = torch._check
VALUES = (0, 1, 2, 3, 4, 6, 7, 12)
PRIMES = (5, 7, 11, 13)


@dataclass
class Symbols:
    """Symbols of one instance, backed or unbacked, with today's values, which of the unbacked ones only we know, as
    ``hints``. ``where``: what they may stand for."""

    env: ShapeEnv
    random: Random
    hints: dict[sympy.Symbol, int] = field(default_factory=dict)
    sizes: dict[sympy.Expr, torch.SymInt] = field(default_factory=dict)
    assumed: list[sympy.Basic] = field(default_factory=list)
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
        return self._new(value) if kind < 0.65 and len(self.hints) < len(PRIMES) else value

    def for_argument(self, value: int) -> int | sympy.Expr:
        """As :meth:`for_size`, and products of two sizes; negative numbers only negated."""
        if value < 0:
            return value if value == -1 or self.random.random() < 0.5 else -self._known(-value)
        return self._known(value)

    def _known(self, value: int) -> int | sympy.Expr:
        products = [a * b for a, b in itertools.combinations(self.sizes, 2)]
        known = [e for e in (*self.sizes, *products) if evaluate(e, self.hints) == value]
        kind = self.random.random()
        if known and kind < 0.45:
            return self.random.choice(known)
        # What is one today is what predicates by today's sizes take for a unit dim.
        if kind > (0.9 if value == 1 else 0.7) or self.where == "operands":
            return value
        if len(self.hints) == len(PRIMES) or value >= 2**40:
            return value
        return self._new(value)

    def _new(self, value: int) -> sympy.Expr:
        if self.random.random() < 0.15:
            size = self.env.create_unbacked_symint()
            _tell(size >= 0)
            if self.random.random() < 0.5:
                _tell(size <= value + self.random.choice((0, 1, 3, 40)) + 1)
            self.env.pending_fresh_unbacked_symbols.clear()
        else:
            # As torch makes them of inputs, from 2 on; or any.
            least = 2 if value >= 2 and self.random.random() < 0.6 else 0
            size = backed_size(self.env, f"n{len(self.hints)}", value, least)
        symbol = size.node.expr
        self.hints[symbol], self.sizes[symbol] = value, size
        if value % 2 == 0 and value and self.random.random() < 0.2:
            self.assumed.append(sympy.Eq(sympy.Mod(symbol, 2), 0, evaluate=False))
        return symbol

    def tell_orders(self) -> None:
        """Now and then, of two symbols, that the one is at most the other: as torch is told by ``torch._check``, or
        as the user assumes it."""
        for small, large in itertools.permutations(self.hints, 2):
            if self.hints[small] > self.hints[large] or self.random.random() > 0.1:
                continue
            if self.random.random() < 0.5:
                _tell(self.sizes[small] <= self.sizes[large])
            else:
                self.assumed.append(sympy.Le(small, large, evaluate=False))

    def size_of(self, expr: Any) -> Any:
        """The ``SymInt`` of an expression over the symbols; anything else as it is."""
        if not isinstance(expr, sympy.Expr) or isinstance(expr, sympy.Integer):
            return int(expr) if isinstance(expr, sympy.Integer) else expr
        if expr not in self.sizes:
            parts = [self.size_of(a) for a in expr.args]
            return prod(parts) if isinstance(expr, sympy.Mul) else sum(parts)
        return self.sizes[expr]

    def number(self, expr: sympy.Expr) -> int | torch.SymInt:
        """The ``SymInt`` of any expression over the symbols, without asking torch anything."""
        if expr.is_Integer:
            return int(expr)
        free = expr.free_symbols
        known = hints(self.env)
        today = int(evaluate(expr, self.hints)) if free <= known.keys() else None
        return self.env.create_symintnode(expr, hint=today)

    @property
    def facts(self) -> list[sympy.Basic]:
        """What is assumed beyond what the ``ShapeEnv`` knows."""
        return list(self.assumed)

    def points(self, count: int) -> Iterator[Point]:
        """At most ``count`` valuations that the facts allow, guards included: today's, then others."""
        known = Knowledge(self.env, self.facts)
        free = [s for s in self.hints if s not in self.env.replacements]
        today = {s: self.hints[s] for s in free}
        # Torch takes an unbacked size to be what a kernel needs it to be, which may not be what we had in mind.
        if known.allows(today, known.relations) and known.complete(today, self.hints) == self.hints:
            yield dict(self.hints)
        for _ in range(8 * count):
            point = {s: self.random.choice(VALUES) for s in free}
            if count > 0 and known.allows(point, known.relations):
                count -= 1
                yield known.complete(point, self.hints)

    def small_points(self) -> Iterator[Point]:
        """The valuations within 0 to 3 that the facts allow, those of least sum first."""
        known = Knowledge(self.env, self.facts)
        free = [s for s in self.hints if s not in self.env.replacements]
        for values in sorted(itertools.product(range(4), repeat=len(free)), key=lambda v: (sum(v), v)):
            point = dict(zip(free, values, strict=True))
            if known.allows(point, known.relations):
                yield known.complete(point, self.hints)
