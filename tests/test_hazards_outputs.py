"""What a caller holds afterwards: which outputs share memory, and which are one object."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from graphs import Builder, check, trace
from torch import fx

from noopelim import eliminate, patterns
from noopelim.remarks import Report

aten = torch.ops.aten

VIEWS: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "alias": lambda b, x: b.call(aten.alias.default, x),
    "detach": lambda b, x: b.call(aten.detach.default, x),
    "view": lambda b, x: b.call(aten.view.default, x, [4, 4]),
    "reshape": lambda b, x: b.call(aten.reshape.default, x, [-1, 4]),
    "slice": lambda b, x: b.call(aten.slice.Tensor, x, 0, 0, 4),
    "permute": lambda b, x: b.call(aten.permute.default, x, [0, 1]),
    "expand": lambda b, x: b.call(aten.expand.default, x, [4, -1]),
}
# The second undoes the first. Where the value must stay another object, one of the two is enough for it.
PAIRS: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "round trip": lambda b, x: b.call(aten.view.default, b.call(aten.view.default, x, [16]), [4, 4]),
    "unsqueeze and squeeze": lambda b, x: b.call(aten.squeeze.dim, b.call(aten.unsqueeze.default, x, 0), 0),
    "two transposes": lambda b, x: b.call(
        aten.permute.default, b.call(aten.permute.default, x, [1, 0]), [1, 0]
    ),
}
COPIES: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "clone": lambda b, x: b.call(aten.clone.default, x),
    "repeat": lambda b, x: b.call(aten.repeat.default, x, [1, 1]),
    "_to_copy": lambda b, x: b.call(aten._to_copy.default, x, dtype=torch.float32),
    "lift_fresh_copy": lambda b, x: b.call(aten.lift_fresh_copy.default, x),
    "copy": lambda b, x: b.call(aten.copy.default, b.call(aten.exp.default, x), x),
    "slice_scatter": lambda b, x: b.call(aten.slice_scatter.default, b.call(aten.exp.default, x), x),
}
ALL = VIEWS | PAIRS | COPIES


def stays(gm: fx.GraphModule, kind: str, made: fx.Node) -> None:
    check(gm, kept=() if kind in PAIRS else made.name)


def matrix(b: Builder, name: str = "x") -> fx.Node:
    return b.input(name, (4, 4))


@pytest.mark.parametrize("kind", ALL)
def test_alone_it_goes(kind: str) -> None:
    b = Builder()
    made = ALL[kind](b, b.call(aten.sin.default, matrix(b)))
    check(b.output(made), removed=made.name)


@pytest.mark.parametrize("kind", ALL)
def test_beside_something_computed_from_its_base_it_goes(kind: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = ALL[kind](b, base)
    check(b.output(made, b.call(aten.cos.default, base)), removed=made.name)


@pytest.mark.parametrize("kind", ALL)
def test_beside_its_base_it_stays(kind: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = ALL[kind](b, base)
    stays(b.output(made, base), kind, made)


@pytest.mark.parametrize("kind", ALL)
def test_of_an_input_it_stays(kind: str) -> None:
    b = Builder()
    made = ALL[kind](b, matrix(b))
    stays(b.output(made), kind, made)


@pytest.mark.parametrize("kind", ALL)
def test_of_a_constant_it_stays(kind: str) -> None:
    b = Builder()
    made = ALL[kind](b, b.constant("weight", torch.randn(4, 4)))
    stays(b.output(made), kind, made)


@pytest.mark.parametrize("kind", ALL)
def test_of_an_input_and_consumed_it_goes(kind: str) -> None:
    b = Builder()
    x = matrix(b)
    made = ALL[kind](b, x)
    check(b.output(b.call(aten.sin.default, made), x), removed=made.name)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("bare", [False, True], ids=["tuple", "bare"])
def test_the_output_may_be_a_bare_node(kind: str, bare: bool) -> None:
    b = Builder()
    made = ALL[kind](b, matrix(b))
    stays(b.output(made, bare=bare), kind, made)
    b = Builder()
    made = ALL[kind](b, b.call(aten.sin.default, matrix(b)))
    check(b.output(made, bare=bare), removed=made.name)


@pytest.mark.parametrize("kind", ALL)
def test_outputs_may_be_nested(kind: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = ALL[kind](b, base)
    stays(b.output({"deep": [made]}, [(base, None, 3)]), kind, made)
    b = Builder()
    made = ALL[kind](b, b.call(aten.sin.default, matrix(b)))
    check(b.output({"deep": [made]}, [(None, 3)]), removed=made.name)


@pytest.mark.parametrize("kind", COPIES)
def test_of_two_copies_of_one_value_one_stays(kind: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    first, second = COPIES[kind](b, base), COPIES[kind](b, base)
    done = check(b.output(first, second))
    assert sum(node.name in (first.name, second.name) for node in done.after.graph.nodes) == 1


@pytest.mark.parametrize("kind", ["alias", "view", "slice", "permute"])
def test_of_two_views_of_one_value_one_stays(kind: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    first, second = VIEWS[kind](b, base), VIEWS[kind](b, base)
    done = check(b.output(first, second))
    assert sum(node.name in (first.name, second.name) for node in done.after.graph.nodes) == 1


def test_one_node_that_is_two_outputs() -> None:
    b = Builder()
    made = b.call(aten.clone.default, b.call(aten.sin.default, matrix(b)))
    check(b.output(made, made), removed=made.name)


def test_a_copy_beside_a_view_of_its_base() -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    row = b.call(aten.select.int, base, 0, 1)
    made = b.call(aten.clone.default, base)
    check(b.output(made, row), kept=made.name)


def test_a_copy_beside_something_computed_from_a_view_of_its_base() -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    row = b.call(aten.cos.default, b.call(aten.select.int, base, 0, 1))
    made = b.call(aten.clone.default, base)
    check(b.output(made, row), removed=made.name)


def test_a_view_of_a_copy_of_an_input() -> None:
    b = Builder()
    made = b.call(aten.clone.default, matrix(b))
    check(b.output(b.call(aten.select.int, made, 0, 1)), kept=made.name)


def test_a_view_of_a_copy_of_an_intermediate() -> None:
    b = Builder()
    made = b.call(aten.clone.default, b.call(aten.sin.default, matrix(b)))
    check(b.output(b.call(aten.select.int, made, 0, 1)), removed=made.name)


def test_two_views_of_a_copy() -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = b.call(aten.clone.default, base)
    rows = [b.call(aten.select.int, made, 0, i) for i in range(2)]
    check(b.output(*rows), removed=made.name)


def test_one_view_of_a_copy_and_one_of_its_base() -> None:
    b = Builder()
    base = b.call(aten.sin.default, matrix(b))
    made = b.call(aten.clone.default, base)
    rows = [b.call(aten.select.int, made, 0, 1), b.call(aten.select.int, base, 0, 1)]
    check(b.output(*rows), kept=made.name)


def test_a_chain_of_views_between_an_input_and_an_output_shrinks_to_one() -> None:
    b = Builder()
    node = matrix(b)
    for _ in range(5):
        node = b.call(aten.alias.default, node)
    done = check(b.output(node))
    assert done.ops == ["aten.alias.default"]


def test_a_chain_of_copies_between_an_input_and_an_output_shrinks_to_one() -> None:
    b = Builder()
    node = matrix(b)
    for _ in range(5):
        node = b.call(aten.clone.default, node)
    done = check(b.output(node))
    assert done.ops == ["aten.clone.default"]


def test_a_traced_function_that_returns_its_input_by_way_of_noops() -> None:
    def through(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.view(x.shape), (x + 1).view(x.shape)

    done = check(trace(through, torch.randn(3, 4), dynamic=True))
    assert done.ops.count("aten.view.default") == 1


def by(name: str) -> Callable[[fx.GraphModule], Report]:
    """The engine with one rule: others would take the copy away first, and with it the question."""
    return lambda gm: eliminate(gm, patterns.ALL.only(name))


COPYING_MIDDLES: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "squeeze_copy": lambda b, x: b.call(aten.squeeze_copy.default, x),
    "view_copy": lambda b, x: b.call(aten.view_copy.default, x, [16]),
    "view_copy to its own shape": lambda b, x: b.call(aten.view_copy.default, x, [1, 4, 4]),
}


@pytest.mark.parametrize("kind", COPYING_MIDDLES)
def test_a_view_returned_beside_the_copy_that_it_views(kind: str) -> None:
    """They share memory, and would not if the view were taken of the copy's source."""
    b = Builder()
    copied = COPYING_MIDDLES[kind](b, b.call(aten.sin.default, b.input("x", (1, 4, 4))))
    gm = b.output(b.call(aten.view.default, copied, [2, 8]), copied)
    check(gm, kept=aten.view.default, eliminate=by("reshape/of-reshape"))


def test_an_expansion_returned_beside_the_copy_that_it_views() -> None:
    b = Builder()
    copied = b.call(aten.expand_copy.default, b.call(aten.sin.default, b.input("x", (1, 4))), [3, 4])
    gm = b.output(b.call(aten.expand.default, copied, [2, 3, 4]), copied)
    check(gm, kept=aten.expand.default, eliminate=by("expand/of-expand"))


def test_a_view_of_a_copy_beside_which_nothing_is_returned() -> None:
    b = Builder()
    copied = b.call(aten.view_copy.default, b.call(aten.sin.default, b.input("x", (1, 4, 4))), [16])
    gm = b.output(b.call(aten.view.default, copied, [2, 8]), b.call(aten.cos.default, copied))
    assert check(gm, eliminate=by("reshape/of-reshape")).report.counts


def test_a_call_that_returns_its_operand_beside_that_operand() -> None:
    """``flatten`` of what is flat is the very object that it was given."""
    b = Builder()
    flat = b.call(aten.reshape.default, b.call(aten.sin.default, b.input("x", (16,))), [16])
    gm = b.output(b.call(aten.flatten.using_ints, flat), flat)
    check(gm, kept=aten.flatten.using_ints, eliminate=by("reshape/round-trip"))
