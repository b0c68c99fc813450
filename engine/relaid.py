"""Who could tell that a value lies in memory with other strides?

Only operators are passed that compute the same bits from any strides, and then only where the layout of their
results stays as it was; a view of the value gets other strides too, so its readers are asked in turn.
``tests/test_relaid.py`` compares the bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node, map_arg

from .calls import tensor_of
from .fake import run_fake
from .integers import Prover
from .layout import same_layout
from .torch_api import FakeTensor, storage_key

_aten = torch.ops.aten

_VIEWS = frozenset(
    {
        *(_aten.alias.default, _aten.detach.default),
        *(_aten.permute.default, _aten.transpose.int, _aten.t.default),
        *(_aten.unsqueeze.default, _aten.squeeze.default, _aten.squeeze.dim, _aten.squeeze.dims),
        *(_aten.slice.Tensor, _aten.select.int, _aten.expand.default),
    }
)
"""Views of any tensor, whatever its strides."""

CHOOSING = frozenset(
    {
        *(_aten.cat.default, _aten.stack.default, _aten.where.self, _aten.clone.default, _aten.copy.default),
        *(_aten.masked_fill.Scalar, _aten.masked_fill.Tensor, _aten.constant_pad_nd.default),
        *(_aten.slice_scatter.default, _aten.select_scatter.default, _aten.repeat.default),
        *(_aten.flip.default, _aten.index.Tensor, _aten.gather.default, _aten.index_select.default),
        *(
            getattr(getattr(_aten, name), o)
            for name in ("eq", "ne", "lt", "le", "gt", "ge")
            for o in ("Scalar", "Tensor")
        ),
        *(
            _aten.logical_not.default,
            _aten.logical_and.default,
            _aten.logical_or.default,
            _aten.isnan.default,
        ),
    }
)
"""Their results are elements of operands, or truth values: no bit is computed."""

EXACT = frozenset(
    {
        *(_aten.add.Scalar, _aten.sub.Scalar, _aten.mul.Scalar, _aten.div.Scalar, _aten.rsub.Scalar),
        *(_aten.div.Tensor, _aten.neg.default, _aten.abs.default),
        *(_aten.relu.default, _aten.reciprocal.default, _aten.sqrt.default),
        *(_aten.clamp.default, _aten.clamp_min.default, _aten.clamp_max.default),
        *(
            _aten.bitwise_and.Tensor,
            _aten.bitwise_or.Tensor,
            _aten.bitwise_xor.Tensor,
            _aten.bitwise_not.default,
        ),
    }
)
"""Rounded as IEEE 754 says, element by element, with or without vectors, for the dtypes of :data:`NATIVE`. Of floats
of 16 bits the vectorised kernels make another NaN."""

OF_ONE_NAN = frozenset({_aten.add.Tensor, _aten.sub.Tensor, _aten.mul.Tensor})
"""As :data:`EXACT`, but which of two NaNs they pass on differs between the kernels: for whole numbers, or with a number
for one operand."""

NATIVE = frozenset(
    {
        *(torch.float32, torch.float64, torch.bool),
        *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8),
    }
)


@dataclass(frozen=True, slots=True)
class Relaid:
    """``seer``: a reader that may tell; None if there is none. ``values``: the new metadata of the value and of its
    views."""

    seer: Node | None
    values: dict[Node, Any]


def relaid(root: Node, value: torch.Tensor, prover: Prover) -> Relaid:
    """What becomes of the graph if ``root`` lies in memory as ``value``, a fake tensor of the same shape, does."""
    seer = sees_strides(root)
    if seer is not None:
        return Relaid(seer, {})
    moved: dict[Node, Any] = {root: value}
    readers: dict[Node, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        for user in node.users:
            if user in moved or user in readers:
                continue
            if user.target not in _VIEWS:
                readers[user] = None
                continue
            seen = _view_of(user, moved[node], moved)
            if seen is None:
                return Relaid(user, moved)
            moved[user] = seen
            stack.append(user)
    return Relaid(next((r for r in readers if not _blind(r, moved, prover)), None), moved)


def sees_strides(root: Node) -> Node | None:
    """A reader of ``root``, or of a view of it, that may tell whatever the strides are; None if none is known."""
    stack, seen = [root], {root}
    while stack:
        for user in stack.pop().users:
            if user in seen:
                continue
            seen.add(user)
            if user.target in _VIEWS:
                stack.append(user)
            elif user.op != "call_function" or not _exact(user):
                return user
    return None


def _view_of(view: Node, of: Any, moved: dict[Node, Any]) -> torch.Tensor | None:
    found = _rerun(view, of, moved)
    if not isinstance(found, torch.Tensor) or storage_key(found) != storage_key(of):
        return None
    return found


def _blind(reader: Node, moved: dict[Node, Any], prover: Prover) -> bool:
    """Is the layout of what it computes, which is the same from any strides, the same as before?"""
    before = tensor_of(reader)
    if before is None:
        return False
    operand = next(moved[n] for n in reader.all_input_nodes if n in moved)
    after = _rerun(reader, operand, moved)
    if not isinstance(after, torch.Tensor):
        return False
    compared = same_layout(prover, before, after)
    return compared.proof.proved and not (
        compared.strides is not None or compared.unit_strides_differ or compared.offset_differs
    )


def _exact(reader: Node) -> bool:
    target = reader.target
    if target in CHOOSING:
        return True
    # A number that the graph computes has no strides.
    tensors = [t for n in (reader, *reader.all_input_nodes) if (t := tensor_of(n)) is not None]
    if not all(t.dtype in NATIVE for t in tensors):
        return False
    floats = any(t.dtype.is_floating_point for t in tensors)
    return target in EXACT or (target in OF_ONE_NAN and not (floats and len(_tensor_operands(reader)) > 1))


def _tensor_operands(reader: Node) -> list[object]:
    return [a for a in reader.args[:2] if isinstance(a, Node) and tensor_of(a) is not None]


def _rerun(node: Node, operand: Any, moved: dict[Node, Any]) -> Any:
    if not isinstance(operand, FakeTensor):
        return None
    args, kwargs = map_arg((node.args, node.kwargs), lambda n: moved.get(n, n.meta.get("val")))
    return run_fake(node.target, args, kwargs, operand)
