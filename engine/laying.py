"""Graphs of instances: what a pattern is matched against, and a predicate is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.fx import Graph, Node

from .instances import CallOf
from .operands import Operand

Laid = tuple[Node, dict[Node, Any]]
"""The root of a graph, and the part of the instance behind each node."""


def as_graph(call: CallOf, values: Mapping[int, Any], done: Mapping[int, Any]) -> Laid:
    """A new graph of the instance, with its values as metadata."""
    return Laying().lay(call, values, done)


class Laying:
    """A graph that is laid anew for one instance after another of one pattern, so that a node is made once."""

    def __init__(self) -> None:
        self._graph = Graph()
        self._operands: dict[object, Node] = {}
        self._calls: list[Node] = []

    def lay(self, call: CallOf, values: Mapping[int, Any], done: Mapping[int, Any]) -> Laid:
        """As :func:`as_graph`. What was laid before is gone."""
        behind: dict[Node, Any] = {}
        laid: dict[int, Node] = {}

        def node_of(part: Any) -> Any:
            if isinstance(part, Operand):
                node = self._operand(part.slot, values[part.slot])
                behind[node] = part
                return node
            if isinstance(part, CallOf):
                found = laid.get(id(part))
                if found is None:
                    args, kwargs = part.split()
                    made = tuple(map(node_of, args))
                    named = {name: node_of(a) for name, a in kwargs.items()}
                    found = laid[id(part)] = self._call(len(laid), part, made, named)
                    found.meta["val"] = done[id(part)]
                    behind[found] = part
                return found
            if isinstance(part, list):
                return [node_of(p) for p in part]
            return self._operand(str(part), part) if isinstance(part, torch.SymInt) else part

        root = node_of(call)
        for stale in self._calls[len(laid) :]:
            stale.args, stale.kwargs = (), {}
        return root, behind

    def _operand(self, key: object, value: Any) -> Node:
        node = self._operands.get(key)
        if node is None:
            name = (
                "n"
                if isinstance(key, str)
                else "xyzuvw"[key]
                if isinstance(key, int) and key < 6
                else f"x{key}"
            )
            node = self._operands[key] = self._graph.placeholder(name)
        node.meta["val"] = value
        return node

    def _call(self, nth: int, part: CallOf, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Node:
        if nth == len(self._calls):
            self._calls.append(self._graph.create_node("call_function", part.target, args, kwargs, "call"))
            return self._calls[-1]
        node = self._calls[nth]
        if node.target is not part.target:
            node.target = part.target
        node.args = args
        if kwargs or node.kwargs:
            node.kwargs = kwargs
        return node
