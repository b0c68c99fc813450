"""Joins of one part, and of a part with nothing. Joins of parts of one value are a matter of ``pieces``."""

from __future__ import annotations

from math import prod
from typing import Any

import torch

from ..kinds import like_root
from ..pattern import ANY, SIZE, OpCall, X
from ..rule import Rule
from ..spellings import relabel, reshape
from ..spellings_parts import CATS, STACKS, cat
from ..variants import of_type

_aten = torch.ops.aten
cat_of_one = Rule(
    name="cat/of-one",
    pattern=OpCall((*CATS, *STACKS[1:]), [X], rest="any"),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a single operand that lacks no dim is joined to nothing",
    example=lambda x: _aten.cat([x], 1),
    near_miss=(lambda x: _aten.cat([x, x]),),
)

stack_of_one_and_back = Rule(
    name="stack/of-one-and-back",
    pattern=relabel(OpCall(STACKS, [X], rest="any")),
    where=lambda f, x: f.same_shape(x, f.root),
    to=X,
    because="a unit dim put in and taken out again relabels nothing",
    example=lambda x: _aten.squeeze(_aten.stack([x], 1), 1),
    near_miss=(lambda x: _aten.squeeze(_aten.stack([x], 1), 0), lambda x: _aten.squeeze(_aten.stack([x, x]))),
)

stack_of_one_reshaped = Rule(
    name="stack/of-one-reshaped",
    pattern=reshape(OpCall(STACKS, [X], rest="any"), SIZE),
    to=reshape(X, SIZE),
    because="a unit dim put in keeps the row-major order, so only the reshape counts",
    example=lambda x: _aten.reshape(_aten.stack([x], 1), (-1,)),
    near_miss=(lambda x: _aten.reshape(_aten.stack([x, x], 1), (-1,)),),
)


def _beside(x: torch.Tensor, dtype: torch.dtype = torch.float32, width: int = 0) -> torch.Tensor:
    return of_type(_aten.slice(_aten.neg(x), 1, 0, width), dtype)


def _with_nothing(name: str, before: bool) -> Rule:
    def pair(x: Any, other: Any) -> list[Any]:
        return [other, x] if before else [x, other]

    def joined(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = _aten.cat(pair(x, other), 1)
        return found

    return Rule(
        name=f"cat/{name}",
        pattern=cat(pair(X, ANY)),
        # An operand without elements may have promoted the result, or have another rank. Of two operands without
        # elements it is the first.
        where=lambda f, x: like_root(f, x) & f.le(1, prod(x.shape)) if before else like_root(f, x),
        to=X,
        because="if the result is no larger than one operand, the other has no elements",
        example=lambda x: joined(x, _beside(x)),
        near_miss=(
            lambda x: joined(x, _beside(x, width=1)),
            lambda x: joined(x, _beside(x, torch.float64)),
        ),
    )


RULES = (
    cat_of_one,
    stack_of_one_and_back,
    stack_of_one_reshaped,
    _with_nothing("then-nothing", before=False),
    _with_nothing("after-nothing", before=True),
)
