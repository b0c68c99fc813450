"""Orders of dims: the one that is there, and one after another."""

import torch

from ..pattern import Computed, X
from ..rule import Rule
from ..spellings import permute, reorder

_aten = torch.ops.aten

identity = Rule(
    name="permute/identity",
    pattern=reorder(X),
    where=lambda f, x: f.identity(f.permutation(x)),
    to=X,
    because="dims in the order they have are not moved",
    example=lambda x: _aten.permute(x, (0, -1)),
    near_miss=(
        lambda x: _aten.permute(x, (1, 0)),
        lambda x: _aten.permute(_aten.reshape(x, (-1, 2, 2)), (0, 2, 1)),
    ),
)

round_trip = Rule(
    name="permute/round-trip",
    pattern=reorder(reorder(X)),
    where=lambda f, x: f.identity(f.permutation(x)),
    to=X,
    because="an order of dims followed by its inverse moves nothing",
    example=lambda x: _aten.permute(_aten.t(x), (1, 0)),
    near_miss=(lambda x: _aten.permute(_aten.permute(_aten.reshape(x, (-1, 2, 2)), (1, 2, 0)), (1, 2, 0)),),
)

of_permute = Rule(
    name="permute/of-permute",
    pattern=reorder(reorder(X)),
    to=permute(X, Computed(lambda f, x: f.permutation(x))),
    because="two orders of dims, one after the other, are one order",
    example=lambda x: _aten.permute(_aten.permute(_aten.reshape(x, (-1, 2, 2)), (1, 2, 0)), (1, 2, 0)),
    near_miss=(lambda x: _aten.permute(_aten.neg(_aten.permute(x, (1, 0))), (1, 0)),),
)

RULES = (identity, round_trip, of_permute)
