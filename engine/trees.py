"""Trees of calls that cut and join along one dim: what is part of one, and which calls are none by themselves."""

from __future__ import annotations

import operator

from torch.fx import Node

from .calls import is_getitem
from .parts import CALLS, NARROWS, SELECTS, SLICES, SPLITS, UNBINDS, UNSQUEEZES, Parts, made_of, picked

# By identity, as the hash of an overload is slow.
ALONE = frozenset(map(id, (*SLICES, *NARROWS, *SELECTS, *UNSQUEEZES, operator.getitem)))
"""Calls that are no tree by themselves."""
MAX_CALLS = 128
"""How many calls of a tree are looked at together."""
_JOINABLE = frozenset(map(id, CALLS)) - frozenset(map(id, (*SPLITS, *UNBINDS)))


def stands_alone(node: Node) -> bool:
    """Is the call surely one cut by itself, by its target and that of its first operand?"""
    if id(node.target) not in ALONE:
        return False
    operand = node.args[0] if node.args else None
    if not isinstance(operand, Node) or operand.op != "call_function":
        return True
    if is_getitem(node):
        return operand.target not in SPLITS and operand.target not in UNBINDS
    return id(operand.target) not in _JOINABLE


def tree(root: Node) -> tuple[list[Node], list[Node], bool]:
    """The calls that a value is cut and joined by along one dim, readers first, with the calls that have several
    results; the values they are called on; and whether more calls than the root cut or join."""
    calls: dict[Node, None] = {}
    values: dict[Node, None] = {}
    stack: list[tuple[Node, Parts | None]] = []
    several = False

    def step_into(value: Node, dim: int, lifted: bool) -> None:
        found = picked(value) if lifted else None
        if found is None or found.dim != dim:
            values[value] = None
            if not lifted:
                stack.append((value, made_of(value)))
            return
        calls.update(dict.fromkeys((value, *found.also)))
        values[found.source] = None
        stack.append((found.source, made_of(found.source)))

    first, parts = picked(root), made_of(root)
    if first is not None:
        dim = first.dim
        step_into(root, dim, lifted=True)
    elif parts is not None:
        dim = parts.dim
        stack.append((root, parts))
    while stack and len(calls) < MAX_CALLS:
        node, parts = stack.pop(0)
        if parts is None or node in calls or parts.dim != dim:
            continue
        several = several or node is not root
        calls[node] = None
        calls.update(dict.fromkeys(parts.also))
        for position, value in enumerate(parts.values):
            step_into(value, dim, position in parts.lifted)
    return list(calls), list(values), several
