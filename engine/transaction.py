"""Reversible edits of one graph. Nothing is erased before :meth:`Transaction.commit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.fx import Graph, Node

from .calls import nodes_in

_INPUT_DEPENDENT = frozenset({"val", "unbacked_bindings", "eager_input_vals"})
"""Metadata of a replaced node that does not describe the node that takes its place."""


class Transaction:
    """The only object that mutates a graph. After :meth:`rollback` the graph prints as it did before, with
    the same node objects and metadata; after :meth:`commit` the dead nodes are gone."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._undo: list[Callable[[], None]] = []
        self._dead: dict[Node, None] = {}
        self._inserted = 0
        self._users: dict[Node, list[Node]] = {}

    @property
    def net_removed(self) -> int:
        """How many nodes fewer there will be after the commit."""
        return len(self._dead) - self._inserted

    def is_dead(self, node: Node) -> bool:
        """Has the node been retired in this transaction?"""
        return node in self._dead

    def insert(
        self, before: Node, target: Callable[..., Any], args: Sequence[Any], value: object, like: Node
    ) -> Node:
        """A new call with ``value`` as its ``meta["val"]`` and the provenance of ``like``."""
        with self.graph.inserting_before(before):
            node = self.graph.call_function(target, tuple(args))
        node.meta = _told_anew(like.meta, value)
        self._undo.append(lambda: self.graph.erase_node(node))
        self._inserted += 1
        return node

    def replace(self, old: Node, new: Node) -> list[Node]:
        """Make every user of ``old`` use ``new``; returns those users."""
        users = list(old.users)
        self._note_users(new)
        for user in users:
            self._save_arguments(user)
            user.replace_input_with(old, new)
        return users

    def rewrite(self, node: Node, args: Sequence[Any], value: object) -> None:
        """Give a call other arguments, and no keywords; ``value`` is its ``meta["val"]`` then."""
        before = node.meta
        self._save_arguments(node)
        for operand in nodes_in(args):
            self._note_users(operand)
        self._undo.append(lambda: setattr(node, "meta", before))
        node.meta = _told_anew(before, value)
        node.args = tuple(args)
        if node.kwargs:
            node.kwargs = {}

    def set_value(self, node: Node, value: object) -> None:
        """Replace ``meta["val"]``."""
        before = node.meta["val"]
        self._undo.append(lambda: node.meta.__setitem__("val", before))
        node.meta["val"] = value

    def retire(self, node: Node) -> list[Node]:
        """Detach a node without users from its operands; returns them. It is erased on commit."""
        operands = node.all_input_nodes
        self._save_arguments(node)
        self._undo.append(lambda: self._dead.pop(node))
        self._dead[node] = None
        node.args, node.kwargs = (), {}
        return operands

    def commit(self) -> None:
        """Erase what was retired. There is no way back after this."""
        for node in self._dead:
            self.graph.erase_node(node)
        self._undo.clear()

    def rollback(self) -> None:
        """Undo every edit, last first."""
        while self._undo:
            self._undo.pop()()
        self._dead.clear()
        for node, users in self._users.items():
            if set(node.users) == set(users):
                node.users.clear()
                node.users.update(dict.fromkeys(users))

    def _save_arguments(self, node: Node) -> None:
        args, kwargs = node.args, node.kwargs
        for operand in node.all_input_nodes:
            self._note_users(operand)

        def restore() -> None:
            node.args, node.kwargs = args, kwargs

        self._undo.append(restore)

    def _note_users(self, node: Node) -> None:
        # Users are kept in the order in which they came, which undoing the edits would not restore.
        if node not in self._users:
            self._users[node] = list(node.users)


def _told_anew(meta: dict[str, Any], value: object) -> dict[str, Any]:
    """The metadata of a call that takes the place of another and computes ``value``."""
    return {**{k: v for k, v in meta.items() if k not in _INPUT_DEPENDENT}, "val": value}
