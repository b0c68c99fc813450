"""Rows of the catalogue: conversions of dtype one after another."""

from __future__ import annotations

import torch
from catalogue_row import Example, Row, aten, ex, of, row

from noopelim import Exact

TITLE = "Conversions of dtype"

BOOL, I8, I16, I32, I64 = torch.bool, torch.int8, torch.int16, torch.int32, torch.int64
U8, U64, F8, F8_FN, F16, BF16 = (
    torch.uint8,
    torch.uint64,
    torch.float8_e5m2,
    torch.float8_e4m3fn,
    torch.float16,
    torch.bfloat16,
)
F32, F64, C64, C128 = torch.float32, torch.float64, torch.complex64, torch.complex128


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _chain(*dtypes: torch.dtype, left: int = 0, level: Exact = Exact.BITS, stays: str = "") -> Example:
    """A value of the first dtype, converted to the others in turn."""

    def convert(x: torch.Tensor) -> torch.Tensor:
        for dtype in dtypes[1:]:
            x = torch.ops.prims.convert_element_type(x, dtype)
        return x

    name = ", ".join(map(_name, dtypes))
    return ex(name, convert, left, on=of(dtypes[0], 4, 6), level=level, stays=stays)


def _up_and_down(x: torch.Tensor) -> torch.Tensor:
    return aten._to_copy(aten._to_copy(x, dtype=F64), dtype=F32)


def _half_by_float(x: torch.Tensor) -> torch.Tensor:
    return aten._to_copy(aten._to_copy(x, dtype=F32), dtype=F16)


def _spelled(x: torch.Tensor) -> torch.Tensor:
    return aten.to(aten._to_copy(x, dtype=I64), I32)


NUMBERS = Exact.NAN_PAYLOAD


ROWS: tuple[Row, ...] = (
    row(
        124,
        "to a dtype that holds every value, and back",
        "core",
        _chain(F32, F64, F32, level=NUMBERS),
        _chain(F16, F32, F16, level=NUMBERS),
        _chain(BF16, F32, BF16, level=NUMBERS),
        _chain(F8, F16, F8, level=NUMBERS),
        _chain(F8_FN, BF16, F8_FN, level=NUMBERS),
        _chain(F8_FN, F32, F8_FN, level=NUMBERS),
        _chain(C64, C128, C64, level=NUMBERS),
        _chain(F32, C64, F32),
        ex("as _to_copy", _up_and_down, level=NUMBERS),
        _chain(F16, F64, F32, F16, level=NUMBERS),
        ex("a NaN's payload", _half_by_float, on=of(F16, 4, 6), stays="a NaN may change its payload"),
    ),
    row(
        125,
        "on through a dtype that holds every value",
        "core",
        _chain(F16, F32, F64, left=1, level=NUMBERS),
        _chain(F16, F32, BF16, left=1, level=NUMBERS),
        _chain(F8, F32, F16, left=1, level=NUMBERS),
        _chain(I8, I32, I64, left=1),
        _chain(I8, I16, F32, left=1),
        _chain(BOOL, I32, F32, left=1),
    ),
    row(
        126,
        "through a dtype that does not hold every value: nothing goes",
        "core",
        *(
            _chain(*dtypes, level=NUMBERS, stays=f"{_name(dtypes[1])} does not hold every {_name(dtypes[0])}")
            for dtypes in (
                (F32, F16, F32),
                (BF16, F16, BF16),
                (F16, BF16, F16),
                (F32, BF16, F16),
                (I32, F32, I32),
                (I64, I32, I64),
                (I64, F64, I64),
                (I32, U8, I32),
                (F8, F8_FN, F8),
                (F32, I64, F32),
                (I8, BOOL, I8),
            )
        ),
        _chain(F64, F32, F16, level=NUMBERS, stays="rounding twice is not rounding once"),
    ),
    row(
        127,
        "a whole number made wider and narrower",
        "core",
        _chain(I32, I64, I32),
        _chain(I8, I16, I8),
        _chain(U8, I16, U8),
        _chain(I8, I64, I32, I8),
        _chain(I8, U8, I8),
        _chain(I64, U64, I64),
        ex("as _to_copy and to", _spelled, on=of(I32, 4, 6), composite=True),
    ),
    row(
        128,
        "a bool as a number and back",
        "core",
        _chain(BOOL, I32, BOOL),
        _chain(BOOL, F32, BOOL),
        _chain(BOOL, U8, BOOL),
        _chain(BOOL, F8_FN, BOOL),
    ),
    row(
        129,
        "a whole number as a float that holds it, and back",
        "core",
        _chain(I16, F32, I16),
        _chain(I8, F32, I8),
        _chain(I32, F64, I32),
        _chain(I8, F16, I8),
        _chain(U8, BF16, U8),
    ),
    row(
        130,
        "to a dtype, and to it again",
        "core",
        _chain(F32, F16, F16, left=1),
        _chain(F32, I32, I32, left=1),
        _chain(F64, F16, F32, F16, left=1, level=NUMBERS),
    ),
    row(
        131,
        "bits read as another dtype of the same size, and back",
        "core",
        ex("float32", lambda x: aten.view.dtype(aten.view.dtype(x, I32), F32)),
        ex("bfloat16", lambda x: aten.view.dtype(aten.view.dtype(x, I16), BF16), on=of(BF16, 4, 6)),
        ex("uint8 of int8", lambda x: aten.view.dtype(aten.view.dtype(x, U8), I8), on=of(I8, 4, 6)),
        ex(
            "by two others",
            lambda x: aten.view.dtype(aten.view.dtype(aten.view.dtype(x, BF16), F16), I16),
            on=of(I16, 4, 6),
        ),
    ),
)
