"""Structural forms of a pattern: calls over operands of given rank, every size a symbol of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from .calls import signature
from .form_arguments import Made, State, filled, named, operand, templates, words_of
from .index_maps import HANDLERS, moved
from .pattern import OpCall, calls_in
from .positions import Moved
from .spellings import CASTS
from .torch_api import Ignored, KeywordArg, OpOverload

_OPEN, _DEFAULT = Ignored(), object()


def forms(pattern: OpCall, most_rank: int, most_rank_of_chain: int) -> Iterator[Made]:
    """Every form of the pattern whose operands and intermediate results have ranks up to a limit.

    Of a chain of calls, at most one has another spelling than the first of its kind, and dims are counted
    from the front.
    """
    alone = len(list(calls_in(pattern))) == 1
    ranks = range((most_rank if alone else most_rank_of_chain) + 1)
    for found, _, _ in _Enumeration(ranks, alone).calls(pattern, State(), others=1):
        yield found


@dataclass(frozen=True, slots=True)
class _Enumeration:
    ranks: range
    alone: bool

    def calls(self, call: OpCall, state: State, others: int) -> Iterator[tuple[Made, State, int]]:
        """Every form, the state after it, and how many more calls may be spelled otherwise."""
        if call in state.bound:
            yield state.bound[call], state, others
            return
        seen: set[object] = set()
        for target in call.fns:
            if not isinstance(target, OpOverload):
                continue
            kind = (HANDLERS.get(target, target), *signature(target).names[1:2])
            left = others if self.alone or kind not in seen else others - 1
            seen.add(kind)
            if left < 0:
                continue
            if target not in HANDLERS:
                yield Made((), None, target, opaque=True), state, left
                continue
            for args, given, after, rest in self._arguments(call, target, state, left):
                for made, last in self._called(target, args, given, after):
                    yield made, last.binding(call, made), rest

    def _called(
        self, target: OpOverload, args: tuple[Any, ...], given: tuple[str, ...], state: State
    ) -> Iterator[tuple[Made, State]]:
        operands = [a for a in args if isinstance(a, Made)]
        if any(o.cases is None for o in operands):
            yield Made((), None, target, args, given, opaque=True), state
            return
        found: list[Moved] | None = []
        for chosen in itertools.product(*(o.cases or () for o in operands)):
            by_operand = dict(zip(operands, chosen, strict=True))
            cases = moved(target, tuple(by_operand.get(a, a) if isinstance(a, Made) else a for a in args))
            if cases is None:
                found = None
                break
            assert found is not None
            found += cases
        if found is None:
            # Of an unknown call all that can be said is that it may keep the shape, as a cast does.
            dtypes = [a for a in args if isinstance(a, torch.dtype)]
            of = operands[-1] if target in CASTS else operands[0]
            dtype = dtypes[0] if dtypes else of.dtype
            yield Made(operands[0].shape, None, target, args, given, dtype), state
            return
        for rank in sorted({len(c.shape) for c in found}):
            if rank in self.ranks:
                cases_ = [c for c in found if len(c.shape) == rank]
                shape, after = named(cases_, state)
                yield Made(shape, tuple(c.with_shape(shape) for c in cases_), target, args, given), after

    def _arguments(
        self, call: OpCall, target: OpOverload, state: State, others: int
    ) -> Iterator[tuple[tuple[Any, ...], tuple[str, ...], State, int]]:
        """Arguments in schema order that the pattern matches."""
        schema = target._schema.arguments
        patterns = [
            *call.args,
            *([_OPEN if call.rest == "any" else _DEFAULT] * (len(schema) - len(call.args))),
        ]
        partial: list[tuple[tuple[Any, ...], tuple[str, ...], State, int]] = [((), (), state, others)]
        for argument, pattern in zip(schema, patterns, strict=True):
            partial = [
                ((*args, value), (*given, *words), after, rest)
                for args, given, before, left in partial
                for value, words, after, rest in self._values(target, argument, pattern, args, before, left)
            ]
        yield from partial

    def _values(
        self,
        target: OpOverload,
        argument: Any,
        pattern: object,
        args: tuple[Any, ...],
        state: State,
        others: int,
    ) -> Iterator[tuple[Any, tuple[str, ...], State, int]]:
        name = pattern.name if isinstance(pattern, KeywordArg) else None
        if isinstance(pattern, OpCall):
            yield from ((made, (), after, rest) for made, after, rest in self.calls(pattern, state, others))
        elif name is not None and name in state.bound:
            yield state.bound[name], (), state, others
        elif str(argument.type) == "Tensor":
            # A second operand may be of another dtype than the first.
            dtypes = (torch.float32, torch.float64) if args else (torch.float32,)
            for rank, dtype in itertools.product(self.ranks, dtypes):
                made, after = operand(rank, state, dtype)
                after = after if name is None else after.binding(name, made)
                other = (f"{argument.name} of float64",) if dtype is torch.float64 else ()
                yield made, other, after, others
            for rank in self.ranks[1:3] if self.alone and not args else ():
                # Sizes that are known are not symbols that may be 1: a predicate can tell them apart.
                made = Made((1,) * rank, (Moved.operand(object(), (1,) * rank),))
                after = state if name is None else state.binding(name, made)
                yield made, (f"{argument.name} of ones",), after, others
        elif pattern is _DEFAULT or not isinstance(pattern, KeywordArg | Ignored):
            value = argument.default_value if pattern is _DEFAULT else pattern
            yield value, (), state, others
        else:
            default = argument.default_value if argument.has_default_value() else None
            for template in templates(target, argument.name, args, self.ranks, self.alone) or [default]:
                value, after = filled(template, state)
                words = f"{argument.name}={words_of(template)}"
                after = after if name is None else after.binding(name, value)
                yield value, (words,), after, others
