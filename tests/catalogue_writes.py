"""Rows of the catalogue: functional writes to part of a value, and copy."""

from __future__ import annotations

import torch
from catalogue_row import PAIR, Row, aten, ex, ex_graph, f32, of, row, write
from graphs import Builder
from torch import fx

TITLE = "Writes to part of a value"

MAX = 2**63 - 1


def _tiled(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return write(write(x, a, 1, 0, a.shape[1]), b, 1, a.shape[1])


def _filled_in_three(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    whole = aten.new_zeros(a, [a.shape[0], a.shape[1] + b.shape[1] + c.shape[1]])
    whole = write(whole, b, 1, a.shape[1], a.shape[1] + b.shape[1])
    whole = write(whole, a, -1, 0, a.shape[1])
    return write(whole, c, 1, -c.shape[1])


def _written_twice_and_read(
    x: torch.Tensor, a: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    once = write(x, a, 1, 1)
    return write(once, b, 1, 1), once


def _copied_onto_itself(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    rows = b.size("s0") if dynamic else 4
    x = b.input("x", (rows, 6))
    b.call(aten.copy_.default, x, x)
    return b.output(b.call(aten.cos.default, x))


def _copied_twice(dynamic: bool) -> fx.GraphModule:
    b = Builder()
    rows = b.size("s0") if dynamic else 4
    x, y = b.input("x", (rows, 6)), b.input("y", (rows, 6))
    value = b.call(aten.cos.default, y)
    b.call(aten.copy_.default, x, value)
    b.call(aten.copy_.default, x, value)
    return b.output(b.call(aten.sin.default, y))


ROWS: tuple[Row, ...] = (
    row(
        83,
        "a write to the whole dim",
        "core",
        ex("to the size", lambda x, y: aten.slice_scatter(x, y, 1, 0, x.shape[1])),
        ex("first dim", lambda x, y: aten.slice_scatter(x, y, 0, 0, y.shape[0])),
        ex("from the end", lambda x, y: aten.slice_scatter(x, y, -1, -x.shape[1], MAX, 1)),
        ex(
            "converted on the way",
            lambda x, y: aten.slice_scatter(x, y, 0, 0, MAX),
            on=(f32(4, 6), of(torch.float64, 4, 6)),
            stays="the source becomes float32",
        ),
    ),
    row(
        84,
        "a write to the whole dim and beyond",
        "core",
        ex("to the largest integer", lambda x, y: aten.slice_scatter(x, y, 1, 0, MAX)),
        ex("by some", lambda x, y: aten.slice_scatter(x, y, 0, 0, x.shape[0] + 5)),
    ),
    row(
        85,
        "a write to the whole dim, its bounds left out",
        "core",
        ex("all", aten.slice_scatter, on=PAIR),
        ex("bounds", lambda x, y: aten.slice_scatter(x, y, 1)),
        ex("None", lambda x, y: aten.slice_scatter(x, y, -1, None, None)),
        ex("keywords", lambda x, y: aten.slice_scatter.default(x, src=y, dim=1)),
    ),
    row(
        86,
        "a value's own slice written to where it was",
        "core",
        ex("same words", lambda x: aten.slice_scatter(x, aten.slice(x, 1, 1, 3), 1, 1, 3)),
        ex("other words", lambda x: aten.slice_scatter(x, aten.slice(x, -1, 1), 1, 1, x.shape[1])),
        ex("with a step", lambda x: aten.slice_scatter(x, aten.slice(x, 0, 0, MAX, 2), -2, 0, MAX, 2)),
        ex("by a view", lambda x: aten.slice_scatter(x, aten.alias(aten.slice(x, 1, 1)), 1, 1)),
    ),
    row(
        87,
        "a write that is overwritten",
        "compose",
        ex(
            "exactly",
            lambda x, a, b: write(write(x, a, 1, 1), b, 1, 1),
            1,
            on=(f32(4, 6), f32(4, 5), f32(4, 5)),
        ),
        ex(
            "and around it",
            lambda x, a, b: write(write(x, a, 1, 2, 3), b, 1, 1),
            1,
            on=(f32(4, 6), f32(4, 1), f32(4, 5)),
        ),
        ex(
            "by select_scatter",
            lambda x, a, b: aten.select_scatter(aten.select_scatter(x, a, 1, 0), b, -1, 0),
            1,
            on=(f32(4, 6), f32(4), f32(4)),
        ),
        ex(
            "the first result used elsewhere",
            _written_twice_and_read,
            2,
            on=(f32(4, 6), f32(4, 5), f32(4, 5)),
            stays="both values are needed",
        ),
    ),
    row(
        88,
        "a write of nothing",
        "compose",
        ex("slice_scatter", lambda x, y: aten.slice_scatter(x, y, 1, 1, 1), on=(f32(4, 6), f32(4, 0))),
        ex(
            "index_put",
            lambda x, i, y: aten.index_put(x, [i], y),
            on=(f32(4, 6), of(torch.int64, 0), f32(0, 6)),
        ),
    ),
    row(
        89,
        "writes that tile a value are a cat",
        "compose",
        ex("two", _tiled, 1, on=(f32(5, 6), f32(5, 2), f32(5, 4))),
        ex("three, over zeros", _filled_in_three, 1, on=(f32(4, 6), f32(4, 3), f32(4, 5))),
    ),
    row(
        91,
        "a write to the only element of a dim",
        "core",
        ex(
            "and a squeeze",
            lambda x, y: aten.squeeze.dim(aten.select_scatter(x, y, 0, 0), 0),
            on=(f32(1, 6), f32(6)),
        ),
        ex(
            "and a select",
            lambda x, y: aten.select(aten.select_scatter(x, y, -1, -1), 1, 0),
            on=(f32(4, 1), f32(4)),
        ),
    ),
    row(
        92,
        "a value's own element written to where it was",
        "core",
        ex("same words", lambda x: aten.select_scatter(x, aten.select(x, 1, 1), 1, 1)),
        ex("other words", lambda x: aten.select_scatter(x, aten.select(x, -1, -1), 1, x.shape[1] - 1)),
    ),
    row(
        95,
        "copy over everything",
        "core",
        ex("same shape", aten.copy, on=PAIR),
        ex("non-blocking", lambda x, y: aten.copy(x, y, True)),
        ex(
            "broadcast on the way",
            aten.copy,
            on=(f32(4, 6), f32(6)),
            stays="the source is smaller",
        ),
    ),
    row(
        96,
        "copy_ of a value onto itself, or twice",
        "core",
        ex_graph("onto itself", _copied_onto_itself, 1),
        ex_graph("twice", _copied_twice, 3),
        reason="a call that writes stays: what reads its memory, and when, is not all in the graph",
    ),
)
