"""Trees of calls that cut, join, overwrite and pad along one dim, by what they do to its intervals."""

import operator
from typing import Any

import torch

from ..parts import (
    CATS,
    NARROWS,
    PADS,
    SCATTERS,
    SELECT_SCATTERS,
    SELECTS,
    SLICES,
    SPLITS,
    STACKS,
    UNBINDS,
    UNSQUEEZES,
)
from ..pattern import ANY, Assembly, Built, OpCall, X, var
from ..rule import Rule
from ..spellings import getitem, slice_, slice_scatter
from ..spellings_parts import cat

_aten = torch.ops.aten
_Y = var("y")


def _cut(x: Any) -> Any:
    return slice_(x, var("dim"), ANY, ANY)


_UNBOUND = OpCall(UNBINDS, X, ANY)
_FORMS = (
    cat([_cut(X), _cut(X)]),
    cat([X, _Y], ANY),
    cat([cat([X, _Y], ANY), _Y], ANY),
    _cut(cat([X, _Y], ANY)),
    _cut(_cut(X)),
    slice_scatter(X, _Y, ANY, ANY, ANY),
    slice_scatter(X, _cut(X), ANY, ANY, ANY),
    slice_scatter(slice_scatter(X, _Y, ANY, ANY, ANY), _Y, ANY, ANY, ANY),
    _cut(slice_scatter(_Y, X, ANY, ANY, ANY)),
    _cut(OpCall(PADS, X, ANY, ANY)),
    OpCall(PADS, OpCall(PADS, X, ANY, ANY), ANY, ANY),
    OpCall(SELECTS, cat([X, _Y], ANY), ANY, ANY),
    cat([getitem(OpCall(SPLITS, X, rest="any")), getitem(OpCall(SPLITS, X, rest="any"))], ANY),
    OpCall(STACKS, [getitem(_UNBOUND, 0), getitem(_UNBOUND, 1)], ANY),
    OpCall(SELECTS, OpCall(STACKS, [X, _Y], ANY), ANY, ANY),
    OpCall(SELECTS, OpCall(SELECT_SCATTERS, _Y, X, ANY, ANY), ANY, ANY),
    cat([OpCall(UNSQUEEZES, X, ANY), OpCall(UNSQUEEZES, _Y, ANY)], ANY),
)
_TREE = (
    *(*CATS, *STACKS, *SLICES, *NARROWS, *SELECTS, *SCATTERS, *SELECT_SCATTERS, *PADS, *UNSQUEEZES),
    operator.getitem,
)

whole = Rule(
    name="pieces/whole",
    pattern=Assembly(_TREE, X, _FORMS),
    where=lambda f, x: f.is_made_of(x),
    to=X,
    because="all elements of a value along a dim, each once and in order, are the value",
    example=lambda x: _aten.cat([_aten.slice(x, 1, 0, 2), _aten.slice(x, -1, 2)], 1),
    near_miss=(
        lambda x: _aten.cat([_aten.slice(x, 1, 0, 2), _aten.slice(x, 1, 3)], 1),
        lambda x: _aten.cat([_aten.slice(x, 1, 2), _aten.slice(x, 1, 0, 2)], 1),
        lambda x: _aten.cat([_aten.slice(x, 1, 0, 2), _aten.slice(_aten.neg(x), 1, 2)], 1),
    ),
)

fewer = Rule(
    name="pieces/fewer",
    pattern=Assembly(_TREE, X, _FORMS),
    to=Built(lambda f: f.pieces()),
    because="a value is made of the same pieces whether they are cut and joined at once or in turn",
    example=lambda x, y: _aten.slice(_aten.slice_scatter(x, _aten.slice(y, 1, 0, 2), 1, 0, 2), 1, 3, 5),
    near_miss=(
        lambda x, y: _aten.slice(_aten.slice_scatter(x, _aten.slice(y, 1, 0, 2), 1, 0, 2), 1, 1, 5),
        lambda x, y: _aten.cat([_aten.slice(x, 1, 0, 2), _aten.slice(y, 1, 2)], 1),
    ),
)

RULES = (whole, fewer)
