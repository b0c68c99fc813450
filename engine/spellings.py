"""Helper constructors: one name per kind of call, whatever its spelling in ATen or prims.

Each returns an ``OpCall``. Arguments left out may be anything, unless the docstring says otherwise.
The families are facts about operators (their names, and that a family keeps the row-major order of
elements); what a call does with its arguments is for predicates to ask.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from .pattern import ANY, OpCall

_aten, _prims = torch.ops.aten, torch.ops.prims
Op = Callable[..., Any]

RESHAPES: tuple[Op, ...] = (
    _aten.reshape.default,
    _aten.view.default,
    _aten._unsafe_view.default,
    _aten.view_copy.default,
    _aten._reshape_copy.default,
)
"""Take the new sizes, one of which may be -1, and keep the row-major order of elements."""

RELABELS: tuple[Op, ...] = (
    *RESHAPES,
    _aten.squeeze.default,
    _aten.squeeze.dim,
    _aten.squeeze.dims,
    _aten.squeeze_copy.default,
    _aten.squeeze_copy.dim,
    _aten.squeeze_copy.dims,
    _aten.unsqueeze.default,
    _aten.unsqueeze_copy.default,
    _aten.flatten.using_ints,
    _aten.unflatten.int,
    _aten.view_as.default,
    _aten.reshape_as.default,
)
"""Everything that only changes sizes: the k-th element in row-major order stays the k-th."""

PERMUTES: tuple[Op, ...] = (
    _aten.permute.default,
    _aten.permute_copy.default,
    _aten.transpose.int,
    _aten.transpose_copy.int,
    _aten.t.default,
    _aten.t_copy.default,
    _aten.mT.default,
    _aten.swapaxes.default,
    _aten.swapdims.default,
    _aten.movedim.int,
    _aten.movedim.intlist,
    _aten.moveaxis.int,
    _aten.moveaxis.intlist,
)
"""Reorder dims; see ``Facts.permutation``."""

EXPANDS: tuple[Op, ...] = (_aten.expand.default, _aten.expand_copy.default, _aten.broadcast_to.default)

LIFTS: tuple[Op, ...] = (_aten.lift_fresh.default, _aten.lift_fresh_copy.default)
"""Make of a tensor constant what other operators can be called on where fake tensors are: torch's fake mode takes a real
tensor for an argument of these alone, and Inductor calls everything again after its joint passes."""

ALIASES: tuple[Op, ...] = (
    _aten.alias.default,
    _aten.alias_copy.default,
    _aten.detach.default,
    _aten.detach_copy.default,
    *LIFTS,
    _prims.view_of.default,
)
"""Return their operand's value under another name (``_copy``: in other memory)."""

CASTS: tuple[Op, ...] = (
    _prims.convert_element_type.default,
    _aten._to_copy.default,
    _aten.to.dtype,
    _aten.to.dtype_layout,
    _aten.to.device,
    _aten.to.other,
    _aten.type_as.default,
)
"""Convert dtype, and some of them device or layout too, element by element."""


def reshape(x: Any, size: Any = ANY) -> OpCall:
    """view, reshape, ``_unsafe_view`` and their copying forms."""
    return OpCall(RESHAPES, x, size)


def relabel(x: Any) -> OpCall:
    """reshape, squeeze, unsqueeze, flatten, unflatten in any form."""
    return OpCall(RELABELS, x, rest="any")


def permute(x: Any, dims: Any = ANY) -> OpCall:
    """``aten.permute`` alone: the form that a template is written in."""
    return OpCall((_aten.permute.default, _aten.permute_copy.default), x, dims)


def reorder(x: Any) -> OpCall:
    """permute, transpose, t in any form."""
    return OpCall(PERMUTES, x, rest="any")


def expand(x: Any, size: Any = ANY) -> OpCall:
    """expand and broadcast_to; ``implicit`` may be anything."""
    return OpCall(EXPANDS, x, size, rest="any")


def slice_(x: Any, dim: Any = ANY, start: Any = ANY, end: Any = ANY, step: Any = ANY) -> OpCall:
    """``x[start:end:step]`` along ``dim``, any argument defaulted, None, negative or over-long."""
    return OpCall((_aten.slice.Tensor, _aten.slice_copy.Tensor), x, dim, start, end, step)


def slice_scatter(
    base: Any, src: Any, dim: Any = ANY, start: Any = ANY, end: Any = ANY, step: Any = ANY
) -> OpCall:
    """A copy of ``base`` with ``base[start:end:step]`` along ``dim`` overwritten by ``src``."""
    return OpCall(_aten.slice_scatter.default, base, src, dim, start, end, step)


def clone(x: Any) -> OpCall:
    """``clone`` and ``contiguous``, which may return ``x`` itself, with any memory format."""
    return OpCall((_aten.clone.default, _aten.contiguous.default), x, rest="any")


def alias(x: Any) -> OpCall:
    """alias, detach, lift_fresh, view_of and their copying forms."""
    return OpCall(ALIASES, x, rest="any")


def copy(dst: Any, src: Any) -> OpCall:
    """The functional ``copy``: ``src`` broadcast and cast to the shape and dtype of ``dst``."""
    return OpCall(_aten.copy.default, dst, src, rest="any")


def cast(x: Any) -> OpCall:
    """Element-wise conversions of dtype, device or layout."""
    return OpCall(CASTS, x, rest="any")


def repeat(x: Any) -> OpCall:
    """repeat and tile."""
    return OpCall((_aten.repeat.default, _aten.tile.default), x, rest="any")


def getitem(x: Any, index: Any = ANY) -> OpCall:
    """One result of a call with several."""
    return OpCall(operator.getitem, x, index)
