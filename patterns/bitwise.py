"""Bits and truth values: inverted twice, combined with what leaves them, or with themselves."""

from collections.abc import Callable, Sequence

import torch

from ..facts import Facts
from ..kinds import any_kind, truth
from ..pattern import OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..uniform import filled, leaves
from ..variants import of_type

_aten = torch.ops.aten
_BY = var("by")
_Call = Callable[..., torch.Tensor]


def _integers(x: torch.Tensor) -> torch.Tensor:
    return of_type(x, torch.int32)


def _of_itself(op: _Call, x: torch.Tensor) -> torch.Tensor:
    return op(x, x)


def _all_ones(f: Facts, x: object, by: object) -> Proof:
    """Every bit is set: -1 of integers, True of bools."""
    return leaves(f, by, 1 if truth(x).proved else -1, x, any_kind)


bitwise_not_twice = Rule(
    name="bitwise/not-twice",
    pattern=OpCall(_aten.bitwise_not.default, OpCall(_aten.bitwise_not.default, X)),
    to=X,
    because="bits inverted twice are as they were",
    example=lambda x: _aten.bitwise_not(_aten.bitwise_not(_integers(x))),
    near_miss=(lambda x: _aten.bitwise_not(_aten.neg(_integers(x))),),
)

logical_not_twice = Rule(
    name="bitwise/logical-not-twice",
    pattern=OpCall(_aten.logical_not.default, OpCall(_aten.logical_not.default, X)),
    where=lambda f, x: truth(x),
    to=X,
    because="what is not untrue is true",
    example=lambda x: _aten.logical_not(_aten.logical_not(_aten.gt(x, 0))),
    near_miss=(lambda x: _aten.logical_not(_aten.logical_not(x)),),
)

and_with_all_ones = Rule(
    name="bitwise/and-with-all-ones",
    pattern=OpCall((_aten.bitwise_and.Tensor, _aten.bitwise_and.Scalar, _aten.__and__.Scalar), X, _BY),
    where=_all_ones,
    to=X,
    because="a bit and a one is that bit",
    example=lambda x: _aten.bitwise_and(_integers(x), -1),
    near_miss=(
        lambda x: _aten.bitwise_and(_integers(x), 1),
        lambda x: _aten.bitwise_and(_aten.gt(x, 0), -1),
        lambda x: _aten.bitwise_and(_integers(x), _aten.new_full(_integers(x), [2, *x.shape], -1)),
    ),
)

all_ones_and = Rule(
    name="bitwise/all-ones-and",
    pattern=OpCall(_aten.bitwise_and.Tensor, filled(), X),
    where=lambda f, x: _all_ones(f, x, f.argument(f.root, "self")),
    to=X,
    because="a one and a bit is that bit",
    example=lambda x: _aten.bitwise_and(_aten.full_like(_aten.gt(x, 0), True), _aten.gt(x, 0)),
    near_miss=(
        lambda x: _aten.bitwise_and(_aten.ones_like(_integers(x)), _integers(x)),
        lambda x: _aten.bitwise_and(_aten.new_ones(_aten.gt(x, 0), [2, *x.shape]), _aten.gt(x, 0)),
    ),
)


def _with_zero(name: str, because: str, fns: Sequence[_Call]) -> Rule:
    call = fns[0]
    return Rule(
        name=f"bitwise/{name}-zero",
        pattern=OpCall(fns, X, _BY),
        where=lambda f, x, by: leaves(f, by, 0, x, any_kind),
        to=X,
        because=because,
        example=lambda x: call(_integers(x), 0),
        near_miss=(
            lambda x: call(_integers(x), 1),
            lambda x: call(_aten.gt(x, 0), 0),
            lambda x: fns[1](_integers(x), _aten.new_zeros(_integers(x), [2, *x.shape])),
        ),
    )


or_zero = _with_zero(
    "or",
    "a bit or a zero is that bit",
    (_aten.bitwise_or.Scalar, _aten.bitwise_or.Tensor, _aten.__or__.Scalar),
)
xor_zero = _with_zero(
    "xor",
    "a bit is flipped by a one, not by a zero",
    (_aten.bitwise_xor.Scalar, _aten.bitwise_xor.Tensor, _aten.__xor__.Scalar),
)
shift_by_zero = _with_zero(
    "shift-by",
    "bits moved by no places stay in theirs",
    (
        _aten.bitwise_left_shift.Tensor_Scalar,
        _aten.bitwise_left_shift.Tensor,
        _aten.bitwise_right_shift.Tensor_Scalar,
        _aten.bitwise_right_shift.Tensor,
        _aten.__lshift__.Scalar,
        _aten.__rshift__.Scalar,
    ),
)

zero_or = Rule(
    name="bitwise/zero-or",
    pattern=OpCall((_aten.bitwise_or.Tensor, _aten.bitwise_xor.Tensor), filled(), X),
    where=lambda f, x: leaves(f, f.argument(f.root, "self"), 0, x, any_kind),
    to=X,
    because="a zero or a bit, or a bit flipped by a zero, is that bit",
    example=lambda x: _aten.bitwise_or(_aten.zeros_like(_aten.gt(x, 0)), _aten.gt(x, 0)),
    near_miss=(
        lambda x: _aten.bitwise_or(_aten.ones_like(_integers(x)), _integers(x)),
        lambda x: _aten.bitwise_or(_aten.new_zeros(_integers(x), [2, *x.shape]), _integers(x)),
        lambda x: _aten.bitwise_or(_aten.zeros_like(_integers(x)), _aten.gt(x, 0)),
    ),
)


def _logical(name: str, fns: Sequence[_Call], number: int, because: str, first: bool) -> Rule:
    """Of bools, with a tensor that is ``number`` throughout as the first operand, or as the second."""
    call, constant = fns[0], "self" if first else "other"

    def of(make: _Call, x: torch.Tensor) -> torch.Tensor:
        made = make(x)
        return call(made, x) if first else call(x, made)

    def same(x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = _aten.full_like(x, number, dtype=torch.bool)
        return made

    return Rule(
        name=f"bitwise/{name}",
        pattern=OpCall(fns, filled(), X) if first else OpCall(fns, X, filled()),
        where=lambda f, x: leaves(f, f.argument(f.root, constant), number, x, truth),
        to=X,
        because=because,
        example=lambda x: of(same, _aten.gt(x, 0)),
        near_miss=(
            lambda x: of(lambda y: _aten.full_like(y, 1 - number), _aten.gt(x, 0)),
            lambda x: of(same, x),
            lambda x: of(lambda y: _aten.new_full(y, [2, *y.shape], number), _aten.gt(x, 0)),
        ),
    )


_AND, _OR = (_aten.logical_and.default,), (_aten.logical_or.default, _aten.logical_xor.default)
_AND_LAW, _OR_LAW = "what is true, and true, is true", "what is true, or false, is true"
logical_and_true = _logical("logical-and-true", _AND, 1, _AND_LAW, first=False)
logical_true_and = _logical("logical-true-and", _AND, 1, _AND_LAW, first=True)
logical_or_false = _logical("logical-or-false", _OR, 0, _OR_LAW, first=False)
logical_false_or = _logical("logical-false-or", _OR, 0, _OR_LAW, first=True)

with_itself = Rule(
    name="bitwise/with-itself",
    pattern=OpCall(
        (
            _aten.bitwise_and.Tensor,
            _aten.bitwise_or.Tensor,
            _aten.__and__.Tensor,
            _aten.__or__.Tensor,
        ),
        X,
        X,
    ),
    to=X,
    because="a bit and itself, or a bit or itself, is that bit",
    example=lambda x: _of_itself(_aten.bitwise_and, _integers(x)),
    near_miss=(
        lambda x: _aten.bitwise_and(_integers(x), _aten.neg(_integers(x))),
        lambda x: _of_itself(_aten.bitwise_xor, _integers(x)),
    ),
)

logical_with_itself = Rule(
    name="bitwise/logical-with-itself",
    pattern=OpCall((_aten.logical_and.default, _aten.logical_or.default), X, X),
    where=lambda f, x: truth(x),
    to=X,
    because="what is true, and so, is true",
    example=lambda x: _of_itself(_aten.logical_and, _aten.gt(x, 0)),
    near_miss=(
        lambda x: _aten.logical_and(x, x),
        lambda x: _of_itself(_aten.logical_xor, _aten.gt(x, 0)),
    ),
)


RULES = (
    bitwise_not_twice,
    logical_not_twice,
    and_with_all_ones,
    all_ones_and,
    or_zero,
    xor_zero,
    shift_by_zero,
    zero_or,
    logical_and_true,
    logical_true_and,
    logical_or_false,
    logical_false_or,
    with_itself,
    logical_with_itself,
)
