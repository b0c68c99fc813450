"""Tensors that are one number throughout, as the other operand: ones times, zeros plus, to the power of ones.

``arithmetic`` sees such a tensor as a second operand too; here it stands first, or is an exponent.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from ..facts import Facts
from ..kinds import Kind, kept, narrow, native, real_floats, whole
from ..pattern import OpCall, X
from ..proof import Proof
from ..rule import Exact, Rule
from ..uniform import filled, leaves, ones
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten
_INTEGERS = torch.int32


def _of(number: float, kind: Kind) -> Callable[[Facts, object], Proof]:
    """The same with the first operand for the second."""
    return lambda f, x: leaves(f, f.argument(f.root, "self"), number, x, kind)


one_times = Rule(
    name="neutral/one-times",
    pattern=OpCall(_aten.mul.Tensor, filled(), X),
    where=_of(1, kept),
    to=X,
    because="one times a number is that number",
    example=lambda x: _aten.mul(_aten.ones_like(x), x),
    near_miss=(
        lambda x: _aten.mul(_aten.zeros_like(x), x),
        lambda x: _aten.mul(_aten.new_ones(x, [2, *x.shape]), x),
        lambda x: _aten.mul(of_type(_aten.ones_like(x), torch.float64), x),
        lambda x: _aten.mul(_aten.zero_(_aten.ones_like(x)), x),
    ),
)

zero_plus = Rule(
    name="neutral/zero-plus",
    pattern=OpCall(_aten.add.Tensor, filled(), X),
    where=_of(0, whole),
    to=X,
    because="zero plus a whole number is that number",
    example=lambda x: _aten.add(_aten.zeros_like(of_type(x, _INTEGERS)), of_type(x, _INTEGERS)),
    near_miss=(
        lambda x: _aten.add(_aten.zeros_like(x), x),
        lambda x: _aten.add(_aten.ones_like(of_type(x, _INTEGERS)), of_type(x, _INTEGERS)),
        lambda x: _aten.add(_aten.zeros_like(of_type(x, _INTEGERS)), of_type(x, _INTEGERS), alpha=2),
    ),
)

minus_zero_plus = Rule(
    name="neutral/minus-zero-plus",
    pattern=OpCall(_aten.add.Tensor, filled(), X),
    where=_of(-0.0, native),
    to=X,
    because="-0.0 is the zero that leaves every number, -0.0 and +0.0 too",
    example=lambda x: _aten.add(_aten.full_like(x, -0.0), x),
    near_miss=(
        lambda x: _aten.add(_aten.zeros_like(x), x),
        lambda x: _aten.add(_aten.full_like(of_type(x, torch.float16), -0.0), of_type(x, torch.float16)),
        lambda x: _aten.add(_aten.full_like(x, -0.0), x, alpha=2),
    ),
)

powers_of_one = Rule(
    name="neutral/powers-of-one",
    pattern=OpCall(_aten.pow.Tensor_Tensor, X, filled()),
    # Of floats, `pow` of a tensor of exponents goes by way of logarithms.
    where=lambda f, x: leaves(f, f.argument(f.root, "exponent"), 1, x, whole),
    to=X,
    because="the first power of a whole number is that number",
    example=lambda x: _aten.pow(of_type(x, _INTEGERS), _aten.ones_like(of_type(x, _INTEGERS))),
    near_miss=(
        lambda x: _aten.pow(x, _aten.ones_like(x)),
        lambda x: _aten.pow(of_type(x, _INTEGERS), _aten.zeros_like(of_type(x, _INTEGERS))),
        lambda x: _aten.pow(of_type(x, _INTEGERS), _aten.ones_like(x)),
    ),
)

truncated_by_ones = Rule(
    name="neutral/divided-by-ones-and-trunc",
    pattern=OpCall(_aten.div.Tensor_mode, X, ones(), "trunc"),
    where=lambda f, x: leaves(f, f.argument(f.root, "other"), 1, x, whole),
    to=X,
    because="a whole number divided by one leaves nothing to round",
    example=lambda x: _truncated(of_type(x, _INTEGERS), _aten.ones_like(of_type(x, _INTEGERS))),
    near_miss=(
        lambda x: _truncated(x, _aten.ones_like(x)),
        lambda x: _truncated(of_type(x, _INTEGERS), _aten.ones_like(x)),
        lambda x: _truncated(of_type(x, _INTEGERS), _aten.full_like(of_type(x, _INTEGERS), 2)),
    ),
)


def _truncated(x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = _aten.div(x, by, rounding_mode="trunc")
    return found


RULES = (one_times, zero_plus, minus_zero_plus, powers_of_one, truncated_by_ones)

zero_plus_of_floats = replace(
    zero_plus,
    name="neutral/zero-plus-of-floats",
    where=lambda f, x: _of(0, real_floats)(f, x) | _of(-0.0, real_floats)(f, x),
    because="zero plus a number is a number equal to it",
    example=lambda x: _aten.add(_aten.zeros_like(x), x),
    near_miss=(
        lambda x: _aten.add(_aten.ones_like(x), x),
        lambda x: _aten.add(_aten.zero_(_aten.ones_like(x)), x),
        lambda x: _aten.add(_aten.new_zeros(x, [2, *x.shape]), x),
    ),
    exact=Exact.VALUES,
)

VALUE_EQUAL = (zero_plus_of_floats, in_half_precision(one_times, _of(1, narrow)))
