"""Attention written out by hand, which a compiler may still fuse by patterns that look at no dims and no sizes.

Inductor's joint passes look for ``bmm``, softmax, ``bmm``; in between they take a permute of any dims for the one that they
were traced with, and a view to any sizes (``Ignored()`` in its serialized patterns, torch 2.13). What a model says itself is
matched as it is. A permute or a view that a rewrite puts there may be taken for another, and if sizes happen to agree
nobody notices: of ``bmm(q, k.permute(1, 0, 2).transpose(1, 2))`` the two become ``permute(k, [1, 2, 0])``, which Inductor
reads as ``k.transpose(1, 2)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.fx import Graph, Node

from .calls import arguments
from .plans import NewCall
from .spellings import ALIASES, CASTS, EXPANDS, PERMUTES, RELABELS
from .worklist import calls_of

_aten = torch.ops.aten
_PRODUCTS = frozenset({_aten.bmm.default, _aten.baddbmm.default, _aten.matmul.default, _aten.einsum.default})
_SOFTMAX = (
    _aten._softmax.default,
    _aten.softmax.int,
    _aten._safe_softmax.default,
    _aten.exp.default,
    torch.ops.prims.exp.default,
)
_THROUGH: frozenset[object] = frozenset(
    {
        *(*ALIASES, *CASTS, *EXPANDS, *PERMUTES, *RELABELS),
        *(_aten.clone.default, _aten.contiguous.default, _aten.neg.default),
        *(getattr(op, kind) for op in (_aten.mul, _aten.div) for kind in ("Tensor", "Scalar")),
    }
)
"""What patterns have between a permute and the product that reads it, and more."""
_FARTHEST = 12


def may_be_fused(graph: Graph) -> bool:
    """Is there a softmax by hand at all?"""
    return any(True for target in _SOFTMAX for _ in calls_of(graph, target))


def misread_by(root: Node, to: object, matched: Sequence[Node]) -> Node | None:
    """The product before or behind which ``to``, which is to stand for ``root``, has a call of other dims or sizes than the
    calls that it replaces, ``matched``."""
    while isinstance(to, NewCall):
        operand, rest = to.args[0] if to.args else None, tuple(to.args[1:])
        alike = [
            given for n in matched if n.target is to.target and (given := arguments(n)) and given[1:] == rest
        ]
        if isinstance(operand, Node) and operand.target in _PRODUCTS:
            return None if any(given[0] is operand for given in alike) else operand
        if to.target in PERMUTES and not alike:
            return _product_behind(root)
        to = operand
    return None


def _product_behind(root: Node) -> Node | None:
    seen, level = {root}, [root]
    for _ in range(_FARTHEST):
        readers = [user for node in level for user in node.users if user not in seen]
        product = next((n for n in readers if n.target in _PRODUCTS), None)
        if product is not None:
            return product
        level = [n for n in dict.fromkeys(readers) if n.target in _THROUGH]
        seen.update(level)
    return None
