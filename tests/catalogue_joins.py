"""Rows of the catalogue: cat, stack, split, unbind."""

from __future__ import annotations

import torch
from catalogue_row import Row, aten, ex, f32, of, row
from catalogue_slicing import joined

TITLE = "Joins and splits"


def _three_slices(x: torch.Tensor) -> torch.Tensor:
    return joined(aten.slice(x, 1, 0, 1), aten.slice(x, 1, 1, -1), aten.slice(x, 1, -1))


def _halves(x: torch.Tensor) -> torch.Tensor:
    middle = x.shape[1] // 2
    return joined(aten.slice(x, 1, 0, middle), aten.slice(x, 1, middle, x.shape[1]))


def _some_parts(x: torch.Tensor) -> torch.Tensor:
    return joined(*aten.split(x, 2, 1)[:2])


def _later_parts(x: torch.Tensor) -> torch.Tensor:
    return aten.cat(aten.split_with_sizes(x, [1, 2, 3], 1)[1:], -1)


def _part_of_a_part(x: torch.Tensor) -> torch.Tensor:
    return aten.split(aten.split(x, 4, 1)[1], 2, -1)[0]


def _split_twice(x: torch.Tensor) -> torch.Tensor:
    return aten.add(aten.exp(aten.split(x, 3, 1)[0]), aten.split(x, 3, -1)[0])


def _selects_joined(x: torch.Tensor) -> torch.Tensor:
    return joined(*(aten.unsqueeze(aten.select(x, 1, i), 1) for i in range(6)))


def _columns(x: torch.Tensor) -> torch.Tensor:
    return joined(*(aten.select(x, 1, i) for i in range(3)))


def _half(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two operands of a cat, cut out of it again."""
    whole = joined(x, y)
    return aten.slice(whole, 1, 0, x.shape[1]), aten.slice(whole, -1, x.shape[1])


def _own_slice_added(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    whole = joined(x, y)
    return joined(whole, aten.slice(whole, 1, 0, x.shape[1]))


def _part_of_first_added(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    whole = joined(x, y)
    return joined(whole, aten.slice(whole, 1, 0, 1))


def _added_by_unsqueeze(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return joined(aten.unsqueeze(x, 0), aten.unsqueeze(y, 0), dim=0)


ROWS: tuple[Row, ...] = (
    row(
        63,
        "cat of one",
        "core",
        ex("dim", lambda x: aten.cat([x], 1)),
        ex("dim left out", lambda x: aten.cat([x])),
        ex("concat", lambda x: aten.concat([x], -1), composite=True),
    ),
    row(
        64,
        "cat of a cat is one cat",
        "core",
        ex("first", lambda x, y, z: joined(joined(x, y), z), 1),
        ex("last", lambda x, y, z: joined(x, joined(y, z, dim=-1)), 1),
        ex("in the middle", lambda x, y, z: joined(x, joined(y, z), x, dim=-1), 1),
        ex("two", lambda x, y, z: joined(joined(x, y), joined(y, z)), 1),
        ex("three deep", lambda x, y, z: joined(joined(joined(x, y), z), x), 1),
    ),
    row(
        65,
        "cat with an operand that has no elements",
        "core",
        ex("last", joined, on=(f32(4, 6), f32(4, 0))),
        ex("first", lambda x, y: joined(x, y, dim=-1), on=(f32(4, 0), f32(4, 6))),
        ex("computed", lambda x, y: joined(x, aten.slice(y, 1, 0, 0))),
        ex("of a size alone", joined, on=(f32(4, 6), f32(0))),
        ex("between two", lambda x, y, z: joined(x, aten.slice(y, 1, 2, 2), z), 1),
        ex(
            "of another dtype",
            joined,
            1,
            on=(f32(4, 6), of(torch.float64, 4, 0)),
            stays="an empty float64 operand makes the result float64",
        ),
    ),
    row(
        66,
        "cat of slices that tile a value",
        "compose",
        ex("two", lambda x: joined(aten.slice(x, 1, 0, 2), aten.slice(x, 1, 2))),
        ex("three", _three_slices),
        ex("at a symbol", _halves),
        ex("dims counted differently", lambda x: joined(aten.slice(x, 1, 0, 1), aten.slice(x, 1, 1), dim=-1)),
        ex("from the end", lambda x: joined(aten.slice(x, 0, 0, -1), aten.slice(x, 0, -1), dim=0)),
        ex("narrow", lambda x: joined(aten.narrow(x, 1, 0, 1), aten.narrow(x, 1, 1, x.shape[1] - 1))),
    ),
    row(
        67,
        "cat of adjacent slices is one slice",
        "compose",
        ex("two", lambda x: joined(aten.slice(x, 1, 0, 1), aten.slice(x, 1, 1, -1)), 1, on=f32(4, 6)),
        ex(
            "rows",
            lambda x: joined(aten.slice(x, 0, 0, 1), aten.slice(x, 0, 1, -1), dim=0),
            1,
        ),
        ex("to the end", lambda x: joined(aten.slice(x, -1, 1, 2), aten.slice(x, 1, 2)), 1),
        ex("numbers", lambda x: joined(aten.slice(x, 1, 0, 2), aten.slice(x, 1, 2, 4)), 1),
        ex(
            "beside another value",
            lambda x, y: joined(y, aten.slice(x, 1, 0, 1), aten.slice(x, 1, 1)),
            1,
        ),
    ),
    row(
        68,
        "cat of all parts of a split",
        "compose",
        ex("split", lambda x: aten.cat(aten.split(x, 2, 1), 1)),
        ex("uneven", lambda x: aten.cat(aten.split(x, 4, 1), 1)),
        ex("dims counted differently", lambda x: aten.cat(aten.split(x, 2, 1), -1)),
        ex("with sizes", lambda x: aten.cat(aten.split_with_sizes(x, [1, 5], -1), 1)),
        ex("dim left out", lambda x: aten.cat(aten.split(x, 2))),
    ),
    row(
        69,
        "cat of all parts of a chunk or tensor_split",
        "compose",
        ex("chunk", lambda x: aten.cat(aten.chunk(x, 3, 1), 1)),
        ex("chunk, whole", lambda x: aten.cat(aten.chunk(x, 3, 1), -1), composite=True),
        ex("tensor_split", lambda x: aten.cat(aten.tensor_split(x, 4, 1), 1)),
        ex("tensor_split, whole", lambda x: aten.cat(aten.tensor_split(x, 4, 1), 1), composite=True),
        ex("tensor_split at indices", lambda x: aten.cat(aten.tensor_split(x, [1, 3], 1), 1)),
    ),
    row(
        70,
        "cat of some parts of a split is one slice",
        "compose",
        ex("the first", _some_parts, 1),
        ex("the last", _later_parts, 1),
        ex("rows", lambda x: aten.cat(aten.split(x, 1)[1:3]), 1),
        ex("all of them, and more", lambda x, y: aten.cat([*aten.split(x, 2, 1), y], 1), 1),
    ),
    row(
        71,
        "split of a cat into its operands",
        "compose",
        ex("two", lambda x, y: aten.split_with_sizes(joined(x, y), [x.shape[1], y.shape[1]], 1)),
        ex("rows", lambda x, y: aten.split(joined(x, y, dim=0), x.shape[0])),
        ex("equal sizes", lambda x, y: aten.split(joined(x, y), x.shape[1], 1)),
        ex("dims counted differently", lambda x, y: aten.split(joined(x, y, dim=-1), x.shape[1], 1)),
        ex("one of them", lambda x, y: aten.split(joined(x, y), x.shape[1], 1)[1]),
        ex("three", lambda x, y, z: aten.split_with_sizes(joined(x, y, z), [6, 6, 6], -1)),
        ex(
            "converted on the way",
            lambda x, y: aten.split(joined(x, y), 6, 1)[0],
            # The cat makes float64 of the operand, so that stays, and what was split off is cut out.
            2,
            on=(f32(4, 6), of(torch.float64, 4, 6)),
        ),
    ),
    row(
        72,
        "split into one",
        "core",
        ex("split", lambda x: aten.split(x, x.shape[1], 1)),
        ex("larger than the dim", lambda x: aten.split(x, 99, 1)[0]),
        ex("with sizes", lambda x: aten.split_with_sizes(x, [x.shape[0]])),
        ex("chunk", lambda x: aten.chunk(x, 1, -1), composite=True),
        ex("tensor_split", lambda x: aten.tensor_split(x, 1, -1), composite=True),
        ex("unbind of a unit dim", lambda x: aten.unbind(x, 0), 1, on=f32(1, 6)),
        ex("unbind and unsqueeze", lambda x: aten.unsqueeze(aten.unbind(x, -2)[0], 0), on=f32(1, 6)),
    ),
    row(
        73,
        "split or slice of one part of a split",
        "compose",
        ex("split of split", _part_of_a_part, 1, on=f32(3, 8)),
        ex("slice of split", lambda x: aten.slice(aten.split(x, 3, 1)[1], 1, 1), 1),
        ex("whole slice of split", lambda x: aten.slice(aten.split(x, 3, 1)[1], 1, 0, 3), 2),
    ),
    row(
        74,
        "equal calls on equal values",
        "core",
        ex("one operand", lambda x: aten.add(aten.sin(aten.exp(x)), aten.exp(x)), 3),
        ex("other words", lambda x: aten.add(aten.sin(aten.slice(x, 1, 1)), aten.slice(x, 1, 1, None, 1)), 3),
        ex("a chain", lambda x: aten.add(aten.sin(aten.sin(aten.exp(x))), aten.sin(aten.exp(x))), 4),
        ex("two splits", _split_twice, 4),
    ),
    row(
        75,
        "stack of all parts of an unbind",
        "compose",
        ex("same dim", lambda x: aten.stack(aten.unbind(x, 1), 1)),
        ex("dim left out", lambda x: aten.stack(aten.unbind(x))),
        ex("dims counted differently", lambda x: aten.stack(aten.unbind(x, -1), 1)),
        ex("selects, unsqueezed and joined", _selects_joined),
    ),
    row(
        76,
        "unbind or select of a stack",
        "compose",
        ex("unbind", lambda x, y: aten.unbind(aten.stack([x, y]))),
        ex("dims counted differently", lambda x, y: aten.unbind(aten.stack([x, y], -1), 2)),
        ex("select", lambda x, y: aten.select(aten.stack([x, y], 1), 1, 1)),
        ex("select from the end", lambda x, y: aten.select(aten.stack([x, y]), 0, -1)),
        ex("select of a cat of unsqueezes", lambda x, y: aten.select(_added_by_unsqueeze(x, y), 0, 1)),
        ex(
            "converted on the way",
            lambda x, y: aten.select(aten.stack([x, y]), 0, 0),
            2,
            on=(f32(4, 6), of(torch.float64, 4, 6)),
            stays="the stack makes float64 of the operand",
        ),
    ),
    row(
        77,
        "stack of one; cat of unsqueezes",
        "compose",
        ex("stack of one, squeezed", lambda x: aten.squeeze.dim(aten.stack([x], 1), 1)),
        ex("stack of one, reshaped", lambda x: aten.view(aten.stack([x]), x.shape)),
        ex("cat of unsqueezes", _added_by_unsqueeze, 1),
    ),
    row(
        78,
        "cat, slice and cat again",
        "compose",
        ex("an operand", _own_slice_added, 1),
        ex("part of an operand", _part_of_first_added, 2),
    ),
    row(
        81,
        "cat of neighbouring selects is a reshape",
        "compose",
        ex("selects", _columns, 1, on=f32(4, 3, 5)),
        ex("unbind", lambda x: aten.cat(aten.unbind(x, 1), 1), 1, on=f32(4, 3, 5)),
    ),
    row(
        82,
        "cat of slices of a cat",
        "compose",
        ex("in order", lambda x, y: joined(*_half(x, y)), 1),
        ex("exchanged", lambda x, y: joined(*reversed(_half(x, y))), 1),
        ex("with another", lambda x, y, z: joined(*_half(x, y), z), 1),
    ),
)
