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
ALONE = (*SLICES, *NARROWS, *SELECTS, *UNSQUEEZES, operator.getitem)
MAX_CALLS = 128
"""How many calls of a tree are looked at together."""


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
    if target in STACKS:
        values = tuple(nodes_in(argument(node, "tensors")))
        return Parts("join", argument(node, "dim") % rank, values, lifted=frozenset(range(len(values))))
    if target in UNSQUEEZES:
        return Parts("join", argument(node, "dim") % rank, (argument(node, "self"),), lifted=frozenset({0}))
    if target in NARROWS:
        start = scalar_expression(argument(node, "start"))
        operand = argument(node, "self")
        return (
            None if start is None else Parts("cut", argument(node, "dim") % rank, (operand,), (start, None))
        )
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
    if target in SELECT_SCATTERS:
        index = scalar_expression(argument(node, "index"))
        values = argument(node, "self"), argument(node, "src")
        if index is None:
            return None
        return Parts("write", argument(node, "dim") % rank, values, (index, 1), lifted=frozenset({1}))
    return _pad(node, rank) if target in PADS else None


def picked(node: Node) -> Picked | None:
    """What a ``select``, or one result of an ``unbind``, is one element of."""
    if node.op != "call_function":
        return None
    call, index = (node, None) if node.target in SELECTS else _result_of(node, UNBINDS)
    if call is None:
        return None
    source = argument(call, "self")
    tensor = tensor_of(source) if isinstance(source, Node) else None
    index = scalar_expression(argument(call, "index")) if index is None else index
    if tensor is None or not tensor.dim() or index is None:
        return None
    return Picked(source, argument(call, "dim") % tensor.dim(), index, () if call is node else (call,))


def _result_of(node: Node, calls: tuple[Any, ...]) -> tuple[Node | None, int | None]:
    """The call with several results that ``node`` picks from, and which."""
    if not is_getitem(node):
        return None, None
    call, index = node.args
    fits = isinstance(call, Node) and call.op == "call_function" and call.target in calls
    return (call, index) if fits and isinstance(index, int) and index >= 0 else (None, None)  # type: ignore[return-value]


def tree(root: Node) -> tuple[list[Node], list[Node]]:
    """The calls that a value is cut and joined by along one dim, readers first, with the calls that have several
    results; and the values they are called on."""
    calls: dict[Node, None] = {}
    values: dict[Node, None] = {}
    stack: list[Node] = []

    def step_into(value: Node, dim: int, lifted: bool) -> None:
        found = picked(value) if lifted else None
        if found is None or found.dim != dim:
            values[value] = None
            stack.extend(() if lifted else (value,))
            return
        calls.update(dict.fromkeys((value, *found.also)))
        values[found.source] = None
        stack.append(found.source)

    first, parts = picked(root), made_of(root)
    if first is not None:
        dim = first.dim
        step_into(root, dim, lifted=True)
    elif parts is not None:
        dim = parts.dim
        stack.append(root)
    while stack and len(calls) < MAX_CALLS:
        node = stack.pop(0)
        parts = made_of(node)
        if node in calls or parts is None or parts.dim != dim:
            continue
        calls[node] = None
        calls.update(dict.fromkeys(parts.also))
        for position, value in enumerate(parts.values):
            step_into(value, dim, position in parts.lifted)
    return list(calls), list(values)


def _section(node: Node, rank: int) -> Parts | None:
    call, index = _result_of(node, SPLITS)
    if call is None:
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
