"""Which values may share memory, and which calls surely return a view of their operand.

Two sources are joined: the storages of the fake tensors in ``meta["val"]``, and the alias annotations of
operator schemas. Neither suffices alone. Metadata read back from a ``.pt2`` file gives every view a storage
of its own; a pass may have copied a clone's metadata from its source; ``reshape`` is annotated as a view
and may copy; ``_unsafe_view`` is annotated as fresh and is a view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch.fx import Graph, Node

from .calls import is_getitem, nodes_in, operands_at, signature, tensor_of
from .fake import run_fake
from .torch_api import (
    AutoFunctionalized,
    AutoFunctionalizedV2,
    FakeTensor,
    OpOverload,
    has_unguarded_sizes,
    storage_key,
)

_aten = torch.ops.aten
_UNANNOTATED_VIEWS = frozenset(
    {
        _aten._unsafe_view.default,
        _aten.unsafe_split.Tensor,
        _aten.unsafe_split_with_sizes.default,
        _aten.unsafe_chunk.default,
        _aten.lift.default,
    }
)
_VIEW_OR_COPY = frozenset(
    {
        _aten.reshape.default,
        _aten.reshape_as.default,
        _aten.flatten.using_ints,
        _aten.contiguous.default,
        _aten.resolve_conj.default,
        _aten.resolve_neg.default,
        *(getattr(_aten.to, name) for name in ("dtype", "dtype_layout", "device", "other")),
    }
)


_NO_CALLS = ("placeholder", "get_attr", "output")
Role = Literal["fresh", "view", "either"]
_MAY_RETURN_OPERAND = _VIEW_OR_COPY - {_aten.reshape.default, _aten.reshape_as.default} | {
    _aten.lift_fresh.default,
    _aten.lift.default,
}


class Storages:
    """Classes of nodes that may share memory, kept up to date as nodes are rewritten."""

    def __init__(self, graph: Graph) -> None:
        # A node that is not here is a class of its own.
        self._parent: dict[Node, Node] = {}
        self._size: dict[Node, int] = {}
        self._owner: dict[int, Node] = {}
        keys: dict[Node, int | None] = {}
        calls: list[Node] = []
        asked = False
        for node in graph.nodes:
            key = keys[node] = _storage_of(node)
            if key is not None:
                owner = self._owner.setdefault(key, node)
                if owner is not node:
                    self.join(owner, node)
            if node.op in _NO_CALLS or not _may_alias(node):
                continue
            asked = asked or node.target in _VIEW_OR_COPY
            operand = node.args[0] if node.args else None
            # Most views are told by their metadata, which then agrees with the schema.
            if (
                key is None
                or not isinstance(operand, Node)
                or keys.get(operand) != key
                or not _views_first(node)
            ):
                calls.append(node)
        # Asked of calls that may view or copy; where there is none yet, one that comes is re-enacted.
        self.trusted = asked and not any(map(_contradicts_schema, calls))
        for node in calls:
            for operand in self.aliased_operands(node):
                self.join(operand, node)

    def add(self, node: Node) -> None:
        """Take in one node whose operands are already in."""
        for other in self.shared_with(node):
            self.join(other, node)

    def shared_with(self, node: Node) -> Iterator[Node]:
        """Nodes of the classes that a node belongs to by its metadata and by its schema."""
        # Of every node: schemas do not say that ``unsafe_split`` gives views, or that ``lift`` returns its operand.
        key = _storage_of(node)
        if key is not None:
            yield self._owner.setdefault(key, node)
        if _may_alias(node):
            yield from self.aliased_operands(node)

    def find(self, node: Node) -> Node:
        """The representative of the node's class."""
        parent = self._parent
        root = node
        while (above := parent.get(root, root)) is not root:
            root = above
        while node is not root:
            parent[node], node = root, parent[node]
        return root

    def join(self, left: Node, right: Node) -> tuple[Node, Node] | None:
        """Merge two classes. Returns (kept, merged) representatives, or None if they were one already."""
        kept, merged = self.find(left), self.find(right)
        if kept is merged:
            return None
        sizes = self._size
        if sizes.get(kept, 1) < sizes.get(merged, 1):
            kept, merged = merged, kept
        self._parent[merged] = kept
        sizes[kept] = sizes.get(kept, 1) + sizes.pop(merged, 1)
        return kept, merged

    def aliased_operands(self, node: Node) -> Iterator[Node]:
        """Operands whose memory the result of ``node`` may share."""
        if node.op in _NO_CALLS:
            return
        if node.op != "call_function":
            yield from node.all_input_nodes
        elif isinstance(node.target, OpOverload):
            if _role(node.target) == "either" and self.views(node) is False:
                return
            yield from annotated_operands(node)
        elif is_getitem(node):
            source = node.args[0]
            if isinstance(source, Node) and any(True for _ in self.aliased_operands(source)):
                yield source
        elif isinstance(node.target, AutoFunctionalized | AutoFunctionalizedV2):
            return
        else:
            yield from node.all_input_nodes

    def views(self, node: Node) -> bool | None:
        """Does the call surely return a view of its operand (True), surely a copy (False), or can it not
        be told (None)? ``getitem`` of a multi-result view is a view."""
        if is_getitem(node):
            source = node.args[0]
            return self.views(source) if isinstance(source, Node) else None
        if node.op != "call_function" or not isinstance(node.target, OpOverload):
            return None
        role = _role(node.target)
        if role != "either":
            return role == "view"
        operand = next(annotated_operands(node), None)
        ours, theirs = tensor_of(node), tensor_of(operand) if operand is not None else None
        if ours is None or theirs is None:
            return None
        shared = storage_key(ours) == storage_key(theirs) if self.trusted else _reenact(node, theirs)
        if shared is False and (has_unguarded_sizes(ours) or has_unguarded_sizes(theirs)):
            # torch could not ask, and assumed the general case: at some sizes, such as 1, it is a view.
            return None
        return shared

    def viewed(self, node: Node) -> Node | None:
        """The operand that ``node`` surely is a view of; None if it is not surely one."""
        if self.views(node) is not True:
            return None
        if is_getitem(node):
            source = node.args[0]
            return self.viewed(source) if isinstance(source, Node) else None
        return next(annotated_operands(node), None)


def _storage_of(node: Node) -> int | None:
    value = tensor_of(node)
    return None if value is None else storage_key(value)


# By identity, as in ``calls.signature``.
_roles: dict[int, tuple[OpOverload, Role]] = {}


def _role(target: OpOverload) -> Role:
    """What its schema says that an operator gives, or a known gap in it."""
    known = _roles.get(id(target))
    if known is None:
        role: Role = "view"
        if target not in _UNANNOTATED_VIEWS:
            annotated = signature(target).returns_alias
            role = "fresh" if not annotated else "either" if target in _VIEW_OR_COPY else "view"
        known = _roles[id(target)] = target, role
    return known[1]


def _may_alias(node: Node) -> bool:
    """False for calls of operators whose schema says that they give memory of their own."""
    target = node.target
    return node.op != "call_function" or not isinstance(target, OpOverload) or _role(target) != "fresh"


def _views_first(node: Node) -> bool:
    """Is it the first operand alone whose memory the result may share?"""
    target = node.target
    return isinstance(target, OpOverload) and (
        signature(target).aliased == (0,) or target in _UNANNOTATED_VIEWS
    )


def annotated_operands(node: Node) -> Iterator[Node]:
    """Operands that the schema, or a known gap in it, says the result may alias."""
    target = node.target
    if not isinstance(target, OpOverload):
        return
    if target in _UNANNOTATED_VIEWS:
        yield from nodes_in(node.args[:1])
        return
    sig = signature(target)
    if not sig.returns_alias:
        return
    first = node.args[0] if node.args else None
    if sig.aliased == (0,) and isinstance(first, Node):
        yield first
    else:
        yield from operands_at(node, sig.aliased)


def object_chain(node: Node) -> Iterator[Node]:
    """The node and the operands that its result may be, not as a view but as the same tensor object: in-place
    operators return what they write, and some view-or-copy operators return an operand that needs no change."""
    while True:
        yield node
        target = node.target
        if node.op != "call_function" or not isinstance(target, OpOverload):
            return
        if not (signature(target).written or target in _MAY_RETURN_OPERAND):
            return
        operand = next(annotated_operands(node), None)
        if operand is None:
            return
        node = operand


def _contradicts_schema(node: Node) -> bool:
    """A certain view whose metadata gives it a storage of its own: the metadata knows nothing of aliasing."""
    target = node.target
    if node.op != "call_function" or not isinstance(target, OpOverload) or _role(target) != "view":
        return False
    ours = tensor_of(node)
    theirs = [t for operand in annotated_operands(node) if (t := tensor_of(operand)) is not None]
    if ours is None or not theirs:
        return False
    key = storage_key(ours)
    return key is not None and all(storage_key(t) != key for t in theirs)


def _reenact(node: Node, operand: torch.Tensor) -> bool | None:
    """Call a view-or-copy operator on the operand's fake tensor and look at the storage it returns."""
    if not isinstance(operand, FakeTensor):
        return None
    args, kwargs = torch.fx.map_arg((node.args, node.kwargs), lambda n: n.meta.get("val"))
    result = run_fake(node.target, args, kwargs, operand)
    return storage_key(result) == storage_key(operand) if isinstance(result, torch.Tensor) else None
