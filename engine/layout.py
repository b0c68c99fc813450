"""Is one tensor laid out exactly like another, and who could see a difference in the strides of unit dims?"""

from __future__ import annotations

import dataclasses

import torch
from torch.fx import Node

from .calls import signature, tensor_of
from .integers import Expr, Prover
from .proof import Proof, Truth
from .spellings import EXPANDS, PERMUTES, RELABELS
from .torch_api import OpOverload, expression_of, has_symbols

_aten = torch.ops.aten

STRIDE_BLIND = frozenset(
    {
        *(getattr(_aten.sum, o) for o in ("default", "dim_IntList")),
        *(getattr(_aten.mean, o) for o in ("default", "dim")),
        _aten.amax.default,
        _aten.amin.default,
        _aten.sym_size.int,
    }
)
"""Operators whose value and result layout do not depend on the strides of unit dims of an operand."""

_KEEPS_STRIDES = frozenset(
    {
        _aten.clone.default,
        _aten._to_copy.default,
        torch.ops.prims.convert_element_type.default,
        _aten.fill.Scalar,
        _aten.fill.Tensor,
    }
)
"""Tagged pointwise, and allocate their result with the operand's own strides, unit dims included."""


_OFFSET_IS_PASSED_ON = frozenset(
    {
        *RELABELS,
        *PERMUTES,
        *EXPANDS,
        *(_aten.alias.default, _aten.detach.default, _aten.slice.Tensor, _aten.select.int),
    }
)
"""Give a view that begins later by what they skip, or a copy; wherever the operand begins."""

_ADDRESSES_STORAGE = frozenset(
    {
        _aten.as_strided.default,
        _aten.as_strided_copy.default,
        _aten.as_strided_scatter.default,
        _aten.sym_storage_offset.default,
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """``proof``: that all is the same but what a reader may not be able to see. Of that, whether strides of unit
    dims, or the storage offset, differ or are not known to be the same, and why other strides are not. ``restated``: some
    size is another expression, of which torch may not see everywhere that it is equal."""

    proof: Proof
    unit_strides_differ: bool = False
    offset_differs: bool = False
    strides: Proof | None = None
    restated: bool = False


_SAME = Proof.of(True, "same layout", "the same expression")


def same_layout(prover: Prover, ours: torch.Tensor, theirs: torch.Tensor) -> Compared:
    """Compare dtype, device, layout, sizes, strides, storage offset, conj and neg bits of strided tensors."""
    if not (has_symbols(ours) or has_symbols(theirs)) and (
        (ours.dtype, ours.device, ours.size(), ours.stride(), ours.is_conj(), ours.is_neg())
        == (theirs.dtype, theirs.device, theirs.size(), theirs.stride(), theirs.is_conj(), theirs.is_neg())
    ):
        return Compared(_SAME, False, ours.storage_offset() != theirs.storage_offset())
    sizes, their_sizes = prover.sizes(ours), prover.sizes(theirs)
    strides, their_strides = (tuple(map(expression_of, t.stride())) for t in (ours, theirs))
    if (
        (ours.dtype, ours.device, ours.is_conj(), ours.is_neg(), sizes, strides)
        == (theirs.dtype, theirs.device, theirs.is_conj(), theirs.is_neg(), their_sizes, their_strides)
    ):  # fmt: skip
        return Compared(_SAME, False, _offset_differs(prover, ours, theirs))
    facts = (
        (ours.dtype is theirs.dtype, f"dtype {theirs.dtype} is {ours.dtype}"),
        (ours.device == theirs.device, f"device {theirs.device} is {ours.device}"),
        (ours.is_conj() == theirs.is_conj(), "conj bits are equal"),
        (ours.is_neg() == theirs.is_neg(), "neg bits are equal"),
        (ours.dim() == theirs.dim(), f"rank {theirs.dim()} is {ours.dim()}"),
    )
    for holds, claim in facts:
        if not holds:
            return Compared(Proof.of(False, claim, "metadata"))
    proofs, unit_strides_differ = [], False
    other_strides: Proof | None = None
    for dim, (size, other) in enumerate(zip(sizes, their_sizes, strict=True)):
        proofs.append(_named(prover.equal(other, size), f"size of dim {dim}"))
    for dim, (stride, other) in enumerate(zip(strides, their_strides, strict=True)):
        equal = prover.equal(other, stride)
        if not equal.proved and prover.equal(sizes[dim], 1).proved:
            unit_strides_differ = True
        elif not equal.proved:
            other_strides = _named(equal, f"stride of dim {dim}")
    return Compared(
        Proof.all(proofs, "same layout"),
        unit_strides_differ,
        _offset_differs(prover, ours, theirs),
        other_strides,
        sizes != their_sizes,
    )


def _offset_differs(prover: Prover, ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    offset, other = (expression_of(t.storage_offset()) for t in (ours, theirs))
    return offset != other and not prover.equal(other, offset).proved


def _named(proof: Proof, what: str) -> Proof:
    if proof.truth is Truth.PROVED:
        return proof
    return dataclasses.replace(proof, stated=lambda: f"{what}: {proof.claim}")


def unit_strides_seen_by(node: Node) -> Node | None:
    """A user of ``node`` whose value or result layout may depend on the strides of its unit dims."""
    return next((user for user in node.users if not _blind(user, node)), None)


def offset_seen_by(node: Node) -> Node | None:
    """A reader of ``node``, or of a view of it, that may see where in its storage it begins: the caller, what is
    not an ATen or prims operator, and what addresses storage."""
    stack, seen = [node], set[Node]()
    while stack:
        for user in stack.pop().users:
            if user in seen:
                continue
            seen.add(user)
            target = user.target
            if target in _OFFSET_IS_PASSED_ON:
                stack.append(user)
            elif (
                not isinstance(target, OpOverload)
                or target.namespace not in ("aten", "prims")
                or target in _ADDRESSES_STORAGE
                or signature(target).returns_alias
                or signature(target).written
            ):
                return user
    return None


def _blind(user: Node, operand: Node) -> bool:
    target = user.target
    if user.op != "call_function" or not isinstance(target, OpOverload):
        return False
    if target in STRIDE_BLIND:
        return True
    if torch.Tag.pointwise not in target.tags or target in _KEEPS_STRIDES or target._schema.is_mutable:
        return False
    # TensorIterator gives a contiguous result, whatever the strides of unit dims, when all operands have
    # the shape of the result and are contiguous; otherwise it sorts dims by stride, unit dims included.
    result = tensor_of(user)
    if result is None or not row_major(result, unit_dims_too=True):
        return False
    operands = [tensor_of(n) for n in user.all_input_nodes]
    return all(t is not None and row_major(t) and _sizes(t) == _sizes(result) for t in operands)


def _sizes(tensor: torch.Tensor) -> list[Expr]:
    return [expression_of(n) for n in tensor.shape]


def row_major(tensor: torch.Tensor, unit_dims_too: bool = False) -> bool:
    """Are the elements one dense run in row-major order? Structural, so that no guard is asked for; a dim of
    size 1 has no stride to speak of unless ``unit_dims_too``."""
    expected: Expr = 1
    strides = [expression_of(s) for s in tensor.stride()]
    for size, stride in zip(reversed(_sizes(tensor)), reversed(strides), strict=True):
        if stride != expected and (unit_dims_too or size != 1):
            return False
        # torch lays an empty tensor out as if its empty dims had size 1.
        expected = expected * (1 if size == 0 else size)
    return True
