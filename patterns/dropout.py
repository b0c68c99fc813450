"""Dropout that drops nothing."""

import operator

import torch

from ..kinds import narrow, native
from ..pattern import ANY, OpCall, X, var
from ..rule import Rule
from ..uniform import uniform
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten

_WHOLE = (
    _aten.dropout.default,
    _aten.feature_dropout.default,
    _aten.alpha_dropout.default,
    _aten.feature_alpha_dropout.default,
)
"""Calls that return their operand itself where nothing is dropped."""

_not_training_whole = Rule(
    name="dropout/not-training-whole",
    pattern=OpCall(_WHOLE, X, ANY, False),
    to=X,
    because="dropout drops nothing outside of training",
    example=lambda x: _aten.dropout(_aten.neg(x), 0.5, False),
    near_miss=(lambda x: _aten.dropout(_aten.neg(x), 0.5, True),),
)

_with_probability_zero_whole = Rule(
    name="dropout/with-probability-zero-whole",
    pattern=OpCall(_WHOLE, X, var("p"), ANY),
    where=lambda f, x, p: uniform(f, p, 0),
    to=X,
    because="dropout with probability zero returns its operand",
    example=lambda x: _aten.dropout(_aten.neg(x), 0.0, True),
    near_miss=(lambda x: _aten.dropout(_aten.neg(x), 0.5, True),),
)

not_training = Rule(
    name="dropout/not-training",
    pattern=OpCall(operator.getitem, OpCall(_aten.native_dropout.default, X, ANY, False), 0),
    to=X,
    because="dropout drops nothing outside of training",
    example=lambda x: _aten.native_dropout(x, 0.5, False)[0],
    near_miss=(
        lambda x: _aten.native_dropout(x, 0.5, True)[0],
        # A dropout that is not told takes it that it is training.
        lambda x: _aten.native_dropout(x, 0.5, None)[0],
    ),
)

with_probability_zero = Rule(
    name="dropout/with-probability-zero",
    pattern=OpCall(operator.getitem, OpCall(_aten.native_dropout.default, X, var("p"), ANY), 0),
    # The kernel multiplies by one, which of complex numbers makes NaN of an infinity.
    where=lambda f, x, p: native(x) & uniform(f, p, 0),
    to=X,
    because="dropout with probability zero drops nothing, and times one nothing is scaled",
    example=lambda x: _aten.native_dropout(x, 0.0, True)[0],
    near_miss=(
        lambda x: _aten.native_dropout(x, 0.5, True)[0],
        lambda x: _aten.native_dropout(of_type(x, torch.complex64), 0.0, True)[0],
        lambda x: _aten.native_dropout(of_type(x, torch.float16), 0.0, True)[0],
    ),
)

RULES = (not_training, with_probability_zero, _not_training_whole, _with_probability_zero_whole)
VALUE_EQUAL = (in_half_precision(with_probability_zero, lambda f, x, p: narrow(x) & uniform(f, p, 0)),)
