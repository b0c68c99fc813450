"""A rule that is wrong without any graph cannot be made, and the error names the rule and the mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from noopelim import ANY, SIZE, Computed, Exact, Rule, RuleSet, X, Y, patterns, var
from noopelim.errors import RuleError
from noopelim.spellings import clone, reshape, slice_

aten = torch.ops.aten


def rule(**changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "name": "test/rule",
        "pattern": reshape(reshape(X, ANY), SIZE),
        "to": reshape(X, SIZE),
        "because": "it is so",
        "example": lambda x: x,
    }
    return Rule(**{**fields, **changes})


def always(f: Any, *_: Any) -> Any:
    return f.eq(1, 1)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "No Name"}, "family/what-it-does"),
    "pattern": ({"pattern": X}, "not a call"),
    "because": ({"because": " "}, "one sentence"),
    "example": ({"example": 3}, "not callable"),
    "near_miss": ({"near_miss": (3,)}, "not callable"),
    "exact": ({"exact": "bits"}, "noopelim.Exact"),
    "to_unbound": ({"to": Y}, "does not bind"),
    "to_template_unbound": ({"to": reshape(Y, SIZE)}, "does not bind"),
    "to_constant": ({"to": 3}, "variable of the pattern"),
    "measure_same": ({"pattern": reshape(X, SIZE)}, "measure does not fall: 1 calls in the pattern, 1"),
    "measure_grows": ({"pattern": clone(X), "to": clone(clone(X))}, "measure does not fall"),
    "repeats": (
        {"pattern": clone(clone(clone(X))), "to": reshape(X, X)},
        "`to` repeats x more often",
    ),
    "template_open": ({"to": reshape(X, ANY)}, "leaves an argument open"),
    "template_nests": (
        {"pattern": clone(reshape(reshape(X, ANY), SIZE)), "to": clone(reshape(X, SIZE))},
        "nests calls",
    ),
    "where_unknown": ({"where": lambda f, y: f.eq(1, 1)}, "asks for y, which the pattern does not bind"),
    "where_no_facts": ({"where": lambda: None}, "the facts first"),
    "where_star": ({"where": lambda f, *x: None}, "the facts first"),
    "where_no_function": ({"where": True}, "not callable"),
    "computed_unknown": ({"to": reshape(X, Computed(lambda f, z: (1,)))}, "asks for z"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_a_malformed_rule_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        rule(**changes)
    assert changes.get("name", "test/rule") in str(caught.value)


def test_a_rule_reads_back_what_it_was_given() -> None:
    made = rule(where=lambda f, x: f.same_shape(x, f.root), to=X)
    assert made.variables == {"x", "size"}
    assert made.depth == 2
    assert not made.makes_node
    assert made.exact is Exact.BITS


def test_names_are_unique_in_a_set() -> None:
    with pytest.raises(RuleError, match="used twice: test/rule"):
        RuleSet.of((rule(), rule()))
    with pytest.raises(RuleError, match="holds rules"):
        RuleSet((3,))  # type: ignore[arg-type]


def test_only_without_and_union() -> None:
    everything = patterns.ALL
    some = everything.only("slice/*", "copy/clone")
    assert set(some.names) == {"slice/whole", "copy/clone"}
    assert set((everything.without("slice/*") | some).names) == set(everything.names)
    assert len(everything.without("slice/*")) == len(everything) - 1
    assert everything["slice/whole"].name == "slice/whole"


@pytest.mark.parametrize("choose", [patterns.ALL.only, patterns.ALL.without], ids=["only", "without"])
def test_a_glob_that_matches_nothing_is_an_error_with_a_hint(choose: Callable[[str], RuleSet]) -> None:
    with pytest.raises(RuleError, match=r"no rule is named 'slice/whol'; did you mean slice/whole"):
        choose("slice/whol")


def test_every_default_rule_keeps_every_bit() -> None:
    assert all(r.exact is Exact.BITS for r in patterns.ALL)


def test_any_is_not_one_value() -> None:
    """``ANY`` twice in a pattern matches two different things, unlike a shared pattern object in torch."""
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    node = graph.call_function(aten.slice.Tensor, (x, 0, 1, 2, 3))
    assert slice_(var("x")).match(node)
