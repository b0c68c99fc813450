"""Equal calls of one graph: the same operator, on the same values, with the same other arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
from torch.fx import Graph, Node

from .aliasing import Site
from .calls import arguments, signature, tensor_of
from .effects import kept_for_effect
from .legality import Legality, Verdict
from .parts import NARROWS, SELECTS, SLICES, SPLITS, UNBINDS
from .plans import Law, Plan, Refusal, with_values
from .proof import Proof
from .remarks import Stage
from .torch_api import OpOverload, expression_of

MERGED = Law("engine/duplicate", "equal calls on equal values compute equal values")
DEAD = Law("engine/dead", "what nobody reads and changes nothing need not be computed")
_PROVED = Proof.of(True, "an earlier call is equal", "arguments in schema order")


_aten = torch.ops.aten
_DIM_OF_OPERAND = frozenset(
    {
        *(*SPLITS, *UNBINDS, *SLICES, *SELECTS, *NARROWS),
        *(
            _aten.sum.dim_IntList,
            _aten.mean.dim,
            _aten.amax.default,
            _aten.amin.default,
            _aten.var_mean.correction,
        ),
        *(_aten._softmax.default, _aten.cumsum.default, _aten.permute.default, _aten.flip.default),
        *(
            _aten.gather.default,
            _aten.index_select.default,
            _aten.slice_scatter.default,
            _aten.argmax.default,
        ),
    }
)
"""Their ``dim`` or ``dims`` are of their first operand, which is a tensor."""


class Duplicates:
    """The calls met so far in one run, by what they compute. An entry is checked anew when it is used, since
    rewrites change arguments and retire nodes."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Node] = {}
        self.displaced: Node | None = None
        """The call that the last question found to be known so far, and to come after an equal one."""
        self.complete = False
        """Are all calls of the graph known, not just those that were looked at?"""

    def know(self, nodes: Iterable[Node]) -> None:
        """Take in calls in graph order: a rewrite may make any of them the twin of another."""
        self.complete = True
        for node in nodes:
            key = identity(node)
            if key is not None:
                self._first.setdefault(key, node)

    def earlier(self, node: Node, is_dead: Callable[[Node], bool]) -> Node | None:
        """An equal call before ``node``; if the equal call known so far comes after it, that one is forgotten
        and ``node`` known instead."""
        key = identity(node)
        self.displaced = None
        if key is None:
            return None
        known = self._first.get(key)
        if known is None or known is node or is_dead(known) or identity(known) != key:
            self._first[key] = node
            return None
        if known < node:
            return known
        self._first[key], self.displaced = node, known
        return None


def may_have_twin(node: Node) -> bool:
    """A twin reads all that the node reads, so each of its operands has another reader, numbers apart."""
    return all(
        len(operand.users) > 1 or isinstance(operand.meta.get("val"), torch.SymInt)
        for operand in node._input_nodes
    )


def identity(node: Node) -> Hashable | None:
    """Equal for calls that compute the same of the same values; None for what may not be merged."""
    if node.op != "call_function" or kept_for_effect(node) is not None:
        return None
    given = arguments(node)
    if given is None:
        return None
    if node.target in _DIM_OF_OPERAND:
        given = _from_front(node, given)
    return node.target, _key(given), node.meta.get("recompute")


def _from_front(node: Node, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """With dims that count from the end counted from the front."""
    operand, place = given[0], _place_of_dim(node.target)
    tensor = tensor_of(operand) if isinstance(operand, Node) else None
    if tensor is None or place is None:
        return given

    def dim(d: Any) -> Any:
        return d + tensor.dim() if type(d) is int and d < 0 else d

    named = given[place]
    counted = [dim(d) for d in named] if isinstance(named, list | tuple) else dim(named)
    return (*given[:place], counted, *given[place + 1 :])


@functools.cache
def _place_of_dim(target: OpOverload) -> int | None:
    names = signature(target).names
    return next((names.index(name) for name in ("dim", "dims") if name in names), None)


def _key(argument: object) -> Hashable:
    if isinstance(argument, Node):
        # Whichever nodes compute it, a number is what its expression says.
        value = argument.meta.get("val")
        return (torch.SymInt, expression_of(value)) if isinstance(value, torch.SymInt) else argument
    if isinstance(argument, list | tuple):
        return (type(argument) is list, *map(_key, argument))
    if isinstance(argument, slice):
        return (slice, _key(argument.start), _key(argument.stop), _key(argument.step))
    # 1, True, 1.0 and -0.0 are equal to others that an operator tells apart.
    return (type(argument), repr(argument))


def plan_merge(node: Node, twin: Node, legality: Legality) -> Plan | Refusal:
    """``twin``, an equal call before ``node``, in its place, if nothing can tell."""
    if tensor_of(node) is None:
        if _is_scalar(node) and _is_scalar(twin):
            return Plan(MERGED, node, twin, _PROVED, Verdict(True, "a number"))
        if not isinstance(node.meta.get("val"), tuple | list):
            reason = f"{node.name} has no tensor and no number in its metadata"
            return Refusal(MERGED, Stage.SKIPPED, reason)
        verdict = legality.may_merge_results(node, twin)
        if verdict.legal:
            return Plan(MERGED, node, twin, _PROVED, verdict)
        return Refusal(MERGED, Stage.BLOCKED, verdict.why)
    verdict = legality.may_merge(node, twin)
    if not verdict.legal:
        return Refusal(MERGED, Stage.BLOCKED, verdict.why)
    site = Site(node, (node,), twin)
    return with_values(Plan(MERGED, node, twin, _PROVED, verdict), site, tensor_of(twin), legality)


def _is_scalar(node: Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool | int | float | bool)


def dead_calls(graph: Graph) -> list[Node]:
    """Calls without a reader whose absence cannot be told, last first."""
    return [n for n in reversed(graph.nodes) if not n.users and kept_for_effect(n) is None]
