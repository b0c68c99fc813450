"""Reductions over dims of one: each element is reduced with no other.

The result has as many elements as the operand only if every dim reduced has size one, or if there are no
elements; so it suffices that in the end there are as many. What sums floats makes +0.0 of -0.0, and what
compares them may drop what a NaN carries: those are in ``VALUE_EQUAL``.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import sympy
import torch

from ..facts import Facts, Value
from ..kinds import Kind, like_root, narrow, native, real, real_floats, truth, whole
from ..pattern import SIZE, OpCall, X
from ..proof import Proof
from ..rule import Exact, Rule
from ..spellings import relabel, reshape
from ..variants import of_type

_aten = torch.ops.aten
_SUMS = (_aten.sum.dim_IntList, _aten.sum.default)
_PRODUCTS = (_aten.prod.dim_int, _aten.prod.default)
_EXTREMES = (_aten.amax.default, _aten.amin.default, _aten.max.default, _aten.min.default)
_MEANS = (_aten.mean.dim, _aten.mean.default, _aten.logsumexp.default)
_ALL_OR_ANY = tuple(getattr(op, form) for op in (_aten.any, _aten.all) for form in ("dim", "dims", "default"))

_Call = Callable[[torch.Tensor, bool], torch.Tensor]


def _unit(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return of_type(_aten.unsqueeze(x, 0), dtype)


def _as_many(f: Facts, x: Value) -> Proof:
    """As many elements, of one dtype."""
    return f.eq(sympy.Mul(*x.shape), sympy.Mul(*f.root.shape)) & f.same_dtype(x, f.root)


def over_ones(
    name: str,
    reduced: Callable[[Any], OpCall],
    kind: Kind,
    call: _Call,
    dtype: torch.dtype,
    other: torch.dtype | None,
    exact: Exact = Exact.BITS,
) -> tuple[Rule, ...]:
    """The rules of one family, for values of ``kind``: over dims that are kept, put back, made or relabelled.
    ``call(x, keepdim)`` reduces dim 0, of ``dtype`` for example; ``other`` is not of the kind."""

    def like_operand(f: Facts, x: object) -> Proof:
        return kind(x) & like_root(f, x)

    def law(
        suffix: str,
        pattern: OpCall,
        form: Callable[[torch.Tensor, torch.dtype], torch.Tensor],
        miss: Callable[[torch.Tensor], torch.Tensor],
        where: Callable[..., Proof] = like_operand,
        to: Any = X,
    ) -> Rule:
        return Rule(
            name=f"reduction/{name}{suffix}",
            pattern=pattern,
            where=where,
            to=to,
            because="over dims of size one, each element is reduced with no other",
            example=lambda x: form(x, dtype),
            near_miss=(miss,) if other is None else (miss, lambda x: form(x, other)),
            exact=exact,
        )

    return (
        law(
            "",
            reduced(X),
            lambda x, of: call(_unit(x, of), True),
            lambda x: call(of_type(x, dtype), True),
        ),
        law(
            "-and-back",
            relabel(reduced(X)),
            lambda x, of: _aten.unsqueeze(call(_unit(x, of), False), 0),
            lambda x: _aten.unsqueeze(call(_unit(x, dtype), False), 1),
        ),
        law(
            "-of-relabelled",
            reduced(relabel(X)),
            lambda x, of: call(_aten.unsqueeze(of_type(_aten.sin(x), of), 0), False),
            lambda x: call(_aten.unsqueeze(of_type(_aten.sin(x), dtype), 1), False),
        ),
        law(
            "-reshaped",
            reshape(reduced(X), SIZE),
            lambda x, of: _aten.reshape(call(_unit(x, of), False), (-1,)),
            lambda x: _aten.reshape(call(of_type(x, dtype), False), (-1,)),
            where=lambda f, x: kind(x) & _as_many(f, x),
            to=reshape(X, SIZE),
        ),
    )


def _of(fns: Sequence[Callable[..., Any]]) -> Callable[[Any], OpCall]:
    return lambda x: OpCall(fns, x, rest="any")


def _sum(x: torch.Tensor, keep: bool) -> torch.Tensor:
    found: torch.Tensor = _aten.sum.dim_IntList(x, [0], keep)
    return found


def _amax(x: torch.Tensor, keep: bool) -> torch.Tensor:
    found: torch.Tensor = _aten.amax(x, [0], keep)
    return found


def _prod(x: torch.Tensor, keep: bool) -> torch.Tensor:
    found: torch.Tensor = _aten.prod.dim_int(x, 0, keep)
    return found


# A sum or product of small integers is int64, unless it is asked for another dtype.
of_whole_numbers = over_ones(
    "of-whole-numbers", _of((*_SUMS, *_PRODUCTS, *_EXTREMES)), whole, _sum, torch.int64, torch.int32
)
product = over_ones("product", _of(_PRODUCTS), native, _prod, torch.float32, torch.complex64)
all_or_any = over_ones(
    "all-or-any",
    _of(_ALL_OR_ANY),
    truth,
    lambda x, keep: _aten.any.dim(x, 0, keep),
    torch.bool,
    # Its truth is given as 0 or 1 in the same dtype.
    torch.uint8,
)


def _chosen(x: Any) -> OpCall:
    return OpCall(operator.getitem, OpCall((_aten.max.dim, _aten.min.dim), x, rest="any"), 0)


def _max(x: torch.Tensor, keep: bool) -> torch.Tensor:
    found: torch.Tensor = _aten.max.dim(x, 0, keep)[0]
    return found


# What is chosen, with its index, is copied and not computed.
chosen = over_ones("chosen", _chosen, real, _max, torch.float32, None)
RULES = (*of_whole_numbers, *product, *all_or_any, *chosen)

sum_of_floats = over_ones(
    "sum-of-floats", _of((*_SUMS, *_MEANS)), real_floats, _sum, torch.float32, torch.int64, Exact.VALUES
)
extreme_of_floats = over_ones(
    "extreme-of-floats", _of(_EXTREMES), real_floats, _amax, torch.float32, torch.int64, Exact.NAN_PAYLOAD
)
product_in_half_precision = over_ones(
    "product-in-half-precision",
    _of(_PRODUCTS),
    narrow,
    _prod,
    torch.float16,
    torch.float32,
    Exact.NAN_PAYLOAD,
)
VALUE_EQUAL = (*sum_of_floats, *extreme_of_floats, *product_in_half_precision)
