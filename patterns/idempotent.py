"""Calls that change nothing the second time, or nothing of values of this kind."""

from collections.abc import Callable, Sequence

import torch

from ..kinds import Kind, kept, narrow, native, real, real_floats, signed, unsigned, whole
from ..pattern import OpCall, X
from ..rule import Exact, Rule
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten
_Op = Callable[..., torch.Tensor]
_FLOOR, _CEIL, _ROUND = (_aten.floor.default,), (_aten.ceil.default,), (_aten.round.default,)
_TRUNC = (_aten.trunc.default, _aten.fix.default)
_ROUNDINGS = (*_FLOOR, *_CEIL, *_ROUND, *_TRUNC)
_SIGN = (_aten.sign.default, _aten.sgn.default)
_ABS = (_aten.abs.default, _aten.absolute.default)
_COMPLEX, _HALF, _UNSIGNED = torch.complex64, torch.float16, torch.uint8


def _integers(x: torch.Tensor) -> torch.Tensor:
    return of_type(x, torch.int32)


rounding_of_whole = Rule(
    name="idempotent/rounding-of-whole-numbers",
    pattern=OpCall(_ROUNDINGS, X),
    where=lambda f, x: whole(x),
    to=X,
    because="a whole number is rounded already",
    example=lambda x: _aten.floor(_integers(x)),
    near_miss=(_aten.floor.default,),
)


def _rounded(name: str, inner: Sequence[_Op]) -> Rule:
    (*_, last) = inner
    return Rule(
        name=f"idempotent/rounding-of-{name}",
        pattern=OpCall(_ROUNDINGS, OpCall(inner, X)),
        to=OpCall(inner, X),
        because="what is rounded is whole, an infinity or NaN, and is rounded to itself",
        example=lambda x: _aten.round(last(x)),
        near_miss=(lambda x: _aten.round(_aten.neg(last(x))), lambda x: last(_aten.frac(x))),
    )


rounding_of_floor, rounding_of_ceil = _rounded("floor", _FLOOR), _rounded("ceil", _CEIL)
rounding_of_round, rounding_of_trunc = _rounded("round", _ROUND), _rounded("trunc", _TRUNC)

sign_of_sign = Rule(
    name="idempotent/sign-of-sign",
    pattern=OpCall(_SIGN, OpCall(_SIGN, X)),
    # A complex sign is rounded, and its own sign again.
    where=lambda f, x: real(x),
    to=OpCall(_SIGN, X),
    because="-1, 0 and 1 are their own signs",
    example=lambda x: _aten.sign(_aten.sign(x)),
    near_miss=(
        lambda x: _aten.sign(_aten.neg(_aten.sign(x))),
        lambda x: _aten.sgn(_aten.sgn(of_type(x, _COMPLEX))),
    ),
)

abs_of_abs = Rule(
    name="idempotent/abs-of-abs",
    pattern=OpCall(_ABS, OpCall(_ABS, X)),
    # Of complex numbers the inner magnitude may be a NaN with its sign set.
    where=lambda f, x: real(x),
    to=OpCall(_ABS, X),
    because="a magnitude is its own magnitude",
    example=lambda x: _aten.abs(_aten.abs(x)),
    near_miss=(lambda x: _aten.abs(_aten.sin(x)), lambda x: _aten.abs(_aten.abs(of_type(x, _COMPLEX)))),
)

abs_of_neg = Rule(
    name="idempotent/abs-of-neg",
    pattern=OpCall(_ABS, OpCall(_aten.neg.default, X)),
    where=lambda f, x: signed(x),
    to=OpCall(_ABS, X),
    because="a number and its negative have one magnitude",
    example=lambda x: _aten.abs(_aten.neg(x)),
    near_miss=(
        lambda x: _aten.abs(_aten.neg(of_type(x, _UNSIGNED))),
        lambda x: _aten.abs(_aten.neg(of_type(x, _COMPLEX))),
    ),
)

abs_of_unsigned = Rule(
    name="idempotent/abs-of-unsigned",
    pattern=OpCall(_ABS, X),
    where=lambda f, x: unsigned(x),
    to=X,
    because="no unsigned number is below zero",
    example=lambda x: _aten.abs(of_type(x, _UNSIGNED)),
    near_miss=(_aten.abs.default, lambda x: _aten.abs(_integers(x))),
)


def _relu_of(name: str, fns: Sequence[_Op], kind: Kind = native) -> Rule:
    call = fns[0]
    return Rule(
        name=f"idempotent/relu-of-{name}",
        pattern=OpCall(_aten.relu.default, OpCall(fns, X)),
        # The magnitude of the least integer is negative.
        where=lambda f, x: kind(x),
        to=OpCall(fns, X),
        because="what is never below zero stays, and so does NaN",
        example=lambda x: _aten.relu(call(x)),
        near_miss=(
            lambda x: _aten.relu(_aten.neg(call(x))),
            lambda x: _aten.relu(call(of_type(x, _HALF))),
        ),
    )


relu_of_relu = _relu_of("relu", (_aten.relu.default,), kept)
relu_of_abs = _relu_of("abs", _ABS)
relu_of_others = tuple(_relu_of(name, (getattr(_aten, name).default,)) for name in ("sigmoid", "exp", "sqrt"))


def _abs_of(name: str) -> Rule:
    call: _Op = getattr(_aten, name).default
    return Rule(
        name=f"idempotent/abs-of-{name}",
        pattern=OpCall(_ABS, OpCall(call, X)),
        where=lambda f, x: real_floats(x),
        to=OpCall(call, X),
        because="what is never below zero, nor -0.0, is its own magnitude",
        example=lambda x: _aten.abs(call(x)),
        near_miss=(
            lambda x: _aten.abs(_aten.neg(call(x))),
            lambda x: _aten.abs(call(of_type(x, _COMPLEX))),
        ),
        # A NaN loses its sign.
        exact=Exact.NAN_PAYLOAD,
    )


abs_of_others = tuple(map(_abs_of, ("sigmoid", "exp")))

nan_to_num_of_whole = Rule(
    name="idempotent/nan-to-num-of-whole-numbers",
    pattern=OpCall(_aten.nan_to_num.default, X, rest="any"),
    where=lambda f, x: whole(x),
    to=X,
    because="no whole number is NaN or infinite",
    example=lambda x: _aten.nan_to_num(_integers(x)),
    near_miss=(_aten.nan_to_num.default,),
)

nan_to_num_twice = Rule(
    name="idempotent/nan-to-num-twice",
    pattern=OpCall(_aten.nan_to_num.default, OpCall(_aten.nan_to_num.default, X)),
    to=OpCall(_aten.nan_to_num.default, X),
    because="once replaced, no NaN and no infinity is left",
    example=lambda x: _aten.nan_to_num(_aten.nan_to_num(x)),
    near_miss=(lambda x: _aten.nan_to_num(_aten.nan_to_num(x, float("nan"))),),
)

RULES = (
    rounding_of_whole,
    rounding_of_floor,
    rounding_of_ceil,
    rounding_of_round,
    rounding_of_trunc,
    sign_of_sign,
    abs_of_abs,
    abs_of_neg,
    abs_of_unsigned,
    relu_of_relu,
    relu_of_abs,
    *relu_of_others,
    nan_to_num_of_whole,
    nan_to_num_twice,
)
VALUE_EQUAL = (
    *(
        in_half_precision(rule, lambda f, x: narrow(x))
        for rule in (relu_of_relu, relu_of_abs, *relu_of_others)
    ),
    *abs_of_others,
)
