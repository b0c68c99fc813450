"""What a node writes, and whether it may be removed when nobody uses its result."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch.fx import Graph, GraphModule, Node

from .calls import arguments, is_getitem, nodes_in, operands_at, signature
from .torch_api import (
    AutoFunctionalized,
    AutoFunctionalizedV2,
    HigherOrderOperator,
    OpOverload,
    get_mutable_args,
)

_COLLECTIVES = frozenset({"c10d", "_c10d_functional", "_c10d_functional_autograd", "_dtensor"})
_DROPOUTS = tuple(
    getattr(torch.ops.aten, name).default
    for name in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
)
_TRITON_FUNCTIONAL = "triton_kernel_wrapper_functional"


_IN_PLACE = frozenset(
    f"i{name}"
    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift concat".split()
) | {"setitem", "delitem"}


@functools.cache
def _pure_function(function: object) -> bool:
    """Python functions that compute on symbolic numbers or pick results; nothing else is trusted."""
    module = getattr(function, "__module__", None)
    if module in ("_operator", "operator") and getattr(function, "__name__", "") in _IN_PLACE:
        return False
    return module in ("_operator", "operator", "math", "torch.utils._sympy.functions") or function in (
        torch.sym_int,
        torch.sym_float,
        torch.sym_max,
        torch.sym_min,
        torch.sym_not,
        torch.sym_ite,
    )


def written_by(node: Node) -> Iterator[Node]:
    """The operands whose memory ``node`` writes, or may come to write when it is made in-place.

    Schemas say it for operators, whether the operand is positional, a keyword or in a list. The bases of a
    functionalised call (v1: its mutable arguments, v2: ``_all_bases``) count as written, because a later
    pass may run it in place on them. Anything unknown writes all its operands.
    """
    target = node.target
    if node.op in ("placeholder", "get_attr", "output"):
        return
    if node.op != "call_function":
        yield from node.all_input_nodes
    elif isinstance(target, OpOverload):
        yield from operands_at(node, signature(target).written)
    elif isinstance(target, AutoFunctionalizedV2):
        yield from nodes_in(node.kwargs.get("_all_bases"))
    elif isinstance(target, AutoFunctionalized):
        for name in get_mutable_args(node.args[0])[0]:  # type: ignore[arg-type]
            yield from nodes_in(node.kwargs.get(name))
    elif isinstance(target, HigherOrderOperator):
        yield from _written_by_higher_order(node, target)
    elif is_getitem(node) or _pure_function(target):
        return
    else:
        yield from node.all_input_nodes


def _written_by_higher_order(node: Node, target: HigherOrderOperator) -> Iterator[Node]:
    if target.__name__ == _TRITON_FUNCTIONAL:
        kernel_arguments = node.kwargs.get("kwargs")
        cloned = node.kwargs.get("tensors_to_clone")
        if isinstance(kernel_arguments, dict) and isinstance(cloned, list | tuple):
            for name in cloned:
                yield from nodes_in(kernel_arguments.get(str(name)))
            return
    bodies = list(nested_graphs(node))
    if not bodies or any(writes_anything(body.graph) for body in bodies):
        yield from node.all_input_nodes


def nested_graphs(node: Node) -> Iterator[GraphModule]:
    """The graph modules among a call's operands (``get_attr`` nodes of the owning module)."""
    owner = node.graph.owning_module
    if owner is None:
        return
    for operand in node.all_input_nodes:
        body = attribute(operand)
        if isinstance(body, GraphModule):
            yield body


def attribute(node: Node) -> object:
    """What a ``get_attr`` node refers to; None for other nodes or a dangling name."""
    owner = node.graph.owning_module
    if node.op != "get_attr" or owner is None:
        return None
    found: object = owner
    for part in str(node.target).split("."):
        found = getattr(found, part, None)
    return found


def writes_anything(graph: Graph) -> bool:
    """Does any node of the graph, or of a graph nested in it, write an operand's memory for real?"""
    return any(
        not isinstance(node.target, AutoFunctionalized | AutoFunctionalizedV2)
        and any(True for _ in written_by(node))
        for node in graph.nodes
    )


def kept_for_effect(node: Node) -> str | None:
    """Why a node must stay even without users; None if it may go."""
    if node.op != "call_function":
        return f"a {node.op} node"
    if node.meta.get("unbacked_bindings"):
        return "it binds an unbacked symbol"
    target = node.target
    if isinstance(target, OpOverload):
        if _surely_pure(node, target):
            return None
        on_data = _effect_on_data(node, target)
        if on_data is not None:
            return on_data
        return "it has side effects" if node.is_impure() and not _drops_nothing(node) else None
    if is_getitem(node) or _pure_function(target):
        return None
    return "what it does is not known"


def runs_again(node: Node) -> bool:
    """May it be called on fake tensors once more? Not where that would bring a new symbol, an assertion about one, or
    change what a tensor's metadata says; data that it writes, draws or sends is none of a fake tensor's."""
    target = node.target
    if node.meta.get("unbacked_bindings"):
        return False
    if isinstance(target, AutoFunctionalized | AutoFunctionalizedV2):
        return True
    if isinstance(target, HigherOrderOperator):
        return bool(target.__name__ == _TRITON_FUNCTIONAL)
    if isinstance(target, OpOverload) and _effect_on_data(node, target) is not None:
        return torch.Tag.inplace_view not in target.tags
    return kept_for_effect(node) is None


def _effect_on_data(node: Node, target: OpOverload) -> str | None:
    """What it does to data beside computing its result, if anything."""
    if signature(target).written:
        return "it writes its operand"
    if torch.Tag.nondeterministic_seeded in target.tags and not _drops_nothing(node):
        return "it draws random numbers"
    return "it is a collective" if target.namespace in _COLLECTIVES else None


_pure: dict[int, tuple[OpOverload, bool]] = {}


def _surely_pure(node: Node, target: OpOverload) -> bool:
    """Does no call of it write, draw or do anything else? Asked once of each of torch's own operators: what others do
    may still be declared."""
    if target.namespace not in ("aten", "prims"):
        return False
    known = _pure.get(id(target))
    if known is None:
        effects = signature(target).written or torch.Tag.nondeterministic_seeded in target.tags
        known = _pure[id(target)] = target, not effects and not node.is_impure()
    return known[1]


def _drops_nothing(node: Node) -> bool:
    """Is it a dropout that draws no random numbers: outside of training, or of those that return their operand where
    the probability is zero?"""
    if node.target not in _DROPOUTS and node.target is not torch.ops.aten.native_dropout.default:
        return False
    given = arguments(node)
    return given is not None and (
        given[2] is False
        or (node.target in _DROPOUTS and isinstance(given[1], int | float) and given[1] == 0)
    )
