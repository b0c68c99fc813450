"""Orders of dims: the one that is there, and one after another."""

import torch

from ..calls import arguments
from ..facts import Facts, Value
from ..pattern import Computed, OpCall, X
from ..rule import Rule
from ..spellings import PERMUTES, permute, reorder

_aten = torch.ops.aten
_MOVES = (
    _aten.movedim.int,
    _aten.movedim.intlist,
    _aten.moveaxis.int,
    _aten.moveaxis.intlist,
    _aten.swapaxes.default,
    _aten.swapdims.default,
)


def _order(f: Facts, x: Value) -> tuple[int, ...]:
    """``order`` with ``root.shape[i] == x.shape[order[i]]``: what the call makes of dims that have their own
    numbers for sizes."""
    target, operands = f.root.node.target, arguments(f.root.node)
    assert operands is not None
    assert not isinstance(target, str)
    return tuple(target(torch.empty(tuple(range(x.rank)), device="meta"), *operands[1:]).shape)


identity = Rule(
    name="permute/identity",
    pattern=OpCall((*PERMUTES, *_MOVES), X, rest="any"),
    where=lambda f, x: f.identity(_order(f, x)),
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
