"""Values taken apart along a dim: into one part, or into what they were put together from."""

from __future__ import annotations

import torch

from ..pattern import ANY, SIZE, OpCall, X, var
from ..places import same_dim, same_index
from ..rule import Rule
from ..spellings import getitem, relabel, reshape
from ..spellings_parts import section, select, stack, unbind
from ..variants import of_type

_aten = torch.ops.aten
split_in_one = Rule(
    name="split/in-one",
    pattern=getitem(section(X)),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a section with as many elements as the whole is the whole",
    example=lambda x: _aten.split_with_sizes(x, [x.shape[1]], 1)[0],
    near_miss=(lambda x: _aten.split(x, 2, 1)[0],),
)

unbind_of_one = Rule(
    name="unbind/of-one",
    pattern=getitem(unbind(X, var("dim")), 0),
    where=lambda f, x, dim: f.eq(x.shape[dim], 1),
    to=OpCall((_aten.squeeze.dim, _aten.squeeze_copy.dim), X, var("dim")),
    because="the only part along a dim of size 1 is the whole without that dim",
    example=lambda x: _aten.unbind(_aten.unsqueeze(x, 1), 1)[0],
    near_miss=(lambda x: _aten.unbind(x, 1)[0],),
)

unbind_of_one_and_back = Rule(
    name="unbind/of-one-and-back",
    pattern=relabel(getitem(unbind(X))),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a part with as many elements as the whole is the whole",
    example=lambda x: _aten.unsqueeze(_aten.unbind(_aten.unsqueeze(x, 0))[0], 0),
    near_miss=(lambda x: _aten.unsqueeze(_aten.unbind(_aten.unsqueeze(x, 0))[0], 1),),
)

unbind_of_one_reshaped = Rule(
    name="unbind/of-one-reshaped",
    pattern=reshape(getitem(unbind(X, var("dim"))), SIZE),
    where=lambda f, x, dim: f.eq(x.shape[dim], 1),
    to=reshape(X, SIZE),
    because="a unit dim taken out keeps the row-major order, so only the reshape counts",
    example=lambda x: _aten.reshape(_aten.unbind(_aten.unsqueeze(x, 0))[0], (-1,)),
    near_miss=(lambda x: _aten.reshape(_aten.unbind(x)[0], (2, -1)),),
)


def _stacked(count: int, at: int) -> OpCall:
    return stack([*[ANY] * at, X, *[ANY] * (count - 1 - at)], var("dim"))


def _among(x: torch.Tensor, y: torch.Tensor, count: int, at: int) -> torch.Tensor:
    found: torch.Tensor = _aten.stack([*[y] * at, x, *[y] * (count - 1 - at)], -3)
    return found


def _unbind_of_stack(count: int, at: int) -> Rule:
    return Rule(
        name=f"unbind/part-{at}-of-stack-of-{count}",
        pattern=getitem(unbind(_stacked(count, at), var("outer")), at),
        where=lambda f, x, dim, outer: f.same_dtype(x, f.root) & same_dim(x.rank + 1, dim, outer),
        to=X,
        because="what is put together along a new dim is what is found along that dim",
        example=lambda x, y: _aten.unbind(_among(x, y, count, at))[at],
        near_miss=(
            lambda x, y: _aten.unbind(_among(x, of_type(y, torch.float64), count, at))[at],
            lambda x, y: _aten.unbind(_among(x, y, count, at), 1)[at],
            lambda x, y: _aten.unbind(_among(x, y, count, at))[(at + 1) % count],
        ),
    )


def _select_of_stack(count: int, at: int) -> Rule:
    return Rule(
        name=f"select/part-{at}-of-stack-of-{count}",
        pattern=select(_stacked(count, at), var("d"), var("i")),
        where=lambda f, x, dim, d, i: (
            f.same_dtype(x, f.root) & same_dim(x.rank + 1, dim, d) & same_index(f, i, at, count)
        ),
        to=X,
        because="what is put together along a new dim is what is found along that dim",
        example=lambda x, y: _aten.select(_among(x, y, count, at), 0, at - count),
        near_miss=(
            lambda x, y: _aten.select(_among(x, of_type(y, torch.float64), count, at), 0, at),
            lambda x, y: _aten.select(_among(x, y, count, at), 1, at),
            lambda x, y: _aten.select(_among(x, y, count, at), 0, (at + 1) % count),
        ),
    )


_PARTS = [(count, at) for count in (2, 3) for at in range(count)]

RULES = (
    split_in_one,
    unbind_of_one,
    unbind_of_one_and_back,
    unbind_of_one_reshaped,
    *(_unbind_of_stack(count, at) for count, at in _PARTS),
    *(_select_of_stack(count, at) for count, at in _PARTS),
)
