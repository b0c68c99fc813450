"""Chains of view-like calls of any length and mixture, by what they do to indices."""

import torch

from ..moves import MOVES
from ..pattern import Calls, Chain, X
from ..rule import Rule

_aten = torch.ops.aten

nowhere = Rule(
    name="move/nowhere",
    pattern=Chain(MOVES, X),
    where=lambda f, x: f.reads_all_of(x),
    to=X,
    because="calls that together put every element where it was have moved nothing",
    example=lambda x: _aten.permute(
        _aten.reshape(_aten.permute(_aten.reshape(x, (2, 2, 6)), (2, 0, 1)), (6, 4)), (1, 0)
    ),
    near_miss=(
        lambda x: _aten.permute(
            _aten.reshape(_aten.permute(_aten.reshape(x, (2, 2, 6)), (2, 1, 0)), (6, 4)), (1, 0)
        ),
        lambda x: _aten.reshape(_aten.flip(x, (1,)), (2, 12)),
    ),
)

shorter = Rule(
    name="move/shorter",
    pattern=Chain(MOVES, X),
    to=Calls(X, lambda f, x: f.shortest(x)),
    because="what a chain of view-like calls reads is read by its shortest form",
    example=lambda x: _aten.reshape(_aten.permute(_aten.reshape(x, (2, 2, 6)), (2, 0, 1)), (6, 4)),
    near_miss=(lambda x: _aten.reshape(_aten.permute(_aten.reshape(x, (2, 2, 6)), (2, 1, 0)), (6, 4)),),
)

RULES = (nowhere, shorter)
