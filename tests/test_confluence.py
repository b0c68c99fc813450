"""One normal form: whatever the order of the rules, of the rule set and of the calls, the same graph is left."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import small_models
import torch
from catalogue import ROWS
from catalogue_row import Example, name_of
from torch import fx
from torch._inductor.decomposition import select_decomp_table
from torch.fx.experimental.proxy_tensor import make_fx

from noopelim import Exact, patterns
from noopelim.driver import run
from noopelim.effects import kept_for_effect, written_by
from noopelim.remarks import Report
from noopelim.rule import RuleSet
from noopelim.rule_index import Index

SEEDS = (1, 2, 3)
EVERY = 12
"""Of the catalogue's graphs one in so many: they are many, and the models hold more."""


@functools.cache
def index(seed: int) -> Index:
    """All rules, in another order of the set for each seed, and by other names: names decide who comes first."""
    rules = list(patterns.ALL)
    if seed:
        random.Random(seed).shuffle(rules)
        rules = [replace(rule, name=f"order/r{i:03}") for i, rule in enumerate(rules)]
        random.Random(-seed).shuffle(rules)
    return Index(RuleSet(tuple(rules)), True)


def eliminated(gm: fx.GraphModule, seed: int = 0) -> Report:
    report = run(gm.graph, index(seed))
    gm.graph.lint()
    return report


def normal_form(gm: fx.GraphModule) -> tuple[str, int]:
    """What the graph returns, as terms over its inputs, and how many calls it makes: no names, no order. Of a number,
    which may be read off any value that has that size, its expression."""
    terms: dict[fx.Node, str] = {}
    for node in gm.graph.nodes:
        args, kwargs = fx.map_arg((node.args, node.kwargs), lambda n: _Term(terms[n]))
        value = node.meta.get("val")
        text = f"{node.op} {node.target} {args} {sorted(kwargs.items())}"
        if isinstance(value, torch.SymInt):
            text = str(value)
        terms[node] = hashlib.sha256(text.encode()).hexdigest()
        if node.op == "output":
            returned = terms[node]
    return returned, sum(node.op == "call_function" for node in gm.graph.nodes)


class _Term(str):
    __slots__ = ()


def reordered(gm: fx.GraphModule, seed: int) -> fx.GraphModule:
    """The same calls in another order, those with an effect in their own. None of them may write."""
    calls = [n for n in gm.graph.nodes if n.op not in ("placeholder", "output", "get_attr")]
    assert not any(next(written_by(n), None) for n in calls)
    effects = [n for n in calls if kept_for_effect(n)]
    draw, graph = random.Random(seed), fx.Graph(gm)
    copies: dict[fx.Node, fx.Node] = {}
    for node in gm.graph.nodes:
        if node.op in ("placeholder", "get_attr"):
            copies[node] = graph.node_copy(node, copies.__getitem__)
    while len(copies) < len(gm.graph.nodes) - 1:
        ready = [n for n in calls if n not in copies and all(o in copies for o in n.all_input_nodes)]
        due = next((n for n in effects if n not in copies), None)
        chosen = draw.choice([n for n in ready if n is due or n not in effects])
        copies[chosen] = graph.node_copy(chosen, copies.__getitem__)
    graph.node_copy(gm.graph.output_node(), copies.__getitem__)
    return fx.GraphModule(gm, graph)


def block(name: str, dynamic: bool) -> fx.GraphModule:
    """A small model as Inductor's passes would see it."""
    with torch.no_grad():
        return make_fx(
            torch.func.functionalize(small_models.model(name)),
            decomposition_table=select_decomp_table(),
            tracing_mode="symbolic" if dynamic else "fake",
            _allow_non_fake_inputs=True,
        )(small_models.drawn(small_models.shapes(name)[0]))


def _graphs() -> Iterator[object]:
    for row in ROWS:
        for example in row.examples:
            if example.level is Exact.BITS:
                for dynamic in (False, True)[: 1 if example.static_only else 2]:
                    yield pytest.param(example, dynamic, id=name_of(row, example, dynamic))


@pytest.mark.parametrize(("example", "dynamic"), list(_graphs())[::EVERY])
def test_graphs_of_the_catalogue(example: Example, dynamic: bool) -> None:
    gm, _ = example.build(dynamic)
    eliminated(gm)
    text = str(gm.graph)
    assert not eliminated(gm).passed
    assert str(gm.graph) == text
    other, _ = example.build(dynamic)
    eliminated(other, SEEDS[0])
    assert normal_form(other) == normal_form(gm)


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "symbolic"])
@pytest.mark.parametrize("name", small_models.MODELS)
def test_models(name: str, dynamic: bool) -> None:
    gm = block(name, dynamic)
    orders = [reordered(gm, seed) for seed in SEEDS]
    same = [block(name, dynamic) for _ in SEEDS]
    assert eliminated(gm).passed
    wanted = normal_form(gm)
    assert not eliminated(gm).passed
    assert normal_form(gm) == wanted
    for seed, other in zip(SEEDS, same, strict=True):
        eliminated(other, seed)
        assert normal_form(other) == wanted
    for other in orders:
        eliminated(other)
        assert normal_form(other) == wanted
