"""The strides that a chain of view-like calls will give, as far as arithmetic tells, before any kernel is asked.

Only ever a reason not to ask: what is foreseen to lie otherwise is refused, all else is computed and compared. Strides
of unit dims are left out, since kernels differ in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import sympy
import torch

from .extents import Extent, extent, plus, product, quotient, times
from .integers import Prover
from .movement import Sizes
from .polynomial import OutOfReach, unknowns
from .steps import Step
from .torch_api import expression_of

Strides: TypeAlias = "tuple[Extent | None, ...]"
"""None: of a dim of one element, or not known."""


class NoView(Exception):
    """A view was asked for that surely is none."""


def lies_otherwise(
    steps: Sequence[Step],
    source: torch.Tensor,
    sizes: Sizes,
    result: torch.Tensor,
    prover: Prover,
    views_alone: bool,
) -> int | None:
    """A dim of ``result`` whose stride the ``steps`` from ``source``, of these ``sizes``, would not give; None if none
    is known. ``result`` has the sizes of the last step.

    Raises ``NoView`` for a reshape that would have to copy, if there are to be ``views_alone``.
    """
    try:
        strides: Strides | None = _of(source, prover)
        for step in steps:
            strides = None if strides is None else _after(step, sizes, strides, views_alone)
            sizes = step.result
        if strides is None:
            return None
        for dim, (size, stride, theirs) in enumerate(zip(sizes, strides, _of(result, prover), strict=True)):
            if size != 1 and stride is not None and _differ(stride, theirs, prover):
                return dim
    except OutOfReach:
        pass
    return None


def _differ(stride: Extent, other: Extent | None, prover: Prover) -> bool:
    """Are they two polynomials? Extrema and quotients may come to the same for the sizes there are."""
    if other is None or stride == other:
        return False
    apart = plus(stride, times(other, -1))
    atoms = prover.knowledge.normal.atoms if not isinstance(apart, int) else ()
    return isinstance(apart, int) or all(isinstance(atoms[n], sympy.Symbol) for n in unknowns(apart))


def _of(tensor: torch.Tensor, prover: Prover) -> Strides:
    return tuple(extent(prover, expression_of(stride)) for stride in tensor.stride())


def _after(step: Step, sizes: Sizes, strides: Strides, views_alone: bool) -> Strides | None:
    if step.kind == "permute":
        return tuple(strides[d] for d in step.args)
    if step.kind == "select":
        dim = step.args[0]
        return (*strides[:dim], *strides[dim + 1 :])
    if step.kind == "slice":
        dim, _, _, by = step.args
        stride = strides[dim]
        return (*strides[:dim], None if stride is None else times(stride, by), *strides[dim + 1 :])
    if step.kind == "expand":
        new = len(step.result) - len(sizes)
        kept = [
            stride if size == was else 0
            for size, was, stride in zip(step.result[new:], sizes, strides, strict=True)
        ]
        return (*(0 for _ in range(new)), *kept)
    if step.kind == "reshape":
        return _reshaped(sizes, strides, step.result, views_alone)
    return None


def _reshaped(sizes: Sizes, strides: Strides, result: Sizes, views_alone: bool) -> Strides | None:
    """Of a view where there is one; where there surely is none, of a copy."""
    symbolic = not all(isinstance(n, int) for n in (*sizes, *result))
    if 0 in sizes or 0 in result:
        return None
    runs = _runs(sizes, strides)
    if runs is None:
        return None
    found: list[Extent | None] = [None] * len(result)
    left, inner = runs.pop() if runs else (1, 1)
    for dim in reversed(range(len(result))):
        size = result[dim]
        if size == 1:
            continue
        while left == 1 and runs:
            left, inner = runs.pop()
        rest = quotient(left, size)
        if rest is None:
            # A dim that is surely more than a run of elements takes of two runs.
            if symbolic and quotient(size, left) in (None, 1):
                return None
            if views_alone:
                raise NoView
            return _dense(result)
        found[dim] = inner
        left, inner = rest, times(inner, size)
    return tuple(found)


def _runs(sizes: Sizes, strides: Strides) -> list[tuple[Extent, Extent]] | None:
    """Dims that can be counted as one: how many elements, and how far apart."""
    runs: list[tuple[Extent, Extent]] = []
    for size, stride in zip(sizes, strides, strict=True):
        if size == 1:
            continue
        if stride is None:
            return None
        if runs and runs[-1][1] == times(size, stride):
            runs[-1] = times(runs[-1][0], size), stride
        else:
            runs.append((size, stride))
    return runs


def _dense(sizes: Sizes) -> Strides:
    return tuple(product(sizes[dim + 1 :]) for dim in range(len(sizes)))
