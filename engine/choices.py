"""A value built by a series of choices: taken one after another exhaustively, or drawn at random."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Pick(Protocol):
    """Chooses one of several options; raises :class:`DeadEnd` if there are none."""

    def __call__(self, options: Sequence[Any], /) -> Any: ...


class DeadEnd(Exception):
    """The choices made so far lead to no value."""


def every(make: Callable[[Pick], T], part: int = 0, parts: int = 1) -> Iterator[T]:
    """``make`` under every sequence of choices, the first options first. What raises ``DeadEnd`` is skipped.

    ``make`` runs anew for each, so it must depend on nothing but its choices. With ``parts``, only every so many
    of the options of the very first choice are taken, from ``part`` on: the parts together are the whole.
    """
    path: list[list[int]] = []
    while True:
        depth = 0

        def pick(options: Sequence[Any]) -> Any:
            nonlocal depth
            if not options:
                raise DeadEnd
            if depth == len(path):
                if not path and part >= len(options):
                    raise DeadEnd
                path.append([0, len(options)] if path else [part, len(options)])
            chosen = options[path[depth][0]]
            depth += 1
            return chosen

        with contextlib.suppress(DeadEnd):
            yield make(pick)
        while path and path[-1][0] + (1 if len(path) > 1 else parts) >= path[-1][1]:
            path.pop()
        if not path:
            return
        path[-1][0] += 1 if len(path) > 1 else parts


def draws(make: Callable[[Pick], T], choose: Callable[[Sequence[Any]], Any], attempts: int) -> Iterator[T]:
    """``make`` so many times, less its dead ends, with each option as ``choose`` has it."""

    def pick(options: Sequence[Any]) -> Any:
        if not options:
            raise DeadEnd
        return choose(options)

    for _ in range(attempts):
        with contextlib.suppress(DeadEnd):
            yield make(pick)


def estimated(make: Callable[[Pick], object], dives: int = 64, seed: int = 0) -> float:
    """About how many sequences of choices there are, dead ends included: the mean over random descents of the
    product of their numbers of options (Knuth, "Estimating the efficiency of backtrack programs", 1975)."""
    random, total = Random(seed), 0.0
    for _ in range(dives):
        leaves = 1

        def pick(options: Sequence[Any]) -> Any:
            nonlocal leaves
            if not options:
                raise DeadEnd
            leaves *= len(options)
            return random.choice(options)

        with contextlib.suppress(DeadEnd):
            make(pick)
        total += leaves
    return total / dives
