"""What every rule owes: its example fires, each near miss does not, and nobody can tell the difference.

Parametrised over ``patterns.ALL``, so a new rule is tested by being listed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_checks import Checked, Eliminate, check
from graph_inputs import inputs_at, valuations
from graphs import trace
from torch import fx

import noopelim
from noopelim import Rule, RuleSet, patterns
from noopelim.observe import observe
from noopelim.rule_checks import example_graph
from noopelim.testing import EXAMPLE_SHAPE, as_written

SHAPES = {"plain": EXAMPLE_SHAPE, "unit": (1, 6), "small": (2, 2)}
"""2-d, since that is what examples are written for; a symbolic trace makes symbols of sizes above one."""

RULES = [pytest.param(rule, id=rule.name) for rule in patterns.ALL]
NEAR_MISSES = [
    pytest.param(rule, miss, id=f"{rule.name}-{i}")
    for rule in patterns.ALL
    for i, miss in enumerate(rule.near_miss)
]


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "symbolic"])
@pytest.mark.parametrize("rule", RULES)
def test_the_example_fires(rule: Rule, dynamic: bool) -> None:
    gm = example_graph(rule, dynamic=dynamic)
    done = _checked(gm, lambda g: noopelim.eliminate(g, RuleSet((rule,))))
    assert done is not None, "the example does not run"
    assert rule.name in done.report.counts, f"{rule.name} did not fire:\n{done.report}\n{done.before.graph}"
    assert done.report.nodes_after < done.report.nodes_before


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "symbolic"])
@pytest.mark.parametrize(("rule", "miss"), NEAR_MISSES)
def test_a_near_miss_does_not_fire(rule: Rule, miss: Callable[..., Any], dynamic: bool) -> None:
    gm = as_written(miss, dynamic=dynamic)
    done = _checked(gm, lambda g: noopelim.eliminate(g, RuleSet((rule,))))
    assert done is not None, "the near miss does not run at the sizes that it is for"
    assert rule.name not in done.report.counts, f"{rule.name} fired:\n{done.report}\n{done.before.graph}"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("rule", RULES)
def test_all_rules_together_keep_every_bit(rule: Rule, shape: tuple[int, ...]) -> None:
    for function in (rule.example, *rule.near_miss):
        try:
            gm = as_written(function, shape)
        except (RuntimeError, IndexError):
            continue  # an example need not make sense at every shape
        _checked(gm, noopelim.eliminate)


def _checked(gm: fx.GraphModule, eliminate: Eliminate) -> Checked | None:
    """Check at those sizes at which the graph runs; None if there are none. Torch's own metadata may be untrue from
    the start: it does not tell that a dropout outside of training is its operand."""
    cases = [inputs_at(gm, at, seed) for seed, at in enumerate(valuations(gm))]
    runs = [case for case in cases if _runs(gm, case)]
    return check(gm, *runs, eliminate=eliminate, truthful=False) if runs else None


def _runs(gm: fx.GraphModule, case: list[object]) -> bool:
    try:
        observe(gm, case)
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_near_miss_and_a_law(rule: Rule) -> None:
    assert rule.near_miss
    assert len(rule.because) > 10


def program(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Something for every rule, in chains that several rules compete for."""
    aten = torch.ops.aten
    a = aten.reshape(aten.reshape(aten.sin(x), (-1,)), (4, 6))
    b = aten.permute(aten.permute(aten.clone(a), (1, 0)), (1, 0))
    c = aten.slice_scatter(aten.cos(y), aten.expand(b, (-1, -1)), 0, 0, 2**63 - 1)
    d = aten.squeeze(aten.unsqueeze(aten.slice(c, 1, -6), 0), 0)
    e = aten.repeat(aten.copy(y, aten.alias(d)), (1, 1))
    return e + 1, aten.slice(e, 1, 0, -1).clone(), aten.view.dtype(e, torch.float32) * 2


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "symbolic"])
def test_the_order_of_rules_does_not_matter(dynamic: bool) -> None:
    """Shuffled where it counts: the index's own order, which is otherwise fixed."""
    results = set()
    for seed in range(12):
        gm = trace(program, torch.zeros(4, 6), torch.zeros(4, 6), dynamic=dynamic)
        rules = list(patterns.ALL)
        random.Random(seed).shuffle(rules)
        renamed = [_renamed(rule, f"order/r{i:02}") for i, rule in enumerate(rules)]
        noopelim.eliminate(gm, renamed)
        results.add("\n".join(f"{n.op} {n.target} {n.args}" for n in gm.graph.nodes))
    assert len(results) == 1


def _renamed(rule: Rule, name: str) -> Rule:
    return Rule(
        name, rule.pattern, rule.to, rule.because, rule.example, rule.where, rule.near_miss, rule.exact
    )
