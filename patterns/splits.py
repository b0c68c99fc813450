"""Values taken apart along a dim into one part. What is put together again is a matter of ``pieces``."""

from __future__ import annotations

import torch

from ..pattern import SIZE, OpCall, X, var
from ..rule import Rule
from ..spellings import getitem, relabel, reshape
from ..spellings_parts import section, unbind

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


RULES = (split_in_one, unbind_of_one, unbind_of_one_and_back, unbind_of_one_reshaped)
