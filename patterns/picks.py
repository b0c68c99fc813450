"""Picking along a dim of one: the middle of one element, the most frequent, the first few in order. What is picked
is the element as it is; its index is another result of the call."""

import operator
from typing import Any

import torch

from ..calls import argument
from ..facts import Facts, Value
from ..kinds import kept
from ..pattern import OpCall, X
from ..proof import Proof
from ..rule import Rule
from ..variants import of_type
from .reductions import over_ones

_aten = torch.ops.aten
_PICKS = (_aten.median.dim, _aten.nanmedian.dim, _aten.mode.default, _aten.kthvalue.default)
_ORDERS = (_aten.sort.default, _aten.sort.stable, _aten.topk.default)


def _picked(x: Any) -> OpCall:
    return OpCall(operator.getitem, OpCall(_PICKS, x, rest="any"), 0)


def _any_kind(x: object) -> Proof:
    return Proof.of(True, "whatever its dtype", "chosen, not computed")


def _median(x: torch.Tensor, keep: bool) -> torch.Tensor:
    found: torch.Tensor = _aten.median.dim(x, 0, keep)[0]
    return found


picked = over_ones("pick", _picked, _any_kind, _median, torch.float32, None)


def _in_place(f: Facts, x: Value) -> Proof:
    """Along a dim of one, and all of it: a topk may be asked for none. Of floats of 16 bits ``topk`` makes another
    NaN."""
    (call,) = f.root.node.all_input_nodes
    one = f.eq(x.shape[argument(call, "dim")], 1) if x.rank else Proof.of(True, f"{x!r} has no dims", "rank")
    return kept(x) & f.same_shape(x, f.root) & one


ordered = Rule(
    name="sort/one",
    pattern=OpCall(operator.getitem, OpCall(_ORDERS, X, rest="any"), 0),
    where=_in_place,
    to=X,
    because="along a dim of size one, each element comes first and last",
    example=lambda x: _aten.sort(_aten.unsqueeze(x, 0), 0)[0],
    near_miss=(
        lambda x: _aten.sort(_aten.unsqueeze(x, 0), 1)[0],
        lambda x: _aten.topk(_aten.unsqueeze(x, 0), 0, 0)[0],
        lambda x: _aten.topk(_aten.unsqueeze(of_type(x, torch.bfloat16), 0), 1, 0)[0],
    ),
)

RULES = (*picked, ordered)
