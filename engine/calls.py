"""One view of a call, whatever its spelling: arguments in schema order, with the defaults filled in."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from .torch_api import OpOverload


@dataclass(frozen=True, slots=True)
class Signature:
    """What the schema of one overload says. ``aliased``: positions whose memory the result may share;
    ``written``: positions whose memory the call writes; ``returns_alias``: some result is not fresh."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    required: tuple[bool, ...]
    aliased: tuple[int, ...]
    written: tuple[int, ...]
    returns_alias: bool
    target: OpOverload
    fewest: int
    """How many arguments a call without keywords has, at least."""

    def position(self, name: str) -> int:
        """Where an argument stands. Raises ``KeyError`` if there is none of the name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None


# By identity: an overload is one object, and its own hash is slow. Each entry keeps its overload, so that no
# other can come to have the number.
_signatures: dict[int, Signature] = {}


def signature(target: OpOverload) -> Signature:
    """The schema of ``target``, read once per process."""
    found = _signatures.get(id(target))
    if found is None:
        found = _signatures[id(target)] = _signature(target)
    return found


def _signature(target: OpOverload) -> Signature:
    schema = target._schema
    arguments = schema.arguments
    return Signature(
        names=tuple(a.name for a in arguments),
        defaults=tuple(a.default_value if a.has_default_value() else None for a in arguments),
        required=tuple(not a.has_default_value() for a in arguments),
        aliased=tuple(i for i, a in enumerate(arguments) if a.alias_info is not None),
        written=tuple(i for i, a in enumerate(arguments) if a.alias_info and a.alias_info.is_write),
        returns_alias=any(r.alias_info is not None for r in schema.returns),
        target=target,
        fewest=max((i + 1 for i, a in enumerate(arguments) if not a.has_default_value()), default=0),
    )


def arguments(node: Node) -> tuple[Any, ...] | None:
    """Arguments of a call in schema order; None if the call does not fit its schema.

    For a plain function such as ``operator.getitem`` these are the positional arguments, and keyword
    arguments do not fit.
    """
    args, kwargs, target = node.args, node.kwargs, node.target
    if not isinstance(target, OpOverload):
        return None if kwargs else tuple(args)
    sig = signature(target)
    if not kwargs and sig.fewest <= len(args) <= len(sig.names):
        return (*args, *sig.defaults[len(args) :])
    if len(args) > len(sig.names) or not kwargs.keys() <= set(sig.names[len(args) :]):
        return None
    rest = range(len(args), len(sig.names))
    if any(sig.required[i] and sig.names[i] not in kwargs for i in rest):
        return None
    return (*args, *(kwargs.get(sig.names[i], sig.defaults[i]) for i in rest))


def argument(node: Node, name: str) -> Any:
    """One argument of an operator call by its schema name. Raises ``KeyError`` if there is none."""
    values = arguments(node)
    if values is None or not isinstance(node.target, OpOverload):
        raise KeyError(f"{node.name} ({node.target}) is not a call that fits an operator schema")
    return values[signature(node.target).position(name)]


def nodes_in(argument: object) -> Iterator[Node]:
    """Every node in a possibly nested argument, in order."""
    stack = [argument]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            yield item
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, slice):
            stack.extend((item.step, item.stop, item.start))


def operands_at(node: Node, positions: tuple[int, ...]) -> Iterator[Node]:
    """The nodes that an operator call passes for these positions of its schema, by position or by keyword."""
    target = node.target
    if not isinstance(target, OpOverload):
        return
    names = signature(target).names
    for position in positions:
        if position < len(node.args):
            yield from nodes_in(node.args[position])
        else:
            yield from nodes_in(node.kwargs.get(names[position]))


def is_getitem(node: Node) -> bool:
    """Does the node pick one result of a call with several?"""
    return node.op == "call_function" and node.target is operator.getitem


def op_name(node: Node) -> str:
    """Short name of what a node calls, for messages."""
    target = node.target
    if isinstance(target, OpOverload):
        return str(target)
    if node.op in ("placeholder", "output"):
        return node.op
    return getattr(target, "__name__", str(target)) if node.op == "call_function" else f"{node.op} {target}"


def tensor_of(node: Node) -> torch.Tensor | None:
    """The tensor that ``meta["val"]`` describes, if the node computes exactly one."""
    value = node.meta.get("val")
    return value if isinstance(value, torch.Tensor) else None
