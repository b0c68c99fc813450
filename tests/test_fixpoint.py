"""The driver: chains of any length, shared middles, second chances, transactions."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from graphs import Builder, check, ops, trace
from torch import fx

import noopelim
from noopelim import ANY, SIZE, Computed, Proof, Rule, X, fixpoint, patterns
from noopelim.aliasing import Site
from noopelim.errors import RewriteError
from noopelim.integers import Prover
from noopelim.legality import Legality
from noopelim.spellings import clone, reshape, slice_
from noopelim.transaction import Transaction

aten = torch.ops.aten


def test_a_call_that_comes_to_be_called_on_other_values_keeps_its_node() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    outer = b.call(aten.reshape.default, b.call(aten.reshape.default, x, [-1]), [-1, 3, 4])
    gm = b.output(b.call(aten.cos.default, outer))
    report = check(gm).report
    (found,) = gm.graph.find_nodes(op="call_function", target=aten.reshape.default)
    assert found is outer
    assert found.args[0] is x
    assert [(r.node, r.replacement) for r in report.passed] == [(outer.name, outer.name)]
    assert f"{outer.name} [aten.reshape.default] -> itself, of other values" in str(report)


def test_what_is_called_on_other_values_shares_memory_with_them_from_then_on() -> None:
    """The view of a copy becomes one of the source, which is written before the last use of a copy of the view."""
    b = Builder()
    x = b.input("x", (4, 6))
    root = b.call(aten.view.default, b.call(aten.clone.default, x), [2, 12])
    copied = b.call(aten.clone.default, root)
    used = b.call(aten.cos.default, root)
    written = b.call(aten.mul_.Tensor, x, 2.0)
    gm = b.output(used, b.call(aten.sin.default, copied))
    legality = Legality(gm.graph, Prover(b.env))
    site = Site(copied, (copied,), root)
    assert legality.may_replace(site).legal
    with b.mode:
        value = x.meta["val"].view(2, 12)
    Transaction(gm.graph).rewrite(root, (x, [2, 12]), value)
    legality.rewritten(root)
    assert str(legality.may_replace(site).why).startswith(
        f"{written.name} (aten.mul_.Tensor) writes the source"
    )


@pytest.mark.parametrize("length", [2, 3, 4, 7, 50])
def test_a_chain_of_any_length_collapses(length: int) -> None:
    b = Builder()
    node = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    for i in range(length):
        node = b.call(aten.reshape.default, node, [-1, 12] if i % 2 else [-1, 3, 4])
    gm = b.output(b.call(aten.cos.default, node))
    check(gm)
    assert ops(gm).count("aten.reshape.default") == length % 2


def test_a_shared_middle_stays_and_the_outer_one_is_rewired() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    middle = b.call(aten.reshape.default, x, [-1])
    outer = b.call(aten.reshape.default, middle, [-1, 3, 4])
    gm = b.output(b.call(aten.cos.default, middle), b.call(aten.cos.default, outer))
    done = check(gm, kept=aten.reshape.default)
    (first, second) = gm.graph.find_nodes(op="call_function", target=aten.reshape.default)
    assert first.args[0] is second.args[0]
    assert done.report.counts == {"reshape/of-reshape": 1}


def test_what_a_later_rewrite_makes_possible_is_found() -> None:
    """The clone is an output's twin until the other output has lost its own no-op."""
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (4, 6)))
    inner = b.call(aten.slice.Tensor, x, 1, 0, 6)
    outer = b.call(aten.reshape.default, b.call(aten.reshape.default, inner, [24]), [4, 6])
    gm = b.output(b.call(aten.cos.default, outer))
    check(gm, removed=[aten.slice.Tensor, aten.reshape.default])


def test_new_nodes_carry_metadata_and_provenance() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    outer = b.call(aten.reshape.default, b.call(aten.reshape.default, x, [-1]), [-1, 3, 4])
    outer.meta["stack_trace"] = '  File "model.py", line 7, in forward\n    y = x.view(-1, 3, 4)\n'
    outer.meta["custom"] = {"kept": True}
    gm = b.output(b.call(aten.cos.default, outer))
    done = check(gm)
    (new,) = gm.graph.find_nodes(op="call_function", target=aten.reshape.default)
    assert new.meta["custom"] == {"kept": True}
    assert "model.py" in new.meta["stack_trace"]
    assert done.report.passed[0].source == 'File "model.py", line 7, in forward'


def test_metadata_of_views_follows_the_memory_they_now_live_in() -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (b.size("s0"), 12)))
    view = b.call(aten.slice.Tensor, b.call(aten.clone.default, x), 1, 3, 7)
    halves = b.call(aten.split.Tensor, b.call(aten.clone.default, x), 6, 1)
    gm = b.output(b.call(aten.cos.default, view), b.call(aten.cos.default, b.get(halves, 1)))
    check(gm, removed=aten.clone.default)
    storage = x.meta["val"].untyped_storage()._cdata
    for node in gm.graph.nodes:
        if node.name.startswith(("slice", "getitem")):
            assert node.meta["val"].untyped_storage()._cdata == storage


def test_the_report_says_what_fact_would_have_sufficed() -> None:
    b = Builder()
    rows, other = b.size("s0", hint=8), b.size("s1", hint=8)
    x = b.call(aten.sin.default, b.input("x", (rows, 12)))
    gm = b.output(b.call(aten.cos.default, b.call(aten.slice.Tensor, x, 0, 0, other)))
    report = noopelim.eliminate(gm)
    (missed,) = report.missed
    assert missed.rule == "slice/whole"
    sizes = [str(n.meta["val"].node.expr) for n in (rows, other)]
    assert missed.claim == " == ".join(sizes)
    assert not report.passed


def _raises(f: Any, x: Any) -> Proof:
    raise ZeroDivisionError("on purpose")


BROKEN = {
    "raises": Rule("broken/raises", clone(X), X, "never", lambda x: x, where=_raises),
    "no proof": Rule("broken/bool", clone(X), X, "never", lambda x: x, where=lambda f, x: True),  # type: ignore[arg-type, return-value]
    "asks a proof for a bool": Rule(
        "broken/asks", clone(X), X, "never", lambda x: x, where=lambda f, x: f.eq(1, 1) and f.eq(1, 1)
    ),
    "computes badly": Rule(
        "broken/computes",
        slice_(clone(X)),
        reshape(X, Computed(lambda f, x: x.no_such_thing)),
        "never",
        lambda x: x,
    ),
}


@pytest.mark.parametrize("rule", BROKEN.values(), ids=BROKEN.keys())
def test_a_rule_that_raises_leaves_the_graph_as_it_was(rule: Rule) -> None:
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (4, 6)))
    first = b.call(aten.reshape.default, b.call(aten.reshape.default, x, [-1]), [2, 12])
    second = b.call(aten.clone.default, b.call(aten.slice.Tensor, first, 0, 0, 2))
    views = b.call(aten.select.int, b.call(aten.clone.default, first), 0, 1)
    gm = b.output(b.call(aten.slice.Tensor, second, 0, 0, 1), views)
    nodes, metas = list(gm.graph.nodes), [dict(n.meta) for n in gm.graph.nodes]
    users, text = [set(n.users) for n in gm.graph.nodes], str(gm.graph)
    with pytest.raises(
        RewriteError, match=rf"rule '{rule.name}' raised at node clone.*aten\.clone|slice"
    ) as error:
        noopelim.eliminate(gm, patterns.ALL.without("copy/clone", "move/*") | noopelim.RuleSet((rule,)))
    assert "the graph is unchanged" in str(error.value)
    assert str(gm.graph) == text
    assert list(gm.graph.nodes) == nodes
    assert [dict(n.meta) for n in gm.graph.nodes] == metas
    assert [set(n.users) for n in gm.graph.nodes] == users
    gm.graph.lint()


def test_a_nested_graph_is_rolled_back_with_the_outer_one() -> None:
    def branch(x: torch.Tensor) -> tuple[torch.Tensor]:
        return (aten.cos(aten.clone(aten.sin(x))),)

    b = Builder()
    outer = b.call(
        aten.neg.default, b.call(aten.slice.Tensor, b.call(aten.sin.default, b.input("x", (4,))), 0, 0, 4)
    )
    bodies = [b.subgraph(name, trace(branch, torch.zeros(4))) for name in ("yes", "no")]
    flag = b.input("flag", (), torch.bool)
    result = b.get(b.call(torch.ops.higher_order.cond, flag, *bodies, [outer]), 0)
    gm = b.output(result)
    text = [str(g.graph) for g in (gm, gm.yes, gm.no)]
    with pytest.raises(RewriteError, match=r"at node (yes|no)\.clone"):
        noopelim.eliminate(copy.deepcopy(gm), [*patterns.ALL.without("copy/clone"), BROKEN["raises"]])
    with pytest.raises(RewriteError):
        noopelim.eliminate(gm, [*patterns.ALL.without("copy/clone"), BROKEN["raises"]])
    assert [str(g.graph) for g in (gm, gm.yes, gm.no)] == text
    report = noopelim.eliminate(gm)
    assert report.counts == {"copy/clone": 2, "slice/whole": 1}
    assert {r.graph for r in report.passed} == {"", "yes.", "no."}


def test_a_transaction_restores_arguments_metadata_and_new_nodes() -> None:
    graph = fx.Graph()
    x = graph.placeholder("x")
    a = graph.call_function(aten.sin.default, (x,))
    a.meta["val"] = "before"
    last = graph.call_function(aten.clone.default, (a,), {"memory_format": torch.contiguous_format})
    last.meta["val"], meta = "last", last.meta
    out = graph.output((a, [a], last))
    text = str(graph)
    transaction = Transaction(graph)
    new = transaction.insert(a, aten.cos.default, (x,), "value", like=a)
    assert new.meta["val"] == "value"
    transaction.set_value(a, "after")
    transaction.rewrite(last, (x,), "of x")
    assert (last.args, last.kwargs, last.meta["val"]) == ((x,), {}, "of x")
    assert transaction.replace(a, new) == [out]
    transaction.retire(a)
    transaction.rollback()
    assert last.meta is meta
    assert list(a.users) == [last, out]
    assert str(graph) == text
    assert a.meta["val"] == "before"
    graph.lint()


def test_rules_may_be_any_iterable_and_targets_are_checked() -> None:
    gm = trace(lambda x: aten.clone(torch.sin(x)) + 1, torch.zeros(3))
    assert noopelim.eliminate(gm.graph, [patterns.ALL["copy/clone"]]).counts == {"copy/clone": 1}
    with pytest.raises(TypeError, match="a GraphModule or an ExportedProgram"):
        noopelim.eliminate("graph")  # type: ignore[arg-type]


def test_a_user_rule_with_an_own_template() -> None:
    flat = Rule(
        "mine/flat-flat",
        pattern=reshape(reshape(X, ANY), SIZE),
        where=lambda f, size: f.eq(len(size), 1),
        to=reshape(X, SIZE),
        because="flat is flat",
        example=lambda x: x,
    )
    gm = trace(lambda x: torch.sin(x).view(2, 12).view(24) + 1, torch.zeros(4, 6))
    check(gm, eliminate=lambda g: noopelim.eliminate(g, [flat]))
    assert ops(gm).count("aten.view.default") == 1


def test_a_run_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    gm = trace(lambda x: (x + 1).clone().clone().clone() * 2, torch.zeros(4, 6))
    before = str(gm.graph)
    monkeypatch.setattr(fixpoint, "MOST_PER_CALL", 0)
    with pytest.raises(
        RewriteError, match=r"rule 'copy/clone' still applies at node .* after 1 rewrites of 5 calls"
    ):
        noopelim.eliminate(gm)
    assert str(gm.graph) == before
