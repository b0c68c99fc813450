"""The dtype and the shapes in which a rule is tried where these are not what a sweep is about."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from dataclasses import dataclass
from random import Random

import torch

from .choices import draws
from .drawing import Drawer
from .law import Judge
from .rule import Rule
from .scope import Scope

CANDIDATES = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.float16)
_SCOPES = (Scope("plain", rank=2, dim=2, window=2), Scope("plain", rank=4, dim=4, window=2))
_DRAWS = 300
_MOST_SHAPES = 4


@dataclass(frozen=True, slots=True)
class Plain:
    """``dtype``: the first of :data:`CANDIDATES` in which the rule fires on some of a few random instances; if it
    fires in none, the first in which the calls of its pattern run; float32 if they run in none. ``shapes``: a few
    of its first operand's there, the smallest first."""

    dtype: torch.dtype
    shapes: tuple[tuple[int, ...], ...]


@functools.lru_cache(maxsize=256)
def plain(rule: Rule) -> Plain:
    """What is plain for a rule."""
    ran: list[Plain] = []
    for scope, dtype in itertools.product(_SCOPES, CANDIDATES):
        fired, shapes = _tried(rule, dtype, scope)
        if fired:
            return Plain(dtype, shapes)
        if shapes:
            ran.append(Plain(dtype, shapes))
    return ran[0] if ran else Plain(torch.float32, ())


def _tried(rule: Rule, dtype: torch.dtype, scope: Scope) -> tuple[bool, tuple[tuple[int, ...], ...]]:
    """Does it fire with a few random operands of this dtype, and with which shapes, or else, which are there?"""
    drawer, judge = Drawer(rule, scope, dtype=dtype), Judge(rule)
    fired: Counter[tuple[int, ...]] = Counter()
    for instance in draws(drawer.draw, Random(0).choice, _DRAWS):
        if instance.tensors:
            fired[tuple(next(iter(instance.tensors.values())).shape)] += judge.judge(instance).fired
        if sum(n > 0 for n in fired.values()) >= _MOST_SHAPES:
            break
    telling = [shape for shape, n in fired.items() if n] or list(fired)
    telling.sort(key=lambda shape: (sum(shape) + len(shape), shape))
    return any(fired.values()), tuple(telling[:_MOST_SHAPES])
