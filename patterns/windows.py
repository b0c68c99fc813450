"""Views by strides, windows, and triangles, that show all of a value."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..facts import Facts, Value
from ..integers import Expr
from ..pattern import ANY, OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..spellings import relabel
from ..torch_api import expression_of

_aten = torch.ops.aten


def _own_geometry(f: Facts, x: Value, stride: Sequence[Expr], offset: Expr | None) -> Proof:
    """Are these the sizes, strides and offset of ``x``? A dim of one element has no stride."""
    shape = f.same_shape(x, f.root)
    if not shape.proved:
        return shape
    begins = expression_of(x.node.meta["val"].storage_offset())
    steps = zip(stride, x.stride, x.shape, strict=True)
    return Proof.all(
        (
            shape,
            *(f.eq(a, b) | f.le(n, 1) for a, b, n in steps),
            f.eq(begins if offset is None else offset, begins),
        )
    )


as_strided_own = Rule(
    name="as_strided/own-geometry",
    pattern=OpCall(
        (_aten.as_strided.default, _aten.as_strided_copy.default), X, ANY, var("stride"), var("offset")
    ),
    where=_own_geometry,
    to=X,
    because="seen with the sizes, strides and offset it has, a value is seen as it is",
    example=lambda x: _aten.as_strided(x, x.shape, x.stride(), 0),
    near_miss=(
        lambda x: _aten.as_strided(x, (2, 6), (6, 1)),
        lambda x: _aten.as_strided(x, (4, 6), (1, 4)),
        lambda x: _aten.as_strided(_aten.slice(x, 0, 1, 2), (1, 6), (6, 1), 0),
    ),
)


def _in_blocks(f: Facts, x: Value, d: int, size: int, step: int) -> Proof:
    """Do the windows lie one after another in row-major order, none over another?"""
    last = Proof.of(d % max(x.rank, 1) == max(x.rank, 1) - 1, f"dim {d} is the last", "dims")
    single = f.eq(size, 1) & f.eq(step, 1)
    return single | (last & (f.eq(size, step) | f.eq(size, x.shape[d] if x.rank else 1)))


unfold_and_back = Rule(
    name="unfold/and-back",
    pattern=relabel(
        OpCall((_aten.unfold.default, _aten.unfold_copy.default), X, var("dim"), var("size"), var("step"))
    ),
    # Windows may leave elements out at the end, and then the shape tells.
    where=lambda f, x, dim, size, step: f.same_shape(x, f.root) & _in_blocks(f, x, dim, size, step),
    to=X,
    because="windows that neither move nor repeat an element, with the sizes as they were, are the value",
    example=lambda x: _aten.squeeze(_aten.unfold(_aten.reshape(x, (-1, 2)), 1, 2, 7), 1),
    near_miss=(
        lambda x: _aten.squeeze(_aten.unfold(x, 0, 1, 2), -1),
        lambda x: _aten.reshape(_aten.unfold(x, 0, 2, 2), (4, 6)),
        lambda x: _aten.squeeze(_aten.unfold(x, 1, 3, 5), 0),
        lambda x: _aten.reshape(_aten.unfold(_aten.slice(x, 1, 0, 4), 1, 2, 2), (2, 8)),
    ),
)

triu_vacuous = Rule(
    name="triu/vacuous",
    pattern=OpCall(_aten.triu.default, X, var("diagonal")),
    where=lambda f, x, diagonal: f.le(diagonal, 1 - x.shape[-2]),
    to=X,
    because="nothing lies below a diagonal that starts at or below the last row",
    example=lambda x: _aten.triu(x, 1 - x.shape[0]),
    near_miss=(lambda x: _aten.triu(x, 2 - x.shape[0]),),
)

tril_vacuous = Rule(
    name="tril/vacuous",
    pattern=OpCall(_aten.tril.default, X, var("diagonal")),
    where=lambda f, x, diagonal: f.le(x.shape[-1] - 1, diagonal),
    to=X,
    because="nothing lies above a diagonal that ends at or after the last column",
    example=lambda x: _aten.tril(x, x.shape[1] - 1),
    near_miss=(lambda x: _aten.tril(x, x.shape[1] - 2),),
)

RULES = (as_strided_own, unfold_and_back, triu_vacuous, tril_vacuous)
