"""Reversible edits of one graph. Nothing is erased before :meth:`Transaction.commit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.fx import Graph, Node

from .calls import nodes_in

_INPUT_DEPENDENT = frozenset({"val", "unbacked_bindings", "eager_input_vals"})
"""Metadata of a replaced node that does not describe the node that takes its place."""
_OF_NO_OTHER = _INPUT_DEPENDENT - {"val"}


class Transaction:
    """The only object that mutates a graph. After :meth:`rollback` the graph prints as it did before, with
    the same node objects and metadata; after :meth:`commit` the dead nodes are gone."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        # Calls that put back what an edit changed: a function and its arguments each, which take less than closures.
        self._undo: list[tuple[Any, ...]] = []
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
        self._undo.append((self.graph.erase_node, node))
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
        self._save_arguments(node)
        for operand in nodes_in(args):
            self._note_users(operand)
        meta = node.meta
        self._undo.append((dict.update, meta, {key: meta[key] for key in _INPUT_DEPENDENT if key in meta}))
        for key in _OF_NO_OTHER:
            meta.pop(key, None)
        meta["val"] = value
        _call_on(node, tuple(args), {})

    def set_value(self, node: Node, value: object) -> None:
        """Replace ``meta["val"]``."""
        self._undo.append((dict.update, node.meta, {"val": node.meta["val"]}))
        node.meta["val"] = value

    def retire(self, node: Node) -> list[Node]:
        """Detach a node without users from its operands; returns them. It is erased on commit."""
        operands = node.all_input_nodes
        self._save_arguments(node)
        self._dead[node] = None
        _call_on(node, (), {})
        return operands

    def commit(self) -> None:
        """Erase what was retired. There is no way back after this."""
        for node in self._dead:
            self.graph.erase_node(node)
        self._undo.clear()

    def rollback(self) -> None:
        """Undo every edit, last first."""
        while self._undo:
            undo, *arguments = self._undo.pop()
            undo(*arguments)
        self._dead.clear()
        for node, users in self._users.items():
            if set(node.users) == set(users):
                node.users.clear()
                node.users.update(dict.fromkeys(users))

    def _save_arguments(self, node: Node) -> None:
        for operand in node.all_input_nodes:
            self._note_users(operand)
        self._undo.append((_call_on, node, node.args, node.kwargs))

    def _note_users(self, node: Node) -> None:
        # Users are kept in the order in which they came, which undoing the edits would not restore.
        if node not in self._users:
            self._users[node] = list(node.users)


def _call_on(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Set the arguments of a node, by the setters of FX but without ``Node.__setattr__``: that takes the node out of the
    graph's table of targets and puts it back, and the target stays."""
    object.__setattr__(node, "args", args)
    if kwargs or node.kwargs:
        object.__setattr__(node, "kwargs", kwargs)


def _told_anew(meta: dict[str, Any], value: object) -> dict[str, Any]:
    """The metadata of a call that takes the place of another and computes ``value``."""
    return {**{k: v for k, v in meta.items() if k not in _INPUT_DEPENDENT}, "val": value}
