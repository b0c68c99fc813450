"""Rows of the catalogue: arithmetic with a neutral operand."""

from __future__ import annotations

import math

import torch
from catalogue_row import Row, aten, ex, of, row

from noopelim import Exact

TITLE = "Arithmetic with a neutral operand"

INTS, HALVES, BRAIN = of(torch.int32, 4, 6), of(torch.float16, 4, 6), of(torch.bfloat16, 4, 6)
LONGS = of(torch.int64, 4, 6)
ZEROS_CHANGE, NANS_CHANGE = Exact.VALUES, Exact.NAN_PAYLOAD


def ones(x: torch.Tensor) -> torch.Tensor:
    return aten.full(x.shape, 1, dtype=x.dtype)


ROWS: tuple[Row, ...] = (
    row(
        134,
        "times 1",
        "core",
        ex("1", lambda x: aten.mul(x, 1)),
        ex("1.0", lambda x: aten.mul(x, 1.0)),
        ex("Scalar", lambda x: aten.mul.Scalar(x, 1)),
        ex("whole numbers", lambda x: aten.mul(x, 1), on=INTS),
        ex("halves", lambda x: aten.mul(x, 1.0), on=HALVES, level=NANS_CHANGE),
        ex("bfloat16", lambda x: aten.mul(x, 1.0), on=BRAIN, level=NANS_CHANGE),
        ex("whole numbers times 1.0", lambda x: aten.mul(x, 1.0), on=INTS, stays="the result is float32"),
    ),
    row(
        135,
        "times ones",
        "core",
        ex("full", lambda x: aten.mul(x, ones(x))),
        ex("first", lambda x: aten.mul(ones(x), x)),
        ex("ones", lambda x: aten.mul(x, aten.ones(x.shape))),
        ex("one of no dims", lambda x: aten.mul(x, aten.full((), 1.0))),
        ex("one row", lambda x: aten.mul(x, aten.ones((1, x.shape[1])))),
        ex("expanded", lambda x: aten.mul(x, aten.expand(aten.ones((1, 1)), x.shape))),
        ex("converted", lambda x: aten.mul(x, aten._to_copy(aten.ones(x.shape), dtype=torch.int32)), on=INTS),
    ),
    row(
        136,
        "times ones_like",
        "core",
        ex("itself", lambda x: aten.mul(x, aten.ones_like(x))),
        ex("another", lambda x, y: aten.mul(x, aten.ones_like(y))),
        ex("first", lambda x, y: aten.mul(aten.ones_like(y), x)),
        ex("new_ones", lambda x, y: aten.mul(x, aten.new_ones(y, x.shape))),
        ex("full_like", lambda x: aten.mul(x, aten.full_like(x, 1))),
    ),
    row(
        137,
        "plus 0",
        "core",
        ex("whole numbers", lambda x: aten.add(x, 0), on=INTS),
        ex("whole numbers, Scalar", lambda x: aten.add.Scalar(x, 0), on=LONGS),
        ex("alpha", lambda x: aten.add(x, 0, alpha=3), on=INTS),
        ex("-0.0", lambda x: aten.add(x, -0.0)),
        ex("0.0", lambda x: aten.add(x, 0.0), level=ZEROS_CHANGE),
        ex("0", lambda x: aten.add(x, 0), level=ZEROS_CHANGE),
        ex("0.0, to the bit", lambda x: aten.add(x, 0.0), stays="-0.0 becomes +0.0"),
        ex("whole numbers plus 0.0", lambda x: aten.add(x, 0.0), on=INTS, stays="the result is float32"),
    ),
    row(
        138,
        "plus zeros",
        "core",
        ex("whole numbers", lambda x: aten.add(x, aten.zeros_like(x)), on=INTS),
        ex("first", lambda x: aten.add(aten.full(x.shape, 0, dtype=torch.int32), x), on=INTS),
        ex("floats", lambda x: aten.add(x, aten.zeros(x.shape)), level=ZEROS_CHANGE),
        ex("floats, first", lambda x: aten.add(aten.zeros_like(x), x), level=ZEROS_CHANGE),
        ex("floats, to the bit", lambda x: aten.add(x, aten.zeros_like(x)), stays="-0.0 becomes +0.0"),
    ),
    row(
        140,
        "minus 0",
        "core",
        ex("whole numbers", lambda x: aten.sub(x, 0), on=INTS),
        ex("floats", lambda x: aten.sub(x, 0.0)),
        ex("Scalar", lambda x: aten.sub.Scalar(x, 0)),
        ex("zeros", lambda x: aten.sub(x, aten.zeros_like(x))),
        ex("alpha", lambda x: aten.sub(x, 0, alpha=2), on=INTS),
        ex("-0.0", lambda x: aten.sub(x, -0.0), stays="-0.0 minus -0.0 is +0.0"),
    ),
    row(
        141,
        "divided by 1",
        "core",
        ex("1", lambda x: aten.div(x, 1)),
        ex("1.0", lambda x: aten.div(x, 1.0)),
        ex("Scalar", lambda x: aten.div.Scalar(x, 1)),
        ex("ones", lambda x: aten.div(x, aten.ones_like(x))),
        ex("whole numbers", lambda x: aten.div(x, 1), on=INTS, stays="the result is float32"),
    ),
    row(
        142,
        "whole numbers divided by 1 and rounded",
        "core",
        ex("floor", lambda x: aten.div.Tensor_mode(x, 1, rounding_mode="floor"), on=INTS),
        ex("trunc", lambda x: aten.div.Tensor_mode(x, 1, rounding_mode="trunc"), on=LONGS),
        ex("floor_divide", lambda x: aten.floor_divide(x, 1), on=INTS),
        ex("ones", lambda x: aten.floor_divide(x, aten.ones_like(x)), on=INTS),
    ),
    row(
        143,
        "to the power of 1",
        "core",
        ex("1", lambda x: aten.pow.Tensor_Scalar(x, 1)),
        ex("1.0", lambda x: aten.pow.Tensor_Scalar(x, 1.0)),
        ex("whole numbers", lambda x: aten.pow.Tensor_Scalar(x, 1), on=INTS),
        ex("ones", lambda x: aten.pow.Tensor_Tensor(x, aten.ones_like(x)), on=INTS),
    ),
    row(
        145,
        "minus minus",
        "core",
        ex("floats", lambda x: aten.neg(aten.neg(x))),
        ex("whole numbers", lambda x: aten.neg(aten.neg(x)), on=INTS),
        ex("four times", lambda x: aten.neg(aten.neg(aten.neg(aten.neg(x))))),
        ex("three times", lambda x: aten.neg(aten.neg(aten.neg(x))), 1),
    ),
    row(
        163,
        "dropout that drops nothing",
        "core",
        ex("inference", lambda x: aten.dropout(x, 0.5, False), composite=True, truthful=False),
        ex("inference, native", lambda x: aten.native_dropout(x, 0.5, False)[0], truthful=False),
        ex("p of 0", lambda x: aten.dropout(x, 0.0, True), composite=True, truthful=False),
        ex("p of 0, native", lambda x: aten.native_dropout(x, 0.0, True)[0], truthful=False),
        ex("feature dropout", lambda x: aten.feature_dropout(x, 0.5, False), composite=True),
        ex("alpha dropout", lambda x: aten.alpha_dropout(x, 0.5, False), composite=True),
    ),
    row(
        148,
        "clamp to all there is",
        "core",
        ex("infinities", lambda x: aten.clamp(x, -math.inf, math.inf)),
        ex("one infinity", lambda x: aten.clamp(x, None, math.inf)),
        ex("clamp_min", lambda x: aten.clamp_min(x, -math.inf)),
        ex("clamp_max", lambda x: aten.clamp_max(x, math.inf)),
        ex("whole numbers", lambda x: aten.clamp(x, -(2**31), 2**31 - 1), on=INTS),
        ex("unsigned", lambda x: aten.clamp(x, 0, 255), on=of(torch.uint8, 4, 6)),
        ex("from 0, unsigned", lambda x: aten.clamp_min(x, 0), on=of(torch.uint8, 4, 6)),
    ),
    row(
        149,
        "clamp of a clamp",
        "core",
        ex("the same", lambda x: aten.clamp(aten.clamp(x, 0, 6), 0, 6), 1),
        ex("a smaller one", lambda x: aten.clamp(aten.clamp(x, -1, 6), 0, 3), 1),
        ex("a larger one", lambda x: aten.clamp(aten.clamp(x, 0, 3), -1, 6), 1),
        ex("one bound each", lambda x: aten.clamp_max(aten.clamp_min(x, 0), 6), 1),
        ex("whole numbers", lambda x: aten.clamp(aten.clamp(x, -5, 5), -3, None), 1, on=INTS),
        ex("hardtanh", lambda x: aten.hardtanh(aten.hardtanh(x, 0.0, 6.0), 0.0, 6.0), 1),
    ),
)
