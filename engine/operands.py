"""The small tensors that a rule is tried on: every shape, dtype and layout, filled with values that tell."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import torch

from .torch_api import set_lazy_bits

T = TypeVar("T")

DTYPES: tuple[torch.dtype, ...] = (
    torch.float32,
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.complex64,
    torch.complex128,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
)
LAYOUTS = ("contiguous", "permuted", "expanded", "sliced", "offset", "conjugated", "negated")
"""How an operand may lie in memory. The last two are lazy: the imaginary part of a complex number, or a real float, is
to be negated when it is read; other dtypes are contiguous."""

# Float bits: -0.0, a NaN with a payload and the sign set, the least subnormal, what f16 cannot hold, infinity.
_FLOATS = (
    -0.0,
    float("nan"),
    -1.5,
    1e-45,
    7e4,
    1 + 2**-20,
    float("inf"),
    -float("inf"),
    0.0,
    3.0,
    -2.0,
)
_BOOLS = (True, False, False, True, False, True, True, False, True, False, True)
FILLS = len(_FLOATS)
"""How many telling values there are of each dtype: a prime, so that :func:`_nth` can pair them all."""
ALL_PAIRS = 128
"""Elements in which each two of several operands meet with every pair of telling values: the square of
:data:`FILLS`, and what makes it a multiple of the widest vectors of kernels."""
COUNTED = 1000
"""Fill with numbers that can be told apart, for where the bits are not at stake."""

_PAYLOAD = {
    torch.float32: -4194000,
    torch.float64: -2251799813685000,
    torch.float16: -510,
    torch.bfloat16: -60,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """One tensor that a pattern reads. Equal ``slot`` means one tensor, wherever it occurs.

    ``layout`` is one of :data:`LAYOUTS`; ``fill`` says which telling values come first, so that a tensor of one
    element meets each of them, or is :data:`COUNTED`.
    """

    slot: int
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    layout: str = "contiguous"
    fill: int = 0

    def tensor(self) -> torch.Tensor:
        """A fresh tensor."""
        return laid_out(self.shape, self.dtype, self.layout, self.fill, self.slot)

    def __str__(self) -> str:
        name = str(self.dtype).removeprefix("torch.")
        lies = "" if self.layout == "contiguous" else f", {self.layout}"
        return f"{name}[{', '.join(map(str, self.shape))}]{lies}"


def laid_out(
    shape: tuple[int, ...], dtype: torch.dtype, layout: str, fill: int, slot: int = 0
) -> torch.Tensor:
    """A fresh tensor of ``shape`` that lies in memory as ``layout`` says."""
    if layout == "permuted":
        return filled(shape[::-1], dtype, fill, slot).permute(tuple(reversed(range(len(shape)))))
    if layout == "expanded":
        once = tuple(1 if i == 0 else n for i, n in enumerate(shape))
        return filled(once, dtype, fill, slot).expand(shape)
    if layout == "sliced" and shape:
        wide = filled((*shape[:-1], 2 * shape[-1] + 1), dtype, fill, slot)
        if fill < COUNTED:
            # Every other element is read, and those are to be the telling ones in turn.
            wide[..., 1::2] = filled(shape, dtype, fill, slot)
        return wide.as_strided(shape, (*wide.stride()[:-1], 2), 1)
    if layout in ("offset", "sliced"):
        return filled((prod(shape) + 1,), dtype, fill, slot)[1:].view(shape)
    plain = filled(shape, dtype, fill, slot)
    if layout == "conjugated":
        return plain.conj()
    if layout == "negated" and dtype.is_floating_point and dtype.itemsize > 1:
        set_lazy_bits(plain, torch.zeros((), dtype=torch.complex64).conj().imag)
    return plain


def filled(shape: tuple[int, ...], dtype: torch.dtype, fill: int, slot: int = 0) -> torch.Tensor:
    """Contiguous, with the telling values of the dtype in turn from ``fill`` on; with :data:`COUNTED` 1, 2, 3
    and so on, or for another ``slot`` from later on."""
    if fill >= COUNTED:
        first = 1 + fill - COUNTED + 3 * slot
        return torch.arange(first, first + prod(shape)).to(dtype).view(shape)
    return _values(prod(shape), dtype, fill, slot).clone().view(shape)


@functools.lru_cache(maxsize=4096)
def _values(count: int, dtype: torch.dtype, fill: int, slot: int) -> torch.Tensor:
    turn = FILLS**2
    if count > turn:
        return _values(turn, dtype, fill, slot).repeat(-(-count // turn))[:count]
    places = range(fill, fill + count)
    if dtype is torch.bool:
        return torch.tensor([_nth(_BOOLS, i, slot) for i in places], dtype=dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        telling = _integers(torch.iinfo(dtype))
        return torch.tensor([_nth(telling, i, slot) for i in places], dtype=torch.int64).to(dtype)
    if dtype.is_complex:
        columns = (2 * slot, 2 * slot + 1)
        numbers = [_nth(_FLOATS, i, column) for i in places for column in columns]
        part = torch.float64 if dtype is torch.complex128 else torch.float32
        return torch.view_as_complex(torch.tensor(numbers, dtype=part).view(-1, 2)).to(dtype)
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    made = torch.tensor([_nth(_FLOATS, i, slot) for i in places], dtype=wide).to(dtype)
    if dtype in _PAYLOAD:
        # A NaN with its sign set and a payload: what keeps numbers need not keep these.
        made.view(BITS[made.element_size()])[made.isnan()] = _PAYLOAD[dtype]
    return made


def _integers(info: torch.iinfo) -> tuple[int, ...]:
    signed = info.min < 0
    return (5, 0, 1, info.max, info.min, 2, 3, -1 if signed else info.max // 2 + 1, 7, info.max // 3, 10)


def _nth(telling: Sequence[T], index: int, column: int) -> T:
    """The entry of an orthogonal array of strength two: as the index runs through the square of how many values
    there are, every two columns meet with all pairs of them."""
    many = len(telling)
    row, block = index % many, index // many % many
    return telling[(row + column * block + 3 * column) % many]


BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def bits_of(tensor: torch.Tensor) -> torch.Tensor:
    """The bits of the elements in row-major order, as integers."""
    plain = tensor.resolve_conj().resolve_neg().contiguous()
    if plain.dtype.is_complex:
        plain = torch.view_as_real(plain)
    return plain.view(BITS[plain.element_size()]) if plain.dtype is not torch.bool else plain
