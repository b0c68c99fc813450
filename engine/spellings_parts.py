"""Helper constructors for calls that join parts, or take parts of a value. See ``spellings`` for the style."""

from __future__ import annotations

from typing import Any

import torch

from .parts import SELECTS, UNBINDS
from .pattern import ANY, OpCall
from .spellings import Op

_aten = torch.ops.aten

CATS: tuple[Op, ...] = (_aten.cat.default, _aten.concat.default, _aten.concatenate.default)
"""Take a list and the dim to join along; the result is as wide as the dtypes of all parts."""

STACKS: tuple[Op, ...] = (
    _aten.stack.default,
    _aten.hstack.default,
    _aten.vstack.default,
    _aten.row_stack.default,
    _aten.dstack.default,
    _aten.column_stack.default,
)
"""Take a list, give each part the unit dims that it lacks, and join the parts."""

SPLITS: tuple[Op, ...] = (
    _aten.split.Tensor,
    _aten.split_with_sizes.default,
    _aten.split.sizes,
    _aten.unsafe_split.Tensor,
    _aten.unsafe_split_with_sizes.default,
    _aten.split_copy.Tensor,
    _aten.split_with_sizes_copy.default,
    _aten.chunk.default,
    _aten.unsafe_chunk.default,
    _aten.tensor_split.sections,
    _aten.hsplit.int,
    _aten.vsplit.int,
    _aten.dsplit.int,
)
"""Slices of step 1 along one dim, each of which begins where the last ended, from the first element to the last."""

SPLITS_AT: tuple[Op, ...] = (
    _aten.tensor_split.indices,
    _aten.hsplit.array,
    _aten.vsplit.array,
    _aten.dsplit.array,
)
"""Slices of step 1 along one dim, the first from the front. They may lie over one another: places may fall."""


def cat(tensors: Any, dim: Any = ANY) -> OpCall:
    """Joined along a dim that is there."""
    return OpCall(CATS, tensors, dim)


def section(x: Any) -> OpCall:
    """Sections by any means."""
    return OpCall((*SPLITS, *SPLITS_AT), x, rest="any")


def unbind(x: Any, dim: Any = ANY) -> OpCall:
    """All parts along a dim, without it."""
    return OpCall(UNBINDS, x, dim)


def select(x: Any, dim: Any = ANY, index: Any = ANY) -> OpCall:
    """One part along a dim, without it."""
    return OpCall(SELECTS, x, dim, index)
