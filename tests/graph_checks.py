"""``check``: eliminate, and hold the result against everything that was promised."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graph_inputs import inputs_at, valuations
from graph_structure import (
    Wanted,
    compare_structure,
    count_calls,
    occurrences,
    ops,
    printed,
    snapshot,
    tensor_constants,
)
from torch import fx
from torch._ops import OpOverload

import noopelim
from noopelim.audit import untruths
from noopelim.observe import Case, observe
from noopelim.remarks import Report

Eliminate = Callable[[fx.GraphModule], Report]


class UntrueFromTheStart(AssertionError):
    """The graph's own metadata is wrong, so the test says nothing of the eliminator."""


@dataclass(frozen=True)
class Checked:
    before: fx.GraphModule
    after: fx.GraphModule
    report: Report

    @property
    def ops(self) -> list[str]:
        return ops(self.after)


def check(
    gm: fx.GraphModule,
    *cases: Case,
    removed: Wanted | Iterable[Wanted] = (),
    kept: Wanted | Iterable[Wanted] = (),
    eliminate: Eliminate = noopelim.eliminate,
    truthful: bool = True,
) -> Checked:
    """Eliminate in ``gm``, in place, and fail if anybody could tell other than by counting nodes.

    Without ``cases``, inputs are made from the metadata: the hints, then other sizes the ShapeEnv allows.
    ``removed`` and ``kept`` name nodes, or operators: none of a removed one is left, all of a kept one are.
    ``truthful=False`` is for a graph whose metadata is untrue from the start; it may not become more so.
    """
    before = copy.deepcopy(gm)
    runs = [list(case) for case in cases] or [
        inputs_at(gm, at, seed) for seed, at in enumerate(valuations(gm))
    ]
    assert runs, "no input satisfies the ShapeEnv: the test is vacuous"
    lies = [untruths(before, case) for case in runs]
    if truthful and any(lies):
        raise UntrueFromTheStart(f"the metadata was untrue before: {lies}")
    _ = gm.code

    facts = snapshot(gm)
    report = eliminate(gm)
    assert snapshot(gm) == facts, "the ShapeEnv changed"
    assert report.guards_added == 0, report.shape_env_changes
    assert report.converged

    compare_structure(before, gm)
    assert report.nodes_before == count_calls(before)
    assert report.nodes_after == count_calls(gm)
    for wanted in _several(removed):
        assert not occurrences(gm, wanted), f"{wanted} should have gone:\n{gm.graph}\n{report}"
        assert occurrences(before, wanted), f"{wanted} was not there"
    for wanted in _several(kept):
        assert occurrences(before, wanted), f"{wanted} was not there"
        now, then = occurrences(gm, wanted), occurrences(before, wanted)
        assert now == then, f"{wanted} should have stayed:\n{gm.graph}\n{report}"
    constants = tensor_constants(before)
    for case, known in zip(runs, lies, strict=True):
        was, now_seen = observe(before, case, constants), observe(gm, case, constants)
        where = f"\n{before.graph}\n{gm.graph}\n{report}"
        assert now_seen.values == was.values, "values, layout or mutations differ" + where
        assert now_seen.shares == was.shares, "other storages are shared" + where
        assert now_seen.objects == was.objects, "other outputs are one object" + where
        new = untruths(gm, case) - known
        assert not new, f"metadata became untrue: {sorted(new)}{where}"

    text = printed(gm)
    again = eliminate(gm)
    assert not again.passed, f"a second run still rewrites: {again}"
    assert printed(gm) == text, "a second run changes the graph"
    return Checked(before, gm, report)


def _several(wanted: Wanted | Iterable[Wanted]) -> list[Wanted]:
    return [wanted] if isinstance(wanted, str | OpOverload) else list(wanted)
