"""Compiled matchers agree with torch's own ``PatternExpr.match``, for every spelling of a call."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import fx

from noopelim import ANY, SIZE, X, Y, patterns, var
from noopelim.calls import arguments
from noopelim.match import compile_pattern
from noopelim.pattern import Assembly, OpCall, same_constant
from noopelim.spellings import clone, getitem, permute, relabel, reshape, slice_
from noopelim.torch_api import FailedMatch, KeywordArg, PatternExpr

aten = torch.ops.aten

SHARED = clone(X)
PATTERNS: list[PatternExpr] = [
    # Of a tree torch sees one call, and the engine looks at the rest.
    *(rule.pattern for rule in patterns.ALL if not isinstance(rule.pattern, Assembly)),
    OpCall(aten.add.Tensor, X, Y),
    OpCall(aten.add.Tensor, X, X),
    OpCall(aten.add.Tensor, SHARED, SHARED),
    OpCall(aten.add.Tensor, clone(X), clone(Y), rest="any"),
    OpCall(aten.mul.Tensor, X, 1),
    OpCall(aten.add.Tensor, X, 0.0),
    slice_(X, 0, 0),
    OpCall(aten.cat.default, [X, Y], ANY),
    OpCall(aten.cat.default, [X, clone(Y)], rest="any"),
    OpCall(aten.cat.default, [X, X, ANY]),
    OpCall(aten.constant_pad_nd.default, X, [0, var("n")], ANY),
    getitem(X, 0),
    KeywordArg("anything"),
]

CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (aten.clone.default, ("n",), {}),
    (aten.clone.default, ("n",), {"memory_format": torch.contiguous_format}),
    (aten.view.default, ("n", [2, 3]), {}),
    (aten.reshape.default, ("n",), {"shape": [-1]}),
    (aten.reshape.default, (), {"self": "n", "shape": [-1]}),
    (aten.squeeze.dim, ("n", 0), {}),
    (aten.unsqueeze.default, ("n", -1), {}),
    (aten.slice.Tensor, ("n",), {}),
    (aten.slice.Tensor, ("n", 0, 0), {}),
    (aten.slice.Tensor, ("n", 0, 0, 5, 1), {}),
    (aten.slice.Tensor, ("n", 1), {"start": None, "end": 3}),
    (aten.cat.default, (["n", "m"],), {}),
    (aten.cat.default, (["n", "m"], 1), {}),
    (aten.cat.default, (["n", "n", "m"],), {}),
    (aten.constant_pad_nd.default, ("n", [0, 1]), {}),
    (aten.constant_pad_nd.default, ("n", [1, 0], 2.0), {}),
    (aten.add.Tensor, ("n", "m"), {}),
    (aten.add.Tensor, ("n", "n"), {}),
    (aten.add.Tensor, ("n", "n"), {"alpha": 2}),
    (aten.add.Tensor, ("n", 0.0), {}),
    (aten.add.Tensor, ("n", -0.0), {}),
    (aten.mul.Tensor, ("n", 1), {}),
    (aten.mul.Tensor, ("n", True), {}),
    (aten.permute.default, ("n", [1, 0]), {}),
    (aten.t.default, ("n",), {}),
    (aten.slice_scatter.default, ("n", "m"), {"end": 3}),
    (aten.copy.default, ("n", "m", True), {}),
    (operator.getitem, ("n", 0), {}),
    (operator.getitem, ("n", 1), {}),
]


@st.composite
def graphs(draw: st.DrawFn) -> fx.Graph:
    graph = fx.Graph()
    nodes = [graph.placeholder("a"), graph.placeholder("b")]
    for _ in range(draw(st.integers(1, 6))):
        target, args, kwargs = draw(st.sampled_from(CALLS))
        recent = nodes[-3:]
        choose = {"n": draw(st.sampled_from(recent)), "m": draw(st.sampled_from(recent))}

        def filled(a: Any, choose: dict[str, fx.Node] = choose) -> Any:
            if isinstance(a, list):
                return [filled(item) for item in a]
            return choose[a] if isinstance(a, str) else a

        args, kwargs = tuple(map(filled, args)), {k: filled(v) for k, v in kwargs.items()}
        nodes.append(graph.call_function(target, args, kwargs))
    return graph


@given(graphs())
def test_compiled_matchers_agree_with_torch(graph: fx.Graph) -> None:
    for pattern in PATTERNS:
        match = compile_pattern(pattern)
        for node in graph.nodes:
            reference = pattern.match(node)
            found = match(node)
            if isinstance(reference, FailedMatch):
                assert found is None, (pattern, node)
            else:
                assert found is not None, (pattern, node, reference)
                assert found.values == reference.kwargs
                assert set(found.nodes) == set(reference.nodes)
                if reference.nodes:
                    assert found.nodes[0] is node


SPELLINGS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "defaults": ((), {}),
    "positional": ((0, None, None, 1), {}),
    "keywords": ((), {"step": 1, "end": None, "start": None, "dim": 0}),
    "mixed": ((0,), {"end": None}),
}


@pytest.mark.parametrize(("args", "kwargs"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_one_pattern_sees_every_spelling(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    graph = fx.Graph()
    x = graph.placeholder("x")
    node = graph.call_function(aten.slice.Tensor, (x, *args), kwargs)
    assert arguments(node) == (x, 0, None, None, 1)
    found = compile_pattern(slice_(X, var("dim"), var("start"), var("end"), var("step")))(node)
    assert found is not None
    assert found.values == {"x": x, "dim": 0, "start": None, "end": None, "step": 1}


def test_an_argument_left_out_must_have_its_default() -> None:
    graph = fx.Graph()
    x, y = graph.placeholder("x"), graph.placeholder("y")
    plain = graph.call_function(aten.add.Tensor, (x, y))
    spelled = graph.call_function(aten.add.Tensor, (x, y), {"alpha": 1})
    scaled = graph.call_function(aten.add.Tensor, (x, y), {"alpha": 2})
    match = compile_pattern(OpCall(aten.add.Tensor, X, Y))
    assert match(plain)
    assert match(spelled)
    assert match(scaled) is None


def test_a_call_that_does_not_fit_its_schema_does_not_match() -> None:
    graph = fx.Graph()
    x = graph.placeholder("x")
    for args, kwargs in (((), {}), ((x, 0, 0, 1, 1, 1), {}), ((x,), {"nonsense": 1}), ((x, 0), {"dim": 0})):
        node = graph.call_function(aten.slice.Tensor, args, kwargs)
        assert arguments(node) is None
        assert compile_pattern(slice_(X))(node) is None


def test_constants_keep_their_type_and_sign() -> None:
    assert same_constant(1, 1)
    assert not same_constant(1, True)
    assert not same_constant(0, 0.0)
    assert not same_constant(0.0, -0.0)


def test_shared_middle_nodes_match() -> None:
    graph = fx.Graph()
    x = graph.placeholder("x")
    middle = graph.call_function(aten.reshape.default, (x, [-1]))
    outer = graph.call_function(aten.reshape.default, (middle, [2, 3]))
    graph.output((middle, outer))
    found = compile_pattern(reshape(relabel(X), SIZE))(outer)
    assert found is not None
    assert found.nodes == (outer, middle)
    assert compile_pattern(permute(X, ANY))(outer) is None
