"""Copies and aliases: the same value in other memory, or under another name."""

import torch

from ..pattern import ANY, OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..spellings import ALIASES, clone, copy

_aten, _prims = torch.ops.aten, torch.ops.prims
_MARKS = (_aten.positive.default, _aten.resolve_conj.default, _aten.resolve_neg.default)
"""What is marked as a conjugate or a negative is, worked out, the same value."""

of_clone = Rule(
    name="copy/clone",
    pattern=clone(X),
    to=X,
    because="a clone, or a contiguous form, has the value of its source",
    example=lambda x: _aten.clone(_aten.neg(x)),
    near_miss=(_aten.clone,),
)

of_alias = Rule(
    name="copy/alias",
    pattern=OpCall((*ALIASES, *_MARKS), X, rest="any"),
    to=X,
    because="another name for a value is that value",
    example=lambda x: _aten.alias(_aten.neg(x)),
    near_miss=(_aten.alias,),
)

of_copy = Rule(
    name="copy/copy",
    pattern=copy(ANY, var("src")),
    # The destination gives shape and dtype: a smaller source is broadcast, another dtype converted.
    where=lambda f, src: f.same_shape(src, f.root) & f.same_dtype(src, f.root),
    to=var("src"),
    because="copying over everything leaves what was copied",
    example=lambda x, y: _aten.copy(x, _aten.neg(y)),
    near_miss=(
        lambda x, y: _aten.copy(x, _aten.slice(y, 1, 0, 1)),
        lambda x, y: _aten.copy(x, _aten._to_copy(y, dtype=torch.float64)),
    ),
)

put_on_device = Rule(
    name="copy/device-put",
    pattern=OpCall(_prims.device_put.default, X, rest="any"),
    # A value on "meta" has no elements to bring back.
    where=lambda f, x: Proof.of(x.device == f.root.device, f"{x.device} is {f.root.device}", "devices"),
    to=X,
    because="put on the device where it is, a value stays as it is",
    example=lambda x: _prims.device_put(_aten.neg(x), "cpu"),
    near_miss=(lambda x: _prims.device_put(x, "meta"),),
)

RULES = (of_clone, of_alias, of_copy, put_on_device)
