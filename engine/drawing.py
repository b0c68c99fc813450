"""Instances of a rule's pattern, made by choices: spellings, operands, and arguments from the schemas."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import torch

from .choices import DeadEnd, Pick
from .errors import RuleError
from .instances import CallOf
from .operands import DTYPES, FILLS, LAYOUTS, Operand
from .pattern import OpCall, calls_in
from .rule import Rule
from .schema_values import SCALARS, options, plausible, shapes
from .scope import Scope
from .torch_api import Ignored, KeywordArg, OpOverload

SWEEPS = ("shapes", "spellings", "dtypes", "layouts", "values")
"""What varies while the rest stays simple: all shapes and arguments; all spellings of several calls together;
all dtypes; all layouts; all telling values. Except in the first, arguments take a few of their values."""
_FEW_SHAPES = ((), (0,), (1,), (2,), (1, 2), (2, 2))
_LAYOUT_SHAPES = ((), (1,), (2,), (0, 2), (1, 2), (2, 1), (2, 2), (1, 2, 1), (2, 1, 2), (2, 2, 2))
_TRIVIAL = frozenset({"layout", "device", "pin_memory", "non_blocking", "generator"})
"""Arguments that say nothing of the value, left as they are where a pattern leaves them open."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """An instance, and what each operand and call of it computed, by slot and by ``id``."""

    call: CallOf
    tensors: dict[int, torch.Tensor]
    done: dict[int, Any]


def heads(rule: Rule, together: bool = True) -> list[tuple[Any, ...]]:
    """Which overload each call of the pattern is: in all combinations, or one call at a time with the others
    at their first."""
    spellings = [list(dict.fromkeys(call.fns)) for call in dict.fromkeys(calls_in(rule.pattern))]
    if together:
        return list(itertools.product(*spellings))
    first = tuple(s[0] for s in spellings)
    one = [(*first[:i], fn, *first[i + 1 :]) for i, fns in enumerate(spellings) for fn in fns]
    return list(dict.fromkeys(one))


def draw_instance(rule: Rule, scope: Scope, pick: Pick, sweep: str = "shapes") -> CallOf:
    """One instance of the rule's pattern. Raises ``DeadEnd`` if the calls refuse what was picked."""
    return draw(rule, scope, pick, pick(heads(rule)), sweep).call


def draw(rule: Rule, scope: Scope, pick: Pick, head: Sequence[Any], sweep: str) -> Drawn:
    """One instance whose calls have the overloads of ``head``, with what it computes."""
    calls = dict.fromkeys(calls_in(rule.pattern))
    drawing = _Drawing(rule, scope, pick, dict(zip(calls, head, strict=True)), sweep)
    call = drawing.call(rule.pattern)
    return Drawn(call, drawing.tensors, drawing.done)


@dataclass
class _Drawing:
    rule: Rule
    scope: Scope
    pick: Pick
    targets: dict[OpCall, Any]
    sweep: str
    tensors: dict[int, torch.Tensor] = field(default_factory=dict)
    done: dict[int, Any] = field(default_factory=dict)
    bound: dict[str, Any] = field(default_factory=dict)
    drawn: dict[OpCall, CallOf] = field(default_factory=dict)

    def call(self, pattern: OpCall) -> CallOf:
        found = self.drawn.get(pattern)
        if found is None:
            found = self.drawn[pattern] = self._new_call(pattern, self.targets[pattern])
        return found

    def _new_call(self, pattern: OpCall, target: Any) -> CallOf:
        args: list[Any] = []
        seen: list[Any] = []
        for position, (name, kind, default) in enumerate(_schema(target, len(pattern.args))):
            if position < len(pattern.args):
                args.append(self._argument(pattern.args[position], target, name, kind, seen))
            elif default and (pattern.rest == "default" or name in _TRIVIAL):
                args.append(default[0])
            else:
                args.append(self._open(target, name, kind, seen, *default))
            seen.append(self._value(args[-1]))
        if not plausible(target, seen):
            raise DeadEnd
        call = CallOf(target, tuple(args))
        positional, keyword = call.split()
        try:
            self.done[id(call)] = target(
                *(self._value(a) for a in positional), **{n: self._value(a) for n, a in keyword.items()}
            )
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as error:
            raise DeadEnd from error
        return call

    def _argument(self, pattern: Any, target: Any, name: str, kind: str, seen: list[Any]) -> Any:
        if isinstance(pattern, OpCall):
            return self.call(pattern)
        if isinstance(pattern, list | tuple):
            return [
                self._argument(p, target, name, "Tensor", [*seen, *self.tensors.values()]) for p in pattern
            ]
        if isinstance(pattern, KeywordArg):
            if pattern.name not in self.bound:
                self.bound[pattern.name] = self._open(target, name, kind, seen)
            return self.bound[pattern.name]
        if isinstance(pattern, Ignored):
            return self._open(target, name, kind, seen)
        if hasattr(pattern, "match"):
            raise RuleError(
                f"rule {self.rule.name!r}: verify cannot make instances of {type(pattern).__name__}; "
                "write the pattern with OpCall, variables, ANY, constants and lists"
            )
        return pattern

    def _open(self, target: Any, name: str, kind: str, seen: list[Any], *default: Any) -> Any:
        tensors = _tensors_in(seen)
        if kind == "Tensor":
            if tensors and name == "other" and self.pick((False, True)):
                return self.pick(SCALARS if self.sweep in ("shapes", "values") else SCALARS[:2])
            return self._operand(tensors)
        if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
            made: list[Operand] = []
            for _ in range(self.pick((1, 2, 3) if self.scope.dim > 2 else (1, 2))):
                made.append(self._operand([*tensors, *(self.tensors[o.slot] for o in made)]))
            return made
        if kind == "Optional[Tensor]":
            return self._operand(tensors) if self.pick((False, True)) else None
        known = options(kind, name, tensors[0] if tensors else None, self.scope, target)
        if self.sweep != "shapes" and len(known) > 5:
            known = [*known[:4], known[-1]]
        return self.pick([*default, *known])

    def _operand(self, others: list[torch.Tensor]) -> Operand:
        slot = len(self.tensors)
        dtype, layout, fill = torch.float32, "contiguous", 0
        allowed: Sequence[tuple[int, ...]]
        if self.sweep == "shapes":
            allowed = _shapes(self.scope.rank, self.scope.dim)
        elif self.sweep == "layouts":
            allowed, layout = _LAYOUT_SHAPES, self.pick(LAYOUTS)
        else:
            allowed = _FEW_SHAPES
            if self.sweep == "values":
                # Two elements, so every other way to fill them brings all telling values.
                allowed, fill = ((2,),), self.pick(range(0, FILLS, 2))
            if self.sweep != "spellings":
                dtype = self.pick(DTYPES)
        if others:
            allowed = [s for s in allowed if _goes_with(s, tuple(others[0].shape))]
        operand = Operand(slot, self.pick(allowed), dtype, layout, fill)
        self.tensors[slot] = _tensor(operand)
        return operand

    def _value(self, part: Any) -> Any:
        if isinstance(part, Operand):
            return self.tensors[part.slot]
        if isinstance(part, CallOf):
            return self.done[id(part)]
        return [self._value(p) for p in part] if isinstance(part, list) else part


_shapes = lru_cache(maxsize=64)(shapes)
_tensor = lru_cache(maxsize=4096)(Operand.tensor)
"""Only read: what a pattern matches is functional."""


@lru_cache(maxsize=1024)
def _schema(target: Any, count: int) -> tuple[tuple[str, str, tuple[Any, ...]], ...]:
    """Name, type and default, if any, of each argument; a plain function takes a tensor or tuple, then integers."""
    if not isinstance(target, OpOverload):
        return tuple(("index", "int", ()) if i else ("self", "Tensor", ()) for i in range(count))
    return tuple(
        (a.name, str(a.real_type), (a.default_value,) if a.has_default_value() else ())
        for a in target._schema.arguments
    )


def _tensors_in(seen: list[Any]) -> list[torch.Tensor]:
    flat = itertools.chain.from_iterable(v if isinstance(v, list) else [v] for v in seen)
    return [v for v in flat if isinstance(v, torch.Tensor)]


def _goes_with(shape: tuple[int, ...], first: tuple[int, ...]) -> bool:
    """Does the shape broadcast with the first, fit inside it, or hold as many elements?"""
    pairs = list(zip(reversed(shape), reversed(first), strict=False))
    return (
        prod(shape) == prod(first)
        or all(a == b or 1 in (a, b) for a, b in pairs)
        or (len(shape) == len(first) and all(a <= b for a, b in pairs))
    )
