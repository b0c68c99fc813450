"""What arguments are tried, by their types and names in a schema: all that is legal within a scope."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from noopelim.operands import DTYPES
from noopelim.schema_values import FAR, is_known, options, plausible, shapes
from noopelim.scope import Scope

aten = torch.ops.aten
SMALL = Scope(rank=2, dim=2, window=2)
Described = tuple[tuple[int, ...], torch.dtype]


def test_shapes_are_all_there_the_smallest_first() -> None:
    found = shapes(2, 2)
    assert len(found) == len(set(found)) == 1 + 3 + 9
    assert found[:4] == [(), (0,), (0, 0), (1,)]


CUBE = ((2, 1, 2), torch.float32)


@pytest.mark.parametrize(
    ("kind", "name", "operand", "expected"),
    [
        ("int", "dim", CUBE, range(-3, 3)),
        ("int", "dim", ((), torch.float32), [-1, 0]),
        ("int", "step", CUBE, [1, 2]),
        ("int", "start", CUBE, [0, -1, 1, -2, 2, FAR]),
        ("int", "index", CUBE, [0, -1, 1, -2, 2]),
        ("Optional[int]", "end", CUBE, [None, 0, -1, 1, -2, 2, FAR]),
        ("bool", "keepdim", CUBE, [False, True]),
        ("Optional[bool]", "copy", CUBE, [None, False, True]),
        ("Optional[Tensor]", "mask", CUBE, [None]),
        ("Layout", "layout", CUBE, [torch.strided]),
        ("str", "equation", CUBE, []),
    ],
)
def test_arguments_by_type_and_name(
    kind: str, name: str, operand: Described, expected: Sequence[Any]
) -> None:
    assert list(options(kind, name, operand, SMALL)) == list(expected)
    assert is_known(kind) == (kind != "str")


def test_a_new_dim_may_stand_at_either_end() -> None:
    assert list(options("int", "dim", CUBE, SMALL, aten.unsqueeze.default)) == list(range(-4, 4))


def test_dtypes_begin_with_the_operand_s_own() -> None:
    found = list(options("ScalarType", "dtype", ((1,), torch.int8), SMALL))
    assert found[0] is torch.int8
    assert set(found) == set(DTYPES)
    assert len(found) == len(set(found))


def test_zeros_of_both_signs_are_scalars() -> None:
    found = list(map(str, options("number", "other", CUBE, SMALL)))
    assert {"0", "0.0", "-0.0", "1", "1.0"} <= set(found)


def test_orders_of_dims_count_from_either_end() -> None:
    found = [tuple(d) for d in options("List[int]", "dims", ((2, 2), torch.float32), SMALL)]
    whole = {(a, b) for a, b in itertools.product(range(-2, 2), repeat=2) if a % 2 != b % 2}
    assert {d for d in found if len(d) == 2} == whole
    assert len(found) == len(set(found))


@pytest.mark.parametrize("shape", shapes(2, 2), ids=str)
@pytest.mark.parametrize("target", [aten.reshape.default, aten.expand.default], ids=str)
def test_all_legal_sizes_are_asked_for(target: Any, shape: tuple[int, ...]) -> None:
    x = torch.zeros(shape)
    found = [tuple(s) for s in options("List[int]", "size", (shape, torch.float32), SMALL, target)]
    assert found[0] == shape
    assert len(found) == len(set(found))
    for size in (s for r in range(3) for s in itertools.product(range(-1, 3), repeat=r)):
        # Of an empty result torch takes a -1 in a new dim, too, and makes a dim of size -1 of it.
        odd = target is aten.expand.default and -1 in size[: len(size) - len(shape)]
        assert odd or not runs(target, x, list(size)) or size in found, size


def runs(target: Callable[..., Any], *args: Any) -> bool:
    try:
        target(*args)
    except (RuntimeError, IndexError):
        return False
    return True


def test_no_legal_call_is_held_for_implausible() -> None:
    tensors = [torch.zeros(s) for s in shapes(2, 2)]
    calls: list[tuple[Any, ...]] = [
        (aten.slice_scatter.default, a, b, dim, start, end, step)
        for a, b in itertools.product(tensors, repeat=2)
        for dim, start, end, step in itertools.product((-1, 0, 1), (None, 0, 1, -1), (None, 1, FAR), (1, 2))
    ]
    calls += [(aten.view_as.default, a, b) for a, b in itertools.product(tensors, repeat=2)]
    calls += [
        (aten.unflatten.int, a, dim, list(size))
        for a, dim in itertools.product(tensors, (-1, 0, 1))
        for size in itertools.product((-1, 0, 1, 2), repeat=2)
    ]
    said = Counter((plausible(target, args), runs(target, *args)) for target, *args in calls)
    assert said[False, True] == 0
    assert said[True, True] > 100
    assert said[False, False] > 100
