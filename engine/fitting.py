"""The operands of instances, and which of them go with each other."""

from __future__ import annotations

import functools
from math import prod
from typing import Any, NamedTuple

import torch

from .operands import Operand
from .schema_values import shapes


class Part(NamedTuple):
    """A part of an instance, and its value."""

    part: Any
    value: Any


def new_operand(slot: int, shape: tuple[int, ...], dtype: torch.dtype, layout: str, fill: int) -> Part:
    operand = Operand(slot, shape, dtype, layout, fill)
    return Part(operand, operand.tensor())


operand_of = functools.lru_cache(maxsize=16384)(new_operand)
"""Only read: what a pattern matches is functional."""


@functools.lru_cache(maxsize=64)
def all_shapes(rank: int, dim: int) -> tuple[tuple[int, ...], ...]:
    return tuple(shapes(rank, dim))


def tensors_in(seen: list[Any]) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for value in seen:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list):
            found += [v for v in value if isinstance(v, torch.Tensor)]
    return found


@functools.lru_cache(maxsize=16384)
def fitting(
    allowed: tuple[tuple[int, ...], ...], first: tuple[int, ...], part: bool
) -> tuple[tuple[int, ...], ...]:
    """The shapes that go with that of a first operand. If it is a ``part`` of that, a dim less is tried, too."""
    less = [(*first[:i], *first[i + 1 :]) for i in range(len(first))] if part else []
    return tuple(dict.fromkeys(shape for shape in (*less, *allowed) if _goes_with(shape, first)))


def _goes_with(shape: tuple[int, ...], first: tuple[int, ...]) -> bool:
    """Does the shape broadcast with the first, fit inside it, hold as many elements, or none?"""
    pairs = list(zip(reversed(shape), reversed(first), strict=False))
    return (
        prod(shape) == prod(first)
        or shape == (0,)
        or all(a == b or 1 in (a, b) for a, b in pairs)
        or (len(shape) == len(first) and all(a <= b for a, b in pairs))
    )
