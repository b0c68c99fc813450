"""The predicate under symbolic sizes: what it proves must hold at every size that its facts allow.

A small instance is taken, some of its sizes and integers are replaced by symbols (two may share a value today
and still be two), and the pattern is run on fake tensors. If the predicate is proved, the rule must be right at
other sizes; a witness of a refutation must be one; and the predicate may not have added a guard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from random import Random
from typing import Any, TypeVar

import sympy
import torch

from .choices import draws
from .drawing import Drawer, Drawn
from .faking import Faked, Open, faked, mapped, opened
from .instances import CallOf, evaluated
from .integers import Prover
from .knowledge import Knowledge
from .law import Judge, Wrong, raised
from .operands import Operand
from .plain import plain
from .points import Unevaluable, evaluate
from .proof import Proof, Truth
from .scope import Scope
from .symbols import Point, Symbols
from .torch_api import ShapeEnv, expression_of, snapshot

T = TypeVar("T")
MOST_ELEMENTS = 4096
_FEW = 30
_SWEEPS = ("shapes", "shapes", "spellings", "dtypes")


class Symbolic:
    """Symbolic instances of one rule, tried one by one."""

    def __init__(self, judge: Judge, scope: Scope, seed: int) -> None:
        self.judge, self.random = judge, Random(seed)
        # Two is the least size that says nothing of unit or empty dims; one and zero occur, too.
        rule, dtype = judge.rule, plain(judge.rule).dtype
        scopes = [replace(scope, rank=rank + 1, dim=3) for rank in range(min(scope.rank, 3))]
        self._drawers = [[Drawer(rule, s, sweep, dtype=dtype) for sweep in _SWEEPS] for s in scopes]
        self.counts = {"symbolic": 0, "symbolic, proved": 0, "symbolic, refuted": 0, "valuations": 0}

    def _choose(self, options: Sequence[T]) -> T:
        # Of sizes to ask for the operand's own come first, and are where most rules fire.
        first = isinstance(options[0], list) and self.random.random() < 0.3
        return options[0] if first else self.random.choice(options)

    def attempt(self) -> Wrong | None:
        """One random instance, two times of three one on which the rule fires if there is one among a few; None if all
        was well, or if it could not be made symbolic."""
        drawer = self.random.choice(self.random.choice(self._drawers))
        few = _FEW if self.random.random() < 0.7 else 1
        instance: Drawn | None = None
        for instance in draws(drawer.draw, self._choose, few):
            if few == 1 or self.judge.judge(instance).fired:
                break
        return None if instance is None else self.check(instance.call, self.random)

    def check(self, call: CallOf, random: Random) -> Wrong | None:
        """One instance with symbols for some of its numbers; None if all was well, or if it could not be made
        symbolic."""
        env = ShapeEnv()
        symbols = Symbols(env, random)
        generic = opened(call, symbols, {})
        if not symbols.hints:
            return None
        symbols.tell_orders()
        found = faked(generic, symbols)
        if found is None:
            return None
        points, before = list(symbols.points(6)), snapshot(env)
        prover = Prover(env, symbols.facts)
        try:
            proof, _, _ = self.judge.asked(found.call, found.tensors, found.done, prover)
        except Exception as error:
            return Wrong(raised("`where`", error), call, None, "")
        if proof is None:
            return None
        self.counts["symbolic"] += 1
        wrong = None
        if proof.truth is Truth.PROVED:
            self.counts["symbolic, proved"] += 1
            wrong = self._elsewhere(generic, symbols, proof, found.done, points)
        elif proof.truth is Truth.REFUTED and proof.witness:
            self.counts["symbolic, refuted"] += 1
            wrong = self._at_witness(generic, symbols, proof, found, prover.knowledge)
        if wrong is None and snapshot(env) != before:
            wrong = Wrong("`where` adds a guard on symbolic sizes", call, None, _told(proof, symbols))
        return wrong

    def _elsewhere(
        self, generic: CallOf, symbols: Symbols, proof: Proof, fakes: Mapping[int, Any], points: list[Point]
    ) -> Wrong | None:
        """Proved for all sizes, so right at each."""
        told = _told(proof, symbols)
        for point in points:
            drawn = _at(generic, {**symbols.hints, **point}, fakes)
            if drawn is None:
                continue
            self.counts["valuations"] += 1
            judged = self.judge.judge(drawn, claimed=told)
            if judged.wrong is not None:
                return self._at_least(generic, symbols, told, fakes) or judged.wrong
        return None

    def _at_least(
        self, generic: CallOf, symbols: Symbols, told: str, fakes: Mapping[int, Any]
    ) -> Wrong | None:
        """What is wrong at the least sizes that the facts allow, among small ones."""
        for point in symbols.small_points():
            drawn = _at(generic, {**symbols.hints, **point}, fakes)
            wrong = None if drawn is None else self.judge.judge(drawn, claimed=told).wrong
            if wrong is not None:
                return wrong
        return None

    def _at_witness(
        self, generic: CallOf, symbols: Symbols, proof: Proof, found: Faked, known: Knowledge
    ) -> Wrong | None:
        """Refuted by a witness, so the facts allow it, and nothing is proved there: unless values do not lie there as
        their fakes say, as those without elements may not."""
        point = dict(proof.witness)
        rest = {s: n for s, n in symbols.hints.items() if s not in known.replacements}
        everywhere = known.complete({**rest, **point}, symbols.hints)
        drawn = _at(generic, everywhere, found.done)
        if drawn is None:
            return None
        self.counts["valuations"] += 1
        facts = [fact for fact in known.relations if fact.free_symbols <= point.keys()]
        if not known.allows(point, facts):
            what = f"refuted at {point}, which the facts do not allow"
            return Wrong(what, drawn.call, None, _told(proof, symbols))
        judged = self.judge.judge(drawn)
        if judged.fired and _strides(drawn.tensors, everywhere) == _strides(found.tensors, everywhere):
            return Wrong(f"refuted at {dict(proof.witness)}, yet proved there", drawn.call, None, str(proof))
        return judged.wrong


def _told(proof: Proof | None, symbols: Symbols) -> str:
    today = ", ".join(f"{s} is {v} today" for s, v in symbols.hints.items())
    return f"{proof} ({today})"


def _at(generic: CallOf, point: Point, fakes: Mapping[int, Any]) -> Drawn | None:
    """The instance at given sizes, evaluated; None if it is undefined there, or too large, or if the sizes that
    torch told for fake tensors are not true there: that is not the rule's fault."""

    def number(expr: Any) -> Any:
        return evaluate(expr, point) if isinstance(expr, sympy.Expr) else expr

    opens: dict[int, Open] = {}
    try:
        plain = mapped(generic, number, opens, {})
        sized = {
            slot: replace(part.like, shape=tuple(map(number, part.shape))) for slot, part in opens.items()
        }
        if any(prod(o.shape) > MOST_ELEMENTS for o in sized.values()):
            return None
        seen: dict[int, Any] = {}
        call = _with_operands(plain, sized, seen)
        tensors = {slot: operand.tensor() for slot, operand in sized.items()}
        done: dict[int, Any] = {}
        evaluated(call, tensors, done)
        told = [_sizes_of(fake, lambda n: number(expression_of(n))) for fake in fakes.values()]
    except (Unevaluable, RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
        return None
    # Calls are evaluated in one order, with sizes of either kind.
    true = told == [_sizes_of(real, int) for real in done.values()]
    return Drawn(call, tensors, done) if true else None


def _sizes_of(value: Any, number: Callable[[Any], int]) -> Any:
    """The shape of a tensor, each of several results, or a result that is a number."""
    if isinstance(value, list | tuple):
        return [_sizes_of(v, number) for v in value]
    return tuple(map(number, value.shape)) if isinstance(value, torch.Tensor) else number(value)


def _strides(tensors: Mapping[int, Any], at: Point) -> dict[int, tuple[int, ...]]:
    return {
        slot: tuple(evaluate(sympy.sympify(expression_of(n)), at) for n in tensor.stride())
        for slot, tensor in tensors.items()
    }


def _with_operands(part: Any, sized: dict[int, Operand], seen: dict[int, Any]) -> Any:
    if isinstance(part, Operand):
        return sized[part.slot]
    if isinstance(part, CallOf):
        if id(part) not in seen:
            seen[id(part)] = CallOf(part.target, tuple(_with_operands(a, sized, seen) for a in part.args))
        return seen[id(part)]
    return [_with_operands(p, sized, seen) for p in part] if isinstance(part, list) else part
