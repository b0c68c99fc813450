"""Rows of the catalogue: pads, flips, rolls, rot90."""

from __future__ import annotations

import torch
from catalogue_row import Row, aten, ex, f32, row
from catalogue_slicing import joined, padded

TITLE = "Pads, flips and rolls"


def _rolled_by_hand_and_back(x: torch.Tensor) -> torch.Tensor:
    rolled = joined(aten.slice(x, 1, 2), aten.slice(x, 1, 0, 2))
    return joined(aten.slice(rolled, 1, -2), aten.slice(rolled, 1, 0, -2))


def _two_dims_in_turn(x: torch.Tensor) -> torch.Tensor:
    wide = aten.slice(padded(x, 1, 1), 1, 1, x.shape[1] + 1)
    return aten.slice(padded(wide, 0, 0, 1, 1), 0, 1, x.shape[0] + 1)


ROWS: tuple[Row, ...] = (
    row(
        98,
        "pad by zero",
        "core",
        ex("one dim", lambda x: padded(x, 0, 0)),
        ex("two dims, another fill", lambda x: aten.constant_pad_nd(x, [0, 0, 0, 0], 1.5)),
        ex("difference of sizes", lambda x, y: padded(x, 0, y.shape[1] - x.shape[1])),
        ex("no dims", padded),
        ex("pad", lambda x: aten.pad(x, [0, 0]), composite=True),
    ),
    row(
        99,
        "pad of a pad is one pad",
        "compose",
        ex("one dim", lambda x: padded(padded(x, 1, 2), 3, 4), 1),
        ex("two dims", lambda x: padded(padded(x, 1, 1), 0, 0, 2, 2), 1),
        ex("symbolic", lambda x, y: padded(padded(x, 0, y.shape[0]), y.shape[1], 0), 1),
        ex(
            "other fill",
            lambda x: padded(aten.constant_pad_nd(x, [1, 1], 1.5), 1, 1),
            stays="the two fills differ",
        ),
        ex("cropped before", lambda x: padded(padded(x, -1, 0), 1, 0), stays="the first column becomes zero"),
    ),
    row(
        100,
        "pads of different dims, with slices between",
        "compose",
        ex("each cut off again", _two_dims_in_turn),
        ex(
            "slice between",
            lambda x: padded(aten.slice(padded(x, 1, 1), 0, 1), 0, 0, 0, 1),
            2,
        ),
    ),
    row(
        101,
        "a pad by less than nothing is a slice",
        "compose",
        ex("pad and back", lambda x: padded(padded(x, 2, 2), -2, -2)),
        ex("pad and back at one end", lambda x: padded(padded(x, 0, x.shape[0]), 0, -x.shape[0])),
        ex("less of it back", lambda x: padded(padded(x, 2, 2), -1, -2), 1),
        ex("and a slice", lambda x: aten.slice(padded(x, -1, 0), 1, 1), 1),
    ),
    row(
        102,
        "reflection, replication or circular pad by zero",
        "core",
        ex("reflection 1d", lambda x: aten.reflection_pad1d(x, [0, 0])),
        ex("reflection 2d", lambda x: aten.reflection_pad2d(x, [0, 0, 0, 0]), on=f32(2, 4, 6)),
        ex("reflection 3d", lambda x: aten.reflection_pad3d(x, [0] * 6), on=f32(2, 3, 4, 6)),
        ex("replication 1d", lambda x: aten.replication_pad1d(x, [0, 0])),
        ex("replication 2d", lambda x: aten.replication_pad2d(x, [0, 0, 0, 0]), on=f32(2, 4, 6)),
        ex("replication 3d", lambda x: aten.replication_pad3d(x, [0] * 6), on=f32(2, 3, 4, 6)),
        ex("circular", lambda x: aten._pad_circular(x, [0, 0]), composite=True),
        ex("pad", lambda x: aten.pad(x, [0, 0], "reflect"), composite=True),
    ),
    row(
        104,
        "flip of no dims",
        "core",
        ex("list", lambda x: aten.flip(x, [])),
        ex("no dims", lambda x: aten.flip(x, []), on=f32()),
    ),
    row(
        105,
        "flip of a flip",
        "compose",
        ex("same dim", lambda x: aten.flip(aten.flip(x, [1]), [1])),
        ex("dims counted differently", lambda x: aten.flip(aten.flip(x, [1]), [-1])),
        ex("two at once, one by one", lambda x: aten.flip(aten.flip(aten.flip(x, [0, 1]), [0]), [1])),
        ex("different dims", lambda x: aten.flip(aten.flip(x, [0]), [1]), 1),
        ex("one in common", lambda x: aten.flip(aten.flip(x, [0, 1]), [-1]), 1),
        ex("fliplr, flipud", lambda x: aten.fliplr(aten.flipud(aten.fliplr(x))), 1, composite=True),
    ),
    row(
        106,
        "flip of a unit dim",
        "compose",
        ex("dim", lambda x: aten.flip(x, [0]), on=f32(1, 6)),
        ex("from the end", lambda x: aten.flip(x, [-1]), on=f32(4, 1)),
        ex("both", lambda x: aten.flip(x, [0, 1]), on=f32(1, 1)),
        ex("all but a unit dim back", lambda x: aten.flip(aten.flip(x, [0, 1]), [1]), on=f32(1, 6)),
    ),
    row(
        107,
        "roll by nothing or all the way round",
        "core",
        ex("0", lambda x: aten.roll(x, [0], [1])),
        ex("the size", lambda x: aten.roll(x, [x.shape[1]], [1])),
        ex("twice the size, backwards", lambda x: aten.roll(x, [-2 * x.shape[1]], [-1])),
        ex("two dims", lambda x: aten.roll(x, [x.shape[0], 0], [0, 1])),
        ex("flat", lambda x: aten.roll(x, [0])),
        ex("flat, all the way", lambda x: aten.roll(x, [x.shape[0] * x.shape[1]])),
        ex("a number", lambda x: aten.roll(x, [12], [1]), static_only="a symbol need not divide 12"),
    ),
    row(
        108,
        "roll of a roll",
        "compose",
        ex("and back", lambda x: aten.roll(aten.roll(x, [2], [1]), [-2], [-1])),
        ex("and on", lambda x: aten.roll(aten.roll(x, [1], [1]), [2], [1]), 1),
        ex("round to the start", lambda x: aten.roll(aten.roll(x, [1], [1]), [x.shape[1] - 1], [1])),
        ex("of another dim", lambda x: aten.roll(aten.roll(x, [1], [0]), [2], [1]), 1),
        ex("by slices and cats", _rolled_by_hand_and_back),
    ),
    row(
        109,
        "rot90 all the way round",
        "core",
        ex("0", lambda x: aten.rot90(x, 0)),
        ex("4", lambda x: aten.rot90(x, 4, [0, 1])),
        ex("-8, dims from the end", lambda x: aten.rot90(x, -8, [-1, -2])),
    ),
)
