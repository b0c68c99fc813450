"""The catalogue holds: what it says is removed is, and nobody can tell the difference; the rest is not removed."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from catalogue import ROWS, names_of
from catalogue_not_built import NOT_BUILT
from catalogue_row import Example, Outcome, Row, eliminated, name_of
from graph_checks import check
from graph_inputs import inputs_at, valuations
from torch import fx

from noopelim import Exact
from noopelim.observe import observe
from noopelim.remarks import Report


def _runs() -> Iterator[object]:
    for row in ROWS:
        for example in row.examples:
            for dynamic in (False, True):
                if not (dynamic and example.static_only):
                    yield pytest.param(row, example, dynamic, id=name_of(row, example, dynamic))


@pytest.mark.parametrize(("row", "example", "dynamic"), list(_runs()))
def test_what_the_catalogue_says(row: Row, example: Example, dynamic: bool) -> None:
    outcome = Outcome.of(example, dynamic, partial(_checked, example))
    wrong = _wrong(row, example, name_of(row, example, dynamic), outcome)
    if wrong:
        pytest.fail(f"{wrong}:\n{outcome}", pytrace=False)


def _wrong(row: Row, example: Example, name: str, outcome: Outcome) -> str:
    """What is not as the catalogue says; empty if all is."""
    if why := example.stays or row.reason:
        return outcome.rules and f"this goes, though the catalogue says {why!r}; drop that"
    if outcome.made <= example.left:
        return "there is nothing to remove"
    if name in NOT_BUILT:
        return (outcome.left <= example.left) * "this goes now; drop its line in catalogue_not_built.py"
    return (outcome.left > example.left) * f"{outcome.left} calls are left, not {example.left}"


def _checked(example: Example, gm: fx.GraphModule) -> Report:
    """Eliminate in ``gm``; fail if a guard came, or if outputs differ by more than the rules of the level say."""
    level = example.level
    if level is Exact.BITS:
        return check(gm, eliminate=partial(eliminated, level=level), truthful=example.truthful).report
    before = copy.deepcopy(gm)
    report = eliminated(gm, level)
    assert report.guards_added == 0, report.shape_env_changes
    cases = [inputs_at(before, at, seed) for seed, at in enumerate(valuations(before))]
    assert cases
    for case in cases:
        was, now = observe(before, case, exact=level), observe(gm, case, exact=level)
        assert now.values == was.values, f"values differ:\n{before.graph}\n{gm.graph}\n{report}"
    return report


def test_every_name_is_of_one_run() -> None:
    twice = [name for name, count in Counter(names_of(ROWS)).items() if count > 1]
    assert not twice
    numbers = [number for number, count in Counter(row.number for row in ROWS).items() if count > 1]
    assert not numbers


def test_the_list_of_what_is_not_built_names_runs() -> None:
    assert set(names_of(ROWS)) >= set(NOT_BUILT)


def test_every_row_has_examples() -> None:
    assert [row.number for row in ROWS if not row.examples] == []
