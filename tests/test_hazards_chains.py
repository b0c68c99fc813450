"""Chains: a reshape may hide a copy, a middle node may have other users, and one removal may expose the next."""

from __future__ import annotations

import pytest
import torch
from custom_ops import strides
from graphs import Builder, check, trace
from torch import fx

from noopelim import eliminate, patterns

aten = torch.ops.aten


def matrix(b: Builder, rows: fx.Node | int = 4) -> fx.Node:
    return b.call(aten.sin.default, b.input("x", (rows, 6)))


def transposed(b: Builder) -> fx.Node:
    return b.call(aten.permute.default, b.call(aten.sin.default, b.input("x", (6, 4))), [1, 0])


@pytest.mark.parametrize("op", [aten.reshape.default, aten.view.default, aten._unsafe_view.default])
def test_a_round_trip_of_views(op: torch._ops.OpOverload) -> None:
    b = Builder()
    node = b.call(op, b.call(op, matrix(b), [24]), [4, 6])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert done.ops == ["aten.sin.default", "aten.cos.default"]


def test_a_round_trip_by_way_of_a_copy_changes_the_strides() -> None:
    b = Builder()
    flat = b.call(aten.reshape.default, transposed(b), [24])
    node = b.call(aten.reshape.default, flat, [4, 6])
    assert node.meta["val"].stride() == (6, 1)
    done = check(b.output(node))
    assert "aten.reshape.default" in done.ops


def test_a_round_trip_by_way_of_a_copy_in_front_of_a_kernel() -> None:
    b = Builder()
    flat = b.call(aten.reshape.default, transposed(b), [24])
    node = b.call(aten.reshape.default, flat, [4, 6])
    done = check(b.output(b.call(strides, node)))
    assert "aten.reshape.default" in done.ops


def test_a_reshape_that_copies_and_one_that_views_become_one_that_copies() -> None:
    b = Builder()
    flat = b.call(aten.reshape.default, transposed(b), [24])
    node = b.call(aten.reshape.default, flat, [2, 12])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert done.ops.count("aten.reshape.default") == 1


def test_a_reshape_that_copies_is_written() -> None:
    b = Builder()
    base = transposed(b)
    flat = b.call(aten.reshape.default, base, [24])
    node = b.call(aten.reshape.default, flat, [4, 6])
    b.call(aten.mul_.Tensor, node, 2.0)
    check(b.output(b.call(aten.cos.default, node), b.call(aten.cos.default, base)))


def test_a_reshape_that_views_is_written() -> None:
    b = Builder()
    base = matrix(b)
    node = b.call(aten.reshape.default, b.call(aten.reshape.default, base, [24]), [4, 6])
    b.call(aten.mul_.Tensor, node, 2.0)
    done = check(b.output(b.call(aten.cos.default, node), b.call(aten.cos.default, base)))
    assert "aten.reshape.default" not in done.ops


def test_the_source_is_written_after_a_reshape_that_copied() -> None:
    b = Builder()
    base = transposed(b)
    flat = b.call(aten.reshape.default, base, [24])
    node = b.call(aten.reshape.default, flat, [2, 12])
    b.call(aten.mul_.Tensor, base, 2.0)
    again = b.call(aten.reshape.default, node, [24])
    check(b.output(b.call(aten.cos.default, again)))


def test_the_source_is_written_between_the_copy_and_its_view() -> None:
    b = Builder()
    base = transposed(b)
    flat = b.call(aten.reshape.default, base, [24])
    b.call(aten.mul_.Tensor, base, 2.0)
    node = b.call(aten.reshape.default, flat, [2, 12])
    check(b.output(b.call(aten.cos.default, node)), kept=flat.name)


def test_a_clone_in_the_chain() -> None:
    b = Builder()
    flat = b.call(aten.view.default, b.call(aten.clone.default, matrix(b)), [24])
    done = check(b.output(b.call(aten.cos.default, b.call(aten.view.default, flat, [4, 6]))))
    assert done.ops == ["aten.sin.default", "aten.cos.default"]


def test_a_clone_that_makes_the_chain_viewable() -> None:
    """How AOTAutograd spells a reshape that copies: without the clone, the view would be an error."""
    b = Builder()
    dense = b.call(aten.clone.default, transposed(b), memory_format=torch.contiguous_format)
    check(b.output(b.call(aten.cos.default, b.call(aten.view.default, dense, [24]))), kept=dense.name)


def test_a_view_whose_operand_must_stay_viewable() -> None:
    """``view(reshape(x))`` is legal where ``view(x)`` is not, so the outer target may not simply be kept."""
    b = Builder()
    flat = b.call(aten.reshape.default, transposed(b), [24])
    node = b.call(aten.view.default, flat, [2, 12])
    check(b.output(b.call(aten.cos.default, node)))


def test_a_middle_node_with_other_users_stays() -> None:
    b = Builder()
    middle = b.call(aten.view.default, matrix(b), [24])
    outer = b.call(aten.view.default, middle, [4, 6])
    side = b.call(aten.exp.default, middle)
    check(b.output(b.call(aten.cos.default, outer), side), kept=middle.name, removed=outer.name)


def test_a_middle_node_that_is_an_output_stays() -> None:
    b = Builder()
    middle = b.call(aten.view.default, matrix(b), [24])
    outer = b.call(aten.view.default, middle, [4, 6])
    check(b.output(b.call(aten.cos.default, outer), middle), kept=middle.name, removed=outer.name)


def test_a_middle_node_without_other_users_goes() -> None:
    b = Builder()
    middle = b.call(aten.view.default, matrix(b), [24])
    outer = b.call(aten.view.default, middle, [2, 12])
    done = check(b.output(b.call(aten.cos.default, outer)))
    assert done.ops.count("aten.view.default") == 1


@pytest.mark.parametrize("length", [2, 3, 4, 7, 50])
def test_chains_of_any_length(length: int) -> None:
    b = Builder()
    node = matrix(b)
    for step in range(length):
        node = b.call(aten.view.default, node, [[24], [2, 12], [6, 4]][step % 3])
    done = check(b.output(b.call(aten.cos.default, b.call(aten.view.default, node, [4, 6]))))
    assert done.ops == ["aten.sin.default", "aten.cos.default"]


def test_a_slice_between_two_reshapes() -> None:
    b = Builder()
    flat = b.call(aten.view.default, matrix(b), [24])
    whole = b.call(aten.slice.Tensor, flat, 0, 0, 24)
    node = b.call(aten.view.default, whole, [4, 6])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert done.ops == ["aten.sin.default", "aten.cos.default"]


def test_an_expand_between_two_permutes() -> None:
    b = Builder()
    node = b.call(aten.permute.default, matrix(b), [1, 0])
    node = b.call(aten.expand.default, node, [6, 4])
    node = b.call(aten.permute.default, node, [1, 0])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert done.ops == ["aten.sin.default", "aten.cos.default"]


def test_every_kind_of_noop_in_one_chain() -> None:
    def long(x: torch.Tensor) -> torch.Tensor:
        y = x.sin()
        y = y.view(-1).view(x.shape)[0 : x.shape[0]].permute(0, 1).expand(x.shape)
        y = y.clone().unsqueeze(0).squeeze(0).t().t().contiguous().to(torch.float32)
        return y.repeat(1, 1).cos()

    for dynamic in (False, True):
        done = check(trace(long, torch.randn(5, 7), dynamic=dynamic))
        assert [op for op in done.ops if "sym_size" not in op] == ["aten.sin.default", "aten.cos.default"]


def test_permutes_compose() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (2, 3, 4)))
    turned = b.call(aten.permute.default, b.call(aten.permute.default, x, [1, 2, 0]), [1, 2, 0])
    done = check(b.output(b.call(aten.cos.default, turned)))
    assert done.ops.count("aten.permute.default") == 1
    b = Builder()
    node = b.call(aten.sin.default, b.input("x", (2, 3, 4)))
    for _ in range(3):
        node = b.call(aten.permute.default, node, [1, 2, 0])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert "aten.permute.default" not in done.ops


def test_expands_compose() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (1, 1, 4)))
    node = b.call(aten.expand.default, b.call(aten.expand.default, x, [1, 3, 4]), [2, 3, 4])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert done.ops.count("aten.expand.default") == 1


def test_a_dead_end_is_cleared_but_not_its_effects() -> None:
    b = Builder()
    x = matrix(b)
    drawn = b.call(aten.rand_like.default, x)
    pair = b.call(aten.view.default, b.call(aten.view.default, drawn, [24]), [4, 6])
    done = check(b.output(b.call(aten.cos.default, pair)), kept=drawn.name)
    assert "aten.view.default" not in done.ops


@pytest.mark.parametrize("computed", [False, True], ids=["input", "computed"])
def test_a_clone_that_may_be_fused_is_not_exchanged_for_a_reshape_that_may_not(computed: bool) -> None:
    b = Builder()
    x = b.input("x", (3, 2, 1, 10, 8))
    source = b.call(aten.sin.default, x) if computed else x
    node = b.call(aten.expand.default, source, [3, 2, 2, 10, 8])
    node = b.call(aten.clone.default, node, memory_format=torch.contiguous_format)
    node = b.call(aten.reshape.default, b.call(aten.reshape.default, node, [3, 4, 10, 8]), [12, 10, 8])
    done = check(b.output(b.call(aten.cos.default, node)))
    assert ("aten.clone.default" in done.ops) is computed
    assert done.ops.count("aten.reshape.default") == 1


@pytest.mark.parametrize("names", [("s", "t"), ("t", "s")], ids=" then ".join)
def test_what_one_graph_taught_of_its_sizes_is_not_said_of_those_of_another(names: tuple[str, str]) -> None:
    """Shortest chains are remembered from graph to graph by the numbers of unknowns, which each graph gives anew."""
    b = Builder()
    rows, columns = (b.size(name, hint) for name, hint in zip(names, (6, 8), strict=True))
    x = b.call(aten.sin.default, b.input("x", (rows, columns, 2)))
    turned = b.call(aten.permute.default, x, [1, 0, 2])
    apart = b.call(aten.unsqueeze.default, turned, 0)
    back = b.call(aten.permute.default, b.call(aten.squeeze.dim, apart, 0), [2, 1, 0])
    done = check(b.output(b.call(aten.exp.default, back)), removed=[apart.name])
    (order,) = [n.args[1] for n in done.after.graph.nodes if n.target is aten.permute.default]
    assert order == [2, 0, 1]


@pytest.mark.parametrize("end", ["a later write", "an output"])
def test_a_view_of_a_copy_that_became_one_of_the_source_is_known_to_be_one(end: str) -> None:
    """The view keeps its node and is called on the source. A copy of it must not go, then, if the source is written
    before the copy is last used, or if the copy is returned."""
    b = Builder()
    x = b.input("x", (4, 6))
    view = b.call(aten.view.default, b.call(aten.clone.default, x), [2, 12])
    copied = b.call(aten.clone.default, view)
    again = b.call(aten.view.default, copied, [24])
    used = b.call(aten.cos.default, view)
    if end == "an output":
        gm = b.output(used, again)
    else:
        b.call(aten.mul_.Tensor, x, 2.0)
        gm = b.output(used, b.call(aten.sin.default, again))
    done = check(gm, eliminate=lambda g: eliminate(g, [patterns.ALL["move/shorter"]]))
    assert view.args[0] is x
    assert again.args[0] is copied
    assert done.ops.count("aten.clone.default") == 1
