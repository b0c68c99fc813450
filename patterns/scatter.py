"""Writes that overwrite everything."""

import torch

from ..pattern import ANY, var
from ..rule import Rule
from ..spellings import slice_scatter

_aten = torch.ops.aten

whole = Rule(
    name="slice_scatter/whole",
    pattern=slice_scatter(ANY, var("src")),
    # The source has the shape of the region it overwrites, so a source of the result's shape covers it. Of
    # another dtype it would be converted on the way, and then it is not the result.
    where=lambda f, src: f.same_shape(src, f.root) & f.same_dtype(src, f.root),
    to=var("src"),
    because="if every element is overwritten, what is left is what was written",
    example=lambda x, y: _aten.slice_scatter(x, y, 1, 0, 2**63 - 1),
    near_miss=(
        lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, -1), 1, 0, -1),
        lambda x, y: _aten.slice_scatter(x, _aten.slice(y, 1, 0, 2**63 - 1, 2), 1, 0, 2**63 - 1, 2),
        lambda x, y: _aten.slice_scatter(x, _aten._to_copy(y, dtype=torch.float64), 1, 0, 2**63 - 1),
    ),
)

RULES = (whole,)
