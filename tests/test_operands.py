"""Operands: the small tensors that rules are tried on, their layouts and the values that tell."""

from __future__ import annotations

import itertools

import pytest
import torch

from noopelim.operands import ALL_PAIRS, COUNTED, DTYPES, FILLS, LAYOUTS, Operand, bits_of, filled

SIZES = ((), (0,), (1,), (3,), (0, 2), (2, 0), (1, 2), (2, 3), (2, 1, 2))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_an_operand_is_as_described(dtype: torch.dtype, layout: str) -> None:
    for shape, fill in itertools.product(SIZES, (0, 5, COUNTED)):
        operand = Operand(1, shape, dtype, layout, fill)
        tensor = operand.tensor()
        assert (tuple(tensor.shape), tensor.dtype) == (shape, dtype)
        assert torch.equal(bits_of(tensor), bits_of(operand.tensor()))
        assert tensor.data_ptr() != operand.tensor().data_ptr() or not tensor.numel()


def test_an_operand_lies_in_memory_as_described() -> None:
    lies = {layout: Operand(0, (2, 3), layout=layout).tensor() for layout in LAYOUTS}
    assert {layout: (t.stride(), t.storage_offset()) for layout, t in lies.items()} == {
        "contiguous": ((3, 1), 0),
        "permuted": ((1, 2), 0),
        "expanded": ((0, 1), 0),
        "sliced": ((7, 2), 1),
        "offset": ((3, 1), 1),
        "conjugated": ((3, 1), 0),
        "negated": ((3, 1), 0),
    }


def test_lazy_bits_are_set_where_there_is_something_to_negate() -> None:
    for dtype in DTYPES:
        conjugated, negated = (
            Operand(0, (3,), dtype, layout).tensor() for layout in ("conjugated", "negated")
        )
        assert conjugated.is_conj() == dtype.is_complex
        assert negated.is_neg() == (dtype.is_floating_point and dtype.itemsize > 1)


def test_a_lazy_operand_reads_as_the_plain_one_negated() -> None:
    plain, negated = (
        Operand(0, (7,), layout=layout, fill=COUNTED).tensor() for layout in ("contiguous", "negated")
    )
    assert torch.equal(negated + 0, -plain)
    plain, conjugated = (
        Operand(0, (7,), torch.complex64, layout, COUNTED).tensor() for layout in ("contiguous", "conjugated")
    )
    assert torch.equal(bits_of(conjugated), bits_of(torch.complex(plain.real, -plain.imag)))


def telling_values(dtype: torch.dtype) -> list[torch.Tensor]:
    if dtype is torch.bool:
        values: list[float] = [False, True]
    elif dtype.is_floating_point:
        values = [-0.0, 0.0, float("nan"), float("inf"), -float("inf"), -1.5, 7e4]
    else:
        values = [0, 1, torch.iinfo(dtype).max, torch.iinfo(dtype).min]
    wide = torch.float64 if dtype.is_floating_point else dtype
    return [torch.tensor([v], dtype=wide).to(dtype) for v in values]


def meets(found: torch.Tensor, telling: torch.Tensor) -> bool:
    """Is the telling value, to the bit, among those found? Of NaNs any one will do."""
    if telling.is_floating_point() and telling.isnan().all():
        return bool(found.isnan().any())
    return bool((bits_of(found) == bits_of(telling)).any())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_nans_have_a_sign_and_a_payload(dtype: torch.dtype) -> None:
    tensor = filled((40,), dtype, 0)
    plain = bits_of(torch.tensor([float("nan")], dtype=dtype))
    assert tensor.isnan().any()
    assert (bits_of(tensor)[tensor.isnan()] != plain).all()
    assert tensor[tensor.isnan()].signbit().all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_one_element_meets_every_telling_value(dtype: torch.dtype) -> None:
    """Slot by slot; a complex number has one in each of its parts."""
    for slot, layout in itertools.product((0, 1), ("contiguous", "sliced")):
        met = [Operand(slot, (1,), dtype, layout, fill).tensor() for fill in range(FILLS)]
        parts = torch.view_as_real(torch.cat(met)) if dtype.is_complex else torch.stack(met).view(-1, 1)
        for part in parts.unbind(-1):
            for telling in telling_values(part.dtype):
                assert meets(part, telling), (dtype, slot, telling)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if not d.is_complex], ids=str)
def test_two_operands_meet_with_every_pair_of_telling_values(dtype: torch.dtype) -> None:
    for layouts in itertools.product(("contiguous", "sliced"), repeat=2):
        three = [Operand(slot, (ALL_PAIRS,), dtype, layouts[slot % 2]).tensor() for slot in range(3)]
        for one, other in itertools.combinations([bits_of(t).tolist() for t in three], 2):
            pairs = set(zip(one, other, strict=True))
            assert len(pairs) == len(set(one)) * len(set(other))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_a_complex_number_is_every_pair_of_telling_values(dtype: torch.dtype) -> None:
    real, imaginary = torch.view_as_real(Operand(0, (ALL_PAIRS,), dtype).tensor()).unbind(-1)
    pairs = set(zip(bits_of(real).tolist(), bits_of(imaginary).tolist(), strict=True))
    assert len(pairs) == FILLS**2


def test_counted_elements_differ_between_operands_too() -> None:
    assert filled((2, 2), torch.float32, COUNTED).tolist() == [[1, 2], [3, 4]]
    assert not torch.equal(Operand(0, (4,), fill=COUNTED).tensor(), Operand(1, (4,), fill=COUNTED).tensor())
