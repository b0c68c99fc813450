"""Calls that relabel sizes and keep the row-major order of elements."""

import torch

from ..pattern import SIZE, X
from ..rule import Rule
from ..spellings import relabel, reshape, view_dtype

_aten = torch.ops.aten

of_reshape = Rule(
    name="reshape/of-reshape",
    pattern=reshape(relabel(X), SIZE),
    to=reshape(X, SIZE),
    because="a reshape keeps the row-major order of elements, so only the last one counts",
    example=lambda x: _aten.reshape(_aten.reshape(x, (-1,)), (2, -1)),
    near_miss=(lambda x: _aten.reshape(_aten.t(x), (-1,)),),
)

to_own_shape = Rule(
    name="reshape/to-own-shape",
    pattern=relabel(X),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="relabelling sizes as they are relabels nothing",
    example=lambda x: _aten.reshape(x, x.shape),
    near_miss=(lambda x: _aten.reshape(x, (-1,)), lambda x: _aten.unsqueeze(x, 0)),
)

round_trip = Rule(
    name="reshape/round-trip",
    pattern=relabel(relabel(X)),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="relabelling sizes and back again relabels nothing",
    example=lambda x: _aten.squeeze(_aten.unsqueeze(x, 1), 1),
    near_miss=(lambda x: _aten.squeeze(_aten.unsqueeze(x, 1), 0),),
)

dtype_view_to_own_dtype = Rule(
    name="reshape/dtype-view-to-own-dtype",
    pattern=view_dtype(X),
    where=lambda f, x: f.same_dtype(x, f.root),
    to=X,
    because="bits read as the type they already have are the same values",
    example=lambda x: _aten.view.dtype(x, torch.float32),
    near_miss=(lambda x: _aten.view.dtype(x, torch.int32),),
)

RULES = (of_reshape, to_own_shape, round_trip, dtype_view_to_own_dtype)
