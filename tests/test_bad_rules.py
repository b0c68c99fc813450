"""A rule that raises: the error names rule and node, and everything is as it was before the run."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from graph_structure import printed, state
from graphs import Builder, check

import noopelim
from noopelim import errors
from noopelim.pattern import ANY, X
from noopelim.proof import Proof
from noopelim.rule import Rule, RuleSet
from noopelim.spellings import clone, reshape

aten = torch.ops.aten


class Boom(Exception):
    """Something no engine expects."""


def exploding(after: int) -> RuleSet:
    """All the rules, and one tried before them that raises when it is asked the ``after``-th time."""
    asked = 0

    def where(f: Any) -> Proof:
        nonlocal asked
        asked += 1
        if asked >= after:
            raise Boom("bang")
        return Proof.of(False, "not yet", "counting")

    rule = Rule(
        name="a/explodes",
        pattern=clone(X),
        where=where,
        to=X,
        because="it does not hold",
        example=lambda x: aten.clone(aten.neg(x)),
    )
    return RuleSet((rule,)) | noopelim.patterns.ALL


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_rule_that_raises_leaves_everything_as_it_was(after: int) -> None:
    b = Builder()
    s = b.size("s0")
    node = b.call(aten.sin.default, b.input("x", (s, 6)))
    # Clones of other values each, or the rule would be asked of the first alone.
    for function in (aten.cos.default, aten.tan.default, aten.exp.default):
        node = b.call(aten.view.default, b.call(aten.view.default, node, [-1]), [s, 6])
        node = b.call(aten.clone.default, b.call(function, node))
    gm = b.output(node)
    was, text = state(gm), printed(gm)
    clones = [n.name for n in gm.graph.nodes if n.target is aten.clone.default]
    with pytest.raises(errors.RewriteError) as caught:
        noopelim.eliminate(gm, exploding(after))
    assert "a/explodes" in str(caught.value)
    assert any(name in str(caught.value) for name in clones)
    assert isinstance(caught.value.__cause__, Boom)
    assert (state(gm), printed(gm)) == (was, text)
    gm.graph.lint()
    check(gm)


def test_a_rule_that_raises_in_a_nested_graph() -> None:
    b = Builder()
    inner = Builder(b)
    y = inner.call(aten.view.default, inner.call(aten.sin.default, inner.input("y", (4,))), [4])
    sub = inner.output(inner.call(aten.cos.default, inner.call(aten.clone.default, y)))
    x = b.call(aten.view.default, b.call(aten.sin.default, b.input("x", (4,))), [4])
    call = b.bare(torch.ops.higher_order.invoke_subgraph, b.subgraph("subgraph_0", sub), "subgraph_0", x)
    call.meta["val"] = (x.meta["val"],)
    gm = b.output(b.get(call, 0))
    was = state(gm), state(sub)
    with pytest.raises(errors.RewriteError, match="a/explodes"):
        noopelim.eliminate(gm, exploding(1))
    assert (state(gm), state(sub)) == was


def test_a_rule_that_answers_with_something_else() -> None:
    rule = Rule(
        name="test/answers-true",
        pattern=reshape(X, ANY),
        where=lambda f: True,  # type: ignore[arg-type, return-value]
        to=X,
        because="it does not hold",
        example=lambda x: aten.reshape(aten.neg(x), x.shape),
    )
    b = Builder()
    x = b.call(aten.sin.default, b.input("x", (4, 6)))
    gm = b.output(b.call(aten.view.default, x, [4, 6]))
    was = state(gm)
    with pytest.raises(errors.RewriteError, match="test/answers-true"):
        noopelim.eliminate(gm, RuleSet((rule,)))
    assert state(gm) == was
