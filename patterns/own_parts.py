"""Parts of a value written back to where they were read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..pattern import OpCall, X, var
from ..places import same_dim, same_index
from ..rule import Rule
from ..spellings_parts import select

_aten = torch.ops.aten
_LAW = "a part of a value written over itself changes nothing"

_Call = Callable[..., Any]


def _of_corner(x: torch.Tensor, call: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    return call(_aten.slice(x, 1, 0, 4))


def _alike(name: str, read: Any, write: Any, given: tuple[str, ...], example: _Call, miss: _Call) -> Rule:
    """Read and written with the same arguments, named ``given``."""
    rest = [var(argument) for argument in given]
    return Rule(
        name=f"{name}/own-part",
        pattern=OpCall(write, X, OpCall(read, X, *rest), *rest),
        to=X,
        because=_LAW,
        example=example,
        near_miss=(miss,),
    )


_BOUNDS = (var("start"), var("end"), var("step"))
of_slice = Rule(
    name="slice_scatter/own-part",
    # Bounds written otherwise are left to the rules of ``pieces``.
    pattern=OpCall(
        _aten.slice_scatter.default,
        X,
        OpCall((_aten.slice.Tensor, _aten.slice_copy.Tensor), X, var("d"), *_BOUNDS),
        var("dim"),
        *_BOUNDS,
    ),
    where=lambda f, x, d, dim: same_dim(x.rank, d, dim),
    to=X,
    because=_LAW,
    example=lambda x: _aten.slice_scatter(x, _aten.slice(x, -1, 0, 4, 2), 1, 0, 4, 2),
    near_miss=(
        lambda x: _aten.slice_scatter(x, _aten.slice(x, 1, 0, 4, 2), 1, 1, 4, 2),
        lambda x: _of_corner(x, lambda y: _aten.slice_scatter(y, _aten.slice(y, 1, 0, 4, 1), 0, 0, 4, 1)),
    ),
)

of_select = Rule(
    name="select_scatter/own-part",
    pattern=OpCall(_aten.select_scatter.default, X, select(X, var("d"), var("i")), var("dim"), var("index")),
    where=lambda f, x, d, i, dim, index: same_dim(x.rank, d, dim) & same_index(f, i, index, x.shape[d]),
    to=X,
    because=_LAW,
    example=lambda x: _aten.select_scatter(x, _aten.select(x, -1, 5), 1, 5),
    near_miss=(
        lambda x: _aten.select_scatter(x, _aten.select(x, 1, 0), 1, 1),
        lambda x: _aten.select_scatter(
            _aten.slice(x, 1, 0, 4), _aten.select(_aten.slice(x, 1, 0, 4), 0, 1), 1, 1
        ),
    ),
)

of_diagonal = _alike(
    "diagonal_scatter",
    (_aten.diagonal.default, _aten.diagonal_copy.default),
    _aten.diagonal_scatter.default,
    ("offset", "d", "e"),
    lambda x: _aten.diagonal_scatter(x, _aten.diagonal(x, 1), 1),
    lambda x: _aten.diagonal_scatter(x, _aten.diagonal(x, 1), 2),
)

of_strided = _alike(
    "as_strided_scatter",
    (_aten.as_strided.default, _aten.as_strided_copy.default),
    _aten.as_strided_scatter.default,
    ("size", "stride", "offset"),
    lambda x: _aten.as_strided_scatter(x, _aten.as_strided(x, (3,), (1,), 2), (3,), (1,), 2),
    lambda x: _aten.as_strided_scatter(x, _aten.as_strided(x, (3,), (1,), 2), (3,), (1,), 1),
)


def _of_index(x: torch.Tensor, call: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    return call(_aten.new_zeros(x, [1, 1], dtype=torch.int64))


of_gathered = Rule(
    name="scatter/own-elements",
    pattern=OpCall(
        _aten.scatter.src,
        X,
        var("dim"),
        var("index"),
        OpCall(_aten.gather.default, X, var("d"), var("index"), rest="any"),
    ),
    # An index that occurs twice writes the same element twice.
    where=lambda f, x, dim, d: same_dim(x.rank, dim, d),
    to=X,
    because=_LAW,
    example=lambda x: _of_index(x, lambda i: _aten.scatter(x, 1, i, _aten.gather(x, -1, i))),
    near_miss=(
        lambda x: _of_index(x, lambda i: _aten.scatter(x, 1, i, _aten.gather(x, 0, i))),
        lambda x: _of_index(x, lambda i: _aten.scatter(x, 1, i, _aten.gather(_aten.neg(x), 1, i))),
    ),
)


of_indexed = Rule(
    name="index_put/own-elements",
    pattern=OpCall(
        (_aten.index_put.default, _aten._unsafe_index_put.default),
        X,
        var("indices"),
        OpCall((_aten.index.Tensor, _aten._unsafe_index.Tensor), X, var("indices")),
    ),
    to=X,
    because=_LAW,
    example=lambda x: _of_index(x, lambda i: _aten.index_put(x, [i], _aten.index(x, [i]))),
    near_miss=(
        lambda x: _of_index(x, lambda i: _aten.index_put(x, [i], _aten.index(x, [i]), True)),
        lambda x: _of_index(x, lambda i: _aten.index_put(x, [i], _aten.index(x, [_aten.neg(i)]))),
    ),
)

RULES = (of_slice, of_select, of_diagonal, of_strided, of_gathered, of_indexed)
