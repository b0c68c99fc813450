"""Chains of view-like calls in a graph, and their layouts over each value they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from .calls import argument, op_name, tensor_of
from .errors import MissingMetadata
from .extents import Extent, extent, plus
from .integers import Prover
from .layout_numbers import LayoutNumbers
from .match import MAX_CALLS
from .movement import Layout, Sizes
from .orders import permutation_of
from .parts import NARROWS, SELECTS, SLICES, scalar_expression
from .polynomial import OutOfReach
from .shortest import shortest
from .spellings import ALIASES, EXPANDS, PERMUTES, RELABELS
from .steps import Steps
from .torch_api import expression_of

_aten = torch.ops.aten
_FLIPS = {_aten.fliplr.default: 1, _aten.flipud.default: 0}
SAME = frozenset({*ALIASES, _aten.clone.default, _aten.contiguous.default})
_RELABELS, _PERMUTES, _EXPANDS = map(frozenset, (RELABELS, PERMUTES, EXPANDS))
MOVES: tuple[Any, ...] = (
    *RELABELS,
    *PERMUTES,
    *EXPANDS,
    *ALIASES,
    _aten.clone.default,
    _aten.contiguous.default,
    *sorted((*SLICES, *NARROWS, *SELECTS), key=str),
    _aten.flip.default,
    *_FLIPS,
)
"""Calls of one operand, their first argument, whose result has elements of it and no others."""

_MOVES = frozenset(MOVES)


def moved_operand(node: Node) -> Node | None:
    """What a view-like call moves. Raises ``MissingMetadata`` if there is none of one of the two."""
    if node.op != "call_function" or node.target not in _MOVES:
        return None
    operand = node.args[0] if node.args else argument(node, "self")
    for told in (node, operand):
        if isinstance(told, Node) and tensor_of(told) is None:
            raise MissingMetadata(
                f'node {told.name!r} ({op_name(told)}) has no tensor in meta["val"]; run FakeTensorProp first'
            )
    return operand if isinstance(operand, Node) else None


def chain(root: Node) -> list[Node]:
    """``root`` and what it comes from by view-like calls, nearest first."""
    found = [root]
    while len(found) <= MAX_CALLS and (operand := moved_operand(found[-1])) is not None:
        found.append(operand)
    return found


@dataclass(frozen=True, slots=True)
class Traced:
    """A value as a ``layout`` over ``base``, a place in its chain."""

    base: int
    layout: Layout


class Chained:
    """A chain of one graph, nearest call first, and what is known of it."""

    __slots__ = ("_moves", "_told", "_traced", "nodes")

    def __init__(self, moves: Moves, nodes: list[Node], told: list[tuple[int, int]]) -> None:
        self.nodes = nodes
        self._moves, self._told = moves, told
        self._traced: tuple[Traced | None, ...] | None = None

    @property
    def traced(self) -> tuple[Traced | None, ...]:
        """Each value over the earliest value that it is a layout over."""
        if self._traced is None:
            self._traced = self._moves.traced(self.nodes, self._key(len(self.nodes) - 1))
        return self._traced

    def shortest(self, source: Node) -> Steps | None:
        """The shortest known chain of calls on ``source``, a value of the chain, that gives its end; None if none is
        known."""
        if source not in self.nodes:
            return None
        place = self.nodes.index(source)
        return self._moves.shortest(self.nodes[: place + 1], self._key(place))

    def _key(self, last: int) -> tuple[int, ...]:
        return (*[call for call, _ in self._told[:last]], self._told[last][1])


class Moves:
    """Layouts of the values of one graph, under the facts of a run.

    Chains of the same calls on values of the same sizes are looked into once: what a call does is told by its
    operator, its sizes and its other arguments, and each such description has a number.
    """

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self.layouts = LayoutNumbers(prover)
        self.failed: dict[object, tuple[Steps, torch.Tensor | int | None]] = {}
        """Shorter forms, and what one computes that does not lie as the end of its chain, or a dim whose stride will be
        another; None: no kernel computes it."""
        self._numbers: dict[object, int] = {}
        self._told: dict[Node, tuple[object, object, object, int, int]] = {}
        self._traced: dict[tuple[int, ...], tuple[Traced | None, ...]] = {}
        self._shortest: dict[tuple[int, ...], Steps | None] = {}

    def shape(self, node: Node) -> Sizes | None:
        """Sizes in normal form; None if out of reach, or if there are surely no elements."""
        tensor = tensor_of(node)
        assert tensor is not None
        try:
            sizes = tuple(extent(self._prover, n) for n in self._prover.sizes(tensor))
        except OutOfReach:
            return None
        return None if 0 in sizes else sizes

    def along(self, root: Node) -> Chained:
        """The chain that ends in ``root``, as the graph is now. Raises ``MissingMetadata``."""
        nodes = chain(root)
        return Chained(self, nodes, [self._tell(node) for node in nodes])

    def traced(self, nodes: Sequence[Node], key: tuple[int, ...]) -> tuple[Traced | None, ...]:
        """Each value of a chain, nearest first, over the earliest value that it is a layout over."""
        found = self._traced.get(key)
        if found is None:
            found = self._traced[key] = tuple(self._trace(nodes))[::-1]
        return found

    def shortest(self, nodes: Sequence[Node], key: tuple[int, ...]) -> Steps | None:
        """The shortest known chain of calls on the last value of a chain that gives the first."""
        if key not in self._shortest:
            self._shortest[key] = self._found(nodes, key)
        return self._shortest[key]

    def _found(self, nodes: Sequence[Node], key: tuple[int, ...]) -> Steps | None:
        last = self.traced(nodes, key)[0]
        before, after = self.shape(nodes[-1]), self.shape(nodes[0])
        if last is None or last.base != len(nodes) - 1 or before is None or after is None:
            return None
        return shortest(last.layout, before, after)

    def _tell(self, node: Node) -> tuple[int, int]:
        """The numbers of what the call does, and of its sizes alone."""
        args, kwargs, tensor = node.args, node.kwargs, node.meta.get("val")
        told = self._told.get(node)
        if told is None or told[0] is not args or told[1] is not kwargs or told[2] is not tensor:
            assert isinstance(tensor, torch.Tensor)
            sizes = self._prover.sizes(tensor)
            rest = (_plain(args[1:]), *((k, _plain(v)) for k, v in kwargs.items()))
            calls = self._number((id(node.target), sizes, rest))
            told = self._told[node] = (args, kwargs, tensor, calls, self._number(sizes))
        return told[3], told[4]

    def _number(self, description: object) -> int:
        return self._numbers.setdefault(description, len(self._numbers))

    def _trace(self, nodes: Sequence[Node]) -> Iterator[Traced | None]:
        before: Traced | None = None
        for place in reversed(range(len(nodes))):
            node = nodes[place]
            layout = None if before is None else self._step(before.layout, node)
            if before is not None and layout is not None:
                before = Traced(before.base, layout)
            else:
                # A result that is no layout over its operand is one over itself.
                shape = self.shape(node)
                before = None if shape is None else Traced(place, Layout.identity(shape))
            yield before

    def _step(self, layout: Layout, node: Node) -> Layout | None:
        shape = self.shape(node)
        if shape is None:
            return None
        target = node.target
        try:
            if target in SAME:
                return layout
            if target in _RELABELS:
                return layout.reshaped(shape)
            if target in _PERMUTES:
                return layout.permuted(permutation_of(node))
            if target in _EXPANDS:
                return layout.expanded(shape)
            rank = len(layout.dims)
            if target is _aten.flip.default:
                return layout.flipped([d % rank for d in argument(node, "dims")])
            if target in _FLIPS:
                return layout.flipped([_FLIPS[target]])
            dim = argument(node, "dim") % rank
            first = self._from_front(node, dim, "index" if target in SELECTS else "start")
            if first is None:
                return None
            if target in SELECTS:
                return layout.picked(dim, first)
            step = 1 if target in NARROWS else argument(node, "step")
            return layout.sliced(dim, first, step, shape[dim]) if isinstance(step, int) else None
        except OutOfReach:
            return None

    def _from_front(self, node: Node, dim: int, name: str) -> Extent | None:
        """Where a cut begins. Past the end it is empty, and then there is nothing to tell of it."""
        bound = argument(node, name)
        if bound is None:
            return 0
        start = scalar_expression(bound)
        operand = tensor_of(node.args[0]) if node.args and isinstance(node.args[0], Node) else None
        if start is None or operand is None:
            return None
        if self._prover.at_most(0, start).proved:
            return extent(self._prover, start)
        size = expression_of(operand.shape[dim])
        if isinstance(start, int) and start < 0 and self._prover.at_most(-start, size).proved:
            return plus(extent(self._prover, size), start)
        return None


def _plain(argument: object) -> object:
    """An argument other than the operand, as what it is for the value: sizes that nodes compute as expressions."""
    if isinstance(argument, list | tuple):
        return tuple(map(_plain, argument))
    value = argument.meta.get("val") if isinstance(argument, Node) else argument
    if isinstance(value, torch.SymInt):
        return expression_of(value)
    return value if isinstance(value, int) else argument
