"""Broadcasts: to the shape that is there, and one after another; repetition once."""

import torch

from ..pattern import ANY, SIZE, OpCall, X
from ..rule import Rule
from ..spellings import EXPANDS, expand, getitem

_aten = torch.ops.aten

to_own_shape = Rule(
    name="expand/to-own-shape",
    pattern=OpCall((*EXPANDS, _aten.expand_as.default), X, rest="any"),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a broadcast to the shape a value has repeats nothing",
    example=lambda x: _aten.expand(x, (-1, -1)),
    near_miss=(lambda x: _aten.expand(_aten.unsqueeze(x, 0), (3, -1, -1)),),
)

of_expand = Rule(
    name="expand/of-expand",
    pattern=expand(expand(X), SIZE),
    # A -1 keeps the size of the operand, which is another operand's size once the inner expand is gone.
    where=lambda f, size: f.no_size_kept(size),
    to=expand(X, SIZE),
    because="a broadcast of a broadcast is one broadcast to the last shape",
    example=lambda x: _aten.expand(_aten.expand(_aten.unsqueeze(x, 0), (3, 4, 6)), (2, 3, 4, 6)),
    near_miss=(lambda x: _aten.expand(_aten.expand(_aten.unsqueeze(x, 0), (3, 4, 6)), (2, -1, -1, -1)),),
)

repeat_once = Rule(
    name="repeat/by-ones",
    pattern=OpCall(
        (_aten.repeat.default, _aten.tile.default, _aten.repeat_interleave.self_int), X, rest="any"
    ),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a value repeated to its own shape is repeated once along every dim, or has no elements",
    example=lambda x: _aten.repeat(x, (1, 1)),
    near_miss=(lambda x: _aten.repeat(x, (1, 2)), lambda x: _aten.repeat(x, (1, 1, 1))),
)


def _broadcast(count: int, at: int) -> Rule:
    """The value at this place among so many that are broadcast together."""

    def call(x: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = _aten.broadcast_tensors([*others[:at], x, *others[at:]])[at]
        return found

    return Rule(
        name=f"expand/{at + 1}-of-{count}-broadcast-together",
        pattern=getitem(
            OpCall(_aten.broadcast_tensors.default, [*[ANY] * at, X, *[ANY] * (count - 1 - at)]), at
        ),
        where=lambda f, x: f.same_shape(x, f.root),
        to=X,
        because="a broadcast to the shape a value has repeats nothing",
        example=lambda x, y: call(x, *[y] * (count - 1)),
        near_miss=(lambda x, y: call(x, *[_aten.unsqueeze(y, 0)] * (count - 1)),),
    )


# Longer lists are composed of broadcasts before they reach a compiler.
RULES = (to_own_shape, of_expand, repeat_once, _broadcast(2, 0), _broadcast(2, 1))
