"""The lattice of dtypes against the conversions themselves: every value of the small types, telling ones of others."""

import functools
import itertools
import math

import pytest
import torch

from noopelim.lossless import is_float, is_integral, lossless, merges, same_bits
from noopelim.operands import bits_of
from noopelim.proof import Truth

pytestmark = [
    pytest.mark.filterwarnings("ignore:ComplexHalf"),
    pytest.mark.filterwarnings("ignore:Casting complex"),
]
INTEGERS = (
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
)
FLOATS = (
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
)
REAL = (torch.bool, *INTEGERS, *FLOATS)
COMPLEX = (torch.complex32, torch.complex64, torch.complex128)
SMALL = tuple(d for d in REAL if d.itemsize <= 2)


@functools.cache
def values(dtype: torch.dtype) -> torch.Tensor:
    """All of a small type; of others the ends, what only just fits narrower types, and what only just does not."""
    if dtype is torch.bool:
        return torch.tensor([False, True])
    if dtype.itemsize <= 2 and not dtype.is_complex:
        bits = torch.arange(2 ** (8 * dtype.itemsize), dtype=torch.int32)
        return bits.to(torch.int16 if dtype.itemsize == 2 else torch.uint8).view(dtype)
    if dtype in INTEGERS:
        info = torch.iinfo(dtype)
        ends = [n for k in (7, 8, 11, 12, 15, 16, 24, 25, 31, 32, 53, 54, 63, 64) for n in (2**k, -(2**k))]
        near = {n + d for n in (0, info.min, info.max, *ends) for d in (-1, 0, 1)}
        return torch.tensor([n for n in sorted(near) if info.min <= n <= info.max], dtype=dtype)
    if dtype.is_complex:
        part = {torch.complex32: torch.float16, torch.complex64: torch.float32}.get(dtype, torch.float64)
        parts = values(part)[:40]
        return torch.view_as_complex(torch.stack([parts, parts.flip(0)], -1))
    narrower = [f for f in FLOATS if torch.finfo(f).bits < torch.finfo(dtype).bits]
    found = [values(torch.float16).to(dtype)]
    for info in map(torch.finfo, (dtype, *narrower)):
        numbers = [info.max, info.tiny, info.smallest_normal * info.eps, 1 + info.eps, float("inf")]
        made = torch.tensor(numbers, dtype=torch.float64)
        found += [made.to(dtype), -made.to(dtype), (made * 1.001).to(dtype), (made * (1 + 2**-30)).to(dtype)]
    return torch.cat(found)


def same(left: torch.Tensor, right: torch.Tensor, nan: bool = True) -> bool:
    """Equal in every bit, or, with ``nan``, both NaN."""
    bits = bits_of(left) == bits_of(right)
    if nan and left.dtype.is_complex:
        left, right = torch.view_as_real(left), torch.view_as_real(right)
    if nan and left.dtype.is_floating_point:
        bits = bits | (left.double().isnan() & right.double().isnan())
    return bool(bits.all())


@pytest.mark.parametrize("src", REAL, ids=str)
def test_a_type_holds_another_if_it_has_all_its_numbers(src: torch.dtype) -> None:
    for through in REAL:
        pairs = zip(values(src).tolist(), values(src).to(through).tolist(), strict=True)
        held = all(map(equal, *zip(*pairs, strict=True)))
        assert lossless(src, through).proved is held, (src, through)


def equal(left: float, right: float) -> bool:
    """One number, the sign of a zero too, or both NaN."""
    one = left == right and math.copysign(1, left) == math.copysign(1, right)
    return one or (left != left and right != right)


@pytest.mark.parametrize("src", REAL + COMPLEX, ids=str)
def test_complex_types_hold_what_their_parts_hold(src: torch.dtype) -> None:
    parts = {torch.complex32: torch.float16, torch.complex64: torch.float32, torch.complex128: torch.float64}
    for through, part in parts.items():
        assert lossless(src, through).truth is lossless(parts.get(src, src), part).truth
        if lossless(src, through).proved:
            assert same(values(src).to(through).to(src), values(src))
    if src.is_complex:
        assert not any(lossless(src, through).proved for through in REAL)


@pytest.mark.parametrize("src", REAL + COMPLEX, ids=str)
def test_where_bits_come_back_they_do(src: torch.dtype) -> None:
    for through in REAL + COMPLEX:
        if same_bits(src, through).proved:
            assert same(values(src).to(through).to(src), values(src), nan=False), (src, through)


@pytest.mark.parametrize("src", [torch.bool, *INTEGERS], ids=str)
def test_an_integer_comes_back_from_any_integer_type_as_wide(src: torch.dtype) -> None:
    """Also by way of the other sign, where it is another number on the way."""
    for through in (torch.bool, *INTEGERS):
        back = same(values(src).to(through).to(src), values(src))
        assert same_bits(src, through).proved is back, (src, through)


@pytest.mark.parametrize("src", SMALL, ids=str)
def test_merged_conversions_are_the_same(src: torch.dtype) -> None:
    """Where two conversions may be made one, every value agrees."""
    merged = 0
    for through, to in itertools.product(REAL, REAL):
        if merges(src, through, to).proved:
            merged += 1
            assert same(values(src).to(through).to(to), values(src).to(to)), (src, through, to)
    assert merged >= len(REAL)


@pytest.mark.parametrize(
    ("src", "through", "to", "merged"),
    [
        (torch.int32, torch.int64, torch.float32, True),
        (torch.int32, torch.float64, torch.float16, True),
        (torch.int32, torch.float32, torch.float64, False),
        (torch.int64, torch.float64, torch.float32, False),
        (torch.float64, torch.float32, torch.float16, False),
        (torch.float32, torch.float64, torch.bfloat16, True),
        (torch.float32, torch.float64, torch.int64, False),
        (torch.float32, torch.float64, torch.bool, True),
        (torch.int16, torch.float32, torch.int8, False),
        (torch.int8, torch.float32, torch.int16, True),
        (torch.uint8, torch.int8, torch.int16, False),
        (torch.bfloat16, torch.float32, torch.float16, True),
        (torch.bfloat16, torch.float16, torch.float32, False),
        (torch.float32, torch.complex64, torch.float64, False),
    ],
)
def test_what_merges(src: torch.dtype, through: torch.dtype, to: torch.dtype, merged: bool) -> None:
    assert merges(src, through, to).truth is (Truth.PROVED if merged else Truth.REFUTED)
    if merged:
        assert same(values(src).to(through).to(to), values(src).to(to))


def test_types_that_are_not_known_hold_themselves_only() -> None:
    for unknown in (torch.float8_e4m3fnuz, torch.quint8, torch.float8_e8m0fnu):
        assert not is_integral(unknown)
        assert not is_float(unknown)
        assert lossless(unknown, unknown).proved
        assert not any(lossless(unknown, d).proved or lossless(d, unknown).proved for d in REAL)
        assert not merges(torch.bool, torch.int32, unknown).proved
