"""What the arguments of a structural form are: operands of given rank, and kinds of sizes, bounds and dims."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
import torch

from .index_maps import HANDLERS
from .integers import Expr
from .positions import Moved, Sizes
from .regions import INT64_MAX, narrowed
from .spellings import EXPANDS
from .torch_api import OpOverload

_aten = torch.ops.aten
SYMBOLS = tuple(sympy.Symbol(f"s{k}", integer=True, nonnegative=True) for k in range(64))
"""Sizes, bounds and strides, named as torch names the symbols of sizes."""

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
class State:
    """What is chosen so far: values of variables, nodes of shared calls, and how many symbols are in use."""

    bound: Mapping[object, Any] = field(default_factory=dict)
    symbols: int = 0

    def binding(self, name: object, value: Any) -> State:
        return State({**self.bound, name: value}, self.symbols)

    def fresh(self, count: int) -> tuple[tuple[sympy.Symbol, ...], State]:
        first = self.symbols
        return SYMBOLS[first : first + count], State(self.bound, first + count)


def templates(
    target: OpOverload, name: str, operands: tuple[Any, ...], ranks: range, alone: bool
) -> list[Any]:
    """The kinds of value that an argument takes, given those before it. Empty: only its default."""
    rank = len(operands[0].shape)
    kind = HANDLERS.get(target)
    back = alone
    if name in ("size", "shape") or (name == "sizes" and kind is not None):
        if target in EXPANDS:
            return [
                [*[FRESH] * (total - rank), *ends]
                for total in ranks
                if total >= rank
                for ends in itertools.product((FRESH, -1), repeat=rank)
            ]
        totals = [n for n in ranks if name != "sizes" or 0 < n <= ranks[-1] - rank + 1]
        open_ = [[FRESH] * d + [-1] + [FRESH] * (n - 1 - d) for n in totals for d in range(n)]
        return [*([FRESH] * n for n in totals), *open_]
    if target is _aten.repeat_interleave.self_int and name == "repeats":
        return [1, FRESH]
    if name in ("source", "destination"):
        single = [[d] for d in range(rank)]
        whole = (
            [list(range(rank))]
            if name == "destination"
            else [list(p) for p in itertools.permutations(range(rank))]
        )
        return [*single, *whole] if "intlist" in str(target) else list(range(rank or 1))
    if name == "length" or (name == "start" and kind is narrowed):
        return [FRESH] if name == "length" else [0, FRESH, NEGATIVE]
    if name == "repeats" or target is _aten.tile.default:
        totals = [n for n in ranks if n >= rank or name != "repeats"]
        return [list(r) for n in totals for r in itertools.product((1, FRESH), repeat=n)]
    if target in (_aten.permute.default, _aten.permute_copy.default):
        orders = [list(p) for p in itertools.permutations(range(rank))]
        return orders + ([[d - rank for d in p] for p in orders] if back and rank else [])
    if name == "dims" or (name == "dim" and str(_argument(target, name).type) == "List[int]"):
        return [list(d) for n in range(rank + 1) for d in itertools.combinations(range(rank), n)]
    if name in ("dim", "dim0", "dim1", "axis0", "axis1", "start_dim", "end_dim"):
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


def operand(rank: int, state: State, dtype: torch.dtype) -> tuple[Made, State]:
    """A tensor of its own sizes."""
    shape, after = state.fresh(rank)
    return Made(shape, (Moved.operand(object(), shape, dtype),), dtype=dtype), after


def _argument(target: OpOverload, name: str) -> Any:
    return next(a for a in target._schema.arguments if a.name == name)


def named(cases: Sequence[Moved], state: State) -> tuple[Sizes, State]:
    """A shape for all the cases: what they agree on if it is plain, else a symbol that is a fact of each."""
    shape: list[Expr] = []
    for sizes in zip(*(c.shape for c in cases), strict=True):
        if len(set(sizes)) == 1 and (isinstance(sizes[0], int) or sizes[0].is_Symbol):
            shape.append(sizes[0])
        else:
            (size,), state = state.fresh(1)
            shape.append(size)
    return tuple(shape), state


def filled(template: Any, state: State) -> tuple[Any, State]:
    """A template with its symbols."""
    if isinstance(template, list):
        values = []
        for item in template:
            value, state = filled(item, state)
            values.append(value)
        return values, state
    if template not in (FRESH, NEGATIVE, POSITIVE):
        return template, state
    (symbol,), state = state.fresh(1)
    return {FRESH: symbol, NEGATIVE: -symbol - 1, POSITIVE: symbol + 1}[template], state


def words_of(template: Any) -> str:
    if isinstance(template, list):
        return f"[{', '.join(map(words_of, template))}]"
    return str(template).removeprefix("torch.")
