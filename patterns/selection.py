"""Choices between values, where there is nothing to choose or it is settled which is taken."""

from collections.abc import Callable

import torch

from ..kinds import like_root, real_floats, whole
from ..pattern import ANY, OpCall, X
from ..rule import Exact, Rule
from ..uniform import filled, uniform
from ..variants import of_type

_aten = torch.ops.aten
_LARGER_OR_SMALLER = (
    _aten.maximum.default,
    _aten.minimum.default,
    _aten.max.other,
    _aten.min.other,
    _aten.fmax.default,
    _aten.fmin.default,
)


def _integers(x: torch.Tensor) -> torch.Tensor:
    return of_type(x, torch.int32)


def _of_itself(op: Callable[..., torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return op(x, x)


larger_of_itself = Rule(
    name="select/larger-of-itself",
    pattern=OpCall(_LARGER_OR_SMALLER, X, X),
    where=lambda f, x: whole(x),
    to=X,
    because="the larger of a number and itself is that number, and so is the smaller",
    example=lambda x: _of_itself(_aten.maximum, _integers(x)),
    near_miss=(
        lambda x: _of_itself(_aten.maximum, x),
        lambda x: _aten.maximum(_integers(x), _aten.neg(_integers(x))),
    ),
)


where_of_one_value = Rule(
    name="select/where-of-one-value",
    pattern=OpCall(_aten.where.self, ANY, X, X),
    # The condition may be larger.
    where=like_root,
    to=X,
    because="of two equal values it does not matter which is taken",
    example=lambda c, x: _aten.where(_aten.gt(c, 0), x, x),
    near_miss=(
        lambda c, x: _aten.where(_aten.gt(c, 0), x, c),
        lambda c, x: _aten.where(_aten.new_ones(c, [2, *c.shape], dtype=torch.bool), x, x),
    ),
)

where_true = Rule(
    name="select/where-true",
    pattern=OpCall((_aten.where.self, _aten.where.ScalarOther), filled(), X, ANY),
    where=lambda f, x: uniform(f, f.argument(f.root, "condition"), 1) & like_root(f, x),
    to=X,
    because="where all is true, the first is taken",
    example=lambda x, y: _aten.where(_aten.ones_like(x, dtype=torch.bool), x, y),
    near_miss=(
        lambda x, y: _aten.where(_aten.zeros_like(x, dtype=torch.bool), x, y),
        lambda x, y: _aten.where(_aten.new_ones(x, [2, *x.shape], dtype=torch.bool), x, y),
        lambda x, y: _aten.where(_aten.ones_like(x, dtype=torch.bool), x, of_type(y, torch.float64)),
        lambda x, y: _aten.where(_aten.zero_(_aten.ones_like(x, dtype=torch.bool)), x, y),
    ),
)

where_false = Rule(
    name="select/where-false",
    pattern=OpCall((_aten.where.self, _aten.where.ScalarSelf), filled(), ANY, X),
    where=lambda f, x: uniform(f, f.argument(f.root, "condition"), 0) & like_root(f, x),
    to=X,
    because="where nothing is true, the second is taken",
    example=lambda x, y: _aten.where(_aten.zeros_like(x, dtype=torch.bool), x, y),
    near_miss=(
        lambda x, y: _aten.where(_aten.ones_like(x, dtype=torch.bool), x, y),
        lambda x, y: _aten.where(_aten.new_zeros(x, [2, *x.shape], dtype=torch.bool), x, y),
        lambda x, y: _aten.where(_aten.zeros_like(x, dtype=torch.bool), of_type(x, torch.float64), y),
    ),
)

masked_fill_of_nothing = Rule(
    name="select/masked-fill-of-nothing",
    pattern=OpCall((_aten.masked_fill.Scalar, _aten.masked_fill.Tensor), X, filled(), ANY),
    where=lambda f, x: uniform(f, f.argument(f.root, "mask"), 0) & like_root(f, x),
    to=X,
    because="where the mask is false, nothing is filled",
    example=lambda x: _aten.masked_fill(x, _aten.zeros_like(x, dtype=torch.bool), 3.0),
    near_miss=(
        lambda x: _aten.masked_fill(x, _aten.ones_like(x, dtype=torch.bool), 3.0),
        lambda x: _aten.masked_fill(x, _aten.new_zeros(x, [2, *x.shape], dtype=torch.bool), 3.0),
    ),
)

RULES = (
    larger_of_itself,
    where_of_one_value,
    where_true,
    where_false,
    masked_fill_of_nothing,
)

larger_of_itself_of_floats = Rule(
    name="select/larger-of-itself-of-floats",
    pattern=OpCall(_LARGER_OR_SMALLER, X, X),
    where=lambda f, x: real_floats(x),
    to=X,
    because="the larger of a number and itself is that number, and so is the smaller",
    example=lambda x: _of_itself(_aten.maximum, x),
    near_miss=(
        lambda x: _of_itself(_aten.maximum, _integers(x)),
        lambda x: _aten.maximum(x, _aten.neg(x)),
    ),
    exact=Exact.NAN_PAYLOAD,
)

VALUE_EQUAL = (larger_of_itself_of_floats,)
