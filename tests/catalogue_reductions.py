"""Rows of the catalogue: reductions over dims of size one, and geometry that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from catalogue_row import Example, Row, aten, ex, f32, of, row

from noopelim import Exact

TITLE = "Reductions of one element, geometry that is there"

COLUMN, LONGS, INTS = f32(4, 1), of(torch.int64, 4, 1), of(torch.int32, 4, 1)
BOOLS = of(torch.bool, 4, 1)
ZEROS_CHANGE, NANS_CHANGE = Exact.VALUES, Exact.NAN_PAYLOAD


def _column(
    name: str,
    function: Callable[..., Any],
    level: Exact = Exact.BITS,
    *,
    on: torch.Tensor = COLUMN,
    left: int = 0,
) -> Example:
    return ex(name, function, left, on=on, level=level)


ROWS: tuple[Row, ...] = (
    row(
        165,
        "sum over unit dims that keeps them",
        "core",
        _column("floats", lambda x: aten.sum(x, [1], True), ZEROS_CHANGE),
        _column("from the end", lambda x: aten.sum(x, [-1], True), ZEROS_CHANGE),
        _column("dtype given", lambda x: aten.sum(x, [1], True, dtype=torch.float32), ZEROS_CHANGE),
        _column("int64", lambda x: aten.sum(x, [1], True), on=LONGS),
        ex("two dims", lambda x: aten.sum(x, [0, -1], True), on=of(torch.int64, 1, 6, 1)),
        ex("int32", lambda x: aten.sum(x, [1], True), on=INTS, stays="the result is int64"),
        ex("floats, to the bit", lambda x: aten.sum(x, [1], True), on=COLUMN, stays="-0.0 becomes +0.0"),
    ),
    row(
        166,
        "reduction over unit dims that drops them",
        "core",
        _column("sum, unsqueeze", lambda x: aten.unsqueeze(aten.sum(x, [1]), 1), ZEROS_CHANGE),
        _column("mean, reshape", lambda x: aten.view(aten.mean(x, [1]), x.shape), ZEROS_CHANGE),
        _column("int64", lambda x: aten.unsqueeze(aten.sum(x, [-1]), -1), on=LONGS),
        _column("prod", lambda x: aten.unsqueeze(aten.prod(x, 1), 1), on=LONGS),
        _column("amax", lambda x: aten.unsqueeze(aten.amax(x, [1]), 1), on=LONGS),
        ex("of an unsqueeze", lambda x: aten.sum(aten.unsqueeze(x, 0), [0]), on=of(torch.int64, 4, 6)),
    ),
    row(
        167,
        "sum over an empty list, which means all dims",
        "core",
        ex("unit dims, kept", lambda x: aten.sum(x, [], True), on=of(torch.int64, 1, 1)),
        ex("unit dims, reshaped", lambda x: aten.view(aten.sum(x, []), (1, 1)), on=of(torch.int64, 1, 1)),
        ex("no dims", lambda x: aten.sum(x, []), on=of(torch.int64)),
        ex("others", lambda x: aten.sum(x, [], True), stays="all dims are summed, not none"),
    ),
    row(
        168,
        "mean over unit dims",
        "core",
        _column("kept", lambda x: aten.mean(x, [1], True), ZEROS_CHANGE),
        _column("from the end", lambda x: aten.mean(x, [-1], True), ZEROS_CHANGE),
        _column("dtype given", lambda x: aten.mean(x, [1], True, dtype=torch.float32), ZEROS_CHANGE),
        ex("two dims", lambda x: aten.mean(x, [0, 2], True), on=f32(1, 6, 1), level=ZEROS_CHANGE),
        ex("floats, to the bit", lambda x: aten.mean(x, [1], True), on=COLUMN, stays="-0.0 becomes +0.0"),
    ),
    row(
        169,
        "maximum and minimum over unit dims",
        "core",
        _column("amax", lambda x: aten.amax(x, [1], True), NANS_CHANGE),
        _column("amin", lambda x: aten.amin(x, [-1], True), NANS_CHANGE),
        _column("amax of whole numbers", lambda x: aten.amax(x, [1], True), on=INTS),
        _column("max", lambda x: aten.max.dim(x, 1, True)[0], NANS_CHANGE),
        _column("min of whole numbers", lambda x: aten.min.dim(x, 1, True)[0], on=INTS),
        _column("median", lambda x: aten.median.dim(x, 1, True)[0], on=INTS),
    ),
    row(
        170,
        "product, any, all, logsumexp and norm over unit dims",
        "core",
        _column("prod", lambda x: aten.prod.dim_int(x, 1, True), NANS_CHANGE),
        _column("prod of int64", lambda x: aten.prod.dim_int(x, -1, True), on=LONGS),
        _column("any", lambda x: aten.any.dim(x, 1, True), on=BOOLS),
        _column("all", lambda x: aten.all.dim(x, 1, True), on=BOOLS),
        _column("any of dims", lambda x: aten.any.dims(x, [1], True), on=BOOLS),
        _column("logsumexp", lambda x: aten.logsumexp(x, [1], True), ZEROS_CHANGE),
        ex(
            "norm",
            lambda x: aten.linalg_vector_norm(x, 2, [1], True),
            on=COLUMN,
            stays="the norm of one number is its absolute value, one call for one",
        ),
        ex("any of numbers", lambda x: aten.any.dim(x, 1, True), on=INTS, stays="the result is bool"),
    ),
    row(
        171,
        "running sums and products over unit dims",
        "core",
        _column("cumsum", lambda x: aten.cumsum(x, 1), ZEROS_CHANGE),
        _column("cumsum of int64", lambda x: aten.cumsum(x, -1), on=LONGS),
        _column("cumprod", lambda x: aten.cumprod(x, 1), NANS_CHANGE),
        _column("cummax", lambda x: aten.cummax(x, 1)[0], on=LONGS),
        _column("cummin", lambda x: aten.cummin(x, 1)[0], NANS_CHANGE),
        _column("logcumsumexp", lambda x: aten.logcumsumexp(x, 1), ZEROS_CHANGE),
        ex("cumsum of int32", lambda x: aten.cumsum(x, 1), on=INTS, stays="the result is int64"),
    ),
    row(
        174,
        "a reduction and an unsqueeze is one that keeps dims, and the reverse",
        "compose",
        ex("sum, unsqueeze", lambda x: aten.unsqueeze(aten.sum(x, [1]), 1), 1),
        ex("mean, unsqueeze", lambda x: aten.unsqueeze(aten.mean(x, [-1]), -1), 1),
        ex("amax, unsqueeze", lambda x: aten.unsqueeze(aten.amax(x, [0]), 0), 1),
        ex("sum that keeps, squeeze", lambda x: aten.squeeze.dim(aten.sum(x, [1], True), 1), 1),
        ex("unsqueeze, sum of both", lambda x: aten.sum(aten.unsqueeze(x, 0), [0, 2]), 1),
        ex("sum that keeps, reshape", lambda x: aten.view(aten.sum(x, [1], True), (x.shape[0],)), 1),
    ),
    row(
        180,
        "as_strided to the geometry that is there",
        "core",
        ex("offset", lambda x: aten.as_strided(x, x.shape, x.stride(), 0)),
        ex("offset left out", lambda x: aten.as_strided(x, x.shape, x.stride())),
        ex("of a transpose", lambda x: aten.as_strided(aten.t(x), x.shape[::-1], x.stride()[::-1]), 1),
        ex("sizes", lambda x: aten.as_strided(x, (x.shape[0], x.shape[1]), (x.shape[1], 1), 0)),
    ),
    row(
        182,
        "one window",
        "core",
        ex("and a squeeze", lambda x: aten.squeeze.dim(aten.unfold(x, 1, x.shape[1], 1), 1)),
        ex("and a select", lambda x: aten.select(aten.unfold(x, -1, x.shape[1], 3), 1, 0)),
        ex("and a reshape", lambda x: aten.view(aten.unfold(x, 1, x.shape[1], 1), x.shape)),
    ),
    row(
        183,
        "triu and tril that keep everything",
        "core",
        ex("triu", lambda x: aten.triu(x, -x.shape[0])),
        ex("triu, just", lambda x: aten.triu(x, 1 - x.shape[0])),
        ex("tril", lambda x: aten.tril(x, x.shape[1])),
        ex("tril, just", lambda x: aten.tril(x, x.shape[1] - 1)),
        ex("triu by numbers", lambda x: aten.triu(x, -7), static_only="there may be more than 7 rows"),
        ex("of one row", aten.triu, on=f32(1, 6)),
        ex("of one column", aten.tril, on=f32(6, 1)),
    ),
    row(
        186,
        "flatten of what is flat, dims that are there",
        "core",
        ex("flatten", aten.flatten, on=f32(6), composite=True),
        ex("flatten of one dim", lambda x: aten.flatten(x, 1, 1), composite=True),
        ex("unflatten to one", lambda x: aten.unflatten(x, 1, [x.shape[1]]), composite=True),
        ex("ravel", aten.ravel, on=f32(6), composite=True),
        ex("atleast_1d", aten.atleast_1d, composite=True),
        ex("atleast_2d", aten.atleast_2d, composite=True),
        ex("atleast_3d", aten.atleast_3d, on=f32(2, 4, 6), composite=True),
        ex("after another", lambda x: aten.flatten(aten.flatten(x)), 1, composite=True),
    ),
)
