"""Places along a dim of a value: do two ways of naming them, from the front or from the end, mean the same?"""

from __future__ import annotations

from .facts import Facts
from .integers import Expr
from .proof import Proof, Truth


def same_dim(rank: int, d: int, e: int) -> Proof:
    """Are ``d`` and ``e``, which may count from the end, one dim of ``rank``?"""
    return Proof.of((d - e) % max(rank, 1) == 0, f"dim {d} is dim {e} of {rank}", "dims")


def same_index(f: Facts, i: Expr, j: Expr, size: Expr) -> Proof:
    """Are ``i`` and ``j``, both within a dim of ``size``, one index of it?"""
    alike = f.eq(i, j)
    if alike.proved:
        return alike
    ours, theirs = _from_front(f, i, size), _from_front(f, j, size)
    if ours is None or theirs is None:
        return Proof(Truth.UNKNOWN, f"{i} and {j} are one index", "from which end they count is not known")
    return f.eq(ours, theirs)


def _from_front(f: Facts, index: Expr, size: Expr) -> Expr | None:
    """An index that counts from the end if it is negative, counted from the front; None if its sign is open."""
    if f.le(0, index).proved:
        return index
    return index + size if f.le(index, -1).proved else None
