"""Running sums, products and extremes along a dim of one: each element comes first and last."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..facts import Facts, Value
from ..kinds import Kind, narrow, native, real, real_floats, whole
from ..pattern import OpCall, X, var
from ..proof import Proof
from ..rule import Exact, Rule
from ..variants import of_type

_aten = torch.ops.aten
_SUMS, _PRODUCTS = (_aten.cumsum.default, _aten.logcumsumexp.default), (_aten.cumprod.default,)
_EXTREMES = (_aten.cummax.default, _aten.cummin.default)


def _along_one(f: Facts, x: Value, dim: object) -> Proof:
    """The dim has size one, or there is but one element."""
    if not isinstance(dim, int) or not x.rank:
        return Proof.of(not x.rank, f"{x!r} has no dims", "rank")
    return f.eq(x.shape[dim], 1)


def _running(
    name: str,
    fns: Sequence[Callable[..., Any]],
    kind: Kind,
    dtype: torch.dtype,
    other: torch.dtype,
    exact: Exact = Exact.BITS,
) -> Rule:
    """The rule of ``fns`` for values of ``kind``, as ``dtype`` is and ``other`` is not."""

    def call(x: torch.Tensor, dim: int, of: torch.dtype) -> torch.Tensor:
        found: torch.Tensor = fns[0](of_type(_aten.unsqueeze(x, 0), of), dim)
        return found

    return Rule(
        name=f"running/{name}",
        pattern=OpCall(fns, X, var("dim"), rest="any"),
        where=lambda f, x, dim: kind(x) & _along_one(f, x, dim) & f.same_dtype(x, f.root),
        to=X,
        because="along a dim of size one, each element comes first and last",
        example=lambda x: call(x, 0, dtype),
        near_miss=(lambda x: call(x, 1, dtype), lambda x: call(x, 0, other)),
        exact=exact,
    )


_F16, _F32, _I32, _I64, _C64 = torch.float16, torch.float32, torch.int32, torch.int64, torch.complex64
sum_of_whole = _running("sum-of-whole-numbers", _SUMS[:1], whole, _I64, _I32)
product_of_whole = _running("product-of-whole-numbers", _PRODUCTS, whole, _I64, _I32)
product = _running("product", _PRODUCTS, native, _F32, _C64)
extreme = Rule(
    name="running/extreme",
    pattern=OpCall(operator.getitem, OpCall(_EXTREMES, X, var("dim")), 0),
    # What is chosen, with its index, is copied and not computed.
    where=lambda f, x, dim: real(x) & _along_one(f, x, dim),
    to=X,
    because="along a dim of size one, each element is the greatest and the least",
    example=lambda x: _aten.cummax(_aten.unsqueeze(x, 0), 0)[0],
    near_miss=(lambda x: _aten.cummax(_aten.unsqueeze(x, 0), 1)[0],),
)
RULES = (sum_of_whole, product_of_whole, product, extreme)

VALUE_EQUAL = (
    _running("sum-of-floats", _SUMS, real_floats, _F32, _I64, Exact.VALUES),
    _running("product-in-half-precision", _PRODUCTS, narrow, _F16, _F32, Exact.NAN_PAYLOAD),
)
