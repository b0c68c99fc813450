"""Equal calls become one, unless somebody could tell; dead ones go."""

from __future__ import annotations

import pytest
import torch
from graphs import Builder, check

import noopelim

aten = torch.ops.aten


def twins(
    b: Builder, *given: object, op: object = aten.permute.default
) -> tuple[torch.fx.Node, torch.fx.Node]:
    return b.call(op, *given), b.call(op, *given)


def test_equal_calls_are_one_and_their_readers_too() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, op=aten.exp.default)
    left, right = b.call(aten.sin.default, one), b.call(aten.sin.default, other)
    check(b.output(b.call(aten.add.Tensor, left, right)), removed=[other.name, right.name])


def test_arguments_are_compared_in_schema_order_with_defaults() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one = b.call(aten.slice.Tensor, x, 0, 1)
    other = b.call(aten.slice.Tensor, x, 0, 1, 2**63 - 1, 1)
    third = b.call(aten.slice.Tensor, x, 0, 1, None)
    gm = b.output(b.call(aten.add.Tensor, b.call(aten.add.Tensor, one, third), other))
    # An end of None and one past the end are different arguments, whatever they cut.
    check(gm, kept=[one.name])
    assert sum(n.target is aten.slice.Tensor for n in gm.graph.nodes) == 2


@pytest.mark.parametrize(("left", "right"), [(1, True), (1, 1.0), (0.0, -0.0)])
def test_constants_that_compare_equal_are_not(left: object, right: object) -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = b.call(aten.mul.Tensor, x, left), b.call(aten.mul.Tensor, x, right)
    gm = b.output(b.call(aten.cat.default, [one, other]))
    report = noopelim.eliminate(gm, [], tidy=True)
    assert not report.passed


def test_a_write_between_them_parts_them() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    base = b.call(aten.clone.default, x)
    one = b.call(aten.exp.default, base)
    b.call(aten.mul_.Tensor, base, 2.0)
    other = b.call(aten.exp.default, base)
    check(b.output(b.call(aten.sub.Tensor, one, other)), kept=[one.name, other.name])


def test_views_on_both_sides_of_a_write_are_one() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    base = b.call(aten.clone.default, x)
    one = b.call(aten.permute.default, base, [1, 0])
    b.call(aten.mul_.Tensor, base, 2.0)
    other = b.call(aten.permute.default, base, [1, 0])
    check(b.output(b.call(aten.sub.Tensor, one, b.call(aten.neg.default, other))), removed=[other.name])


def test_a_copy_that_is_written_is_not_merged() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, op=aten.exp.default)
    b.call(aten.mul_.Tensor, other, 2.0)
    check(b.output(b.call(aten.sub.Tensor, one, other)), kept=[one.name, other.name])


@pytest.mark.parametrize("op", [aten.exp.default, aten.t.default])
def test_two_outputs_stay_two(op: object) -> None:
    b = Builder()
    one, other = twins(b, b.input("x", (4, 6)), op=op)
    check(b.output(one, other), kept=[one.name, other.name])


def test_random_numbers_are_drawn_twice() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, op=aten.rand_like.default)
    gm = b.output(b.call(aten.sub.Tensor, one, other))
    noopelim.eliminate(gm)
    assert {one, other} <= set(gm.graph.nodes)


def test_calls_with_several_results() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, 2, op=aten.split.Tensor)
    gm = b.output(b.call(aten.sub.Tensor, b.get(one, 0), b.call(aten.exp.default, b.get(other, 0))))
    check(gm, removed=[other.name])


def test_two_returned_picks_stay_two_objects() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, 2, op=aten.split.Tensor)
    check(b.output(b.get(one, 0), b.get(other, 0)), kept=[one.name, other.name])


def test_what_nobody_reads_goes_with_what_only_it_reads() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    dead = b.call(aten.sin.default, b.call(aten.exp.default, x))
    gm = b.output(b.call(aten.cos.default, x))
    report = noopelim.eliminate(gm)
    assert dead not in set(gm.graph.nodes)
    assert (report.nodes_before, report.nodes_after, report.counts) == (3, 1, {"engine/dead": 1})


def test_only_the_rules_that_are_asked_for_run() -> None:
    b = Builder()
    x = b.input("x", (4, 6))
    one, other = twins(b, x, op=aten.exp.default)
    b.call(aten.sin.default, x)
    gm = b.output(b.call(aten.sub.Tensor, one, other))
    assert noopelim.eliminate(gm, noopelim.patterns.ALL).nodes_after == 4
    assert noopelim.eliminate(gm, noopelim.patterns.ALL, tidy=True).nodes_after == 2


def test_numbers_are_what_their_expressions_say() -> None:
    """Of two values of one batch size, each read for its own: what is made of that size is made twice."""
    b = Builder()
    s, t = b.size("s"), b.size("t")
    x, y, z = (b.input(name, (size, 4)) for name, size in (("x", s), ("y", s), ("z", t)))
    made = [b.call(aten.full.default, [b.call(aten.sym_size.int, v, 0), 4], 0.5) for v in (x, y, z)]
    sums = [b.call(aten.add.Tensor, v, full) for v, full in zip((x, y, z), made, strict=True)]
    check(b.output(*sums), kept=[made[0].name, made[2].name], removed=[made[1].name])


def test_a_write_to_the_first_parts_what_is_made_of_one_number() -> None:
    b = Builder()
    s = b.size("s")
    x, y = b.input("x", (s, 4)), b.input("y", (s, 4))
    one, other = (b.call(aten.full.default, [b.call(aten.sym_size.int, v, 0), 4], 0.5) for v in (x, y))
    b.call(aten.add_.Tensor, one, x)
    check(b.output(b.call(aten.sub.Tensor, one, other)), kept=[one.name, other.name])


def test_two_outputs_made_of_one_number_stay_two() -> None:
    b = Builder()
    s = b.size("s")
    x, y = b.input("x", (s, 4)), b.input("y", (s, 4))
    one, other = (b.call(aten.full.default, [b.call(aten.sym_size.int, v, 0), 4], 0.5) for v in (x, y))
    check(b.output(one, other), kept=[one.name, other.name])
