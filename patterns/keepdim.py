"""Reductions that drop dims which are put back, or keep dims which are dropped."""

from collections.abc import Callable
from dataclasses import replace

import torch

from ..facts import Facts, Value
from ..kinds import Kind, any_kind, narrow, native
from ..pattern import OpCall, X, var
from ..proof import Proof
from ..rule import Rule
from ..spellings import relabel
from ..variants import in_half_precision, of_type

_aten = torch.ops.aten
_DIMS = var("dims")


def _reduced(f: Facts, x: Value, dims: object, keep: bool) -> Proof:
    """The result has the sizes of ``x`` without those of ``dims``, or with ones for them. No dims, or an empty list of
    them, means all."""
    given = dims if isinstance(dims, tuple) else ()
    if not all(isinstance(d, int) for d in given):
        return Proof.of(False, f"{dims!r} are dims", "they are not numbers")
    gone = {d % x.rank for d in given} if given and x.rank else set(range(x.rank))
    kept = {d: n for d, n in enumerate(x.shape) if d not in gone}
    sizes = [kept.get(d, 1) for d in range(x.rank)] if keep else list(kept.values())
    if len(sizes) != f.root.rank:
        return Proof.of(False, f"{f.root!r} has rank {len(sizes)}", "rank")
    return Proof.all(map(f.eq, f.root.shape, sizes), f"{f.root!r} has the sizes {sizes}")


def _alone(f: Facts) -> Proof:
    """Nobody else uses what is reduced, or it would be reduced twice."""
    (reduced,) = f.root.node.all_input_nodes[:1]
    return Proof.of(len(reduced.users) == 1, f"{reduced.name} is used once", "its users")


def _twice(reduced: torch.Tensor, put: Callable[..., torch.Tensor]) -> torch.Tensor:
    found: torch.Tensor = _aten.mul(put(reduced, 1), reduced)
    return found


def _kept(name: str, call: Callable[..., torch.Tensor], kind: Kind = any_kind) -> Rule:
    return Rule(
        name=f"keepdim/{name}",
        pattern=relabel(OpCall(call, X, _DIMS)),
        where=lambda f, x, dims: kind(x) & _reduced(f, x, dims, True) & _alone(f),
        to=OpCall(call, X, _DIMS, True),
        because="dims that are dropped and put back with size one could have been kept",
        example=lambda x: _aten.unsqueeze(call(x, [1]), -1),
        near_miss=(
            lambda x: _aten.unsqueeze(call(x, [1]), 0),
            lambda x: _aten.reshape(call(x, [1]), (2, -1)),
            lambda x: _twice(call(x, [1]), _aten.unsqueeze),
        ),
    )


def _dropped(name: str, call: Callable[..., torch.Tensor], kind: Kind = any_kind) -> Rule:
    return Rule(
        name=f"keepdim/{name}-dropped",
        pattern=relabel(OpCall(call, X, _DIMS, True)),
        where=lambda f, x, dims: kind(x) & _reduced(f, x, dims, False) & _alone(f),
        to=OpCall(call, X, _DIMS),
        because="dims that are kept with size one and then dropped could have been dropped",
        example=lambda x: _aten.squeeze(call(x, [1], True), 1),
        near_miss=(
            lambda x: _aten.reshape(call(x, [1], True), (2, -1)),
            lambda x: _aten.reshape(call(x, [1], True), (1, -1)),
            lambda x: _twice(call(x, [1], True), _aten.squeeze),
        ),
    )


def _of_mean(law: Callable[..., Rule]) -> Rule:
    """A mean is a sum and a division, which a kernel of its own does where one number is left."""
    made = law("mean", _aten.mean.dim, native)
    return replace(made, near_miss=(*made.near_miss, lambda x: made.example(of_type(x, torch.float16))))


_LAWS = (_kept, _dropped)
means = tuple(_of_mean(law) for law in _LAWS)
RULES = (
    *(law("sum", _aten.sum.dim_IntList) for law in _LAWS),
    *means,
)
VALUE_EQUAL = (
    in_half_precision(means[0], lambda f, x, dims: narrow(x) & _reduced(f, x, dims, True) & _alone(f)),
    in_half_precision(means[1], lambda f, x, dims: narrow(x) & _reduced(f, x, dims, False) & _alone(f)),
)
