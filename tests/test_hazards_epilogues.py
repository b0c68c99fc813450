"""What a graph writes for others to see: ``copy_`` epilogues of mutated inputs, and the module's own state."""

from __future__ import annotations

import torch
from graphs import Builder, check, trace

aten = torch.ops.aten


def test_a_swap_of_two_inputs() -> None:
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    old = b.call(aten.clone.default, x)
    b.call(aten.copy_.default, x, y)
    b.call(aten.copy_.default, y, old)
    check(b.output(), kept=(old.name, aten.copy_.default))


def test_a_shift_along_inputs_in_the_order_that_needs_no_copy() -> None:
    b = Builder()
    x, y, z = b.input("x", (4,)), b.input("y", (4,)), b.input("z", (4,))
    old = b.call(aten.clone.default, y)
    b.call(aten.copy_.default, z, old)
    b.call(aten.copy_.default, y, x)
    check(b.output(), removed=old.name, kept=aten.copy_.default)


def test_the_old_value_is_returned() -> None:
    b = Builder()
    x = b.input("x", (4,))
    old = b.call(aten.clone.default, x)
    b.call(aten.copy_.default, x, b.call(aten.add.Tensor, x, 1.0))
    check(b.output(old), kept=(old.name, aten.copy_.default))


def test_the_old_value_is_not_needed_afterwards() -> None:
    b = Builder()
    x = b.input("x", (4,))
    old = b.call(aten.clone.default, x)
    b.call(aten.copy_.default, x, b.call(aten.add.Tensor, old, 1.0))
    check(b.output(), removed=old.name, kept=aten.copy_.default)


def test_the_mutated_input_is_returned() -> None:
    b = Builder()
    x = b.input("x", (4,))
    view = b.call(aten.view.default, b.call(aten.add.Tensor, x, 1.0), [4])
    done = b.call(aten.copy_.default, x, view)
    check(b.output(done), removed=view.name, kept=done.name)


def test_the_second_epilogue_reads_what_the_first_one_wrote() -> None:
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    view = b.call(aten.alias.default, x)
    b.call(aten.copy_.default, x, b.call(aten.cos.default, y))
    b.call(aten.copy_.default, y, view)
    check(b.output(), removed=view.name, kept=aten.copy_.default)


def test_copy_to_itself_by_way_of_a_copy() -> None:
    b = Builder()
    x = b.input("x", (4,))
    same = b.call(aten.clone.default, x)
    b.call(aten.copy_.default, x, same)
    check(b.output(b.call(aten.cos.default, x)), kept=aten.copy_.default)


def test_an_overlapping_copy() -> None:
    b = Builder()
    x = b.input("x", (6,))
    tail = b.call(aten.clone.default, b.call(aten.slice.Tensor, x, 0, 0, 5))
    b.call(aten.copy_.default, b.call(aten.slice.Tensor, x, 0, 1, 6), tail)
    check(b.output(), kept=tail.name)


def test_an_epilogue_whose_source_is_a_copy_of_an_output() -> None:
    b = Builder()
    x = b.input("x", (4,))
    new = b.call(aten.add.Tensor, x, 1.0)
    copy = b.call(aten.clone.default, new)
    b.call(aten.copy_.default, x, copy)
    check(b.output(new), removed=copy.name, kept=aten.copy_.default)


def test_a_functionalised_function() -> None:
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        old = x.clone()
        x.add_(y[0:4].view(4))
        y.mul_(x)
        return old + x

    gm = trace(step, torch.randn(4), torch.randn(4), functionalize=True)
    assert len(gm.graph.find_nodes(op="call_function", target=aten.copy_.default)) == 2
    check(gm, kept=aten.copy_.default, removed=aten.clone.default)


def test_a_function_that_writes_in_place() -> None:
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        old = x.clone()
        x.add_(y.view(4))
        return old + x

    gm = trace(step, torch.randn(4), torch.randn(4))
    check(gm, kept=(aten.clone.default, aten.add_.Tensor), removed=aten.view.default)


def test_a_constant_that_is_written() -> None:
    b = Builder()
    state, y = b.constant("state", torch.randn(4, 4)), b.input("y", (4, 4))
    copy = b.call(aten.clone.default, state)
    b.call(aten.add_.Tensor, state, y)
    check(b.output(b.call(aten.cos.default, copy)), kept=copy.name)


def test_a_constant_that_is_not() -> None:
    b = Builder()
    state, y = b.constant("state", torch.randn(4, 4)), b.input("y", (4, 4))
    copy = b.call(aten.clone.default, state)
    b.call(aten.add_.Tensor, y, 1.0)
    check(b.output(b.call(aten.cos.default, copy)), removed=copy.name)


def test_a_constant_read_by_two_nodes() -> None:
    b = Builder()
    state, y = b.constant("state", torch.randn(4, 4)), b.input("y", (4, 4))
    again = b.graph.get_attr("state")
    again.meta["val"] = state.meta["val"]
    copy = b.call(aten.clone.default, state)
    b.call(aten.add_.Tensor, again, y)
    check(b.output(b.call(aten.cos.default, copy)), kept=copy.name)
