"""Structural forms of a pattern: calls over operands of given rank, every size a symbol of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
import torch

from .calls import signature
from .index_maps import HANDLERS, moved
from .integers import Expr
from .pattern import OpCall, calls_in
from .positions import Moved, Sizes
from .regions import INT64_MAX
from .spellings import EXPANDS
from .torch_api import Ignored, KeywordArg, OpOverload

_aten = torch.ops.aten
SYMBOLS = tuple(sympy.Symbol(f"s{k}", integer=True, nonnegative=True) for k in range(64))
"""Sizes, bounds and strides, named as torch names the symbols of sizes."""

_OPEN, _DEFAULT = Ignored(), object()
FRESH = "symbolic"
NEGATIVE = "negative symbolic"
POSITIVE = "positive symbolic"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An operand, or a call with ``args`` in schema order that computes one of ``cases``. ``shape``: int or symbol
    per dim. ``given``: each argument in words, by name. No ``cases``: it is no known data movement, and if it is
    ``opaque``, not even its shape is known."""

    shape: Sizes
    cases: tuple[Moved, ...] | None
    target: OpOverload | None = None
    args: tuple[Any, ...] = ()
    given: tuple[str, ...] = ()
    dtype: torch.dtype = torch.float32
    opaque: bool = False

    def __str__(self) -> str:
        if self.target is None:
            return f"rank {len(self.shape)}"
        inner = (str(a) for a in self.args if isinstance(a, Made))
        return f"{self.target}({', '.join((*inner, *self.given))})"


@dataclass(frozen=True, slots=True)
class _State:
    """What is chosen so far: values of variables, nodes of shared calls, and how many symbols are in use."""

    bound: Mapping[object, Any] = field(default_factory=dict)
    symbols: int = 0

    def binding(self, name: object, value: Any) -> _State:
        return _State({**self.bound, name: value}, self.symbols)

    def fresh(self, count: int) -> tuple[tuple[sympy.Symbol, ...], _State]:
        first = self.symbols
        return SYMBOLS[first : first + count], _State(self.bound, first + count)


def forms(pattern: OpCall, most_rank: int, most_rank_of_chain: int) -> Iterator[Made]:
    """Every form of the pattern whose operands and intermediate results have ranks up to a limit.

    Of a chain of calls, at most one has another spelling than the first of its kind, and dims are counted
    from the front.
    """
    alone = len(list(calls_in(pattern))) == 1
    ranks = range((most_rank if alone else most_rank_of_chain) + 1)
    for found, _, _ in _Enumeration(ranks, alone).calls(pattern, _State(), others=1):
        yield found


@dataclass(frozen=True, slots=True)
class _Enumeration:
    ranks: range
    alone: bool

    def calls(self, call: OpCall, state: _State, others: int) -> Iterator[tuple[Made, _State, int]]:
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
        self, target: OpOverload, args: tuple[Any, ...], given: tuple[str, ...], state: _State
    ) -> Iterator[tuple[Made, _State]]:
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
            dtype = dtypes[0] if dtypes else operands[0].dtype
            yield Made(operands[0].shape, None, target, args, given, dtype), state
            return
        for rank in sorted({len(c.shape) for c in found}):
            if rank in self.ranks:
                cases_ = [c for c in found if len(c.shape) == rank]
                shape, after = _named(cases_, state)
                yield Made(shape, tuple(c.with_shape(shape) for c in cases_), target, args, given), after

    def _arguments(
        self, call: OpCall, target: OpOverload, state: _State, others: int
    ) -> Iterator[tuple[tuple[Any, ...], tuple[str, ...], _State, int]]:
        """Arguments in schema order that the pattern matches."""
        schema = target._schema.arguments
        patterns = [
            *call.args,
            *([_OPEN if call.rest == "any" else _DEFAULT] * (len(schema) - len(call.args))),
        ]
        partial: list[tuple[tuple[Any, ...], tuple[str, ...], _State, int]] = [((), (), state, others)]
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
        state: _State,
        others: int,
    ) -> Iterator[tuple[Any, tuple[str, ...], _State, int]]:
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
            for template in self._templates(target, argument.name, args) or [default]:
                value, after = _filled(template, state)
                words = f"{argument.name}={_words(template)}"
                after = after if name is None else after.binding(name, value)
                yield value, (words,), after, others

    def _templates(self, target: OpOverload, name: str, operands: tuple[Any, ...]) -> list[Any]:
        """The kinds of value that an argument takes, given those before it. Empty: only its default."""
        rank = len(operands[0].shape)
        kind = HANDLERS.get(target)
        back = self.alone
        if name in ("size", "shape") or (name == "sizes" and kind is not None):
            if target in EXPANDS:
                return [
                    [*[FRESH] * (total - rank), *ends]
                    for total in self.ranks
                    if total >= rank
                    for ends in itertools.product((FRESH, -1), repeat=rank)
                ]
            totals = [n for n in self.ranks if name != "sizes" or 0 < n <= self.ranks[-1] - rank + 1]
            open_ = [[FRESH] * d + [-1] + [FRESH] * (n - 1 - d) for n in totals for d in range(n)]
            return [*([FRESH] * n for n in totals), *open_]
        if name == "repeats" or target is _aten.tile.default:
            totals = [n for n in self.ranks if n >= rank or name != "repeats"]
            return [list(r) for n in totals for r in itertools.product((1, FRESH), repeat=n)]
        if target in (_aten.permute.default, _aten.permute_copy.default):
            orders = [list(p) for p in itertools.permutations(range(rank))]
            return orders + ([[d - rank for d in p] for p in orders] if back and rank else [])
        if name == "dims" or (name == "dim" and str(_argument(target, name).type) == "List[int]"):
            return [list(d) for n in range(rank + 1) for d in itertools.combinations(range(rank), n)]
        if name in ("dim", "dim0", "dim1", "start_dim", "end_dim"):
            most = rank + 1 if "unsqueeze" in str(target) else rank or 1
            return [*range(most), *([-1] if back and most else [])]
        # Operands that are there for their dtype or their ones meet few bounds: they say nothing of bounds.
        plain = all(o.dtype is torch.float32 and 1 not in o.shape for o in operands if isinstance(o, Made))
        if name in ("start", "end") and not plain:
            return [None, FRESH]
        if name == "step" and not plain:
            return [1]
        if name in ("start", "end"):
            return [None, 0 if name == "start" else INT64_MAX, FRESH, NEGATIVE]
        if name == "index":
            return [0, -1, FRESH, NEGATIVE]
        if name == "step":
            return [1, 2, POSITIVE]
        if name == "dtype":
            optional = str(_argument(target, name).type).startswith("Optional")
            return [torch.float32, torch.float64, *([None] if optional else [])]
        if name == "device":
            return [torch.device("cpu")]
        return []


def operand(rank: int, state: _State, dtype: torch.dtype) -> tuple[Made, _State]:
    """A tensor of its own sizes."""
    shape, after = state.fresh(rank)
    return Made(shape, (Moved.operand(object(), shape, dtype),), dtype=dtype), after


def _argument(target: OpOverload, name: str) -> Any:
    return next(a for a in target._schema.arguments if a.name == name)


def _named(cases: Sequence[Moved], state: _State) -> tuple[Sizes, _State]:
    """A shape for all the cases: what they agree on if it is plain, else a symbol that is a fact of each."""
    shape: list[Expr] = []
    for sizes in zip(*(c.shape for c in cases), strict=True):
        if len(set(sizes)) == 1 and (isinstance(sizes[0], int) or sizes[0].is_Symbol):
            shape.append(sizes[0])
        else:
            (size,), state = state.fresh(1)
            shape.append(size)
    return tuple(shape), state


def _filled(template: Any, state: _State) -> tuple[Any, _State]:
    """A template with its symbols."""
    if isinstance(template, list):
        values = []
        for item in template:
            value, state = _filled(item, state)
            values.append(value)
        return values, state
    if template not in (FRESH, NEGATIVE, POSITIVE):
        return template, state
    (symbol,), state = state.fresh(1)
    return {FRESH: symbol, NEGATIVE: -symbol - 1, POSITIVE: symbol + 1}[template], state


def _words(template: Any) -> str:
    if isinstance(template, list):
        return f"[{', '.join(map(_words, template))}]"
    return str(template).removeprefix("torch.")
