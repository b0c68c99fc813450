"""Rows of the catalogue: view, reshape, squeeze, unsqueeze, alone and in chains."""

from __future__ import annotations

import math

import torch
from catalogue_row import PAIR, Row, aten, ex, f32, of, row

TITLE = "Reshapes, squeezes and unsqueezes"


def flat(x: torch.Tensor) -> torch.Tensor:
    return aten.view(x, (math.prod(x.shape),))


def turned(x: torch.Tensor, like: torch.Tensor | None = None) -> torch.Tensor:
    """The elements in the same order as a matrix, with the sizes of ``like`` exchanged."""
    rows, columns = (x if like is None else like).shape
    return aten.view(x, (columns, rows))


def _flat_and_back_beside_flat(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    middle = flat(x)
    return aten.view(middle, x.shape), middle


def _turned_flat_and_back(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    middle = aten.view(turned(x), (x.shape[0] * x.shape[1],))
    return aten.view(middle, x.shape), middle


def _rows_and_columns(x: torch.Tensor) -> torch.Tensor:
    rows, columns = x.shape
    return aten.view(aten.view(x, (rows * columns,)), (rows, rows * columns // rows))


def _two_of_three_dims(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x.shape
    return aten.view(aten.view(x, (a * b, c)), (a, b, c))


def _dims_taken_over(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x.shape
    return aten.view(aten.view(x, (a, b * c)), (a * b, c))


def _flat_in_two_steps(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x.shape
    return aten.view(aten.view(x, (a * b, c)), (a * b * c,))


def _permute_view_permute_view(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x.shape
    rows = aten.view(aten.permute(x, (2, 0, 1)), (c, a * b))
    return aten.view(aten.permute(rows, (1, 0)), (a, b, c))


def _block_permutes(x: torch.Tensor) -> torch.Tensor:
    rows, columns = x.shape
    blocks = aten.permute(aten.view(x, (rows, 2, columns // 2)), (1, 2, 0))
    return aten.permute(aten.view(blocks, (columns, rows)), (1, 0))


def _heads_apart_and_together(x: torch.Tensor) -> torch.Tensor:
    batch, tokens, width = x.shape
    heads = aten.transpose(aten.view(x, (batch, tokens, 4, width // 4)), 1, 2)
    return aten.view(aten.transpose(heads, 1, 2), (batch, tokens, width))


def _heads_apart_twice(x: torch.Tensor) -> torch.Tensor:
    batch, tokens, width = x.shape
    heads = aten.permute(aten.view(x, (batch, tokens, 4, width // 4)), (0, 2, 1, 3))
    together = aten.view(aten.permute(heads, (0, 2, 1, 3)), (batch, tokens, width))
    return aten.view(together, (batch * tokens, width))


def _permute_of_blocks(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x.shape
    return aten.view(aten.permute(aten.view(x, (a * b, c)), (1, 0)), (c, a, b))


def _transpose_of_blocks(x: torch.Tensor) -> torch.Tensor:
    rows, columns = x.shape
    return aten.view(aten.permute(aten.view(x, (2, 2, columns)), (2, 0, 1)), (columns, rows))


ROWS: tuple[Row, ...] = (
    row(
        1,
        "reshape to the shape that is there",
        "core",
        ex("view", lambda x: aten.view(x, x.shape)),
        ex("reshape", lambda x: aten.reshape(x, x.shape), composite=True),
        ex("the shape of another value", lambda x, y: aten.view(x, y.shape)),
        ex("view_as", aten.view_as, on=PAIR, composite=True),
        ex("flatten of one dim", lambda x: aten.flatten(x, 1, -1), composite=True),
        ex("unflatten into one dim", lambda x: aten.unflatten(x, -1, [-1]), composite=True),
        ex("no dims", lambda x: aten.view(x, ()), on=f32()),
    ),
    row(
        2,
        "reshape with -1 that comes out as the size that is there",
        "core",
        ex("first", lambda x: aten.view(x, (-1, x.shape[1]))),
        ex("last", lambda x: aten.view(x, (x.shape[0], -1))),
        ex("only", lambda x: aten.view(x, (-1,)), on=f32(6)),
        ex("reshape", lambda x: aten.reshape(x, (-1, x.shape[1])), composite=True),
        ex("beside a size of zero", lambda x: aten.view(x, (-1, x.shape[1])), on=f32(0, 6)),
    ),
    row(
        3,
        "reshape of a reshape is one reshape",
        "core",
        ex("view of view", lambda x: turned(flat(x), x), 1),
        ex("with -1", lambda x: aten.view(aten.view(x, (-1,)), (x.shape[1], -1)), 1),
        ex(
            "reshape of flatten", lambda x: aten.reshape(aten.flatten(x), (x.shape[1], -1)), 1, composite=True
        ),
        ex("dims taken over", _dims_taken_over, 1, on=f32(2, 3, 5)),
        ex("unsafe view", lambda x: aten._unsafe_view(flat(x), (x.shape[1], x.shape[0])), 1),
        ex("flat in two steps", _flat_in_two_steps, 1, on=f32(2, 3, 5)),
        ex("with a dim of one between", lambda x: aten.reshape(aten.unsqueeze(x, 1), (-1,)), 1),
    ),
    row(
        4,
        "reshape there and back",
        "core",
        ex("by one dim", lambda x: aten.view(flat(x), x.shape)),
        ex("by another shape", lambda x: aten.view(turned(x), (x.shape[0], -1))),
        ex("reshape", lambda x: aten.reshape(aten.reshape(x, (-1,)), x.shape), composite=True),
        ex("view_as", lambda x: aten.view_as(aten.flatten(x), x), composite=True),
    ),
    row(
        5,
        "a longer chain of reshapes is one, or none",
        "core",
        ex("four back to the start", lambda x: aten.view(flat(turned(flat(x), x)), x.shape)),
        ex("three to elsewhere", lambda x: turned(flat(turned(x)), x), 1),
        ex("four to elsewhere", lambda x: turned(flat(turned(flat(x), x)), x), 1),
        ex("four to fewer dims", lambda x: aten.view(flat(turned(flat(x), x)), (1, -1)), 1),
    ),
    row(
        6,
        "reshape there and back, the middle used elsewhere",
        "core",
        ex("two", _flat_and_back_beside_flat, 1),
        ex("three", _turned_flat_and_back, 1),
    ),
    row(
        7,
        "flatten and unflatten by products and quotients of sizes",
        "core",
        ex("product", lambda x: aten.view(aten.view(x, (x.shape[0] * x.shape[1],)), x.shape)),
        ex("quotient", _rows_and_columns),
        ex("of two dims in three", _two_of_three_dims, on=f32(2, 3, 5)),
        ex(
            "flatten and unflatten",
            lambda x: aten.unflatten(aten.flatten(x), 0, list(x.shape)),
            composite=True,
        ),
    ),
    row(
        8,
        "_unsafe_view to the shape that is there",
        "core",
        ex("shape", lambda x: aten._unsafe_view(x, x.shape)),
        ex("with -1", lambda x: aten._unsafe_view(x, (-1, x.shape[1]))),
        ex("there and back", lambda x: aten._unsafe_view(flat(x), x.shape)),
    ),
    row(
        9,
        "bits read as the dtype they have",
        "core",
        ex("float32", lambda x: aten.view.dtype(x, torch.float32)),
        ex("int64", lambda x: aten.view.dtype(x, torch.int64), on=of(torch.int64, 4, 6)),
        ex("bool", lambda x: aten.view.dtype(x, torch.bool), on=of(torch.bool, 4, 6)),
    ),
    row(
        10,
        "bits read as one dtype and then another",
        "core",
        ex("and back", lambda x: aten.view.dtype(aten.view.dtype(x, torch.int32), torch.float32)),
        ex("and on", lambda x: aten.view.dtype(aten.view.dtype(x, torch.int32), torch.int16), 1),
        ex(
            "by smaller elements and back",
            lambda x: aten.view.dtype(aten.view.dtype(x, torch.int16), torch.float32),
        ),
        ex(
            "by larger elements and back",
            lambda x: aten.view.dtype(aten.view.dtype(x, torch.float64), torch.float32),
        ),
    ),
    row(
        11,
        "squeeze of the dim that was just added",
        "compose",
        ex("same dim", lambda x: aten.squeeze.dim(aten.unsqueeze(x, 1), 1)),
        ex("from the end", lambda x: aten.squeeze.dim(aten.unsqueeze(x, -1), 2)),
        ex("as a list", lambda x: aten.squeeze.dims(aten.unsqueeze(x, 0), [-3])),
        ex("all of them", lambda x: aten.squeeze.default(aten.unsqueeze(x, 0))),
        ex("two", lambda x: aten.squeeze.dims(aten.unsqueeze(aten.unsqueeze(x, 1), 0), [0, 2])),
        ex(
            "the other order",
            lambda x: aten.squeeze.dim(aten.squeeze.dim(aten.unsqueeze(aten.unsqueeze(x, 0), 2), 2), 0),
        ),
    ),
    row(
        12,
        "unsqueeze of the unit dim that was just dropped",
        "compose",
        ex("same dim", lambda x: aten.unsqueeze(aten.squeeze.dim(x, 1), 1), on=f32(4, 1, 6)),
        ex("from the end", lambda x: aten.unsqueeze(aten.squeeze.dim(x, -2), 1), on=f32(4, 1, 6)),
        ex("as a list", lambda x: aten.unsqueeze(aten.squeeze.dims(x, [2]), -1), on=f32(4, 6, 1)),
        ex("all of them", lambda x: aten.unsqueeze(aten.squeeze.default(x), 0), on=f32(1, 4, 6)),
    ),
    row(
        13,
        "squeeze of a dim that is not one",
        "compose",
        ex("dim", lambda x: aten.squeeze.dim(x, 0)),
        ex("from the end", lambda x: aten.squeeze.dim(x, -1)),
        ex("list", lambda x: aten.squeeze.dims(x, [0, -1])),
    ),
    row(
        14,
        "squeeze of all unit dims where there are none",
        "compose",
        ex("default", aten.squeeze.default),
        ex("empty list", lambda x: aten.squeeze.dims(x, [])),
        ex("no dims", aten.squeeze.default, on=f32()),
    ),
    row(
        15,
        "several squeezes are one, and several unsqueezes",
        "compose",
        ex("squeezes", lambda x: aten.squeeze.dim(aten.squeeze.dim(x, 2), 0), 1, on=f32(1, 4, 1, 6)),
        ex(
            "squeeze lists",
            lambda x: aten.squeeze.dims(aten.squeeze.dims(x, [0]), [1, -1]),
            1,
            on=f32(1, 4, 1, 1),
        ),
        ex("unsqueezes", lambda x: aten.unsqueeze(aten.unsqueeze(x, 0), 0), 1),
        ex("unsqueezes apart", lambda x: aten.unsqueeze(aten.unsqueeze(x, -1), 0), 1),
        ex("three", lambda x: aten.unsqueeze(aten.unsqueeze(aten.unsqueeze(x, 1), 1), 4), 1),
    ),
    row(
        16,
        "unsqueeze and squeeze meet reshape",
        "compose",
        ex("unsqueeze, reshape", lambda x: aten.view(aten.unsqueeze(x, 1), x.shape)),
        ex("reshape, squeeze", lambda x: aten.squeeze.dim(aten.view(x, (x.shape[0], 1, -1)), 1)),
        ex("unsqueeze, reshape elsewhere", lambda x: aten.view(aten.unsqueeze(x, 1), (-1,)), 1),
        ex("squeeze, reshape", lambda x: aten.view(aten.squeeze.dim(x, 1), (-1,)), 1, on=f32(4, 1, 6)),
        ex("reshape, unsqueeze", lambda x: aten.unsqueeze(flat(x), 0), 1),
    ),
    row(
        19,
        "permute, reshape, permute that put all back",
        "compose",
        ex("of two dims in one", _permute_view_permute_view, on=f32(2, 3, 5)),
        ex("of one dim in two", _block_permutes),
    ),
    row(
        20,
        "heads split, moved, moved back and merged",
        "compose",
        ex("to where it was", _heads_apart_and_together, on=f32(2, 3, 8)),
        ex("and on to one matrix", _heads_apart_twice, 1, on=f32(2, 3, 8)),
    ),
    row(
        21,
        "reshape, permute of blocks, reshape is one permute",
        "compose",
        ex("two dims as one", _permute_of_blocks, 1, on=f32(2, 3, 5)),
        ex("one dim as two", _transpose_of_blocks, 1),
    ),
)
