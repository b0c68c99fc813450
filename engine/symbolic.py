"""The predicate under symbolic sizes: what it proves must hold at every size that its facts allow.

A small instance is taken, some of its sizes and integers are replaced by symbols (two may share a value today
and still be two), and the pattern is run on fake tensors. If the predicate is proved, the rule must be right at
other sizes; a witness of a refutation must be one; and the predicate may not have added a guard.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from random import Random
from typing import Any

import sympy
import torch

from .choices import DeadEnd
from .drawing import Drawn, draw
from .instances import CallOf, evaluated
from .integers import Prover
from .knowledge import Knowledge
from .law import Judge, Wrong
from .operands import Operand
from .points import Unevaluable, evaluate
from .proof import Proof, Truth
from .scope import Scope
from .torch_api import (
    FakeTensorMode,
    OpOverload,
    ShapeEnv,
    backed_size,
    no_new_guards,
    refusals_unlogged,
    snapshot,
)

Point = Mapping[sympy.Symbol, int]
VALUES = (0, 1, 2, 3, 4, 6, 7, 12)
MOST_ELEMENTS = 4096


@dataclass
class Symbols:
    """Symbols of one instance, with today's values. ``terms``: expressions by value, to draw sizes from."""

    env: ShapeEnv
    random: Random
    hints: dict[sympy.Symbol, int] = field(default_factory=dict)
    sizes: dict[sympy.Expr, torch.SymInt] = field(default_factory=dict)
    divisors: dict[sympy.Symbol, int] = field(default_factory=dict)

    def for_size(self, value: int) -> int | sympy.Expr:
        """A number as it is, or an old or new symbol that has this value today."""
        kind = self.random.random()
        known = [e for e in self.sizes if evaluate(e, self.hints) == value]
        if kind < 0.35 and known:
            return self.random.choice(known)
        return self._new(value) if kind < 0.8 and len(self.hints) < 4 else value

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
        return self._new(value) if kind < 0.7 and len(self.hints) < 4 and value < 2**40 else value

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


class Symbolic:
    """Symbolic instances of one rule, tried one by one."""

    def __init__(self, judge: Judge, scope: Scope, head: list[tuple[Any, ...]], seed: int) -> None:
        self.judge, self.random = judge, Random(seed)
        # Two is the least size that says nothing of unit or empty dims; one and zero occur, too.
        self.scope = replace(scope, rank=min(scope.rank, 3), dim=3)
        self.head = head
        self.counts = {"symbolic": 0, "symbolic, proved": 0, "symbolic, refuted": 0, "valuations": 0}

    def attempt(self) -> Wrong | None:
        """One random instance; None if all was well, or if it could not be made symbolic."""
        rule, pick = self.judge.rule, self.random.choice
        try:
            drawn = draw(rule, self.scope, pick, pick(self.head), pick(("shapes", "shapes", "spellings")))
        except (DeadEnd, IndexError):
            return None
        env = ShapeEnv()
        symbols = Symbols(env, self.random)
        opened = _opened(drawn.call, symbols, {})
        if not symbols.hints:
            return None
        found = self._faked(opened, symbols, drawn)
        if found is None:
            return None
        fakes, done, faked = found
        before = snapshot(env)
        prover = Prover(env, symbols.facts)
        try:
            proof, _, _ = self.judge.asked(faked, fakes, done, prover)
        except Exception as error:
            return Wrong(f"`where` raised {type(error).__name__}: {error}", drawn.call, None, "")
        if snapshot(env) != before:
            return Wrong("`where` adds a guard on symbolic sizes", drawn.call, None, _told(proof, symbols))
        if proof is None:
            return None
        self.counts["symbolic"] += 1
        if proof.truth is Truth.PROVED:
            self.counts["symbolic, proved"] += 1
            return self._elsewhere(opened, symbols, proof)
        if proof.truth is Truth.REFUTED and proof.witness:
            self.counts["symbolic, refuted"] += 1
            return self._at_witness(opened, symbols, proof)
        return None

    def _faked(self, opened: CallOf, symbols: Symbols, drawn: Drawn) -> Any:
        """The instance on fake tensors: values by slot, values by call, and the call with ``SymInt`` arguments.
        Guards that the kernels ask for become facts, or are refused; None if one of them then raises."""
        mode = FakeTensorMode(shape_env=symbols.env, allow_non_fake_inputs=True)
        fakes: dict[int, Any] = {}
        with_sizes = _mapped(opened, symbols.size_of, fakes_by_slot := {}, {})
        guards = no_new_guards(symbols.env) if self.random.random() < 0.6 else contextlib.nullcontext()
        try:
            with refusals_unlogged(), guards, mode:
                for slot, part in fakes_by_slot.items():
                    fakes[slot] = _fake(part, symbols)
                done: dict[int, Any] = {}
                evaluated(with_sizes, fakes, done)
        except Exception:
            return None
        return fakes, done, with_sizes

    def _elsewhere(self, opened: CallOf, symbols: Symbols, proof: Proof) -> Wrong | None:
        """Proved for all sizes, so right at each."""
        told = _told(proof, symbols)
        for point in symbols.points(6):
            drawn = _at(opened, {**symbols.hints, **point})
            if drawn is None:
                continue
            self.counts["valuations"] += 1
            judged = self.judge.judge(drawn, claimed=told)
            if judged.wrong is not None:
                return judged.wrong
        return None

    def _at_witness(self, opened: CallOf, symbols: Symbols, proof: Proof) -> Wrong | None:
        """Refuted by a witness, so not proved there."""
        drawn = _at(opened, {**symbols.hints, **proof.witness})
        if drawn is None:
            return None
        self.counts["valuations"] += 1
        judged = self.judge.judge(drawn)
        if judged.fired:
            return Wrong(f"refuted at {dict(proof.witness)}, yet proved there", drawn.call, None, str(proof))
        return judged.wrong


def _told(proof: Proof | None, symbols: Symbols) -> str:
    today = ", ".join(f"{s} is {v} today" for s, v in symbols.hints.items())
    return f"{proof} ({today})"


def _opened(part: Any, symbols: Symbols, seen: dict[int, Any], is_size: bool = False) -> Any:
    """The instance with some numbers replaced by expressions."""
    if isinstance(part, Operand):
        if part.slot not in seen:
            seen[part.slot] = Open(part, tuple(map(symbols.for_size, part.shape)))
        return seen[part.slot]
    if isinstance(part, CallOf):
        if id(part) not in seen:
            sizes = _size_positions(part.target)
            args = tuple(_opened(a, symbols, seen, i in sizes) for i, a in enumerate(part.args))
            seen[id(part)] = CallOf(part.target, args)
        return seen[id(part)]
    if isinstance(part, list):
        return [_opened(p, symbols, seen, is_size) for p in part]
    return symbols.for_argument(part) if is_size and type(part) is int else part


@functools.cache
def _size_positions(target: Any) -> frozenset[int]:
    """Positions of the schema that take symbolic integers, as the schema's text says."""
    if not isinstance(target, OpOverload):
        return frozenset()
    text = str(target._schema)
    types = re.findall(r"(?:\(|, )(?!\*)([A-Za-z]\w*)", text[: text.rindex("->")])
    return frozenset(i for i, kind in enumerate(types) if kind == "SymInt")


def _mapped(part: Any, number: Any, opens: dict[int, Open], seen: dict[int, Any]) -> Any:
    """The instance with expressions replaced by what ``number`` makes of them."""
    if isinstance(part, Open):
        opens[part.like.slot] = part
        return part.like
    if isinstance(part, CallOf):
        if id(part) not in seen:
            seen[id(part)] = CallOf(part.target, tuple(_mapped(a, number, opens, seen) for a in part.args))
        return seen[id(part)]
    if isinstance(part, list):
        return [_mapped(p, number, opens, seen) for p in part]
    return number(part)


def _fake(part: Open, symbols: Symbols) -> torch.Tensor:
    return torch.empty([symbols.size_of(n) for n in part.shape], dtype=part.like.dtype)


def _at(opened: CallOf, point: Point) -> Drawn | None:
    """The instance at given sizes, evaluated; None if it is undefined there, or too large."""

    def number(expr: Any) -> Any:
        return evaluate(expr, point) if isinstance(expr, sympy.Expr) else expr

    opens: dict[int, Open] = {}
    try:
        plain = _mapped(opened, number, opens, {})
        sized = {
            slot: replace(part.like, shape=tuple(map(number, part.shape))) for slot, part in opens.items()
        }
        if any(prod(o.shape) > MOST_ELEMENTS for o in sized.values()):
            return None
        call = _with_operands(plain, sized, {})
        tensors = {slot: operand.tensor() for slot, operand in sized.items()}
        done: dict[int, Any] = {}
        evaluated(call, tensors, done)
    except (Unevaluable, RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
        return None
    return Drawn(call, tensors, done)


def _with_operands(part: Any, sized: dict[int, Operand], seen: dict[int, Any]) -> Any:
    if isinstance(part, Operand):
        return sized[part.slot]
    if isinstance(part, CallOf):
        if id(part) not in seen:
            seen[id(part)] = CallOf(part.target, tuple(_with_operands(a, sized, seen) for a in part.args))
        return seen[id(part)]
    return [_with_operands(p, sized, seen) for p in part] if isinstance(part, list) else part
