"""Trees of calls that cut and join along one dim: what goes, and what must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from graphs import Builder, check

import noopelim
from noopelim.patterns import pieces

aten = torch.ops.aten
Made = Callable[[Any, Any, Any], Any]


def _scatter(b: Builder, x: Any, y: Any, start: int, end: int) -> Any:
    return b.call(aten.slice_scatter.default, x, b.call(aten.slice.Tensor, y, 0, start, end), 0, start, end)


def _cat(b: Builder, *values: Any, dim: int = 0) -> Any:
    return b.call(aten.cat.default, list(values), dim)


def _cut(b: Builder, x: Any, start: Any, end: Any, dim: int = 0) -> Any:
    return b.call(aten.slice.Tensor, x, dim, start, end)


def _pad(b: Builder, x: Any, before: int, after: int, fill: float = 0.0) -> Any:
    return b.call(aten.constant_pad_nd.default, x, [0, 0, before, after], fill)


def _selects(b: Builder, x: Any) -> Any:
    return [b.call(aten.unsqueeze.default, b.call(aten.select.int, x, 0, k - 4), 0) for k in range(4)]


def _sections(b: Builder, x: Any) -> Any:
    parts = b.call(aten.split.Tensor, x, 3)
    return b.get(parts, 0), b.get(parts, 1)


LEFT: dict[str, tuple[Made, int]] = {
    "a join of all cuts": (lambda b, x, y: _cat(b, _cut(b, x, 0, 1), _cut(b, x, -3, None), dim=-2), 0),
    "a cut that is one of the joined": (lambda b, x, y: _cut(b, _cat(b, x, y), 0, 4), 0),
    "a cut within one of the joined": (lambda b, x, y: _cut(b, _cat(b, x, y), 5, 7), 1),
    "a join of joins": (lambda b, x, y: _cat(b, _cat(b, x, y), _cat(b, y, x)), 1),
    "a join of joins whose parts continue": (
        lambda b, x, y: _cat(b, _cat(b, y, _cut(b, x, 0, 2)), _cut(b, x, 2, 4)),
        1,
    ),
    "a join of sections": (lambda b, x, y: _cat(b, *_sections(b, x), dim=-2), 0),
    "a join of selects": (lambda b, x, y: _cat(b, *_selects(b, x)), 0),
    "what was just written": (lambda b, x, y: _cut(b, _scatter(b, x, y, 1, 3), 1, 3), 1),
    "what was not overwritten": (lambda b, x, y: _cut(b, _scatter(b, x, y, 1, 3), 3, 4), 1),
    "writes that cover all": (lambda b, x, y: _scatter(b, _scatter(b, x, y, 0, 2), y, 2, 4), 0),
    "its own slice written back": (lambda b, x, y: _scatter(b, x, x, 1, 3), 0),
    "what was padded": (lambda b, x, y: _cut(b, _pad(b, x, 0, 2), 0, 4), 0),
    "a pad of a pad": (lambda b, x, y: _pad(b, _pad(b, x, 1, 2), 0, 3), 1),
    "a pad and its crop": (lambda b, x, y: _pad(b, _pad(b, x, 1, 2), -1, -2), 0),
    "a cut of a cut": (lambda b, x, y: _cut(b, _cut(b, x, 1, None), 1, 2), 1),
    "a select of a join": (
        lambda b, x, y: b.call(aten.unsqueeze.default, b.call(aten.select.int, _cat(b, x, y), 0, 5), 0),
        1,
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_of_it(name: str) -> None:
    made, left = LEFT[name]
    b = Builder()
    x, y = b.call(aten.sin.default, b.input("x", (4, 6))), b.call(aten.cos.default, b.input("y", (4, 6)))
    gm = b.output(b.call(aten.neg.default, b.call(aten.exp.default, made(b, x, y))), x, y)
    check(gm)
    assert sum(n.op == "call_function" for n in gm.graph.nodes) == 4 + left, gm.graph


STAYS: dict[str, Made] = {
    "a cut in between is missing": lambda b, x, y: _cat(b, _cut(b, x, 0, 1), _cut(b, x, 2, 4)),
    "the cuts are out of order": lambda b, x, y: _cat(b, _cut(b, x, 2, 4), _cut(b, x, 0, 2)),
    "along another dim": lambda b, x, y: _cat(b, _cut(b, x, 0, 2), _cut(b, x, 2, 4), dim=1),
    "of another fill": lambda b, x, y: _pad(b, _pad(b, x, 1, 2), 1, 2, -0.0),
    "a crop, then a pad": lambda b, x, y: _pad(b, _pad(b, x, -1, 0), 1, 0),
    "another value": lambda b, x, y: _cat(b, _cut(b, x, 0, 2), _cut(b, y, 2, 4)),
    "a step": lambda b, x, y: b.call(aten.slice.Tensor, _cat(b, x, y), 0, 0, 8, 2),
}


@pytest.mark.parametrize("name", STAYS)
def test_what_stays(name: str) -> None:
    b = Builder()
    x, y = b.call(aten.sin.default, b.input("x", (4, 6))), b.call(aten.cos.default, b.input("y", (4, 6)))
    gm = b.output(b.call(aten.neg.default, STAYS[name](b, x, y)), x, y)
    before = len(gm.graph.nodes)
    check(gm)
    assert len(gm.graph.nodes) == before


def test_an_operand_that_promotes_is_not_dropped() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    wide = b.call(aten._to_copy.default, _cut(b, x, 0, 0), dtype=torch.float64)
    gm = b.output(b.call(aten.neg.default, _cat(b, x, wide)))
    assert not noopelim.eliminate(gm, pieces.RULES).passed


def test_symbolic_bounds() -> None:
    b = Builder()
    rows, more = b.size("s0", hint=8), b.size("s1", hint=5)
    x = b.call(aten.sin.default, b.input("x", (rows, 12)))
    y = b.call(aten.cos.default, b.input("y", (more, 12)))
    both = _cat(b, x, y)
    gm = b.output(
        b.call(aten.neg.default, _cut(b, both, 0, rows)), b.call(aten.exp.default, _cut(b, both, rows, None))
    )
    check(gm)
    assert [n for n in gm.graph.nodes if n.target is aten.cat.default] == []


def test_a_write_between_the_cut_and_the_join_keeps_both() -> None:
    b = Builder()
    x = b.call(aten.clone.default, b.call(aten.sin.default, b.input("x", (4, 6))))
    joined = _cat(b, _cut(b, x, 0, 2), _cut(b, x, 2, 4))
    b.call(aten.mul_.Tensor, x, 2.0)
    check(b.output(b.call(aten.sub.Tensor, joined, x)), kept=[joined.name])


def test_cuts_with_other_readers_stay_and_are_not_made_twice() -> None:
    b = Builder()
    x, y = b.call(aten.sin.default, b.input("x", (4, 6))), b.call(aten.cos.default, b.input("y", (4, 6)))
    inner = _cat(b, x, y)
    gm = b.output(b.call(aten.neg.default, _cat(b, inner, x)), b.call(aten.exp.default, inner))
    before = len(gm.graph.nodes)
    check(gm)
    assert len(gm.graph.nodes) == before


def test_the_first_elements_of_a_pad_by_a_symbol() -> None:
    b = Builder()
    rows = b.size("s0", hint=8)
    x = b.call(aten.sin.default, b.input("x", (rows, 12)))
    gm = b.output(b.call(aten.neg.default, _cut(b, _pad(b, x, 0, 3), 0, rows)))
    check(gm)
    assert [n.target for n in gm.graph.nodes if n.op == "call_function"] == [
        aten.sin.default,
        aten.neg.default,
    ]
