"""Arithmetic with nothing to do: times one, plus zero, to the power of one, twice the other way round.

What is exact for which dtype, ``kinds`` says. Adding +0.0, and floats of 16 bits, are in ``VALUE_EQUAL``.
"""

from collections.abc import Callable
from typing import Any

import torch

from ..facts import Facts
from ..kinds import Kind, any_kind, kept, like_root, narrow, native, real_floats, whole
from ..pattern import ANY, OpCall, X, var
from ..proof import Proof
from ..rule import Exact, Rule
from ..uniform import leaves
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten
_ADD = (_aten.add.Tensor, _aten.add.Scalar)
_SUB = (_aten.sub.Tensor, _aten.sub.Scalar)
_MUL = (_aten.mul.Tensor, _aten.mul.Scalar)
_DIV = (_aten.div.Tensor, _aten.div.Scalar, _aten.true_divide.Tensor)
_FLOOR_DIVIDE = (_aten.floor_divide.default, _aten.floor_divide.Scalar)
_BY = var("by")
_INTEGERS, _COMPLEX, _HALF = torch.int32, torch.complex64, torch.float16
_INF = float("inf")


def _by(number: float, kind: Kind) -> Callable[[Facts, object, object], Proof]:
    """The second operand is ``number`` throughout, and the first, of this kind, has the shape of the result."""
    return lambda f, x, by: leaves(f, by, number, x, kind)


times_one = Rule(
    name="arithmetic/times-one",
    pattern=OpCall(_MUL, X, _BY),
    where=_by(1, kept),
    to=X,
    because="a number times one is that number",
    example=lambda x: _aten.mul(x, 1),
    near_miss=(
        lambda x: _aten.mul(x, 2),
        lambda x: _aten.mul(of_type(x, _INTEGERS), 1.0),
        # The product of an infinity and the imaginary zero is NaN.
        lambda x: _aten.mul(of_type(x, _COMPLEX), 1),
        lambda x: _aten.mul(of_type(x, _HALF), 1),
        lambda x: _aten.mul(x, _aten.new_ones(x, [2, *x.shape])),
    ),
)

plus_or_minus_zero = Rule(
    name="arithmetic/plus-or-minus-zero",
    # Zero times whatever alpha is zero, of whole numbers.
    pattern=OpCall((*_ADD, *_SUB), X, _BY, ANY),
    where=_by(0, whole),
    to=X,
    because="a whole number plus zero, or minus zero, is that number",
    example=lambda x: _aten.add(of_type(x, _INTEGERS), 0, alpha=3),
    near_miss=(
        lambda x: _aten.add(of_type(x, _INTEGERS), 1),
        lambda x: _aten.add(of_type(x, _INTEGERS), 0.0),
        # -0.0 + 0.0 is +0.0.
        lambda x: _aten.add(x, 0.0),
    ),
)

plus_minus_zero = Rule(
    name="arithmetic/plus-minus-zero",
    pattern=OpCall(_ADD, X, _BY),
    where=_by(-0.0, native),
    to=X,
    because="-0.0 is the zero that leaves every number, -0.0 and +0.0 too",
    example=lambda x: _aten.add(x, -0.0),
    near_miss=(
        lambda x: _aten.add(x, 0.0),
        lambda x: _aten.add(x, _aten.full_like(x, 0.0)),
        # The imaginary part of -0.0 is +0.0.
        lambda x: _aten.add(of_type(x, _COMPLEX), -0.0),
        lambda x: _aten.add(of_type(x, _INTEGERS), -0.0),
    ),
)

plus_none_of_it = Rule(
    name="arithmetic/plus-none-of-it",
    pattern=OpCall((*_ADD, *_SUB), X, ANY, 0),
    # Of floats, infinity times zero is NaN.
    where=lambda f, x: whole(x) & like_root(f, x),
    to=X,
    because="zero times a whole number is zero, and adding or taking zero leaves a whole number",
    example=lambda x, y: _aten.add(of_type(x, _INTEGERS), of_type(y, _INTEGERS), alpha=0),
    near_miss=(
        lambda x, y: _aten.add(x, y, alpha=0),
        lambda x, y: _aten.add(of_type(x, _INTEGERS), of_type(y, _INTEGERS), alpha=1),
        lambda x, y: _aten.add(of_type(x, _INTEGERS), of_type(y, torch.int64), alpha=0),
    ),
)

minus_zero = Rule(
    name="arithmetic/minus-zero",
    pattern=OpCall(_SUB, X, _BY),
    where=_by(0, native),
    to=X,
    because="taking +0.0 from a number leaves it, and -0.0 - 0.0 is -0.0",
    example=lambda x: _aten.sub(x, 0.0),
    near_miss=(
        lambda x: _aten.sub(x, -0.0),
        lambda x: _aten.sub(x, 1),
        lambda x: _aten.sub(of_type(x, _INTEGERS), 0),
        # Torch adds -1 times the zero, the imaginary part of which is +0.0.
        lambda x: _aten.sub(of_type(x, _COMPLEX), 0),
        lambda x: _aten.sub(x, 0, alpha=-1),
        lambda x: _aten.sub(of_type(x, _HALF), 0),
    ),
)

divided_by_one = Rule(
    name="arithmetic/divided-by-one",
    pattern=OpCall(_DIV, X, _BY),
    where=_by(1, native),
    to=X,
    because="a number divided by one is that number",
    example=lambda x: _aten.div(x, 1),
    near_miss=(
        lambda x: _aten.div(x, 2),
        lambda x: _aten.div(of_type(x, _INTEGERS), 1),
        lambda x: _aten.div(of_type(x, _COMPLEX), 1),
    ),
)

floor_divided_by_one = Rule(
    name="arithmetic/floor-divided-by-one",
    pattern=OpCall(_FLOOR_DIVIDE, X, _BY),
    where=_by(1, whole),
    to=X,
    because="a whole number divided by one leaves nothing to round",
    example=lambda x: _aten.floor_divide(of_type(x, _INTEGERS), 1),
    near_miss=(
        lambda x: _aten.floor_divide(x, 1),
        lambda x: _aten.floor_divide(of_type(x, _INTEGERS), 2),
        lambda x: _aten.floor_divide(of_type(x, _INTEGERS), 1.0),
    ),
)


def _rounded(mode: str, by: Any) -> Rule:
    def divided(x: torch.Tensor, number: float) -> torch.Tensor:
        found: torch.Tensor = _aten.div(x, number, rounding_mode=mode)
        return found

    return Rule(
        name=f"arithmetic/divided-by-one-and-{mode}",
        pattern=OpCall((_aten.div.Tensor_mode, _aten.div.Scalar_mode), X, by, mode),
        where=(lambda f, x: whole(x) & like_root(f, x)) if by == 1 else _by(1, whole),
        to=X,
        because="a whole number divided by one leaves nothing to round",
        example=lambda x: divided(of_type(x, _INTEGERS), 1),
        near_miss=(
            lambda x: divided(x, 1),
            lambda x: divided(of_type(x, _INTEGERS), 2),
            lambda x: divided(of_type(x, _INTEGERS), 1.0),
        ),
    )


# The least integer by -1, truncated, ends the process: no other number is tried. ``neutral`` does it by ones.
divided_and_floored, divided_and_truncated = _rounded("floor", _BY), _rounded("trunc", 1)

power_of_one = Rule(
    name="arithmetic/power-of-one",
    pattern=OpCall(_aten.pow.Tensor_Scalar, X, _BY),
    where=_by(1, any_kind),
    to=X,
    because="the first power of a number is that number, and torch copies it",
    example=lambda x: _aten.pow(x, 1),
    near_miss=(lambda x: _aten.pow(x, 2), lambda x: _aten.pow(of_type(x, _INTEGERS), 1.0)),
)

neg_of_neg = Rule(
    name="arithmetic/neg-of-neg",
    pattern=OpCall(_aten.neg.default, OpCall(_aten.neg.default, X)),
    where=lambda f, x: kept(x),
    to=X,
    because="a sign changed twice is as it was, and the least integer is its own negative",
    example=lambda x: _aten.neg(_aten.neg(x)),
    near_miss=(
        lambda x: _aten.neg(_aten.abs(x)),
        # Torch subtracts complex numbers from zero.
        lambda x: _aten.neg(_aten.neg(of_type(x, _COMPLEX))),
        lambda x: _aten.neg(_aten.neg(of_type(x, _HALF))),
    ),
)

neg_view_of_neg_view = Rule(
    name="arithmetic/neg-view-of-neg-view",
    pattern=OpCall(_aten._neg_view.default, OpCall(_aten._neg_view.default, X)),
    to=X,
    because="a value marked as the negative of its negative is the value",
    example=lambda x: _aten._neg_view(_aten._neg_view(x)),
    near_miss=(lambda x: _aten._neg_view(_aten.neg(x)),),
)

RULES = (
    times_one,
    plus_or_minus_zero,
    plus_minus_zero,
    plus_none_of_it,
    minus_zero,
    divided_by_one,
    floor_divided_by_one,
    divided_and_floored,
    divided_and_truncated,
    power_of_one,
    neg_of_neg,
    neg_view_of_neg_view,
)

plus_zero_of_floats = Rule(
    name="arithmetic/plus-zero-of-floats",
    pattern=OpCall(_ADD, X, _BY),
    where=lambda f, x, by: _by(0, real_floats)(f, x, by) | _by(-0.0, real_floats)(f, x, by),
    to=X,
    because="a number plus zero is a number equal to it",
    example=lambda x: _aten.add(x, 0.0),
    near_miss=(
        lambda x: _aten.add(x, 1.0),
        lambda x: _aten.add(of_type(x, _INTEGERS), 0),
        lambda x: _aten.add(x, _aten.zeros_like(x), alpha=_INF),
    ),
    exact=Exact.VALUES,
)

VALUE_EQUAL = (
    plus_zero_of_floats,
    in_half_precision(times_one, _by(1, narrow)),
    in_half_precision(minus_zero, _by(0, narrow)),
    in_half_precision(plus_minus_zero, _by(-0.0, narrow)),
    in_half_precision(divided_by_one, _by(1, narrow)),
    in_half_precision(neg_of_neg, lambda f, x: narrow(x)),
)
