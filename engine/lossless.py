"""Which conversions of dtype lose nothing, told from the formats alone: no kernel is asked."""

from __future__ import annotations

import functools

import torch

from .proof import Proof

_INTEGERS = frozenset(
    {
        torch.uint8,
        torch.uint16,
        torch.uint32,
        torch.uint64,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
    }
)
# The 8-bit formats without a -0.0, and the one without a sign, are left out: they hold no plain float.
_FLOATS = frozenset(
    {
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
    }
)
_COMPONENT = {
    torch.complex32: torch.float16,
    torch.complex64: torch.float32,
    torch.complex128: torch.float64,
}
_NO_INFINITY = frozenset({torch.float8_e4m3fn})


def is_integral(dtype: torch.dtype) -> bool:
    """Is it bool or an integer type, so that there is no NaN and no -0.0?"""
    return dtype is torch.bool or dtype in _INTEGERS


def is_float(dtype: torch.dtype) -> bool:
    """Is it one of the real floating-point types that the lattice knows?"""
    return dtype in _FLOATS


def lossless(src: torch.dtype, through: torch.dtype) -> Proof:
    """Does ``through`` hold every number of ``src``, -0.0 and infinities too? Of a NaN it says no more than
    that it stays one. Types that are not known hold themselves only."""
    return Proof.of(_holds(src, through), f"{through} holds every {src}", "the lattice of dtypes")


def same_bits(src: torch.dtype, through: torch.dtype) -> Proof:
    """Does every bit come back from ``through``? So it is for integers, by way of a type that holds them or of
    integers as wide, where they wrap around and back; and for floats that become the real part of a complex number
    of the same format, except in 16 bits. Any other conversion may change what a NaN carries."""
    wraps = src in _INTEGERS and through in _INTEGERS and through.itemsize >= src.itemsize
    part = _COMPONENT.get(through) is src and src is not torch.float16
    kept = src is through or part or wraps or (is_integral(src) and _holds(src, through))
    return Proof.of(kept, f"{src} comes back from {through} bit by bit", "the lattice of dtypes")


def merges(src: torch.dtype, through: torch.dtype, to: torch.dtype) -> Proof:
    """Is ``src`` converted to ``through`` and on to ``to`` what it is converted to ``to`` at once, but for the
    bits of a NaN? A float that an integer type does not hold has no defined integer, so where a float would
    become an integer, ``to`` has to hold every number of ``src``."""

    def claim() -> str:
        return f"{src} by way of {through} to {to} rounds no more than once"

    known = all(is_integral(d) or is_float(d) for d in (src, through, to))
    by_float_to_integer = is_float(through) and is_integral(to) and to is not torch.bool
    defined = not by_float_to_integer or (is_integral(src) and _holds(src, to))
    return lossless(src, through) & Proof.of(known and defined, claim, "the lattice of dtypes")


@functools.cache
def _holds(src: torch.dtype, through: torch.dtype) -> bool:
    if src is through:
        return True
    if through in _COMPONENT:
        return _holds(_COMPONENT.get(src, src), _COMPONENT[through])
    if src is torch.bool:
        return through in _INTEGERS or through in _FLOATS
    if src in _INTEGERS:
        low, high = torch.iinfo(src).min, torch.iinfo(src).max
        if through in _INTEGERS:
            return torch.iinfo(through).min <= low and high <= torch.iinfo(through).max
        # All integers up to 1/ulp(1), doubled, are numbers of the format: eps is the distance from 1 to the next.
        return through in _FLOATS and max(-low, high) <= 2 / torch.finfo(through).eps
    if src not in _FLOATS or through not in _FLOATS:
        return False
    ours, theirs = torch.finfo(src), torch.finfo(through)
    return (
        theirs.eps <= ours.eps
        and theirs.max >= ours.max
        and theirs.smallest_normal * theirs.eps <= ours.smallest_normal * ours.eps
        and (src in _NO_INFINITY or through not in _NO_INFINITY)
    )
