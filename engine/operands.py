"""The small tensors that a rule is tried on: every shape, dtype and layout, filled with values that tell."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import prod

import torch

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
    torch.float8_e4m3fn,
    torch.float8_e5m2,
)
LAYOUTS = ("contiguous", "permuted", "expanded", "sliced", "offset")
FILLS = 12
"""How many ways there are to fill an operand with telling values."""
COUNTED = 1000
"""Fill with numbers that can be told apart, for where the bits are not at stake."""

# Float bits: -0.0, a NaN with a payload and the sign set, the least subnormal, what f16 cannot hold, infinity.
_TELLING_FLOATS = (
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
_PAYLOAD = {
    torch.float32: -4194000,
    torch.float64: -2251799813685000,
    torch.float16: -510,
    torch.bfloat16: -60,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """One tensor that a pattern reads. Equal ``slot`` means one tensor, wherever it occurs.

    ``layout`` is one of :data:`LAYOUTS`; ``fill`` rotates the values, so that a tensor of one element meets
    each of them.
    """

    slot: int
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    layout: str = "contiguous"
    fill: int = 0

    def tensor(self) -> torch.Tensor:
        """A fresh tensor."""
        return laid_out(self.shape, self.dtype, self.layout, self.fill + 3 * self.slot)

    def __str__(self) -> str:
        name = str(self.dtype).removeprefix("torch.")
        lies = "" if self.layout == "contiguous" else f", {self.layout}"
        return f"{name}[{', '.join(map(str, self.shape))}]{lies}"


def laid_out(shape: tuple[int, ...], dtype: torch.dtype, layout: str, fill: int) -> torch.Tensor:
    """A fresh tensor of ``shape`` that lies in memory as ``layout`` says."""
    if layout == "permuted":
        return filled(shape[::-1], dtype, fill).permute(tuple(reversed(range(len(shape)))))
    if layout == "expanded":
        once = tuple(1 if i == 0 else n for i, n in enumerate(shape))
        return filled(once, dtype, fill).expand(shape)
    if layout == "sliced" and shape:
        wide = filled((*shape[:-1], 2 * shape[-1] + 1), dtype, fill)
        return wide.as_strided(shape, (*wide.stride()[:-1], 2), 1)
    if layout in ("offset", "sliced"):
        return filled((prod(shape) + 1,), dtype, fill)[1:].view(shape)
    return filled(shape, dtype, fill)


def filled(shape: tuple[int, ...], dtype: torch.dtype, fill: int) -> torch.Tensor:
    """Contiguous, with the telling values of the dtype first and distinct ones after them; with :data:`COUNTED`
    1, 2, 3 and so on."""
    if fill >= COUNTED:
        return torch.arange(1 + fill - COUNTED, 1 + fill - COUNTED + prod(shape)).to(dtype).view(shape)
    return _values(prod(shape), dtype, fill % FILLS).clone().view(shape)


@functools.lru_cache(maxsize=4096)
def _values(count: int, dtype: torch.dtype, fill: int) -> torch.Tensor:
    if dtype is torch.bool:
        return (torch.arange(fill, fill + count) * 7 // 3 % 2).to(dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        info = torch.iinfo(dtype)
        telling = [5, 0, 1, info.max, info.min, 2, 3, info.max // 3, 7]
        return torch.tensor([_nth(telling, i, fill) for i in range(count)], dtype=torch.int64).to(dtype)
    whole = dtype in (torch.float64, torch.complex128)
    numbers = [_nth(_TELLING_FLOATS, i, fill) for i in range(count * (2 if dtype.is_complex else 1))]
    made = torch.tensor(numbers, dtype=torch.float64 if whole else torch.float32)
    if dtype.is_complex:
        return torch.view_as_complex(made.view(-1, 2)).to(dtype)
    made = made.to(dtype)
    if dtype in _PAYLOAD:
        # A NaN with its sign set and a payload: what keeps numbers need not keep these.
        made.view(BITS[made.element_size()])[made.isnan()] = _PAYLOAD[dtype]
    return made


BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def _nth(telling: tuple[float, ...] | list[int], index: int, fill: int) -> float:
    """The telling values from ``fill`` on, then a few numbers that differ, and again."""
    lane = index % 16
    return telling[(lane + fill) % len(telling)] if lane < len(telling) else index + fill + 1


def bits_of(tensor: torch.Tensor) -> torch.Tensor:
    """The bits of the elements in row-major order, as integers."""
    plain = tensor.resolve_conj().resolve_neg().contiguous()
    if plain.dtype.is_complex:
        plain = torch.view_as_real(plain)
    return plain.view(BITS[plain.element_size()]) if plain.dtype is not torch.bool else plain
