"""Symbols and what is known of them: backed and unbacked, divisors, ranges and orders, and valuations of them."""

from __future__ import annotations

from random import Random

import sympy
import torch

from noopelim.knowledge import Knowledge
from noopelim.symbols import Symbols
from noopelim.torch_api import ShapeEnv, hints


def test_valuations_are_today_s_and_others_that_the_facts_allow() -> None:
    symbols = Symbols(ShapeEnv(), Random(2))
    symbols.where = "operands"
    sizes = [symbols._new(n) for n in (4, 6, 1)]
    symbols.assumed.append(sympy.Eq(sympy.Mod(sizes[0], 2), 0, evaluate=False))
    torch._check(symbols.sizes[sizes[1]] > 2)
    points = list(symbols.points(20))
    assert points[0] == dict(zip(sizes, (4, 6, 1), strict=True))
    assert len(points) > 10
    assert len({tuple(p.values()) for p in points}) > 5
    for point in points:
        assert point[sizes[0]] % 2 == 0
        assert point[sizes[1]] > 2
        assert all(point[s] >= symbols.env.var_to_range[s].lower for s in sizes)


def many_symbols() -> list[Symbols]:
    found = []
    for seed in range(200):
        symbols = Symbols(ShapeEnv(), Random(seed))
        for value in (1, 4, 4, 6):
            symbols._new(value)
        symbols.tell_orders()
        found.append(symbols)
    return found


def test_symbols_may_be_unbacked_and_torch_does_not_know_their_values() -> None:
    unbacked = 0
    for symbols in many_symbols():
        known = hints(symbols.env)
        for symbol, value in symbols.hints.items():
            assert known.get(symbol, value) == value
            unbacked += symbol not in known
    assert 40 < unbacked < 400


def test_what_is_told_is_true_today() -> None:
    """Ranges, divisors, and orders between symbols, told to torch or assumed."""
    told: set[type] = set()
    orders = {"assumed": 0, "told": 0}
    for symbols in many_symbols():
        knowledge = Knowledge(symbols.env, symbols.facts)
        assert knowledge.allows(symbols.hints, knowledge.relations)
        told |= {type(fact) for fact in knowledge.relations}
        two = [fact for fact in knowledge.relations if len(fact.free_symbols) == 2]
        orders["assumed"] += sum(fact in symbols.assumed for fact in two)
        orders["told"] += sum(fact not in symbols.assumed for fact in two)
    assert {sympy.Eq, sympy.Le} <= told
    assert min(orders.values()) > 20


def test_any_expression_is_a_number_without_a_guard() -> None:
    for symbols in many_symbols()[:20]:
        one, *_, other = symbols.hints
        before = list(symbols.env.guards)
        made = symbols.number(one * other + 1)
        assert isinstance(made, torch.SymInt)
        assert made.node.expr == one * other + 1
        assert symbols.number(sympy.Integer(3)) == 3
        assert symbols.env.guards == before
