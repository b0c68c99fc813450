"""Rows of the catalogue: permutes and transposes; expand and repeat."""

from __future__ import annotations

import torch
from catalogue_row import PAIR, Row, aten, ex, f32, row

TITLE = "Permutes, broadcasts and repetition"

CYCLE = (1, 2, 0)


def _back_beside_the_middle(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    middle = aten.permute(x, (1, 0))
    return aten.transpose(middle, 0, 1), middle


def _three_expands(x: torch.Tensor) -> torch.Tensor:
    return aten.expand(aten.expand(aten.expand(x, (3, -1, -1)), (2, -1, -1, -1)), (5, -1, -1, -1, -1))


ROWS: tuple[Row, ...] = (
    row(
        24,
        "permute to the order that is there",
        "core",
        ex("dims", lambda x: aten.permute(x, (0, 1))),
        ex("from the end", lambda x: aten.permute(x, (0, -1))),
        ex("all from the end", lambda x: aten.permute(x, (-3, -2, -1)), on=f32(2, 3, 5)),
        ex("movedim", lambda x: aten.movedim(x, 1, -1), composite=True),
        ex("no dims", lambda x: aten.permute(x, ()), on=f32()),
        ex("t of one dim", aten.t, on=f32(6)),
    ),
    row(
        25,
        "transpose of a dim with itself",
        "core",
        ex("same", lambda x: aten.transpose(x, 1, 1)),
        ex("from the end", lambda x: aten.transpose(x, 1, -1)),
        ex("no dims", lambda x: aten.transpose(x, 0, -1), on=f32()),
        ex("swapaxes", lambda x: aten.swapaxes(x, 0, -2), composite=True),
        ex("swapdims", lambda x: aten.swapdims(x, 0, 0), composite=True),
    ),
    row(
        26,
        "an order of dims and its inverse",
        "core",
        ex("permute, permute", lambda x: aten.permute(aten.permute(x, (1, 0)), (-1, 0))),
        ex("t, t", lambda x: aten.t(aten.t(x))),
        ex("transpose, transpose", lambda x: aten.transpose(aten.transpose(x, 0, 2), -1, 0), on=f32(2, 3, 5)),
        ex("permute, transpose", lambda x: aten.transpose(aten.permute(x, (1, 0)), 0, 1)),
        ex("three dims", lambda x: aten.permute(aten.permute(x, CYCLE), (2, 0, 1)), on=f32(2, 3, 5)),
        ex("the middle used elsewhere", _back_beside_the_middle, 1),
        ex("mT, mT", lambda x: aten.mT(aten.mT(x)), on=f32(2, 3, 5), composite=True),
    ),
    row(
        27,
        "two orders of dims are one",
        "core",
        ex("permutes", lambda x: aten.permute(aten.permute(x, CYCLE), CYCLE), 1, on=f32(2, 3, 5)),
        ex("transposes", lambda x: aten.transpose(aten.transpose(x, 0, 1), 1, -1), 1, on=f32(2, 3, 5)),
        ex("transpose, permute", lambda x: aten.permute(aten.transpose(x, 0, 1), CYCLE), 1, on=f32(2, 3, 5)),
        ex(
            "movedims",
            lambda x: aten.movedim(aten.movedim(x, 0, 2), 0, 1),
            1,
            on=f32(2, 3, 5),
            composite=True,
        ),
    ),
    row(
        28,
        "orders of dims that go round in a circle",
        "core",
        ex(
            "three permutes",
            lambda x: aten.permute(aten.permute(aten.permute(x, CYCLE), CYCLE), CYCLE),
            on=f32(2, 3, 5),
        ),
        ex(
            "four transposes",
            lambda x: aten.transpose(
                aten.transpose(aten.transpose(aten.transpose(x, 0, 1), 1, 2), 0, 1), 2, 0
            ),
            on=f32(2, 3, 5),
        ),
        ex("five calls of t", lambda x: aten.t(aten.t(aten.t(aten.t(aten.t(x))))), 1),
    ),
    row(
        29,
        "a permute that moves unit dims only is a reshape, and meets others",
        "compose",
        ex("and a reshape back", lambda x: aten.view(aten.permute(x, (1, 0, 2)), x.shape), on=f32(4, 1, 6)),
        ex("and a squeeze", lambda x: aten.squeeze.dim(aten.permute(x, (1, 0, 2)), 0), 1, on=f32(4, 1, 6)),
        ex(
            "after an unsqueeze",
            lambda x: aten.squeeze.dim(aten.permute(aten.unsqueeze(x, 0), (1, 0, 2)), 1),
        ),
        ex("and on to one dim", lambda x: aten.view(aten.permute(x, (0, 2, 1)), (-1,)), 1, on=f32(4, 1, 6)),
    ),
    row(
        30,
        "a permute of unit dims among themselves",
        "compose",
        ex("two in three", lambda x: aten.permute(x, (1, 0, 2)), on=f32(1, 1, 6)),
        ex("around a larger one", lambda x: aten.sum(aten.transpose(x, 0, 2)), 1, on=f32(1, 4, 1)),
        ex("all", aten.t, on=f32(1, 1)),
    ),
    row(
        33,
        "expand to the shape that is there",
        "core",
        ex("shape", lambda x: aten.expand(x, x.shape)),
        ex("with -1", lambda x: aten.expand(x, (-1, -1))),
        ex("broadcast_to", lambda x: aten.broadcast_to(x, x.shape), composite=True),
        ex("expand_as", aten.expand_as, on=PAIR, composite=True),
        ex("broadcast_tensors", lambda x, y: aten.broadcast_tensors([x, y]), composite=True),
    ),
    row(
        34,
        "expand of an expand is one",
        "core",
        ex("with -1", lambda x: aten.expand(aten.expand(x, (3, -1, -1)), (2, -1, -1, -1)), 1),
        ex(
            "with sizes",
            lambda x, y: aten.expand(aten.expand(x, (3, -1, -1)), (2, 3, *y.shape)),
            1,
            on=(f32(1, 6), f32(4, 6)),
        ),
        ex("of a unit dim", lambda x: aten.expand(aten.expand(x, (3, -1)), (2, 3, -1)), 1, on=f32(1, 6)),
        ex("three", _three_expands, 1),
    ),
    row(
        36,
        "repeat once",
        "core",
        ex("repeat", lambda x: aten.repeat(x, (1, 1))),
        ex("tile", lambda x: aten.tile(x, (1, 1)), composite=True),
        ex("tile of fewer dims", lambda x: aten.tile(x, (1,)), composite=True),
        ex("tile by nothing", lambda x: aten.tile(x, ()), composite=True),
        ex("no dims", lambda x: aten.repeat(x, ()), on=f32()),
    ),
    row(
        37,
        "each element repeated once",
        "core",
        ex("along a dim", lambda x: aten.repeat_interleave.self_int(x, 1, 0), composite=True),
        ex("from the end", lambda x: aten.repeat_interleave.self_int(x, 1, -1), composite=True),
        ex("decomposed", lambda x: aten.repeat_interleave.self_int(x, 1, 0)),
        ex("of one dim, flat", lambda x: aten.repeat_interleave.self_int(x, 1), on=f32(6), composite=True),
    ),
    row(
        39,
        "a part of a broadcast dim is the value before",
        "compose",
        ex("slice of one", lambda x: aten.slice(aten.expand(x, (5, -1)), 0, 0, 1), on=f32(1, 6)),
        ex("another one", lambda x: aten.slice(aten.expand(x, (5, -1)), 0, -1), on=f32(1, 6)),
        ex("select", lambda x: aten.select(aten.expand(x, (5, -1, -1)), 0, 3)),
        ex("slice of several", lambda x: aten.slice(aten.expand(x, (5, -1)), 0, 1, 3), 1, on=f32(1, 6)),
        ex(
            "of a symbolic dim",
            lambda x, y: aten.slice(aten.expand(x, y.shape), 0, 0, 1),
            on=(f32(1, 6), f32(4, 6)),
        ),
    ),
    row(
        40,
        "a broadcast that only adds unit dims is a reshape",
        "compose",
        ex("and a squeeze", lambda x: aten.squeeze.dim(aten.expand(x, (1, -1, -1)), 0)),
        ex("and a reshape", lambda x: aten.view(aten.expand(x, (1, 1, -1, -1)), x.shape)),
        ex("and a select", lambda x: aten.select(aten.expand(x, (1, -1, -1)), 0, 0)),
        ex("and an unsqueeze", lambda x: aten.unsqueeze(aten.expand(x, (1, -1, -1)), 0), 1),
    ),
)
