"""Writes that overwrite everything, or nothing."""

from math import prod

import torch

from ..pattern import ANY, SIZE, OpCall, X, var
from ..rule import Rule
from ..spellings import relabel, reshape, slice_scatter

_aten = torch.ops.aten
_SRC = var("src")

whole = Rule(
    name="slice_scatter/whole",
    pattern=slice_scatter(ANY, _SRC),
    # The source has the shape of the region it overwrites, so a source of the result's shape covers it. Of
    # another dtype it would be converted on the way, and then it is not the result.
    where=lambda f, src: f.same_shape(src, f.root) & f.same_dtype(src, f.root),
    to=_SRC,
    because="if every element is overwritten, what is left is what was written",
    example=lambda x, y: _aten.slice_scatter(x, y, 1, 0, 2**63 - 1),
    near_miss=(
        lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, -1), 1, 0, -1),
        lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, 2**63 - 1, 2), 1, 0, 2**63 - 1, 2),
        lambda x, y: _aten.slice_scatter(x, _aten._to_copy(y, dtype=torch.float64), 1, 0, 2**63 - 1),
    ),
)

nothing = Rule(
    name="slice_scatter/nothing",
    pattern=slice_scatter(X, _SRC),
    where=lambda f, src: f.eq(prod(src.shape), 0),
    to=X,
    because="if no element is overwritten, the value is as it was",
    example=lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, 0), 1, 2, 2),
    near_miss=(lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, 1), 1, 0, 1),),
)

only_part = Rule(
    name="select_scatter/only-part",
    pattern=relabel(OpCall(_aten.select_scatter.default, X, _SRC, var("dim"), ANY)),
    where=lambda f, x, src, dim: (
        f.eq(x.shape[dim], 1) & f.same_shape(src, f.root) & f.same_dtype(src, f.root)
    ),
    to=_SRC,
    because="along a dim of size 1 the part written is all there is",
    example=lambda x: _aten.squeeze(_aten.select_scatter(_aten.unsqueeze(x, 0), _aten.neg(x), 0, 0), 0),
    near_miss=(
        lambda x: _aten.squeeze(_aten.select_scatter(x, _aten.select(x, 0, 1), 0, 0), 0),
        lambda x: _aten.unsqueeze(_aten.select_scatter(_aten.unsqueeze(x, 0), x, 0, 0), 0),
        lambda x: _aten.squeeze(
            _aten.select_scatter(_aten.unsqueeze(x, 0), _aten._to_copy(x, dtype=torch.float64), 0, 0), 0
        ),
    ),
)

only_part_reshaped = Rule(
    name="select_scatter/only-part-reshaped",
    pattern=reshape(OpCall(_aten.select_scatter.default, X, _SRC, var("dim"), ANY), SIZE),
    where=lambda f, x, src, dim: f.eq(x.shape[dim], 1) & f.same_dtype(src, f.root),
    to=reshape(_SRC, SIZE),
    because="along a dim of size 1 the part written is all there is, in the same order",
    example=lambda x: _aten.reshape(_aten.select_scatter(_aten.unsqueeze(x, 0), _aten.neg(x), 0, 0), (-1,)),
    near_miss=(
        lambda x: _aten.reshape(_aten.select_scatter(x, _aten.select(x, 0, 1), 0, 0), (-1,)),
        lambda x: _aten.reshape(
            _aten.select_scatter(_aten.unsqueeze(x, 0), _aten._to_copy(x, dtype=torch.float64), 0, 0), (-1,)
        ),
    ),
)

RULES = (whole, nothing, only_part, only_part_reshaped)
