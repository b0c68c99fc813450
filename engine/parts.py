"""Calls that cut, join, overwrite or pad along one dim, in whatever spelling."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import sympy
import torch
from torch.fx import Node

from .calls import argument, arguments, is_getitem, nodes_in, tensor_of
from .torch_api import expression_of

_aten = torch.ops.aten
CATS = (_aten.cat.default, _aten.concat.default)
SLICES = (_aten.slice.Tensor, _aten.slice_copy.Tensor)
NARROWS = (_aten.narrow.default, _aten.narrow_copy.default)
SELECTS = (_aten.select.int, _aten.select_copy.int)
UNBINDS = (_aten.unbind.int, _aten.unbind_copy.int)
UNSQUEEZES = (_aten.unsqueeze.default, _aten.unsqueeze_copy.default)
STACKS = (_aten.stack.default,)
SCATTERS = (_aten.slice_scatter.default,)
SELECT_SCATTERS = (_aten.select_scatter.default,)
PADS = (_aten.constant_pad_nd.default,)
SPLITS = (
    _aten.split.Tensor,
    _aten.split.sizes,
    _aten.split_with_sizes.default,
    _aten.split_with_sizes_copy.default,
    _aten.split_copy.Tensor,
    _aten.unsafe_split.Tensor,
    _aten.unsafe_split_with_sizes.default,
    _aten.chunk.default,
    _aten.unsafe_chunk.default,
    _aten.tensor_split.sections,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """One call along ``dim``. ``bounds``: of a cut start and length (None: that of the result); of a write its
    start; of a pad how much before and after, and the fill. ``lifted``: positions of values that lack the dim, and
    count as one element along it."""

    kind: Literal["cut", "join", "write", "pad"]
    dim: int
    values: tuple[Node, ...]
    bounds: tuple[Any, ...] = ()
    also: tuple[Node, ...] = ()
    """Calls that the call stands for together with itself: the split that it picks from."""
    lifted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Picked:
    """One element of ``source`` along ``dim``, which is dropped. ``also``: the call that it picks from."""

    source: Node
    dim: int
    index: Any
    also: tuple[Node, ...] = ()


def made_of(node: Node) -> Parts | None:
    """What a call cuts or joins, and along which dim; None if it does neither, or other things too."""
    reads = _READ.get(id(node.target))
    tensor = tensor_of(node) if reads is not None and node.op == "call_function" else None
    if reads is None or tensor is None or not tensor.dim():
        return None
    values = arguments(node)
    return None if values is None else reads(tensor.dim(), *values)


def _join(rank: int, tensors: Any, dim: int) -> Parts:
    return Parts("join", dim % rank, tuple(nodes_in(tensors)))


def _stack(rank: int, tensors: Any, dim: int) -> Parts:
    values = tuple(nodes_in(tensors))
    return Parts("join", dim % rank, values, lifted=frozenset(range(len(values))))


def _unsqueeze(rank: int, operand: Node, dim: int) -> Parts:
    return Parts("join", dim % rank, (operand,), lifted=frozenset({0}))


def _narrow(rank: int, operand: Node, dim: int, start: Any, length: Any) -> Parts | None:
    start = scalar_expression(start)
    return None if start is None else Parts("cut", dim % rank, (operand,), (start, None))


def _slice(rank: int, operand: Node, dim: int, start: Any, end: Any, step: Any) -> Parts | None:
    start = _bound(start, 0)
    return None if step != 1 or start is None else Parts("cut", dim % rank, (operand,), (start, None))


def _scatter(rank: int, operand: Node, src: Node, dim: int, start: Any, end: Any, step: Any) -> Parts | None:
    start = _bound(start, 0)
    return None if step != 1 or start is None else Parts("write", dim % rank, (operand, src), (start, None))


def _select_scatter(rank: int, operand: Node, src: Node, dim: int, index: Any) -> Parts | None:
    index = scalar_expression(index)
    if index is None:
        return None
    return Parts("write", dim % rank, (operand, src), (index, 1), lifted=frozenset({1}))


def _section(rank: int, call: object, index: Any) -> Parts | None:
    if not _is_result(call, index, SPLITS):
        return None
    source = argument(call, "self")
    results = call.meta.get("val")
    if not isinstance(source, Node) or not isinstance(results, tuple | list):
        return None
    dim = argument(call, "dim") % rank
    start: int | sympy.Expr = 0
    for before in results[:index]:
        start = start + expression_of(before.shape[dim])
    return Parts("cut", dim, (source,), (start, None), (call,))


def _pad(rank: int, operand: Node, pad: Any, fill: Any) -> Parts | None:
    pads = [_bound(p, 0) for p in pad]
    padded = [k // 2 for k, p in enumerate(pads) if p != 0]
    if None in pads or len(set(padded)) != 1:
        return None
    k = 2 * padded[0]
    # Pads come in pairs from the last dim on.
    return Parts("pad", rank - 1 - padded[0], (operand,), (pads[k], pads[k + 1], fill))


_READ: dict[int, Callable[..., Parts | None]] = {
    # By identity, as the hash of an overload is slow.
    id(target): reads
    for targets, reads in (
        (CATS, _join),
        (STACKS, _stack),
        (UNSQUEEZES, _unsqueeze),
        (NARROWS, _narrow),
        (SLICES, _slice),
        (SCATTERS, _scatter),
        (SELECT_SCATTERS, _select_scatter),
        (PADS, _pad),
        ((operator.getitem,), _section),
    )
    for target in targets
}


CALLS = (
    *(*CATS, *STACKS, *UNSQUEEZES, *NARROWS, *SLICES, *SCATTERS, *SELECT_SCATTERS, *PADS),
    *(*SELECTS, *SPLITS, *UNBINDS, operator.getitem),
)
"""All that this module knows of."""


def picked(node: Node) -> Picked | None:
    """What a ``select``, or one result of an ``unbind``, is one element of."""
    if node.op != "call_function" or id(node.target) not in _PICKS:
        return None
    if is_getitem(node):
        call, index = node.args
        if not _is_result(call, index, UNBINDS):
            return None
        source, dim = argument(call, "self"), argument(call, "dim")
    else:
        call, values = node, arguments(node)
        if values is None:
            return None
        source, dim, index = values
        index = scalar_expression(index)
    tensor = tensor_of(source) if isinstance(source, Node) else None
    if tensor is None or not tensor.dim() or index is None:
        return None
    return Picked(source, dim % tensor.dim(), index, () if call is node else (call,))


_PICKS = frozenset(map(id, (*SELECTS, operator.getitem)))


def _is_result(call: object, index: object, calls: tuple[Any, ...]) -> TypeGuard[Node]:
    """Is ``call`` one with several results, and the index that of one of them?"""
    if not (isinstance(call, Node) and call.op == "call_function" and call.target in calls):
        return False
    return isinstance(index, int) and index >= 0


def _bound(bound: object, default: int) -> int | sympy.Expr | None:
    return default if bound is None else scalar_expression(bound)


def scalar_expression(bound: object) -> int | sympy.Expr | None:
    """An int argument or a node that computes one, as a number or expression; None for anything else."""
    value = bound.meta.get("val") if isinstance(bound, Node) else bound
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, torch.SymInt):
        return expression_of(value)
    return value if isinstance(value, sympy.Expr) else None
