"""Calls that cut, join, overwrite or pad along one dim, in whatever spelling."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal

import sympy
import torch
from torch.fx import Node

from .calls import argument, is_getitem, nodes_in, tensor_of
from .torch_api import expression_of

_aten = torch.ops.aten
CATS = (_aten.cat.default, _aten.concat.default)
SLICES = (_aten.slice.Tensor, _aten.slice_copy.Tensor)
SELECTS = (_aten.select.int, _aten.select_copy.int)
UNSQUEEZES = (_aten.unsqueeze.default, _aten.unsqueeze_copy.default)
SCATTERS = (_aten.slice_scatter.default,)
PADS = (_aten.constant_pad_nd.default,)
SPLITS = (
    _aten.split.Tensor,
    _aten.split_with_sizes.default,
    _aten.split_with_sizes_copy.default,
    _aten.split_copy.Tensor,
    _aten.chunk.default,
)
ALONE = (*SLICES, *SELECTS, *UNSQUEEZES, operator.getitem)
MAX_CALLS = 128
"""How many calls of a tree are looked at together."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One call along ``dim``. ``bounds``: of a cut start and length (None: that of the result); of a write its
    start; of a pad how much before and after, and the fill."""

    kind: Literal["cut", "join", "write", "pad"]
    dim: int
    values: tuple[Node, ...]
    bounds: tuple[Any, ...] = ()
    also: tuple[Node, ...] = ()
    """Calls that the call stands for together with itself: the split that it picks from, the select that dropped
    the dim which it puts back."""


def made_of(node: Node) -> Parts | None:
    """What a call cuts or joins, and along which dim; None if it does neither, or other things too."""
    tensor = tensor_of(node)
    if node.op != "call_function" or tensor is None or not tensor.dim():
        return None
    rank = tensor.dim()
    if is_getitem(node):
        return _section(node, rank)
    target = node.target
    if target in CATS:
        values = tuple(nodes_in(argument(node, "tensors")))
        return Parts("join", argument(node, "dim") % rank, values)
    if target in SLICES:
        start, step = _bound(argument(node, "start"), 0), argument(node, "step")
        if step != 1 or start is None:
            return None
        return Parts("cut", argument(node, "dim") % rank, (argument(node, "self"),), (start, None))
    if target in SCATTERS:
        start, step = _bound(argument(node, "start"), 0), argument(node, "step")
        if step != 1 or start is None:
            return None
        values = argument(node, "self"), argument(node, "src")
        return Parts("write", argument(node, "dim") % rank, values, (start, None))
    if target in PADS:
        return _pad(node, rank)
    if target in UNSQUEEZES:
        return _put_back(node, rank)
    return None


def tree(root: Node) -> tuple[list[Node], list[Node]]:
    """The calls that a value is cut and joined by along one dim, readers first, with the calls that have several
    results; and the values they are called on."""
    calls: dict[Node, None] = {}
    values: dict[Node, None] = {}
    dim, stack = _begin(root)
    if stack and stack[0] is not root:
        calls[root] = None
        values.update(dict.fromkeys(stack))
    while stack and len(calls) < MAX_CALLS:
        node = stack.pop(0)
        parts = made_of(node)
        if node in calls or parts is None or parts.dim != dim:
            continue
        calls[node] = None
        calls.update(dict.fromkeys(parts.also))
        values.update(dict.fromkeys(parts.values))
        stack.extend(parts.values)
    return list(calls), list(values)


def _begin(root: Node) -> tuple[int, list[Node]]:
    """The dim of a tree, and where it begins: at the operand of a ``select``, which drops the dim."""
    if root.op == "call_function" and root.target in SELECTS:
        source = argument(root, "self")
        tensor = tensor_of(source) if isinstance(source, Node) else None
        return (-1, []) if tensor is None else (argument(root, "dim") % tensor.dim(), [source])
    parts = made_of(root)
    return (-1, []) if parts is None else (parts.dim, [root])


def _section(node: Node, rank: int) -> Parts | None:
    call, index = node.args
    if not isinstance(call, Node) or call.target not in SPLITS or not isinstance(index, int):
        return None
    source = argument(call, "self")
    results = call.meta.get("val")
    if not isinstance(source, Node) or not isinstance(results, tuple | list) or index < 0:
        return None
    dim = argument(call, "dim") % rank
    start: int | sympy.Expr = 0
    for before in results[:index]:
        start = start + expression_of(before.shape[dim])
    return Parts("cut", dim, (source,), (start, None), (call,))


def _put_back(node: Node, rank: int) -> Parts | None:
    """``unsqueeze`` along the dim that a ``select`` has dropped: a cut of one element."""
    call, dim = argument(node, "self"), argument(node, "dim") % rank
    if not isinstance(call, Node) or call.target not in SELECTS or argument(call, "dim") % rank != dim:
        return None
    source, index = argument(call, "self"), scalar_expression(argument(call, "index"))
    if not isinstance(source, Node) or index is None:
        return None
    return Parts("cut", dim, (source,), (index, 1), (call,))


def _pad(node: Node, rank: int) -> Parts | None:
    pads = [_bound(p, 0) for p in argument(node, "pad")]
    padded = [k // 2 for k, p in enumerate(pads) if p != 0]
    if None in pads or len(set(padded)) != 1:
        return None
    k = 2 * padded[0]
    # Pads come in pairs from the last dim on.
    fill = argument(node, "value")
    return Parts("pad", rank - 1 - padded[0], (argument(node, "self"),), (pads[k], pads[k + 1], fill))


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
