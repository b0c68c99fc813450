"""What a local answer can depend on, as a number: nodes of equal numbers are told the same by every rule that stays local.

A number covers the calls within a pattern's depth, with all arguments, what metadata says of each value in them, and
for chains of view-like calls the whole chain. It leaves out names, and all that is found by walking on from there.
Numbers are kept per node; :meth:`Descriptions.changed` and :meth:`Descriptions.read_anew` say what a rewrite made of
them. Should one be stale, a node would stay that could go, no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.fx import Node

from .constants import constants
from .integers import Prover
from .layout_numbers import LayoutNumbers
from .match import MAX_CALLS
from .rule_index import Index
from .torch_api import expression_of
from .uniform import is_constant


class Descriptions:
    """Numbers of the nodes of one graph in one run."""

    def __init__(self, prover: Prover, index: Index, layouts: LayoutNumbers) -> None:
        self._index, self._constants, self._layouts = index, constants(prover), layouts
        self._numbers: dict[object, int] = {}
        self._values: dict[Node, int] = {}
        self._calls: dict[Node, tuple[int, tuple[Node, ...]]] = {}
        self._once: dict[Node, int | None] = {}
        self._chains: dict[Node, int | None] = {}

    def of(self, root: Node) -> int | None:
        """None if what a rule says there may rest on more."""
        depth = self._index.depth_at(root.target)
        if depth is None:
            return None
        number = self._at(root, depth)
        if number is None or root.target not in self._index.chained:
            return number
        chain = self._chain(root)
        return None if chain is None else self._number(("with chain", number, chain))

    def changed(self, node: Node) -> None:
        """The arguments of ``node`` are others."""
        self._calls.pop(node, None)
        self._once.pop(node, None)
        self.read_anew(node)

    def revalued(self, node: Node) -> None:
        """The metadata of ``node`` is another."""
        self._values.pop(node, None)
        for user in node.users:
            self.changed(user)
        self.changed(node)

    def read_anew(self, node: Node) -> None:
        """Others read ``node`` than before. A chain is looked at no further than ``MAX_CALLS`` calls up."""
        level = [node]
        for _ in range(MAX_CALLS):
            level = [n for n in level if self._chains.pop(n, self) is not self]
            if not level:
                return
            level = [user for n in level for user in n.users]

    def forget_constants(self) -> None:
        """What was no constant may be one now."""
        self._values.clear()
        self._once.clear()
        self._chains.clear()

    def _at(self, node: Node, depth: int) -> int | None:
        """With ``depth`` levels of calls."""
        if depth == 1 and node in self._once:
            return self._once[node]
        number, operands = self._call(node)
        inner = self._index.inner
        found: list[object] = ["calls", number]
        for operand in operands:
            deeper = depth > 1 and operand.op == "call_function" and id(operand.target) in inner
            told = self._at(operand, depth - 1) if deeper else self._value(operand)
            if told is None or (deeper and self._value(operand) is None):
                return None
            found.append(told)
        if len(operands) > 1:
            found.extend(map(operands.index, operands))
        whole = self._number(tuple(found))
        if depth == 1:
            self._once[node] = whole
        return whole

    def _chain(self, root: Node) -> int | None:
        waiting, node = [], root
        chained, chains = self._index.chained, self._chains
        while node not in chains and node.op == "call_function" and node.target in chained:
            waiting.append(node)
            _, operands = self._call(node)
            if not operands or node.args[:1] != operands[:1]:
                chains[waiting.pop()] = None
                break
            node = operands[0]
        told = chains[node] if node in chains else self._value(node)
        for call in reversed(waiting):
            number, (_, *others) = self._call(call)
            values = [self._value(other) for other in others]
            if told is not None:
                # Whether others read a call of the chain decides whether it goes.
                shared = len(call.users) > 1
                told = None if None in values else self._number(("chain", number, shared, told, *values))
            chains[call] = told
        return told

    def _call(self, node: Node) -> tuple[int, tuple[Node, ...]]:
        """The number of what a call is, its operands apart, and these in order."""
        found = self._calls.get(node)
        if found is None:
            operands: list[Node] = []
            description = (
                "call",
                id(node.target),
                self._metadata(node.meta.get("val")),
                *_constants_in(node.args, operands),
                *(_constants_in(node.kwargs.items(), operands) if node.kwargs else ()),
            )
            found = self._calls[node] = self._number(description), tuple(operands)
        return found

    def _value(self, node: Node) -> int | None:
        """The number of what is known of an operand; None if it is known to the last element."""
        found = self._values.get(node)
        if found is None:
            called = node.op == "call_function"
            if called and is_constant(self._constants, node):
                return None
            description = ("value", id(node.target) if called else 0, self._metadata(node.meta.get("val")))
            found = self._values[node] = self._number(description)
        return found

    def _metadata(self, value: object) -> object:
        if isinstance(value, torch.Tensor):
            return self._layouts.of(value)
        if isinstance(value, list | tuple):
            return tuple(map(self._metadata, value))
        if isinstance(value, torch.SymInt):
            return expression_of(value)
        return type(value), repr(value)

    def _number(self, description: object) -> int:
        return self._numbers.setdefault(description, len(self._numbers))


def _constants_in(arguments: Iterable[Any], operands: list[Node]) -> list[object]:
    """Arguments with nodes left out, which are appended to ``operands``. What is equal and not the same, as 1 and 1.0
    are, is told apart."""
    found: list[object] = []
    for argument in arguments:
        kind = type(argument)
        if kind is int:
            found.append(argument)
        elif kind is Node:
            operands.append(argument)
            found.append(Node)
        elif isinstance(argument, list | tuple):
            found.append((list, *_constants_in(argument, operands)))
        elif isinstance(argument, dict):
            found.append((dict, *_constants_in(argument.items(), operands)))
        elif isinstance(argument, slice):
            found.append((slice, *_constants_in((argument.start, argument.stop, argument.step), operands)))
        elif isinstance(argument, torch.SymInt):
            found.append(expression_of(argument))
        else:
            found.append((kind, repr(argument)))
    return found
