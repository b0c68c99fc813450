"""The shortest calls that give the same elements in the same order and layout as a chain of view-like calls.

A chain is run on ``arange`` of its source, which shows for each place of the result where its element comes
from. Candidates are then built from what that map looks like (``candidates.py``), run the same way and compared:
what is returned was tried. That nothing shorter is found is no proof that there is nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import combinations
from math import prod

import torch
from candidates import candidates
from steps import Form, Step
from values import Layout


@functools.lru_cache(maxsize=100_000)
def shortest(source: Layout, result: Layout, chain: tuple[Step, ...], limit: int) -> Form | None:
    """The shortest form found of a chain with at most ``limit`` calls; None if there is none.

    Sizes must be positive. ``result`` is the layout that the chain gave when it ran.
    """
    index = torch.arange(prod(source.shape)).reshape(source.shape)
    for step in chain:
        index = step(index)
    assert tuple(index.shape) == result.shape, (chain, index.shape, result)
    tried = set()
    options = sorted((*candidates(source.shape, index), *_shortened(chain)), key=len)
    for steps in options:
        if len(steps) <= limit and steps not in tried:
            tried.add(steps)
            if _gives(steps, source, result, index):
                return Form(steps)
    return None


def _gives(steps: tuple[Step, ...], source: Layout, result: Layout, index: torch.Tensor) -> bool:
    try:
        tried = torch.arange(prod(source.shape)).reshape(source.shape)
        laid_out = torch.empty_strided(source.shape, source.stride, dtype=source.dtype, device="meta")
        for step in steps:
            tried, laid_out = step(tried), step(laid_out)
    except (RuntimeError, IndexError):
        return False  # such sizes do not fit
    return Layout.of(laid_out).seen == result.seen and torch.equal(tried, index)


def _shortened(chain: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """The chain without some of its calls."""
    if len(chain) <= 6:
        for length in range(len(chain)):
            yield from combinations(chain, length)
