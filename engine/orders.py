"""The order that a call which only reorders dims puts them in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.fx import Node

from .calls import argument, tensor_of

_aten = torch.ops.aten
_TRANSPOSES = {
    _aten.transpose.int: ("dim0", "dim1"),
    _aten.transpose_copy.int: ("dim0", "dim1"),
    _aten.swapdims.default: ("dim0", "dim1"),
    _aten.swapaxes.default: ("axis0", "axis1"),
}
_MATRIX_TRANSPOSES = (_aten.t.default, _aten.t_copy.default)
_MOVEDIMS = (_aten.movedim.int, _aten.movedim.intlist, _aten.moveaxis.int, _aten.moveaxis.intlist)


def permutation_of(node: Node) -> tuple[int, ...]:
    """``p`` with ``result.shape[i] == operand.shape[p[i]]`` of a call in ``spellings.PERMUTES``."""
    tensor = tensor_of(node)
    assert tensor is not None
    rank = tensor.dim()
    if node.target in _MATRIX_TRANSPOSES:
        return tuple(reversed(range(rank)))
    if node.target in _TRANSPOSES:
        dims = list(range(rank))
        # A 0-d tensor takes dims 0 and -1, and has nothing to swap.
        if rank:
            first, second = (argument(node, name) % rank for name in _TRANSPOSES[node.target])
            dims[first], dims[second] = dims[second], dims[first]
        return tuple(dims)
    if node.target is _aten.mT.default:
        return (*range(rank - 2), rank - 1, rank - 2) if rank else ()
    if node.target in _MOVEDIMS:
        return _moved(argument(node, "source"), argument(node, "destination"), rank)
    return tuple(d % rank for d in argument(node, "dims"))


def _moved(source: int | Sequence[int], destination: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Of ``movedim``: the dims that are not named keep their order."""
    if not rank:
        return ()
    pairs = [
        [d % rank for d in ([dims] if isinstance(dims, int) else dims)] for dims in (source, destination)
    ]
    placed = dict(zip(pairs[1], pairs[0], strict=True))
    rest = iter(d for d in range(rank) if d not in pairs[0])
    return tuple(placed[d] if d in placed else next(rest) for d in range(rank))
