"""Is an equality more than an accident of the values at hand? The source is given other values, and what lies
between it and the node runs again: ``x + 1e-12`` is then no longer ``x``, nor ``relu`` of what was positive.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.fx import Node, map_arg
from values import kept, moves

from noopelim.torch_api import hints

_SCALES = (1.0, 2.0**-100, -(2.0**12))
_FACTORS = (1, 2, 3, 5, 7, 11, 13, 17, 19)
_SPECIAL = (-0.0, float("nan"), float("inf"), float("-inf"), 1e-40)
_NAN = -0x003FFEDD


class Outcome(enum.Enum):
    """How far the node is its source."""

    ACCIDENT = "only for values such as these"
    NUMBERS = "but for -0.0, infinities or NaN"
    BITS = "for any value"


def probe(node: Node, source: Node, path: Sequence[Node], values: Mapping[Node, Any]) -> Outcome:
    """``path``: what lies ``between`` them. ``values``: what every node gave in one run. Where the source cannot be
    changed it is taken for granted."""
    tensor = values[source]
    if all(moves(each) for each in path):
        return Outcome.BITS
    for scale in _SCALES:
        if not _holds(node, source, path, values, _drawn(tensor, scale)):
            return Outcome.ACCIDENT
    if tensor.is_floating_point() or tensor.is_complex():
        special = torch.tensor(_SPECIAL, dtype=tensor.dtype)
        if tensor.dtype is torch.float32:
            # A NaN that carries something: what compares numbers may give another one.
            special = torch.cat([special, torch.tensor([_NAN], dtype=torch.int32).view(torch.float32)])
        tried = special.repeat(tensor.numel() // len(special) + 1)[: tensor.numel()].reshape(tensor.shape)
        # Of a tensor too small for all of them, each by itself.
        rest: Iterator[torch.Tensor] = iter([tried])
        if tensor.numel() < len(special):
            rest = (value.expand(tensor.shape) for value in special)
        if not all(_holds(node, source, path, values, _laid_out(t, tensor)) for t in rest):
            return Outcome.NUMBERS
    return Outcome.BITS


def same_sizes(node: Node, source: Node) -> bool:
    """Are the two of one shape for other values of the graph's symbols as well? Tried are multiples of today's,
    which divide as today's do."""
    sizes = [
        [n.node.expr if isinstance(n, torch.SymInt) else n for n in each.meta["val"].shape]
        for each in (node, source)
    ]
    symbols = sorted(
        {s for each in sizes for n in each if not isinstance(n, int) for s in n.free_symbols}, key=str
    )
    if not symbols:
        return sizes[0] == sizes[1]
    today = _today([*node.meta["val"].shape, *source.meta["val"].shape])
    for turn in range(len(_FACTORS)):
        valuation = {
            s: today.get(s, 4) * _FACTORS[(turn + 2 * i) % len(_FACTORS)] for i, s in enumerate(symbols)
        }
        left, right = (
            [n if isinstance(n, int) else int(n.xreplace(valuation)) for n in each] for each in sizes
        )
        if left != right:
            return False
    return True


def _today(sizes: Sequence[int | torch.SymInt]) -> dict[Any, int]:
    env = next((n.node.shape_env for n in sizes if isinstance(n, torch.SymInt)), None)
    return {} if env is None else {s: int(n) for s, n in hints(env).items()}


def between(node: Node, source: Node) -> list[Node]:
    """Calls that depend on the source and that the node depends on, in graph order, the node among them."""
    nodes = list(node.graph.nodes)
    span = nodes[nodes.index(source) + 1 : nodes.index(node) + 1]
    below = {source}
    for each in span:
        if any(o in below for o in each.all_input_nodes):
            below.add(each)
    needed = {node}
    for each in reversed(span):
        if each in needed:
            needed.update(each.all_input_nodes)
    return [each for each in span if each in below and each in needed]


def _holds(
    node: Node, source: Node, path: Sequence[Node], values: Mapping[Node, Any], tried: torch.Tensor
) -> bool:
    changed: dict[Node, Any] = {source: tried}
    try:
        with torch.no_grad():
            for each in path:
                args, kwargs = map_arg(
                    (each.args, each.kwargs), lambda n: changed[n] if n in changed else values[n]
                )
                changed[each] = each.target(*args, **kwargs)  # type: ignore[operator]
    except (RuntimeError, IndexError):
        return True  # an index, for which other values do not fit
    return kept(changed[node]).digest == kept(tried).digest


def _drawn(like: torch.Tensor, scale: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    if like.dtype is torch.bool:
        made = torch.rand(like.shape, generator=generator) < 0.5
    elif like.is_floating_point() or like.is_complex():
        made = torch.randn(like.shape, generator=generator).to(like.dtype) * scale
    else:
        made = torch.randint(-100, 100, like.shape, generator=generator).to(like.dtype)
    return _laid_out(made, like)


def _laid_out(made: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """With the strides of ``like``; where its elements share places, so do those of the result."""
    base = made
    for dim, stride in enumerate(like.stride()):
        if stride == 0 and like.shape[dim] > 1:
            base = base.narrow(dim, 0, 1)
    dense = torch.empty_strided(base.shape, like.stride(), dtype=like.dtype)
    return dense.copy_(base).expand(like.shape)
