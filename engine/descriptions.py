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

from .layout_numbers import LayoutNumbers
from .match import MAX_CALLS
from .rule_index import Index
from .torch_api import expression_of
from .uniform import InQuestion


class Descriptions:
    """Numbers of the nodes of one graph in one run."""

    def __init__(self, index: Index, layouts: LayoutNumbers, in_question: InQuestion) -> None:
        self._index, self._layouts, self._in_question = index, layouts, in_question
        self._numbers: dict[object, int] = {}
        # Of a value, in words, so that it is like no number among the arguments of a call.
        self._words: dict[object, str] = {}
        self._calls: dict[Node, int | None] = {}
        self._chains: dict[Node, int | None] = {}

    def of(self, root: Node, depth: int) -> int | None:
        """With ``depth`` levels of calls, and the whole chain of one that chains are made of; None if what a rule says
        there may rest on more."""
        number = self._at(root, depth)
        if number is None or id(root.target) not in self._index.chained:
            return number
        chain = self._chain(root)
        return None if chain is None else self._number(("with chain", number, chain))

    def changed(self, node: Node) -> None:
        """The arguments of ``node`` are others."""
        self._calls.pop(node, None)
        self.read_anew(node)

    def revalued(self, node: Node) -> None:
        """The metadata of ``node`` is another."""
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
        self._calls.clear()
        self._chains.clear()

    def _at(self, node: Node, depth: int) -> int | None:
        """With ``depth`` levels of calls."""
        number = self._call(node)
        if number is None or depth == 1:
            return number
        inner = self._index.inner
        found = [number]
        for operand in node._input_nodes:
            if id(operand.target) in inner and operand.op == "call_function":
                told = self._at(operand, depth - 1)
                if told is None:
                    return None
                found.append(told)
        return number if len(found) == 1 else self._number(tuple(found))

    def _chain(self, root: Node) -> int | None:
        waiting, node = [], root
        chained, chains = self._index.chained, self._chains
        while node not in chains and node.op == "call_function" and id(node.target) in chained:
            waiting.append(node)
            operand = node.args[0] if node.args else None
            if not isinstance(operand, Node):
                chains[waiting.pop()] = None
                break
            node = operand
        told: object = chains[node] if node in chains else self._value(node)
        for call in reversed(waiting):
            number = self._call(call)
            # Whether others read a call of the chain decides whether it goes.
            known = told is not None and number is not None
            chains[call] = told = (
                self._number(("chain", number, len(call.users) > 1, told)) if known else None
            )
        return chains.get(root)

    def _call(self, node: Node) -> int | None:
        """The number of a call with its operands; None if one of these is perhaps known to the last element."""
        known = self._calls.get(node, 0)
        if known != 0:
            return known
        described: list[object] = [id(node.target), self._metadata(node.meta.get("val"))]
        operands: list[Node] = []
        arguments: Iterable[Any] = node.args
        if node.kwargs:
            arguments = (*node.args, *node.kwargs.items())
        number = None
        if self._describe(arguments, described, operands):
            if len(operands) > 1 and len(node._input_nodes) < len(operands):
                described.append(tuple(map(operands.index, operands)))
            number = self._number(tuple(described))
        self._calls[node] = number
        return number

    def _describe(self, arguments: Iterable[Any], described: list[object], operands: list[Node]) -> bool:
        """Append what ``arguments`` are, and the operands among them; False if one is perhaps known to the last
        element. What is equal and not the same, as 1 and 1.0 are, is told apart."""
        for argument in arguments:
            kind = type(argument)
            if kind is int or argument is None:
                described.append(argument)
            elif kind is Node:
                value = self._value(argument)
                if value is None:
                    return False
                described.append(value)
                operands.append(argument)
            elif isinstance(argument, list | tuple | dict | slice):
                inner: list[object] = []
                described.append((kind, inner))
                if not self._describe(_items(argument), inner, operands):
                    return False
                described[-1] = (kind, *inner)
            elif isinstance(argument, torch.SymInt):
                described.append((torch.SymInt, expression_of(argument)))
            else:
                described.append((kind, repr(argument)))
        return True

    def _value(self, node: Node) -> str | None:
        """The word for what is known of an operand; None if it is perhaps known to the last element."""
        if self._in_question.of(node):
            return None
        told = id(node.target) if node.op == "call_function" else 0, self._metadata(node.meta.get("val"))
        found = self._words.get(told)
        if found is None:
            found = self._words[told] = f"value {len(self._words)}"
        return found

    def _metadata(self, value: object) -> object:
        if isinstance(value, torch.Tensor):
            return self._layouts.of(value)
        if isinstance(value, list | tuple):
            return tuple(map(self._metadata, value))
        if isinstance(value, torch.SymInt):
            return torch.SymInt, expression_of(value)
        return type(value), repr(value)

    def _number(self, description: object) -> int:
        return self._numbers.setdefault(description, len(self._numbers) + 1)


def _items(argument: Any) -> Iterable[Any]:
    if isinstance(argument, slice):
        return argument.start, argument.stop, argument.step
    return argument.items() if isinstance(argument, dict) else argument
