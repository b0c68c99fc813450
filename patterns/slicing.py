"""Slices that leave nothing out."""

import torch

from ..pattern import OpCall, X
from ..rule import Rule

_aten = torch.ops.aten
_SLICES = (
    _aten.slice.Tensor,
    _aten.slice_copy.Tensor,
    _aten.narrow.default,
    _aten.narrow_copy.default,
)

whole = Rule(
    name="slice/whole",
    pattern=OpCall(_SLICES, X, rest="any"),
    # A slice takes elements of its dim in increasing order, none twice. If it takes as many as there are,
    # it takes all of them, whatever its bounds are called.
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a slice with as many elements as its source, in order and none twice, is the source",
    example=lambda x: _aten.slice(x, 1, 0, 2**63 - 1),
    near_miss=(
        lambda x: _aten.slice(x, 1, 0, -1),
        lambda x: _aten.slice(x, 1, 1, 2**63 - 1),
        lambda x: _aten.slice(x, 1, 0, 2**63 - 1, 2),
    ),
)

RULES = (whole,)
