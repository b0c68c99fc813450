"""Copies and aliases: the same value in other memory, or under another name."""

import torch

from ..pattern import ANY, X, var
from ..rule import Rule
from ..spellings import alias, clone, copy

_aten = torch.ops.aten

of_clone = Rule(
    name="copy/clone",
    pattern=clone(X),
    to=X,
    because="a clone, or a contiguous form, has the value of its source",
    example=lambda x: _aten.clone(_aten.neg(x)),
    near_miss=(_aten.clone,),
)

of_alias = Rule(
    name="copy/alias",
    pattern=alias(X),
    to=X,
    because="another name for a value is that value",
    example=lambda x: _aten.alias(_aten.neg(x)),
    near_miss=(_aten.alias,),
)

of_copy = Rule(
    name="copy/copy",
    pattern=copy(ANY, var("src")),
    # The destination gives shape and dtype: a smaller source is broadcast, another dtype converted.
    where=lambda f, src: f.same_shape(src, f.root) & f.same_dtype(src, f.root),
    to=var("src"),
    because="copying over everything leaves what was copied",
    example=lambda x, y: _aten.copy(x, _aten.neg(y)),
    near_miss=(
        lambda x, y: _aten.copy(x, _aten.slice(y, 1, 0, 1)),
        lambda x, y: _aten.copy(x, _aten._to_copy(y, dtype=torch.float64)),
    ),
)

RULES = (of_clone, of_alias, of_copy)
