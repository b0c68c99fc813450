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
from .operands import COUNTED, DTYPES, FILLS, LAYOUTS, Operand
from .pattern import OpCall, calls_in, same_constant
from .rule import Rule
from .schema_values import MOST_ELEMENTS, SCALARS, is_known, options, plausible, shapes
from .scope import Scope
from .torch_api import Ignored, KeywordArg, OpOverload

SWEEPS = ("shapes", "spellings", "dtypes", "layouts", "values")
"""What varies while the rest stays simple: all shapes and arguments; all spellings of several calls together;
all dtypes; all layouts; all telling values. Except in the first, arguments take a few of their values."""
_FEW_SHAPES = ((), (0,), (1,), (2,), (1, 2), (2, 2))
_LAYOUT_SHAPES = ((), (1,), (2,), (0, 2), (1, 2), (2, 1), (2, 2), (1, 2, 1), (2, 1, 2), (2, 2, 2))
_VALUED = (*((((2,),), fill) for fill in range(0, FILLS, 2)), (((40,),), 0))
_LARGE = (2, 1, 3, 0, 5, 8, 12, 17, 30)
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
        # The source of a large ``slice_scatter`` is made to fit its region, or next to none would.
        late = target is torch.ops.aten.slice_scatter.default and self.scope.large
        for position, (name, kind, default) in enumerate(_schema(target, len(pattern.args))):
            if late and name == "src" and not isinstance(pattern.args[1], OpCall):
                args.append(None)
            elif position < len(pattern.args):
                args.append(self._argument(pattern.args[position], target, name, kind, seen))
            elif default and (pattern.rest == "default" or name in _TRIVIAL):
                args.append(default[0])
            else:
                args.append(self._open(target, name, kind, seen, *default))
            seen.append(self._value(args[-1]))
        if late and args[1] is None:
            args[1], seen[1] = self._region(pattern.args[1], seen)
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
            item = kind.removeprefix("Optional[").removeprefix("List[").removesuffix("]").removesuffix("]")
            return [self._argument(p, target, name, item, [*seen, *self.tensors.values()]) for p in pattern]
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
        if not (known or default or is_known(kind)):
            raise RuleError(
                f"rule {self.rule.name!r}: verify knows no values of type {kind} for {name!r} of {target}; "
                "write a constant in its place"
            )
        known = [v for v in known if not (default and same_constant(default[0], v))]
        if self.sweep != "shapes" and len(known) > 5:
            known = [*known[:4], known[-1]]
        return self.pick([*default, *known])

    def _operand(self, others: list[torch.Tensor]) -> Operand:
        slot = len(self.tensors)
        dtype, layout, fill = torch.float32, "contiguous", 0 if self.scope.large else COUNTED
        allowed: Sequence[tuple[int, ...]]
        if self.sweep == "shapes":
            allowed = self._large(others) if self.scope.large else _shapes(self.scope.rank, self.scope.dim)
        elif self.sweep == "layouts":
            allowed, layout = _LAYOUT_SHAPES, self.pick(LAYOUTS)
        else:
            allowed = _FEW_SHAPES
            if self.sweep == "values":
                # Two elements, so every other way to fill them brings all telling values; and as many as take
                # the vectorised path of a kernel, which need not round, or sign a zero, like the scalar one.
                allowed, fill = self.pick(_VALUED)
            if self.sweep != "spellings":
                dtype, fill = self.pick(DTYPES), fill % COUNTED
        if others:
            allowed = [s for s in allowed if _goes_with(s, tuple(others[0].shape))]
        operand = Operand(slot, self.pick(allowed), dtype, layout, fill)
        self.tensors[slot] = _tensor(operand)
        return operand

    def _region(self, pattern: Any, seen: list[Any]) -> tuple[Operand, torch.Tensor]:
        base, _, dim, *region = seen
        if not -base.dim() <= dim < base.dim():
            raise DeadEnd
        shape = list(base.shape)
        shape[dim] = len(range(shape[dim])[slice(*region)])
        operand = Operand(len(self.tensors), tuple(shape))
        if isinstance(pattern, KeywordArg) and self.bound.setdefault(pattern.name, operand) is not operand:
            raise DeadEnd
        self.tensors[operand.slot] = _tensor(operand)
        return operand, self.tensors[operand.slot]

    def _large(self, others: list[torch.Tensor]) -> Sequence[tuple[int, ...]]:
        """A shape beyond what can be exhausted; of a second operand one that goes with the first."""
        if not others:
            made: tuple[int, ...] = ()
            for _ in range(self.pick(range(self.scope.rank + 1))):
                made = (*made, self.pick([n for n in _LARGE if n * prod(made) <= MOST_ELEMENTS]))
            return (made,)
        first = tuple(others[0].shape)
        single = [(*first[:i], n, *first[i + 1 :]) for i in range(len(first)) for n in (1, first[i] // 2)]
        return [first, *single, first[1:], (prod(first),)]

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
    """Does the shape broadcast with the first, fit inside it, hold as many elements, or none?"""
    pairs = list(zip(reversed(shape), reversed(first), strict=False))
    return (
        prod(shape) == prod(first)
        or shape == (0,)
        or all(a == b or 1 in (a, b) for a, b in pairs)
        or (len(shape) == len(first) and all(a <= b for a, b in pairs))
    )
