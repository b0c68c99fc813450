"""Sweeps are exhaustive, in parts too, within what a scope can afford; and that is what is said of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from instances_drawn import drawn_every, key_of, rule_of

from noopelim import ANY, OpCall, Rule, X, exhaust
from noopelim.choices import every
from noopelim.drawing import Drawn
from noopelim.operands import DTYPES
from noopelim.schema_values import FAR
from noopelim.scope import Scope
from noopelim.spellings import cast, permute, slice_

aten = torch.ops.aten
SMALL = Scope(rank=2, dim=2, window=2)
LINE = Scope(rank=1, dim=2, window=2)


def runs(target: Callable[..., Any], *args: Any) -> bool:
    try:
        target(*args)
    except (RuntimeError, IndexError):
        return False
    return True


def brute_force_slices() -> Iterator[tuple[Any, ...]]:
    bounds = (None, *range(-2, 3), FAR)
    for target in (aten.slice.Tensor, aten.slice_copy.Tensor):
        for shape in ((), (0,), (1,), (2,)):
            for args in itertools.product(range(-2, 2), bounds, bounds, range(1, 3)):
                if runs(target, torch.zeros(shape), *args):
                    yield str(target), shape, *args


def test_exhaustive_means_exhaustive_for_slices() -> None:
    rule = whole_slice(1)
    found = [(str(d.call.target), d.call.args[0].shape, *d.call.args[1:]) for d in drawn_every(rule, LINE)]
    assert Counter(found) == Counter(brute_force_slices())
    assert exhaust.exhaust(rule, LINE, "shapes").counts["instances"] == len(found) > 500


def whole_slice(calls: int) -> Rule:
    pattern = slice_(X)
    for _ in range(calls - 1):
        pattern = slice_(pattern)
    return Rule("test/slice", pattern, X, "b", lambda x: x, lambda f, x: f.same_shape(x, f.root))


def test_exhaustive_means_exhaustive_for_a_chain() -> None:
    rule = rule_of(permute(OpCall(aten.unsqueeze.default, X, ANY)))
    scope = Scope(rank=1, dim=1, window=1)
    found = Counter(
        (str(d.call.target), d.call.args[0].args[0].shape, d.call.args[0].args[1], tuple(d.call.args[1]))
        for d in drawn_every(rule, scope)
    )
    expected = Counter(
        (str(target), shape, dim, dims)
        for target in (aten.permute.default, aten.permute_copy.default)
        for shape in ((), (0,), (1,))
        for dim in range(-len(shape) - 1, len(shape) + 1)
        for dims in itertools.product(range(-2, 2), repeat=len(shape) + 1)
        if runs(aten.permute.default, torch.zeros(shape).unsqueeze(dim), list(dims))
    )
    assert found == expected
    assert len(expected) > 50


def test_a_pattern_that_no_call_fits_has_no_instances() -> None:
    rule = rule_of(permute(X, [0, 1, 2, 3]))
    assert exhaust.exhaust(rule, SMALL, "shapes").counts["instances"] == 0


@pytest.mark.parametrize(("sweep", "sampled"), [("shapes", False), ("dtypes", False), ("spellings", True)])
def test_parts_of_a_sweep_are_disjoint_and_the_whole_and_those_of_a_sample_are_samples(
    sweep: str, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 30 if sampled else 3_000
    seen: list[Any] = []

    class Listening(exhaust.Judge):
        def judge(self, drawn: Drawn, claimed: str | None = None) -> Any:
            seen.append(key_of(drawn.call))
            return super().judge(drawn, claimed)

    def tried(part: int, parts: int) -> list[Any]:
        seen.clear()
        found = exhaust.exhaust(rule, scope, sweep, part, parts)
        assert found.sampled == sampled
        assert found.counts["instances"] == len(seen)
        return list(seen)

    monkeypatch.setattr(exhaust, "Judge", Listening)
    rule = whole_slice(6 if sampled else 1)
    scope = Scope(rank=1, dim=2, window=2, most=most, narrow=most)
    whole = tried(0, 1)
    parts = [tried(part, 3) for part in range(3)]
    assert len(whole) > 10
    assert all(parts)
    if sampled:
        assert parts == [tried(part, 3) for part in range(3)]
        assert parts[0] != parts[1] != parts[2] != parts[0]
        assert sum(map(len, parts)) <= most
    else:
        assert Counter(itertools.chain.from_iterable(parts)) == Counter(whole)


def test_the_scope_is_lowered_until_it_can_be_exhausted() -> None:
    rule = rule_of(slice_(X))
    large, small = (exhaust.within_reach(rule, Scope(most=most), "shapes") for most in (30_000, 3_000))
    one, other = large[0].scope, small[0].scope
    assert (3, 3) >= (one.rank, one.dim) > (other.rank, other.dim)
    assert (large[1].told, small[1].told) == tuple(
        f"all shapes: {scope}, of float32" for scope in (one, other)
    )
    assert len(list(every(small[0].draw))) <= 3_000


def test_less_varies_beside_what_a_sweep_is_about_until_it_can_be_exhausted() -> None:
    rule = rule_of(slice_(X))
    drawers, told = zip(
        *(exhaust.within_reach(rule, Scope(narrow=narrow), "dtypes") for narrow in (10_000, 300)), strict=True
    )
    assert drawers[0].few.values > drawers[1].few.values
    assert len(drawers[0].few.shapes) > len(drawers[1].few.shapes)
    counts = [len(list(every(drawer.draw))) for drawer in drawers]
    assert 10_000 >= counts[0] > 300 * 1.5 >= counts[1] > len(DTYPES)
    assert [t.sampled for t in told] == [False, False]
    for drawer, one in zip(drawers, told, strict=True):
        assert str(list(drawer.few.shapes[-1])) in one.told
        assert f"{drawer.few.values} of each argument's values" in one.told


@pytest.mark.parametrize("sweep", ["dtypes", "values"])
def test_dtypes_are_never_cut(sweep: str) -> None:
    """Of operands and of arguments, in all triples, whatever else is."""
    rule = rule_of(cast(cast(X)))
    drawer, told = exhaust.within_reach(rule, Scope(), sweep)
    assert not told.sampled
    met = {(o.dtype, inner.dtype, root.dtype) for o, inner, root in map(values_of, every(drawer.draw))}
    assert met == set(itertools.product(DTYPES, repeat=3))


def values_of(drawn: Drawn) -> tuple[torch.Tensor, ...]:
    return (drawn.tensors[0], *drawn.done.values())


def test_a_sweep_without_instances_is_not_called_exhausted() -> None:
    tried = exhaust.exhaust(rule_of(OpCall(aten.permute.default, X, [0, 1, 2, 3, 4, 5])), SMALL, "dtypes")
    assert tried.told == "dtypes: no instance could be made"
