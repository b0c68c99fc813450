"""Reshapes of one dense run of elements, where sizes are symbols: told without a kernel, where that needs no guard."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import sympy
import torch

from .torch_api import FakeTensor, expression_of, no_new_guards, shape_env_of

Number = int | torch.SymInt
Geometry = tuple[Sequence[Number], Sequence[Number], Number]
"""Sizes, strides and storage offset."""


def reshaped_run(value: FakeTensor, sizes: Sequence[Any]) -> Geometry | None:
    """What a reshape of ``value`` to ``sizes``, one of which may be -1, gives; None if ``value`` is not one dense run
    that is never empty, if no size is a symbol, or if the kernel is to be asked."""
    old, sizes = value.size(), list(sizes)
    given = [n for n in sizes if plain(n) != -1]
    if len(sizes) - len(given) > 1 or not all(map(_some, (*old, *given))) or are_numbers(*old, *given):
        return None
    try:
        with no_new_guards(shape_env_of(value)):
            if len(given) < len(sizes):
                missing = prod(old) // prod(given)
                sizes = [missing if plain(n) == -1 else n for n in sizes]
            strides = dense(sizes)
            is_dense = plain(value.stride()) == plain(dense(old))
    except Exception:  # as in run_fake
        return None
    return (sizes, strides, value.storage_offset()) if is_dense and needs_no_guard(old, sizes) else None


def needs_no_guard(old: Sequence[Number], new: Sequence[Number]) -> bool:
    """Does the kernel that reshapes one dense run of sizes ``old`` to ``new`` ask nothing of the symbols? It may where
    it takes of several dims at once, and Inductor asks the kernel of every call that a pass has changed.

    It asks nothing where each dim of one side is the product of dims of the other, in order, and none may be empty.
    """
    if are_numbers(*old, *new):
        return True
    if not all(map(_some, (*old, *new))):
        return False
    sides = [list(reversed(plain(old))), list(reversed(plain(new)))]
    while all(sides):
        whole, part = (side.pop() for side in sides)
        if whole == part:
            continue
        # Whichever side is a multiple of the other is one dim, of which the other side's dims are parts.
        into = 1
        if not _divides(part, whole):
            whole, part, into = part, whole, 0
        while whole != part:
            if not _divides(part, whole) or not sides[into]:
                return False
            whole, part = sympy.sympify(whole) / part, sides[into].pop()
    return all(size == 1 for side in sides for size in side)


def _divides(part: sympy.Expr, whole: sympy.Expr) -> bool:
    return (sympy.sympify(whole) / part).is_integer is True


def _some(size: Number) -> bool:
    """Is it 1 or more at every valuation, by what torch says of the symbols?"""
    expr = plain(size)
    return expr > 0 if isinstance(expr, int) else expr.is_positive is True


def dense(sizes: Sequence[Number]) -> tuple[Number, ...]:
    """Strides in row-major order."""
    strides: list[Number] = [1]
    for size in reversed(sizes[1:]):
        strides.append(strides[-1] * size)
    return tuple(reversed(strides)) if sizes else ()


def are_numbers(*values: Any) -> bool:
    """Is each of them an int?"""
    return all(type(v) is int for v in values)


def plain(argument: object) -> Any:
    """Sizes as expressions, in tuples."""
    if isinstance(argument, list | tuple):
        return tuple(map(plain, argument))
    return expression_of(argument) if isinstance(argument, torch.SymInt) else argument
