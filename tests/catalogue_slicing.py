"""Rows of the catalogue: slice, narrow and select."""

from __future__ import annotations

import torch
from catalogue_row import Row, aten, ex, f32, row, write

TITLE = "Slices and selects"

MAX = 2**63 - 1


def joined(*tensors: torch.Tensor, dim: int = 1) -> torch.Tensor:
    return aten.cat(list(tensors), dim)


def _slice_beside_the_whole(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    whole = joined(x, y)
    return aten.slice(whole, 1, 0, x.shape[1]), whole


def _every_operand(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, ...]:
    whole, a, b = joined(x, y, z), x.shape[1], x.shape[1] + y.shape[1]
    return aten.slice(whole, 1, 0, a), aten.slice(whole, 1, a, b), aten.slice(whole, 1, b)


def _cropped(x: torch.Tensor) -> torch.Tensor:
    """Padded in two dims, and the padding cut off."""
    rows, columns = x.shape
    return aten.slice(aten.slice(padded(x, 1, 1, 2, 2), 0, 2, rows + 2), 1, 1, columns + 1)


def padded(x: torch.Tensor, *pads: int) -> torch.Tensor:
    return aten.constant_pad_nd(x, list(pads))


ROWS: tuple[Row, ...] = (
    row(
        41,
        "slice from 0 to the largest integer",
        "core",
        ex("first dim", lambda x: aten.slice(x, 0, 0, MAX)),
        ex("last dim", lambda x: aten.slice(x, -1, 0, MAX)),
        ex("with a step", lambda x: aten.slice(x, 1, 0, MAX, 1)),
        ex("keywords", lambda x: aten.slice.Tensor(x, dim=1, start=0, end=MAX)),
    ),
    row(
        42,
        "slice from 0 to the size",
        "core",
        ex("slice", lambda x: aten.slice(x, 0, 0, x.shape[0])),
        ex("narrow", lambda x: aten.narrow(x, 1, 0, x.shape[1])),
        ex("narrow, whole", lambda x: aten.narrow(x, 1, 0, x.shape[1]), composite=True),
        ex("the size of another value", lambda x, y: aten.slice(x, 0, 0, y.shape[0])),
        ex("no elements", lambda x: aten.slice(x, 0, 0, 0), on=f32(0, 6)),
    ),
    row(
        43,
        "slice beyond the size",
        "core",
        ex("by some", lambda x: aten.slice(x, 0, 0, x.shape[0] + 2)),
        ex("twice the size", lambda x: aten.slice(x, -1, 0, 2 * x.shape[1])),
        ex("a number", lambda x: aten.slice(x, 1, 0, 99), static_only="a symbol may be larger than 99"),
    ),
    row(
        44,
        "slice whose bounds are left out",
        "core",
        ex("all", aten.slice),
        ex("bounds", lambda x: aten.slice(x, 1)),
        ex("None", lambda x: aten.slice(x, 1, None, None)),
        ex("end", lambda x: aten.slice(x, -1, 0)),
        ex("end None, with a step", lambda x: aten.slice(x, 0, None, None, 1)),
    ),
    row(
        45,
        "slice from minus the size",
        "core",
        ex("exactly", lambda x: aten.slice(x, 0, -x.shape[0])),
        ex("to the largest integer", lambda x: aten.slice(x, 1, -x.shape[1], MAX)),
        ex("beyond", lambda x: aten.slice(x, -1, -x.shape[1] - 3, x.shape[1])),
        ex("a number", lambda x: aten.slice(x, 1, -6), static_only="a symbol may be larger than 6"),
    ),
    row(
        46,
        "strided slice of a unit dim",
        "core",
        ex("step 2", lambda x: aten.slice(x, 0, 0, MAX, 2), on=f32(1, 6)),
        ex("step 5 to 1", lambda x: aten.sum(aten.slice(x, -1, 0, 1, 5)), 1, on=f32(4, 1)),
        ex("step as large as the size", lambda x: aten.slice(x, 0, 0, 1, x.shape[1]), on=f32(1, 6)),
        ex("step 2 of more", lambda x: aten.slice(x, 1, 0, MAX, 2), 1, stays="every other element goes"),
    ),
    row(
        47,
        "slice of a slice is one slice",
        "compose",
        ex("starts", lambda x: aten.slice(aten.slice(x, 1, 1), 1, 1), 1),
        ex("steps", lambda x: aten.slice(aten.slice(x, 1, 0, MAX, 2), -1, 0, MAX, 2), 1),
        ex("start of steps", lambda x: aten.slice(aten.slice(x, 1, 0, MAX, 2), 1, 1), 1),
        ex("ends from the end", lambda x: aten.slice(aten.slice(x, 1, 0, -1), 1, 0, -1), 1, on=f32(4, 9)),
        ex("start and end", lambda x: aten.slice(aten.slice(x, 0, 1), 0, 0, -1), 1),
        ex(
            "with another dim between",
            lambda x: aten.slice(aten.slice(aten.slice(x, 0, 1), 1, 1), -2, 1),
            2,
        ),
        ex(
            "bounds beyond",
            lambda x: aten.slice(aten.slice(x, 1, 1, 99), 1, 2, 99),
            1,
            static_only="99 may be inside",
        ),
    ),
    row(
        48,
        "slice of a whole slice",
        "compose",
        ex("inner", lambda x: aten.slice(aten.slice(x, 1, 0, MAX), 1, 1), 1),
        ex("outer", lambda x: aten.slice(aten.slice(x, 1, 1), 1, 0, x.shape[1] - 1), 1),
        ex("both", lambda x: aten.slice(aten.slice(x, 1, 0, x.shape[1]), 0, -x.shape[0])),
    ),
    row(
        49,
        "slice of a cat that is one of its operands",
        "compose",
        ex("first", lambda x, y: aten.slice(joined(x, y), 1, 0, x.shape[1])),
        ex("last", lambda x, y: aten.slice(joined(x, y), 1, x.shape[1])),
        ex("first, of rows", lambda x, y: aten.slice(joined(x, y, dim=0), 0, 0, x.shape[0])),
        ex("last, of rows", lambda x, y: aten.slice(joined(x, y, dim=0), -2, x.shape[0])),
        ex("each of three", _every_operand, on=(f32(4, 6), f32(4, 3), f32(4, 5))),
        ex("dims counted differently", lambda x, y: aten.slice(joined(x, y, dim=-1), 1, x.shape[1], MAX)),
        ex("from the end", lambda x, y: aten.slice(joined(x, y), -1, -y.shape[1])),
        ex("the whole used elsewhere", _slice_beside_the_whole, 1),
        ex(
            "converted on the way",
            lambda x, y: aten.slice(joined(x, aten._to_copy(y, dtype=torch.float64)), 1, 0, x.shape[1]),
            3,
            stays="the cat makes float64 of the operand",
        ),
    ),
    row(
        50,
        "slice of a cat inside one operand, or over some of them",
        "compose",
        ex("inside the first", lambda x, y: aten.slice(joined(x, y), 1, 1, x.shape[1]), 1),
        ex("inside the last", lambda x, y: aten.slice(joined(x, y), 1, x.shape[1] + 1), 1),
        ex("inside the first, of rows", lambda x, y: aten.slice(joined(x, y, dim=0), 0, 1, x.shape[0]), 1),
        ex("some of three, of rows", lambda x, y, z: aten.slice(joined(x, y, z, dim=0), 0, x.shape[0]), 1),
        ex("some of three", lambda x, y, z: aten.slice(joined(x, y, z), 1, x.shape[1]), 1),
        ex("select", lambda x, y: aten.select(joined(x, y), 1, x.shape[1]), 1),
        ex("another dim", lambda x, y: aten.slice(aten.slice(joined(x, y), 0, 1), 1, 0, x.shape[1]), 1),
    ),
    row(
        51,
        "slice of a pad that is the source",
        "compose",
        ex("both sides", lambda x: aten.slice(padded(x, 2, 3), 1, 2, x.shape[1] + 2)),
        ex("rows", lambda x: aten.slice(padded(x, 0, 0, 2, 3), 0, 2, x.shape[0] + 2)),
        ex("after", lambda x: aten.slice(padded(x, 0, 2), -1, 0, x.shape[1])),
        ex("from the end", lambda x: aten.slice(padded(x, 2, 0), 1, -x.shape[1])),
        ex("two dims", _cropped),
        ex("to a multiple of 8", lambda x: aten.slice(padded(x, 0, -x.shape[1] % 8), 1, 0, x.shape[1])),
        ex("narrow", lambda x: aten.narrow(padded(x, 1, 1), 1, 1, x.shape[1]), composite=True),
    ),
    row(
        52,
        "slice of a pad inside the source, or with less padding",
        "compose",
        ex("inside", lambda x: aten.slice(padded(x, 2, 3), 1, 3, x.shape[1] + 1), 1),
        ex("inside, of rows", lambda x: aten.slice(padded(x, 0, 0, 2, 3), 0, 3, x.shape[0] + 1), 1),
        ex("less padding, of rows", lambda x: aten.slice(padded(x, 0, 0, 2, 3), 0, 1), 1),
        ex("less padding", lambda x: aten.slice(padded(x, 2, 3), 1, 1), 1),
        ex("padding on one side", lambda x: aten.slice(padded(x, 2, 3), 1, 2), 1),
        ex("select", lambda x: aten.select(padded(x, 2, 3), 1, 2), 1),
    ),
    row(
        54,
        "slice or select of a dim that was just added",
        "compose",
        ex("slice", lambda x: aten.slice(aten.unsqueeze(x, 0), 0, 0, 1), 1),
        ex("slice from the end", lambda x: aten.slice(aten.unsqueeze(x, 1), -2, -1), 1),
        ex("select", lambda x: aten.select(aten.unsqueeze(x, 1), -2, 0)),
        ex("slice and squeeze", lambda x: aten.squeeze.dim(aten.slice(aten.unsqueeze(x, 0), 0, 0, 1), 0)),
    ),
    row(
        55,
        "select of the only element of a dim that was just added",
        "compose",
        ex("0", lambda x: aten.select(aten.unsqueeze(x, 1), 1, 0)),
        ex("-1", lambda x: aten.select(aten.unsqueeze(x, 0), 0, -1)),
        ex("dims counted differently", lambda x: aten.select(aten.unsqueeze(x, -1), 2, 0)),
    ),
    row(
        56,
        "select of a unit dim, and the dim added again",
        "compose",
        ex("0", lambda x: aten.unsqueeze(aten.select(x, 0, 0), 0), on=f32(1, 6)),
        ex("-1", lambda x: aten.unsqueeze(aten.select(x, -1, -1), 1), on=f32(4, 1)),
        ex("and a reshape", lambda x: aten.view(aten.select(x, 1, 0), x.shape), on=f32(4, 1, 6)),
        ex("twice", lambda x: aten.select(aten.select(x, 0, 0), 0, 0), 1, on=f32(1, 1, 6)),
    ),
    row(
        58,
        "slice of what was just written",
        "compose",
        ex(
            "same bounds",
            lambda x, y: aten.slice(write(x, y, 1, 1, MAX), 1, 1, MAX),
            on=(f32(4, 6), f32(4, 5)),
        ),
        ex(
            "rows",
            lambda x, y: aten.slice(write(x, y, 0, 1), 0, 1, MAX),
            on=(f32(4, 6), f32(3, 6)),
        ),
        ex(
            "other words for them",
            lambda x, y: aten.slice(write(x, y, 1, 1), -1, -y.shape[1]),
            on=(f32(4, 6), f32(4, 5)),
        ),
        ex(
            "numbers",
            lambda x, y: aten.slice(write(x, y, 1, 1, 3), 1, 1, 3),
            on=(f32(4, 6), f32(4, 2)),
        ),
        ex(
            "with a step",
            lambda x, y: aten.slice(write(x, y, 1, 0, MAX, 2), 1, 0, MAX, 2),
            on=(f32(4, 6), f32(4, 3)),
        ),
        ex(
            "select",
            lambda x, y: aten.select(aten.select_scatter(x, y, 0, 1), 0, 1),
            on=(f32(4, 6), f32(6)),
        ),
    ),
    row(
        59,
        "slice beside what was just written",
        "compose",
        ex(
            "after",
            lambda x, y: aten.slice(write(x, y, 1, 0, 2), 1, 2),
            1,
            on=(f32(4, 6), f32(4, 2)),
        ),
        ex(
            "rows after",
            lambda x, y: aten.slice(write(x, y, 0, 0, 2), 0, 2),
            1,
            on=(f32(5, 6), f32(2, 6)),
        ),
        ex(
            "before",
            lambda x, y: aten.slice(write(x, y, 1, 2), 1, 0, 2),
            1,
            on=(f32(4, 7), f32(4, 5)),
        ),
        ex(
            "select",
            lambda x, y: aten.select(aten.select_scatter(x, y, 0, 1), 0, 0),
            1,
            on=(f32(4, 6), f32(6)),
        ),
    ),
    row(
        60,
        "what has no elements need not be computed",
        "core",
        ex("slice", lambda x: aten.slice(aten.exp(aten.sin(x)), 1, 2, 2), 1),
        ex("cat of two", lambda x, y: joined(aten.slice(x, 1, 0, 0), aten.slice(y, 1, 0, 0)), 1),
        ex("pad of none", lambda x: padded(aten.exp(aten.slice(x, 1, 0, 0)), 0, 0, 1, 1), 1),
    ),
    row(
        62,
        "slice of a flip, flip of a slice",
        "compose",
        ex("between two flips", lambda x: aten.flip(aten.slice(aten.flip(x, [1]), 1, 1), [1]), 1),
        ex("of another dim", lambda x: aten.flip(aten.slice(aten.flip(x, [0]), 1, 1), [-2]), 1),
        ex("select", lambda x: aten.select(aten.flip(x, [0]), 0, 0), 1),
        ex("one element", lambda x: aten.slice(aten.flip(x, [1]), 1, 0, 1), 1),
    ),
)
