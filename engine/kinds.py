"""Kinds of numbers, as proofs about a dtype: what a law of arithmetic holds for.

Where torch takes a number for a tensor, as in ``add.Tensor(x, 1)``, a variable may be bound to one. A number is of
no kind here: it cannot stand for a result.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from .facts import Facts, Value
from .lossless import is_integral
from .proof import Proof

Kind = Callable[[object], Proof]
"""Is a bound argument a value of this kind?"""
_NATIVE = (torch.float32, torch.float64)
_NARROW = (torch.float16, torch.bfloat16)


def _dtype(x: object) -> torch.dtype | None:
    return x.dtype if isinstance(x, Value) else None


def _is(x: object, holds: bool, what: str) -> Proof:
    return Proof.of(holds, lambda: f"{_dtype(x) or x!r} is {what}", "dtype")


def like_root(f: Facts, x: object) -> Proof:
    """Shape and dtype of the result: no other operand promotes or broadcasts ``x``."""
    if not isinstance(x, Value):
        return Proof.of(False, f"{x!r} is a value", "it is a number")
    return f.same_shape(x, f.root) & f.same_dtype(x, f.root)


def any_kind(x: object) -> Proof:
    """Values of every dtype."""
    return _is(x, isinstance(x, Value), "a value")


def whole(x: object) -> Proof:
    """Integers and bools."""
    dtype = _dtype(x)
    return _is(x, dtype is not None and is_integral(dtype), "of whole numbers")


def truth(x: object) -> Proof:
    """Bools."""
    return _is(x, _dtype(x) is torch.bool, "bool")


def unsigned(x: object) -> Proof:
    """Integers that are never negative."""
    dtype = _dtype(x)
    return whole(x) & _is(
        x, dtype is not torch.bool and dtype is not None and not dtype.is_signed, "unsigned"
    )


def real(x: object) -> Proof:
    """All but complex numbers."""
    dtype = _dtype(x)
    return _is(x, dtype is not None and not dtype.is_complex, "real")


def signed(x: object) -> Proof:
    """Real numbers with a sign."""
    dtype = _dtype(x)
    return _is(x, dtype is not None and not dtype.is_complex and dtype.is_signed, "real, with a sign")


def native(x: object) -> Proof:
    """Float32 and float64, which processors compute in: an operation that has nothing to do to such a number hands
    it on with every bit. Of NaNs that is so of the quiet ones, all that arithmetic makes; a signalling one, which
    only bits read as floats can be, may come out quiet, and as in LLVM that is not held against a law."""
    return _is(x, _dtype(x) in _NATIVE, "computed in as it is")


def narrow(x: object) -> Proof:
    """Float16 and bfloat16, which kernels convert to float32 and back: they keep every number, but may make one
    NaN of all, in float16 on processors without an instruction for it."""
    return _is(x, _dtype(x) in _NARROW, "16 bits of float")


def real_floats(x: object) -> Proof:
    """The floats of :func:`native` and :func:`narrow`."""
    return native(x) | narrow(x)


def kept(x: object) -> Proof:
    """Whole numbers and the floats of :func:`native`."""
    return whole(x) | native(x)
