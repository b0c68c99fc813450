"""Choices are enumerated exactly: every sequence once, in order, and nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noopelim.choices import DeadEnd, Pick, estimated, every


def digits(*sizes: int) -> Callable[[Pick], tuple[int, ...]]:
    return lambda pick: tuple(pick(range(n)) for n in sizes)


def subset_of_five(pick: Pick) -> tuple[int, ...]:
    """Every subset of five numbers: how many choices are left depends on those made."""
    chosen: list[int] = []
    start = 0
    while (step := pick(range(6 - start))) > 0:
        start += step
        chosen.append(start - 1)
    return tuple(chosen)


@given(st.lists(st.integers(1, 4), max_size=4))
def test_independent_choices_are_taken_in_lexicographic_order(sizes: list[int]) -> None:
    assert list(every(digits(*sizes))) == list(itertools.product(*map(range, sizes)))


def test_choices_that_depend_on_earlier_ones_are_each_taken_once() -> None:
    found = list(every(subset_of_five))
    expected = [s for n in range(6) for s in itertools.combinations(range(5), n)]
    assert len(found) == len(set(found)) == 2**5
    assert set(found) == set(expected)
    assert found == sorted(found)


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
@pytest.mark.parametrize("make", [digits(3, 2), digits(1, 5), subset_of_five])
def test_parts_are_disjoint_and_together_the_whole(
    make: Callable[[Pick], tuple[int, ...]], parts: int
) -> None:
    found = [list(every(make, part, parts)) for part in range(parts)]
    assert all(part == sorted(part) for part in found)
    assert sorted(itertools.chain.from_iterable(found)) == list(every(make))


def test_no_choice_is_one_value() -> None:
    assert list(every(lambda pick: "only")) == ["only"]


def test_a_dead_end_is_skipped_wherever_it_lies() -> None:
    def make(pick: Pick) -> tuple[int, int]:
        first = pick((0, 1, 2))
        if first == 1:
            raise DeadEnd
        # Of an even first there are no options left to choose from once it is 2.
        return first, pick((0, 1) if first == 0 else ())

    assert list(every(make)) == [(0, 0), (0, 1)]


def test_if_all_ends_are_dead_there_is_nothing() -> None:
    assert list(every(lambda pick: pick(()))) == []


def test_what_else_is_raised_is_raised() -> None:
    def make(pick: Pick) -> int:
        return 1 // int(pick((1, 0)))

    found = every(make)
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_values_are_made_as_they_are_asked_for() -> None:
    made: list[int] = []

    def make(pick: Pick) -> int:
        made.append(pick(range(10**9)))
        return made[-1]

    assert list(itertools.islice(every(make), 3)) == made == [0, 1, 2]


@given(st.lists(st.integers(1, 9), max_size=6))
def test_of_a_regular_tree_the_estimate_is_exact(sizes: list[int]) -> None:
    assert estimated(digits(*sizes), dives=3) == math.prod(sizes)


def test_of_a_lopsided_tree_the_estimate_is_near() -> None:
    assert estimated(subset_of_five, dives=2000) == pytest.approx(2**5, rel=0.15)


def test_the_estimate_counts_dead_ends() -> None:
    def make(pick: Pick) -> int:
        if (chosen := int(pick(range(10)))) > 0:
            raise DeadEnd
        return chosen

    assert list(every(make)) == [0]
    assert estimated(make) == 10


def test_the_estimate_is_the_same_for_the_same_seed() -> None:
    assert estimated(subset_of_five, seed=1) == estimated(subset_of_five, seed=1)
    assert estimated(subset_of_five, dives=8, seed=1) != estimated(subset_of_five, dives=8, seed=2)
