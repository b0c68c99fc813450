"""Counterexamples made smaller: fewer and smaller dims, plain layouts, arguments nearer to zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any, TypeVar

import torch

from .drawing import REFUSALS, Drawn
from .instances import CallOf, evaluated, operands_of
from .operands import COUNTED, Operand

W = TypeVar("W")
ATTEMPTS = 300
"""How many smaller instances are tried."""


def shrunk(
    call: CallOf,
    wrong: W,
    still: Callable[[Drawn], W | None],
    *,
    at: int | None = None,
    attempts: int = ATTEMPTS,
) -> W:
    """What ``still`` finds wrong on the smallest instance that can be reached from ``call``, step by step; ``wrong``
    if on none. ``at``: the element that it shows at, if it shows at one."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _simpler(call, at):
            if attempts <= 0:
                return wrong
            drawn = drawn_of(candidate) if size_of(candidate) < size_of(call) else None
            if drawn is None:
                continue
            attempts -= 1
            found = still(drawn)
            if found is not None:
                call, wrong, at, smaller = candidate, found, None, True
                break
    return wrong


def drawn_of(call: CallOf) -> Drawn | None:
    """The instance with what it computes; None if its calls refuse."""
    tensors = {operand.slot: operand.tensor() for operand in operands_of(call)}
    done: dict[int, Any] = {}
    try:
        evaluated(call, tensors, done)
    except REFUSALS:
        return None
    return Drawn(call, tensors, done)


def size_of(call: CallOf) -> int:
    """How large an instance is, in elements and arguments, and how odd."""

    def arguments(part: Any) -> int:
        if isinstance(part, CallOf | list):
            return 1 + sum(map(arguments, part.args if isinstance(part, CallOf) else part))
        return min(abs(part), 9) if type(part) is int else 0

    return sum(_size_of_operand(o) for o in operands_of(call)) + arguments(call)


def _size_of_operand(operand: Operand) -> int:
    odd = (operand.layout != "contiguous") + (operand.dtype not in (torch.float32, torch.bool, torch.int64))
    return sum(operand.shape) + len(operand.shape) + odd


def _simpler(call: CallOf, at: int | None) -> Iterator[CallOf]:
    """Instances that differ from this one in one thing or two, the boldest first."""
    operands = list(operands_of(call))
    if at is not None:
        # The values that meet where it shows, alone or in twos.
        for count in (1, 2):
            yield _with(call, {o.slot: _starting(o, at, count) for o in operands})
    sizes = sorted({n for operand in operands for n in operand.shape}, reverse=True)
    for size in sizes:
        for less in dict.fromkeys((0, 1, 2, size // 2, size - 1)):
            if 0 <= less < size:
                yield _sized(call, size, less)
    for operand in operands:
        for shape in _shapes(operand.shape):
            yield _with(call, {operand.slot: replace(operand, shape=shape)})
        if operand.layout != "contiguous":
            yield _with(call, {operand.slot: replace(operand, layout="contiguous")})
        for dtype in (torch.float32, torch.int64, torch.bool):
            if operand.dtype is not dtype:
                yield _with(call, {operand.slot: replace(operand, dtype=dtype)})
    yield from _with_numbers(call)


def _starting(operand: Operand, at: int, count: int) -> Operand:
    if operand.fill >= COUNTED or prod(operand.shape) <= count:
        return operand
    return replace(operand, shape=(count,), fill=operand.fill + at)


def _shapes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for d, n in enumerate(shape):
        yield (*shape[:d], *shape[d + 1 :])
        for less in dict.fromkeys((0, 1, 2, n // 2, n - 1)):
            if 0 <= less < n:
                yield (*shape[:d], less, *shape[d + 1 :])


def _rebuilt(part: Any, change: Callable[[Any], Any], seen: dict[int, Any]) -> Any:
    """The instance with each operand and constant changed; what is shared stays so."""
    if isinstance(part, CallOf):
        if id(part) not in seen:
            seen[id(part)] = CallOf(part.target, tuple(_rebuilt(a, change, seen) for a in part.args))
        return seen[id(part)]
    return [_rebuilt(p, change, seen) for p in part] if isinstance(part, list) else change(part)


def _with(call: CallOf, operands: Mapping[int, Operand]) -> CallOf:
    made: CallOf = _rebuilt(
        call, lambda part: operands.get(part.slot, part) if isinstance(part, Operand) else part, {}
    )
    return made


def _sized(call: CallOf, size: int, less: int) -> CallOf:
    """With one size changed wherever it occurs, in arguments too."""

    def change(part: Any) -> Any:
        if isinstance(part, Operand):
            return replace(part, shape=tuple(less if n == size else n for n in part.shape))
        return less if type(part) is int and part == size else part

    made: CallOf = _rebuilt(call, change, {})
    return made


def _with_numbers(call: CallOf) -> Iterator[CallOf]:
    """With one integer argument nearer to zero."""
    places: list[Any] = []

    def seen(part: Any) -> Any:
        places.append(part)
        return part

    _rebuilt(call, seen, {})
    for place, part in enumerate(places):
        if type(part) is not int:
            continue
        for less in dict.fromkeys((0, 1, -1, part // 2, part - 1, part + 1)):
            if abs(less) < abs(part):
                yield _at_place(call, place, less)


def _at_place(call: CallOf, place: int, value: int) -> CallOf:
    count = iter(range(2**31))
    made: CallOf = _rebuilt(call, lambda part: value if next(count) == place else part, {})
    return made
