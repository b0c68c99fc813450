"""Index maps against torch itself: each element of a result is the element of the operand that the map names."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import pytest
import sympy
import torch

from noopelim.calls import signature
from noopelim.index_maps import HANDLERS, moved
from noopelim.points import evaluate
from noopelim.positions import Fact, Moved, Position
from noopelim.spellings import ALIASES, CASTS, EXPANDS, PERMUTES, RELABELS, RESHAPES

aten, prims = torch.ops.aten, torch.ops.prims
FIXED = frozenset("dim dims dim0 dim1 axis0 axis1 source destination start_dim end_dim".split())
Shape = tuple[int, ...]
Point = dict[sympy.Symbol, int]

SMALL = [s for rank in range(3) for s in itertools.product((0, 1, 2, 3), repeat=rank)]
SHAPES = [*SMALL, (2, 1, 3), (1, 2, 2), (2, 0, 2), (1, 1, 1)]
BOUNDS = (None, 0, 1, 2, 5, 2**63 - 1, -1, -2, -5)
COPIES = (aten.clone.default, aten.contiguous.default, *ALIASES)


def lists(values: Sequence[int], least: int, most: int) -> Iterator[list[int]]:
    for length in range(least, most + 1):
        yield from map(list, itertools.product(values, repeat=length))


@functools.cache
def sizes_for(count: int) -> tuple[list[int], ...]:
    """Sizes of up to three dims with so many elements, and the same with one left open."""
    whole = [size for size in lists((0, 1, 2, 3, 4, 6), 0, 3) if prod(size) == count]
    return (*whole, *([*size[:d], -1, *size[d + 1 :]] for size in whole for d in range(len(size))))


TO_ANOTHER = (aten.to.other, aten.type_as.default)


def arguments_of(target: Any, shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Arguments after the first operand; a tuple stands for another operand's shape. Not all are legal."""
    rank, dims = len(shape), range(-len(shape) - 1, len(shape) + 2)
    count = prod(shape)
    if target in RESHAPES:
        yield from ((size,) for size in sizes_for(count))
    elif target in (aten.view_as.default, aten.reshape_as.default):
        yield from ((tuple(size),) for size in sizes_for(count) if -1 not in size)
    elif target is aten.flatten.using_ints:
        yield from itertools.product(dims, dims)
    elif target in (aten.narrow.default, aten.narrow_copy.default):
        yield from itertools.product(range(-rank, rank), (0, 1, 2, -1, -2, -5), (0, 1, 2, 3))
    elif target in (aten.movedim.int, aten.moveaxis.int):
        yield from itertools.product(dims, dims)
    elif target in (aten.movedim.intlist, aten.moveaxis.intlist):
        within = list(lists(range(-rank, rank), 0, rank))
        yield from ((a, b) for a, b in itertools.product(within, within) if len(a) == len(b))
    elif target is aten.repeat_interleave.self_int:
        yield from itertools.product((0, 1, 2), (None, *dims))
    elif target in TO_ANOTHER:
        yield from ((other,) for other in SHAPES)
    elif target is aten.expand_as.default:
        yield from ((other,) for other in SHAPES if rank <= len(other))
    elif target is aten.unflatten.int:
        yield from ((d, size) for d in range(-rank, rank) for size in sizes_for(shape[d]))
    elif "dims" in signature(target).names or target in (aten.squeeze.dims, aten.squeeze_copy.dims):
        values = (0, 1, 2) if target is aten.tile.default else range(-rank, rank)
        yield from ((list(d),) for d in lists(values, 0, max(rank, 1)))
    elif target in EXPANDS:
        yield from ((size,) for size in lists((-1, 0, 1, 2, 3), rank, rank + 1))
    elif target is aten.repeat.default:
        yield from ((times,) for times in lists((0, 1, 2), rank, rank + 1))
    elif target is aten.copy.default:
        yield from ((other,) for other in SHAPES if len(other) <= rank)
    elif target in (aten.slice.Tensor, aten.slice_copy.Tensor):
        yield from itertools.product(range(-rank, rank), BOUNDS, BOUNDS, (1, 2, 3))
    elif target is aten.slice_scatter.default:
        for dim, length in itertools.product(range(-rank, rank), (0, 1, 2, 3)):
            at = dim % rank
            src = (*shape[:at], length, *shape[at + 1 :])
            yield from ((src, dim, *rest) for rest in itertools.product(BOUNDS, BOUNDS, (1, 2)))
    elif target in (aten.select.int, aten.select_copy.int):
        yield from itertools.product(range(-rank, rank), (-3, -2, -1, 0, 1, 2, 3))
    elif {"dim0", "axis0"} & set(signature(target).names):
        yield from itertools.product(dims, dims)
    elif "dim" in signature(target).names:
        yield from ((d,) for d in dims)
    elif "dtype" in signature(target).names:
        yield ((torch.int64,))
    else:
        yield ()


def called(target: Any, x: torch.Tensor, args: Sequence[Any]) -> torch.Tensor | None:
    """What torch computes; None for a call that is not defined."""
    if target is prims.device_put.default:
        return target(x, torch.device("cpu"))
    named = {"device": torch.device("cpu"), "dtype": torch.int64}
    plain = [a for a in target._schema.arguments if not a.kwarg_only]
    try:
        if target in TO_ANOTHER:
            return target(x, *args)
        if target in CASTS or target in (aten.view.dtype, aten.view_copy.dtype):
            keywords = {a.name: named[a.name] for a in target._schema.arguments if a.name in named}
            return target(x, **keywords)
        assert len(args) < len(plain)
        return target(x, *args)
    except (RuntimeError, IndexError):
        return None


def filled_in(target: Any, args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments after the first, in schema order."""
    names, defaults = signature(target).names[1:], signature(target).defaults[1:]
    given = [*args, *defaults[len(args) :]]
    return tuple(torch.int64 if n == "dtype" else a for n, a in zip(names, given, strict=True))


def gathered(case: Moved, operands: dict[object, torch.Tensor], at: Point) -> torch.Tensor | None:
    """The value by its map; None if a fact does not hold at the point."""

    def value(expr: Any) -> int:
        return evaluate(sympy.sympify(expr), at)

    def holds(fact: Fact) -> bool:
        return bool(evaluate(fact.claim, at))

    if not all(map(holds, case.facts)):
        return None
    shape = tuple(map(value, case.shape))
    symbols = tuple(sympy.Symbol(f"i{d}", integer=True, nonnegative=True) for d in range(len(shape)))
    reads = case.reads(Position(symbols, case.shape))
    result = torch.empty(shape, dtype=torch.int64)
    for index in itertools.product(*map(range, shape)):
        at.update(zip(symbols, index, strict=True))
        (read,) = (r for r in reads if all(map(holds, r.when)))
        assert all(0 <= value(i) < value(n) for i, n in zip(*_sides(read.position), strict=True))
        result[index] = operands[read.slot].reshape(-1)[value(read.position.flat)]
    return result


def _sides(position: Position) -> tuple[Any, Any]:
    return position.digits, position.sizes


def check(target: Any, shape: Shape, args: tuple[Any, ...], symbolic: bool) -> bool | None:
    """Does every case that applies give torch's result? None if torch does not define the call."""
    operands: dict[object, torch.Tensor] = {"x": torch.arange(prod(shape)).reshape(shape)}
    at: Point = {}

    def number(n: Any, fixed: bool = False) -> Any:
        if not symbolic or fixed or not isinstance(n, int) or isinstance(n, bool) or n in (-1, 2**63 - 1):
            return n
        symbol = sympy.Symbol(f"n{len(at)}", integer=True, nonnegative=True)
        at[symbol] = abs(n)
        return symbol if n >= 0 else -symbol

    real, ours = [], []
    for name, argument in zip(signature(target).names[1:], args, strict=False):
        if isinstance(argument, tuple):
            operands[name] = 100 + torch.arange(prod(argument)).reshape(argument)
            real.append(operands[name])
            ours.append(Moved.operand(name, tuple(map(number, argument)), torch.int64))
        else:
            fixed = name in FIXED and target is not aten.tile
            real.append(argument)
            ours.append([number(n, fixed) for n in argument] if isinstance(argument, list) else argument)
            if not isinstance(argument, list):
                ours[-1] = number(argument, fixed)
    expected = called(target, operands["x"], real)
    x = Moved.operand("x", tuple(map(number, shape)), torch.int64)
    cases = moved(target, (x, *filled_in(target, ours)))
    assert cases is not None
    found = [g for g in (gathered(c, operands, at) for c in cases) if g is not None]
    if expected is None:
        return None
    return bool(found) and all(g.shape == expected.shape and torch.equal(g, expected) for g in found)


@pytest.mark.parametrize("symbolic", [False, True], ids=["numbers", "symbols"])
@pytest.mark.parametrize("target", HANDLERS, ids=str)
def test_the_map_names_the_element(target: Any, symbolic: bool) -> None:
    calls = [(shape, args) for shape in SHAPES for args in arguments_of(target, shape)]
    tried = 0
    # A spread of them where they are many. The step is odd, as the values of an argument that varies fastest
    # may be even in number.
    step = len(calls) // (150 if symbolic else 2000) | 1
    for shape, args in calls[::step]:
        outcome = check(target, shape, args, symbolic)
        assert outcome is not False, (str(target), shape, args)
        tried += outcome is not None
    assert tried >= min(10, len(calls) // 4)


def test_every_spelling_of_movement_has_a_map() -> None:
    families = (*RELABELS, *PERMUTES, *EXPANDS, *COPIES, *CASTS, aten.slice.Tensor, aten.slice_copy.Tensor)
    assert [t for t in families if t not in HANDLERS] == []


def test_what_is_no_movement_has_none() -> None:
    x = Moved.operand("x", (2,))
    assert moved(aten.neg.default, (x,)) is None
    assert moved(prims.convert_element_type.default, (x, torch.float64)) is None
    other = Moved.operand("y", (2,), torch.float64)
    assert moved(aten.copy.default, (x, other, False)) is None


def test_a_chain_of_reshapes_needs_no_division() -> None:
    a, b, c, d, i, j = sympy.symbols("a b c d i j", integer=True, nonnegative=True)
    (once,) = moved(aten.view.default, (Moved.operand("x", (a, b)), [c, d])) or ()
    (twice,) = moved(aten.view.default, (once, [d, c])) or ()
    (read,) = twice.reads(Position((i, j), twice.shape))
    assert read.position.flat == i * c + j
    assert [f.claim for f in twice.facts] == [Fact(sympy.Eq, c * d, a * b).claim]


def test_a_permute_between_reshapes_keeps_the_dims_that_agree() -> None:
    a, b, c, i, j, k = sympy.symbols("a b c i j k", integer=True, nonnegative=True)
    (flat,) = moved(aten.flatten.using_ints, (Moved.operand("x", (a, b, c)), 0, 1)) or ()
    (turned,) = moved(aten.permute.default, (flat, [1, 0])) or ()
    (back,) = moved(aten.unflatten.int, (turned, 1, [a, b])) or ()
    (read,) = back.reads(Position((k, i, j), back.shape))
    assert read.position.within((a, b, c)) == (i, j, k) or read.position.digits == (i * b + j, k)
