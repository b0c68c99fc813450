"""Rows of the catalogue: operations done already, bits, logic and choice."""

from __future__ import annotations

import torch
from catalogue_row import Row, aten, ex, f32, of, row

from noopelim import Exact

TITLE = "Done already; bits, logic and choice"

INTS, LONGS, BYTES = of(torch.int32, 4, 6), of(torch.int64, 4, 6), of(torch.uint8, 4, 6)
BOOLS, FLOATS = of(torch.bool, 4, 6), f32(4, 6)
NANS_CHANGE = Exact.NAN_PAYLOAD


def _all(x: torch.Tensor, value: bool) -> torch.Tensor:
    return aten.full(x.shape, value, dtype=torch.bool)


ROWS: tuple[Row, ...] = (
    row(
        144,
        "whole numbers rounded",
        "core",
        ex("ceil", aten.ceil, on=INTS),
        ex("floor", aten.floor, on=LONGS),
        ex("round", aten.round, on=INTS),
        ex("trunc", aten.trunc, on=BYTES),
        ex("fix", aten.fix, on=INTS, composite=True),
        ex("floor of floats", aten.floor, stays="floats have fractions"),
    ),
    row(
        146,
        "abs of what is not negative",
        "core",
        ex("abs", lambda x: aten.abs(aten.abs(x)), 1),
        ex("abs of whole numbers", lambda x: aten.abs(aten.abs(x)), 1, on=INTS),
        ex("unsigned", aten.abs, on=BYTES),
        ex("three", lambda x: aten.abs(aten.abs(aten.abs(x))), 1),
        ex("of minus", lambda x: aten.abs(aten.neg(x)), 1),
        ex("exp", lambda x: aten.abs(aten.exp(x)), 1, level=NANS_CHANGE),
    ),
    row(
        147,
        "relu of what is not negative",
        "core",
        ex("relu", lambda x: aten.relu(aten.relu(x)), 1),
        ex("clamp_min", lambda x: aten.clamp_min(aten.clamp_min(x, 0), 0), 1),
        ex("relu, clamp_min", lambda x: aten.relu(aten.clamp_min(x, 0)), 1),
        ex("whole numbers", lambda x: aten.relu(aten.relu(x)), 1, on=INTS),
        ex("unsigned", aten.relu, on=BYTES),
        ex("abs", lambda x: aten.relu(aten.abs(x)), 1),
    ),
    row(
        150,
        "rounded twice, sign of sign",
        "core",
        ex("floor", lambda x: aten.floor(aten.floor(x)), 1),
        ex("ceil", lambda x: aten.ceil(aten.ceil(x)), 1),
        ex("round", lambda x: aten.round(aten.round(x)), 1),
        ex("trunc", lambda x: aten.trunc(aten.trunc(x)), 1),
        ex("sign", lambda x: aten.sign(aten.sign(x)), 1),
        ex("ceil of floor", lambda x: aten.ceil(aten.floor(x)), 1),
        ex("sign of whole numbers", lambda x: aten.sign(aten.sign(x)), 1, on=INTS),
    ),
    row(
        151,
        "not not",
        "core",
        ex("bits", lambda x: aten.bitwise_not(aten.bitwise_not(x)), on=INTS),
        ex("bits of bools", lambda x: aten.bitwise_not(aten.bitwise_not(x)), on=BOOLS),
        ex("logic of bools", lambda x: aten.logical_not(aten.logical_not(x)), on=BOOLS),
        ex("logic of three", lambda x: aten.logical_not(aten.logical_not(aten.logical_not(x))), 1),
        ex(
            "logic of numbers",
            lambda x: aten.logical_not(aten.logical_not(x)),
            on=INTS,
            stays="the result is bool",
        ),
    ),
    row(
        152,
        "bits with a neutral operand",
        "core",
        ex("and -1", lambda x: aten.bitwise_and(x, -1), on=INTS),
        ex("and True", lambda x: aten.bitwise_and(x, True), on=BOOLS),
        ex("and all True", lambda x: aten.bitwise_and(x, _all(x, True)), on=BOOLS),
        ex("all True and", lambda x: aten.bitwise_and(_all(x, True), x), on=BOOLS),
        ex("and all of -1", lambda x: aten.bitwise_and(x, aten.full_like(x, -1)), on=LONGS),
        ex("or 0", lambda x: aten.bitwise_or(x, 0), on=INTS),
        ex("or zeros", lambda x: aten.bitwise_or(x, aten.zeros_like(x)), on=INTS),
        ex("xor 0", lambda x: aten.bitwise_xor(x, 0), on=INTS),
        ex("xor False", lambda x: aten.bitwise_xor(x, _all(x, False)), on=BOOLS),
        ex("shifted left by 0", lambda x: aten.bitwise_left_shift(x, 0), on=INTS),
        ex("shifted right by 0", lambda x: aten.bitwise_right_shift(x, 0), on=INTS),
        ex("__lshift__ by 0", lambda x: aten.__lshift__(x, 0), on=INTS),
        ex("__and__ -1", lambda x: aten.__and__(x, -1), on=INTS, composite=True),
    ),
    row(
        153,
        "a value with itself",
        "core",
        ex("and", lambda x: aten.bitwise_and(x, x), on=INTS),
        ex("or", lambda x: aten.bitwise_or(x, x), on=BOOLS),
        ex("maximum", lambda x: aten.maximum(x, x), on=INTS),
        ex("minimum", lambda x: aten.minimum(x, x), on=LONGS),
        ex("maximum of floats", lambda x: aten.maximum(x, x), level=NANS_CHANGE),
        ex("minimum of floats", lambda x: aten.minimum(x, x), level=NANS_CHANGE),
        ex("fmax", lambda x: aten.fmax(x, x), on=INTS),
        ex("logical_and", lambda x: aten.logical_and(x, x), on=BOOLS),
    ),
    row(
        154,
        "logic with a neutral operand",
        "core",
        ex("and True", lambda x: aten.logical_and(x, _all(x, True)), on=BOOLS),
        ex("True and", lambda x: aten.logical_and(_all(x, True), x), on=BOOLS),
        ex("or False", lambda x: aten.logical_or(x, aten.zeros_like(x)), on=BOOLS),
        ex("xor False", lambda x: aten.logical_xor(x, _all(x, False)), on=BOOLS),
        ex(
            "and of numbers",
            lambda x: aten.logical_and(x, _all(x, True)),
            on=INTS,
            stays="the result is bool",
        ),
    ),
    row(
        155,
        "a choice that is made",
        "core",
        ex("True", lambda x, y: aten.where(_all(x, True), x, y)),
        ex("False", lambda x, y: aten.where(_all(x, False), x, y)),
        ex("True of no dims", lambda x, y: aten.where(aten.full((), True, dtype=torch.bool), x, y)),
        ex("ones", lambda x, y: aten.where(aten.ones(x.shape, dtype=torch.bool), x, y)),
        ex("True, and a number", lambda x: aten.where.ScalarOther(_all(x, True), x, 0.0)),
        ex(
            "False, promoted",
            lambda x, y: aten.where(_all(x, False), x, y),
            on=(of(torch.float64, 4, 6), FLOATS),
            stays="the result is float64",
        ),
    ),
    row(
        156,
        "a choice between a value and itself",
        "core",
        ex("whole condition", lambda c, x: aten.where(c, x, x), on=(BOOLS, FLOATS)),
        ex("one row", lambda c, x: aten.where(c, x, x), on=(of(torch.bool, 6), FLOATS)),
        ex(
            "a larger condition",
            lambda c, x: aten.where(c, x, x),
            on=(of(torch.bool, 2, 4, 6), FLOATS),
            stays="the condition broadcasts the value",
        ),
        ex("equal values", lambda c, x: aten.where(c, aten.exp(x), aten.exp(x)), 1, on=(BOOLS, FLOATS)),
    ),
    row(
        158,
        "filled nowhere",
        "core",
        ex("zeros", lambda x: aten.masked_fill(x, aten.zeros(x.shape, dtype=torch.bool), 5.0)),
        ex("full", lambda x: aten.masked_fill(x, _all(x, False), 5.0)),
        ex("of no dims", lambda x: aten.masked_fill(x, aten.full((), False, dtype=torch.bool), 5.0)),
        ex("a tensor", lambda x, v: aten.masked_fill(x, _all(x, False), v), on=(FLOATS, f32())),
    ),
    row(
        159,
        "the real part or conjugate of a real value",
        "core",
        ex("real", aten.real, composite=True),
        ex("conj", aten.conj, composite=True),
        ex("conj_physical", aten.conj_physical, composite=True),
        ex("conj_physical of whole numbers", aten.conj_physical, on=INTS, composite=True),
        ex("resolve_conj", aten.resolve_conj, on=INTS, composite=True),
    ),
    row(
        160,
        "NaN replaced where there is none",
        "core",
        ex("int32", aten.nan_to_num, on=INTS),
        ex("bool", lambda x: aten.nan_to_num(x, 1.0, 2.0), on=BOOLS),
        ex("twice", lambda x: aten.nan_to_num(aten.nan_to_num(x)), 1),
    ),
)
