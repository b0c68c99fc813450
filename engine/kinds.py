"""Kinds of numbers, as proofs about a dtype: what a law of arithmetic holds for.

Where torch takes a number for a tensor, as in ``add.Tensor(x, 1)``, a variable may be bound to one. A number is of
no kind here: it cannot stand for a result.
"""

from __future__ import annotations

import torch

from .facts import Facts, Value
from .proof import Proof

_UNROUNDED = (torch.float16, torch.float32, torch.float64)


def _dtype(x: object) -> torch.dtype | None:
    return x.dtype if isinstance(x, Value) else None


def _is(x: object, holds: bool, what: str) -> Proof:
    return Proof.of(holds, f"{_dtype(x) or x!r} is {what}", "dtype")


def like_root(f: Facts, x: object) -> Proof:
    """Shape and dtype of the result: no other operand promotes or broadcasts ``x``."""
    if not isinstance(x, Value):
        return Proof.of(False, f"{x!r} is a value", "it is a number")
    return f.same_shape(x, f.root) & f.same_dtype(x, f.root)


def whole(x: object) -> Proof:
    """Integers and bools."""
    dtype = _dtype(x)
    fractions = dtype is None or dtype.is_floating_point or dtype.is_complex
    return _is(x, not fractions, "of whole numbers")


def truth(x: object) -> Proof:
    """Bools."""
    return _is(x, _dtype(x) is torch.bool, "bool")


def real(x: object) -> Proof:
    """All but complex numbers."""
    dtype = _dtype(x)
    return _is(x, dtype is not None and not dtype.is_complex, "real")


def signed(x: object) -> Proof:
    """Real numbers with a sign."""
    dtype = _dtype(x)
    return _is(x, dtype is not None and not dtype.is_complex and dtype.is_signed, "real, with a sign")


def unrounded(x: object) -> Proof:
    """Float16, float32, float64: a kernel that has nothing to do to such a number hands it on with every bit,
    also where it goes by way of float32. Of NaNs that is so of the quiet ones; the others may be made quiet."""
    return _is(x, _dtype(x) in _UNROUNDED, "handed on bit by bit")


def brain(x: object) -> Proof:
    """Bfloat16, the kernels of which keep every number, but round on the way back from float32, and make one
    NaN of all."""
    return _is(x, _dtype(x) is torch.bfloat16, "bfloat16")


def real_floats(x: object) -> Proof:
    """Bfloat16 and the floats of :func:`unrounded`."""
    return unrounded(x) | brain(x)


def kept(x: object) -> Proof:
    """Whole numbers and the floats of :func:`unrounded`."""
    return whole(x) | unrounded(x)
