"""Conversions of dtype."""

import torch

from ..pattern import X
from ..rule import Rule
from ..spellings import cast

_aten, _prims = torch.ops.aten, torch.ops.prims

same_dtype = Rule(
    name="cast/same-dtype",
    pattern=cast(X),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="converted to the dtype it has, a value stays as it is",
    example=lambda x: _prims.convert_element_type(_aten.neg(x), torch.float32),
    near_miss=(lambda x: _prims.convert_element_type(x, torch.float64),),
)

RULES = (same_dtype,)
