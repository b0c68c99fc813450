"""``check`` must fail when it should: each breakage here is one that some eliminator has shipped."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from graph_inputs import inputs_at, valuations
from graphs import Builder, check
from torch import fx

from noopelim.driver import find_shape_env
from noopelim.observe import observe
from noopelim.remarks import Report

aten = torch.ops.aten
Edit = Callable[[fx.GraphModule], None]


def by(edit: Edit) -> Callable[[fx.GraphModule], Report]:
    """An eliminator that makes this edit on its first run and truthfully counts nodes."""
    runs = 0

    def eliminate(gm: fx.GraphModule) -> Report:
        nonlocal runs
        runs += 1
        report = Report(nodes_before=sum(n.op == "call_function" for n in gm.graph.nodes))
        if runs == 1:
            edit(gm)
        report.nodes_after = sum(n.op == "call_function" for n in gm.graph.nodes)
        return report

    return eliminate


def node(gm: fx.GraphModule, name: str) -> fx.Node:
    (found,) = (n for n in gm.graph.nodes if n.name == name)
    assert isinstance(found, fx.Node)
    return found


def bypass(name: str, source: str) -> Edit:
    def edit(gm: fx.GraphModule) -> None:
        node(gm, name).replace_all_uses_with(node(gm, source))
        gm.graph.erase_node(node(gm, name))
        gm.recompile()

    return edit


def sample() -> fx.GraphModule:
    """Every kind of thing to break: a view, a copy, a write, a symbol and two sizes with one hint."""
    b = Builder()
    s, t = b.size("s0"), b.size("s1")
    x, y = b.input("x", (s, 4)), b.input("y", (t, 4))
    product = b.call(aten.mul.Tensor, x, 2.0)
    view = b.call(aten.view.default, product, [-1, 4])
    clone = b.call(aten.clone.default, x)
    b.call(aten.add_.Tensor, x, 1.0)
    head = b.call(aten.slice.Tensor, b.call(aten.relu.default, y), 0, 0, s)
    tail = b.call(aten.clone.default, product)
    total = b.call(aten.add.Tensor, clone, 1.0)
    twin = b.call(aten.clone.default, product)
    return b.output(view, product, total, head, b.call(aten.neg.default, tail), twin)


def test_a_sound_edit_passes() -> None:
    done = check(sample(), removed="clone_1", kept=("view", "clone"), eliminate=by(bypass("clone_1", "mul")))
    assert "aten.neg.default" in done.ops
    check(sample(), kept=(aten.clone.default, "view"), eliminate=by(lambda gm: None))


BROKEN: dict[str, tuple[Edit, str]] = {}


def broken(match: str) -> Callable[[Edit], Edit]:
    def register(edit: Edit) -> Edit:
        BROKEN[edit.__name__] = (edit, match)
        return edit

    return register


BROKEN["a copy before a write"] = (bypass("clone", "x"), "values, layout or mutations")
BROKEN["an output becomes another"] = (bypass("view", "mul"), "one object")
BROKEN["a slice of hint-equal size"] = (bypass("slice_1", "relu"), "values, layout or mutations")


@broken("values, layout or mutations")
def the_sign_of_zero(gm: fx.GraphModule) -> None:
    neg = node(gm, "neg")
    with gm.graph.inserting_before(neg):
        zero = gm.graph.call_function(aten.add.Tensor, (node(gm, "mul"), 0.0))
        zero.meta["val"] = node(gm, "mul").meta["val"] + 0.0
    neg.args = (zero,)
    gm.recompile()


@broken("pinned node")
def a_write_is_dropped(gm: fx.GraphModule) -> None:
    gm.graph.erase_node(node(gm, "add_"))
    gm.recompile()


@broken("pinned node|changed places")
def a_write_is_moved(gm: fx.GraphModule) -> None:
    node(gm, "output").prepend(node(gm, "add_"))
    gm.recompile()


@broken("changed places")
def a_node_is_moved(gm: fx.GraphModule) -> None:
    node(gm, "output").prepend(node(gm, "slice_1"))
    gm.recompile()


@broken("other storages")
def a_copy_becomes_a_view(gm: fx.GraphModule) -> None:
    node(gm, "clone_2").target = aten.alias.default
    gm.recompile()


@broken("recompiled")
def no_recompile(gm: fx.GraphModule) -> None:
    node(gm, "clone_1").replace_all_uses_with(node(gm, "mul"))
    gm.graph.erase_node(node(gm, "clone_1"))


@broken("metadata became untrue")
def a_stale_shape(gm: fx.GraphModule) -> None:
    node(gm, "neg").meta["val"] = node(gm, "slice_1").meta["val"]


@broken("metadata became untrue.*share storage")
def a_stale_storage(gm: fx.GraphModule) -> None:
    node(gm, "neg").meta["val"] = node(gm, "mul").meta["val"]


@broken("lost")
def lost_metadata(gm: fx.GraphModule) -> None:
    del node(gm, "neg").meta["val"]


@broken("ShapeEnv")
def a_guard(gm: fx.GraphModule) -> None:
    x, y = node(gm, "x").meta["val"], node(gm, "y").meta["val"]
    assert bool(y.shape[0] <= x.shape[0] * 3)


@broken("ShapeEnv")
def a_specialisation(gm: fx.GraphModule) -> None:
    x, y = node(gm, "x").meta["val"], node(gm, "y").meta["val"]
    assert x.shape == y.shape


@broken("ShapeEnv")
def a_range(gm: fx.GraphModule) -> None:
    torch._check(node(gm, "x").meta["val"].shape[0] <= 100)  # type: ignore[no-untyped-call]


@broken("ShapeEnv")
def a_fresh_symbol(gm: fx.GraphModule) -> None:
    env = find_shape_env(gm.graph)
    assert env is not None
    env.create_unbacked_symint()


@pytest.mark.parametrize("name", BROKEN)
def test_breakage_is_seen(name: str) -> None:
    edit, match = BROKEN[name]
    with pytest.raises(AssertionError, match=match):
        check(sample(), eliminate=by(edit))


def test_wishes_are_checked() -> None:
    with pytest.raises(AssertionError, match="should have gone"):
        check(sample(), removed="clone", eliminate=by(lambda gm: None))
    with pytest.raises(AssertionError, match="should have gone"):
        check(sample(), removed=aten.clone.default, eliminate=by(bypass("clone_1", "mul")))
    with pytest.raises(AssertionError, match="should have stayed"):
        check(sample(), kept=aten.clone.default, eliminate=by(bypass("clone_1", "mul")))
    with pytest.raises(AssertionError, match="was not there"):
        check(sample(), kept="nobody", eliminate=by(lambda gm: None))


def test_a_second_run_must_rest() -> None:
    def restless(gm: fx.GraphModule) -> Report:
        report = by(lambda gm: None)(gm)
        with gm.graph.inserting_before(node(gm, "output")):
            new = gm.graph.call_function(aten.neg.default, (node(gm, "mul"),))
            new.meta["val"] = -node(gm, "mul").meta["val"]
        gm.recompile()
        report.nodes_after += 1
        return report

    with pytest.raises(AssertionError, match="second run"):
        check(sample(), eliminate=restless)


def test_untrue_metadata_is_refused_from_the_start() -> None:
    gm = sample()
    node(gm, "neg").meta["val"] = node(gm, "slice_1").meta["val"]
    with pytest.raises(AssertionError, match="untrue before"):
        check(gm, eliminate=by(lambda gm: None))
    check(gm, eliminate=by(lambda gm: None), truthful=False)


def test_inputs_follow_the_shape_env() -> None:
    points = [tuple(at.values()) for at in valuations(sample())]
    assert points[0] == (8, 8), "the hints come first"
    assert any(s < t for s, t in points), "equal hints are not equal sizes"
    assert all(s <= t for s, t in points), "the slice left this guard"


def test_inputs_keep_layout_aliasing_and_bits() -> None:
    b = Builder()
    s = b.size("s0", low=0)
    x = b.input("x", (s, 3), stride=(8, 2), offset=5)
    b.input("lap", (3,), of=x, offset=1)
    b.input("conj", (2, s), torch.complex64, view=torch.conj)
    b.input("neg", (2, 2), view=torch._neg_view)
    gm = b.output(x)
    for at in valuations(gm):
        _, base, lap, conj, neg = inputs_at(gm, at)
        assert isinstance(base, torch.Tensor)
        assert isinstance(lap, torch.Tensor)
        assert isinstance(conj, torch.Tensor)
        assert isinstance(neg, torch.Tensor)
        assert (base.stride(), base.storage_offset()) == ((8, 2), 5)
        assert lap.untyped_storage()._cdata == base.untyped_storage()._cdata
        assert conj.is_conj()
        assert neg.is_neg()
    assert {at[next(iter(at))] for at in valuations(gm)} >= {0, 1}


def test_observation_tells_conj_from_resolved() -> None:
    class Resolve(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.resolve_conj()

    class Keep(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.view(-1)

    x = torch.randn(3, dtype=torch.complex64).conj()
    resolve, keep = fx.symbolic_trace(Resolve()), fx.symbolic_trace(Keep())
    assert observe(resolve, [x]).values != observe(keep, [x]).values
    assert observe(copy.deepcopy(keep), [x]).values == observe(keep, [x]).values
