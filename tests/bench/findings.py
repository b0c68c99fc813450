"""What the oracle says, and what it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch.fx import Node
from values import Value

NOOP, ANCESTOR, DUPLICATE, CHAIN, BY_VALUE, BY_SIZE = KINDS = (
    "no-op",
    "ancestor",
    "duplicate",
    "chain",
    "by value",
    "by size",
)
"""``BY_VALUE``: a no-op or ancestor, but not of -0.0, infinities or NaN, or not with every mask that the data
might give. ``BY_SIZE``: equal in every run, yet of sizes that differ for other values of the graph's symbols.
A rule that keeps every bit has to leave both."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``node`` is not needed: ``source`` has its value, or, of a chain, ``saved`` nodes go if ``form`` is
    written instead. ``exact``: the strides agree on dims of size 1 too. ``constant``: the value depends on sizes
    alone."""

    node: Node
    kind: str
    source: Node
    saved: int = 1
    form: str = ""
    exact: bool = True
    constant: bool = False


@dataclass
class Run:
    """One run of a graph. ``given``: what it returned, and its arguments as it left them. ``arguments``: those of
    each movement call after the first, with numbers for symbols. ``results``: what each node gave; later nodes
    may have written it."""

    given: list[Value] = field(default_factory=list)
    values: dict[Node, Value] = field(default_factory=dict)
    arguments: dict[Node, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    results: dict[Node, Any] = field(default_factory=dict)
