"""What passes do to a graph, without what it takes to find out what to do: their edits, recorded and made again."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from compiled import duplicate
from torch.fx import Graph, GraphModule, Node, map_arg

from noopelim.transaction import Transaction

Nodes = dict[str, Node]
Edit = Callable[[Graph, Nodes], object]


class Edits:
    """Those that a contestant makes of one graph, to be made of copies of it."""

    def __init__(self, contestant: Callable[[Graph], object], gm: GraphModule) -> None:
        self._made: list[Edit] = []
        with self._recording():
            contestant(duplicate(gm.graph).graph)

    def ready(self, graph: Graph) -> Callable[[], None]:
        """A function that makes them, by nothing but the methods of torch."""
        nodes = {node.name: node for node in graph.nodes}

        def run() -> None:
            for edit in self._made:
                edit(graph, nodes)

        return run

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for owner, name, note in (
                (Node, "update_arg", self._called),
                (Node, "replace_all_uses_with", self._called),
                (Graph, "erase_node", self._erased),
                (Transaction, "insert", self._inserted),
                (Transaction, "replace", self._replaced),
                (Transaction, "rewrite", self._rewritten),
                (Transaction, "retire", self._retired),
            ):
                method = getattr(owner, name)
                stack.enter_context(patch.object(owner, name, _noted(method, functools.partial(note, name))))
            yield

    def _called(self, method: str, result: object, node: Node, *args: Any) -> None:
        name, plain = node.name, _names(args)
        self._made.append(lambda graph, nodes: getattr(nodes[name], method)(*_found(plain, nodes)))

    def _erased(self, method: str, result: object, graph: Graph, node: Node) -> None:
        name = node.name
        self._made.append(lambda graph, nodes: graph.erase_node(nodes[name]))

    def _inserted(
        self,
        method: str,
        made: Node,
        _: Transaction,
        before: Node,
        target: Any,
        args: Any,
        value: object,
        like: Node,
    ) -> None:
        name, place, plain, source = made.name, before.name, _names(tuple(args)), like.name

        def edit(graph: Graph, nodes: Nodes) -> None:
            with graph.inserting_before(nodes[place]):
                node = nodes[name] = graph.call_function(target, _found(plain, nodes))
            node.meta = {**nodes[source].meta, "val": value}

        self._made.append(edit)

    def _replaced(self, method: str, result: object, _: Transaction, old: Node, new: Node) -> None:
        before, after = old.name, new.name

        def edit(graph: Graph, nodes: Nodes) -> None:
            root, to = nodes[before], nodes[after]
            for user in list(root.users):
                user.replace_input_with(root, to)

        self._made.append(edit)

    def _rewritten(
        self, method: str, result: object, _: Transaction, node: Node, args: Any, value: object
    ) -> None:
        name, plain = node.name, _names(tuple(args))

        def edit(graph: Graph, nodes: Nodes) -> None:
            nodes[name].args = _found(plain, nodes)
            nodes[name].meta["val"] = value

        self._made.append(edit)

    def _retired(self, method: str, result: object, _: Transaction, node: Node) -> None:
        name = node.name

        def edit(graph: Graph, nodes: Nodes) -> None:
            nodes[name].args, nodes[name].kwargs = (), {}

        self._made.append(edit)


def _noted(method: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        note(result, *args, **kwargs)
        return result

    return call


class _Name(str):
    """Stands for a node among arguments."""


def _names(args: Any) -> Any:
    return map_arg(args, lambda node: _Name(node.name))


def _found(args: Any, nodes: Nodes) -> Any:
    if isinstance(args, _Name):
        return nodes[args]
    if isinstance(args, list | tuple):
        return type(args)(_found(a, nodes) for a in args)
    return args
