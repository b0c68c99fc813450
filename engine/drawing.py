"""Instances of a rule's pattern, made by choices: spellings, operands, and arguments from the schemas."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch

from .arguments import Argument, choices_of, schema_of
from .choices import DeadEnd, Pick
from .errors import RuleError
from .fitting import Part, all_shapes, fitting, new_operand, operand_of, tensors_in
from .instances import CallOf, keywords_of
from .operands import COUNTED, DTYPES, LAYOUTS
from .pattern import OpCall, calls_in
from .rule import Rule
from .schema_values import MOST_ELEMENTS, SCALARS, is_known, plausible
from .scope import Scope
from .sweeps import Few, ladder
from .torch_api import Ignored, KeywordArg

_LARGE = (2, 1, 3, 0, 5, 8, 12, 17, 30)
_TRIVIAL = frozenset({"layout", "device", "pin_memory", "non_blocking", "generator"})
"""Arguments that say nothing of the value, left as they are where a pattern leaves them open."""
REFUSALS = (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError)
"""What calls raise on operands and arguments that do not suit them."""
_MOST_KEPT = 4096
"""How many calls inside a pattern are remembered with their results."""


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


class Drawer:
    """Draws instances of one rule in one sweep, whose calls it remembers from one instance to the next. Operands are
    of ``dtype`` where the sweep does not say otherwise."""

    def __init__(
        self,
        rule: Rule,
        scope: Scope,
        sweep: str = "shapes",
        few: Few | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.rule, self.scope, self.sweep, self.dtype = rule, scope, sweep, dtype
        self.few = ladder(sweep)[0] if few is None else few
        found = heads(rule, together=sweep == "spellings")
        self.heads = found if self.few.spellings or sweep == "spellings" else found[:1]
        self._calls = tuple(dict.fromkeys(calls_in(rule.pattern)))
        self._known: dict[tuple[Any, ...], tuple[CallOf, Any]] = {}

    def draw(self, pick: Pick, head: Sequence[Any] | None = None) -> Drawn:
        """One instance, with what it computes; ``head`` says which overload each call is. Raises ``DeadEnd`` if
        the calls refuse what was picked, and ``RuleError`` if there is nothing to pick from."""
        spelled = dict(zip(self._calls, pick(self.heads) if head is None else head, strict=True))
        drawing = _Drawing(self, pick, spelled)
        return Drawn(drawing.call(self.rule.pattern).part, drawing.tensors, drawing.done)

    def evaluated(self, target: Any, parts: tuple[Any, ...], values: Sequence[Any]) -> tuple[CallOf, Any]:
        """The call with what it computes, from memory if the very same parts were given before."""
        known = (target, *map(id, parts))
        found = self._known.get(known)
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            # The parts are kept with the call, so that nothing else can come to have their ids.
            found = self._known[known] = _evaluated(target, parts, values)
        return found


def draw_instance(rule: Rule, scope: Scope, pick: Pick, sweep: str = "shapes") -> CallOf:
    """One instance of the rule's pattern. Raises ``DeadEnd`` if the calls refuse what was picked."""
    return Drawer(rule, scope, sweep).draw(pick).call


class _Refused:
    """What a call computes that raises."""


_REFUSED = _Refused()


def _evaluated(target: Any, parts: tuple[Any, ...], values: Sequence[Any]) -> tuple[CallOf, Any]:
    call = CallOf(target, parts)
    count, names = keywords_of(target)
    try:
        if not names:
            return call, target(*values)
        return call, target(*values[:count], **dict(zip(names, values[count:], strict=True)))
    except REFUSALS:
        return call, _REFUSED


@dataclass(slots=True)
class _Drawing:
    """One instance in the making."""

    of: Drawer
    pick: Pick
    targets: dict[OpCall, Any]
    tensors: dict[int, torch.Tensor] = field(default_factory=dict)
    done: dict[int, Any] = field(default_factory=dict)
    bound: dict[str, Part] = field(default_factory=dict)
    drawn: dict[OpCall, Part] = field(default_factory=dict)

    def call(self, pattern: OpCall) -> Part:
        found = self.drawn.get(pattern)
        if found is None:
            found = self.drawn[pattern] = self._new_call(pattern, self.targets[pattern])
        return found

    def _new_call(self, pattern: OpCall, target: Any) -> Part:
        parts: list[Any] = []
        values: list[Any] = []
        # The source of a large ``slice_scatter`` is made to fit its region, or next to none would.
        late = target is torch.ops.aten.slice_scatter.default and self.of.scope.large
        for nth, argument in enumerate(schema_of(target, len(pattern.args))):
            if late and argument.name == "src" and not isinstance(pattern.args[1], OpCall):
                made = Part(None, None)
            elif nth < len(pattern.args):
                made = self._argument(pattern.args[nth], target, argument, values)
            elif argument.default and (pattern.rest == "default" or argument.name in _TRIVIAL):
                made = Part(argument.default[0], argument.default[0])
            else:
                made = self._open(target, argument, values, left_out=True)
            parts.append(made.part)
            values.append(made.value)
        if late and parts[1] is None:
            parts[1], values[1] = self._region(pattern.args[1], values)
        if not plausible(target, values):
            raise DeadEnd
        once = pattern is self.of.rule.pattern or self.of.scope.large
        evaluated = _evaluated if once else self.of.evaluated
        call, value = evaluated(target, tuple(parts), values)
        if value is _REFUSED:
            raise DeadEnd
        self.done[id(call)] = value
        return Part(call, value)

    def _argument(self, pattern: Any, target: Any, argument: Argument, seen: list[Any]) -> Part:
        if isinstance(pattern, OpCall):
            return self.call(pattern)
        if isinstance(pattern, KeywordArg):
            if pattern.name not in self.bound:
                self.bound[pattern.name] = self._open(target, argument, seen)
            return self.bound[pattern.name]
        if isinstance(pattern, Ignored):
            return self._open(target, argument, seen)
        if isinstance(pattern, list | tuple):
            item = argument.of_item()
            made = [self._argument(p, target, item, [*seen, *self.tensors.values()]) for p in pattern]
            return Part([m.part for m in made], [m.value for m in made])
        if hasattr(pattern, "match"):
            raise RuleError(
                f"rule {self.of.rule.name!r}: verify cannot make instances of {type(pattern).__name__}; "
                "write the pattern with OpCall, variables, ANY, constants and lists"
            )
        return Part(pattern, pattern)

    def _open(self, target: Any, argument: Argument, seen: list[Any], left_out: bool = False) -> Part:
        kind, tensors = argument.kind, tensors_in(seen)
        if kind == "Tensor":
            if tensors and argument.name == "other" and self.pick((False, True)):
                number = self.pick(SCALARS if self.of.sweep in ("shapes", "values") else SCALARS[:2])
                return Part(number, number)
            return self._operand(tensors, argument.name)
        if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
            made: list[Part] = []
            for _ in range(self.pick((1, 2, 3) if self.of.scope.dim > 2 else (1, 2))):
                made.append(self._operand([*tensors, *(m.value for m in made)]))
            return Part([m.part for m in made], [m.value for m in made])
        if kind == "Optional[Tensor]":
            return self._operand(tensors) if self.pick((False, True)) else Part(None, None)
        first = (tuple(tensors[0].shape), tensors[0].dtype) if tensors else None
        known = choices_of(target, argument, first, self.of.scope, self.of.sweep, self.of.few, left_out)
        if not (known or is_known(kind)):
            raise RuleError(
                f"rule {self.of.rule.name!r}: verify knows no values of type {kind} for {argument.name!r} of "
                f"{target}; write a constant in its place"
            )
        value = self.pick(known)
        return Part(value, value)

    def _operand(self, others: list[torch.Tensor], name: str = "") -> Part:
        sweep, scope, slot = self.of.sweep, self.of.scope, len(self.tensors)
        dtype, layout, fill = self.of.dtype, "contiguous", 0 if scope.large else COUNTED
        allowed: Sequence[tuple[int, ...]]
        if sweep == "shapes":
            allowed = self._large(others) if scope.large else all_shapes(scope.rank, scope.dim)
        else:
            allowed = self.of.few.shapes
        if sweep == "layouts":
            layout = self.pick(LAYOUTS)
            dtype = torch.complex64 if layout == "conjugated" else dtype
        elif sweep == "values":
            # Kernels take what lies close by the vector, and need not round, or sign a zero, like the scalar way.
            layout, fill = self.pick(("contiguous", "sliced")), 0
        elif sweep == "dtypes":
            fill = 0
        if sweep in ("dtypes", "values"):
            dtype = self.pick(DTYPES)
        if others:
            allowed = fitting(tuple(allowed), tuple(others[0].shape), name == "src" and sweep != "shapes")
        make = new_operand if scope.large else operand_of
        made = make(slot, self.pick(allowed), dtype, layout, fill)
        self.tensors[slot] = made.value
        return made

    def _region(self, pattern: Any, seen: list[Any]) -> Part:
        base, _, dim, *region = seen
        if not -base.dim() <= dim < base.dim():
            raise DeadEnd
        shape = list(base.shape)
        shape[dim] = len(range(shape[dim])[slice(*region)])
        made = new_operand(len(self.tensors), tuple(shape), self.of.dtype, "contiguous", 0)
        if isinstance(pattern, KeywordArg) and self.bound.setdefault(pattern.name, made) is not made:
            raise DeadEnd
        self.tensors[made.part.slot] = made.value
        return made

    def _large(self, others: list[torch.Tensor]) -> Sequence[tuple[int, ...]]:
        """A shape beyond what can be exhausted; of a second operand one that goes with the first."""
        if not others:
            made: tuple[int, ...] = ()
            for _ in range(self.pick(range(self.of.scope.rank + 1))):
                made = (*made, self.pick([n for n in _LARGE if n * prod(made) <= MOST_ELEMENTS]))
            return (made,)
        first = tuple(others[0].shape)
        single = [(*first[:i], n, *first[i + 1 :]) for i in range(len(first)) for n in (1, first[i] // 2)]
        less = [(*first[:i], *first[i + 1 :]) for i in range(len(first))]
        return [first, *single, *less, (prod(first),)]
