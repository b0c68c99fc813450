"""Instances on fake tensors with symbols: what is told of them is so, and torch learns nothing from it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import sympy
import torch
from instances_drawn import drawn_some
from torch.utils import _pytree as pytree

from noopelim import patterns
from noopelim.faking import Open, faked, opened
from noopelim.instances import CallOf, evaluated
from noopelim.laying import as_graph
from noopelim.operands import Operand
from noopelim.points import evaluate
from noopelim.scope import Scope
from noopelim.symbols import Symbols
from noopelim.torch_api import ShapeEnv, expression_of, snapshot

aten = torch.ops.aten
MANY = Scope(rank=2, dim=2, window=2)


class Fixed(Random):
    """Draws one number for ever; chooses as usual."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self.number = number

    def random(self) -> float:
        return self.number


def made_of(drawn: CallOf, way: float, kind: float = 0.3) -> tuple[Symbols, Any]:
    """The instance with symbols for its sizes, on fakes made in the way that this number stands for. ``kind``:
    up to 0.35 equal sizes share a symbol, up to 0.65 they do not."""
    symbols = Symbols(ShapeEnv(), Fixed(kind))
    symbols.where = "operands"
    generic = opened(drawn, symbols, {})
    symbols.random = Fixed(way)
    return symbols, faked(generic, symbols)


TOLD, REFUSED, GUARDED = 0.1, 0.65, 0.9


def branches() -> tuple[CallOf, list[tuple[int, ...]]]:
    """Calls of two branches, one shared and in a list, each of another shape; with those shapes, in order of
    evaluation."""
    x, y = Operand(0, (2, 3)), Operand(1, (3, 4))
    shared = CallOf(aten.t.default, (x,))
    inner = CallOf(aten.unsqueeze.default, (y, 0))
    wide = CallOf(aten.unsqueeze.default, (CallOf(aten.cat.default, ([shared, y, shared], 1)), 1))
    root = CallOf(aten.mul.Tensor, (wide, CallOf(aten.sum.dim_IntList, (inner, [2], True, None))))
    tensors = {0: x.tensor(), 1: y.tensor()}
    done: dict[int, Any] = {}
    evaluated(root, tensors, done)
    return root, [tuple(t.shape) for t in done.values()]


@pytest.mark.parametrize("way", [TOLD, GUARDED])
def test_what_fakes_are_told_is_told_of_the_right_calls(way: float) -> None:
    call, shapes = branches()
    assert len(set(shapes)) == len(shapes) == 6
    symbols, found = made_of(call, way)
    assert len(symbols.hints) == 3
    assert list(today(symbols, found.done.values())) == shapes
    root, behind = as_graph(found.call, found.tensors, found.done)
    real: dict[int, Any] = {}
    evaluated(call, {0: Operand(0, (2, 3)).tensor(), 1: Operand(1, (3, 4)).tensor()}, real)
    twins = dict(twin_calls(found.call, call))
    for node, part in behind.items():
        if isinstance(part, CallOf):
            (shape,) = today(symbols, [node.meta["val"]])
            assert shape == tuple(real[id(twins[id(part)])].shape), node.target
    assert root.target is aten.mul.Tensor


def today(symbols: Symbols, fakes: Any) -> Iterator[tuple[int, ...]]:
    for fake in fakes:
        yield tuple(evaluate(sympy.sympify(expression_of(n)), symbols.hints) for n in fake.shape)


def twin_calls(one: Any, other: Any) -> Iterator[tuple[int, CallOf]]:
    if isinstance(one, CallOf):
        yield id(one), other
        yield from twin_calls(list(one.args), list(other.args))
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            yield from twin_calls(*pair)


NAMES = [
    "slice/whole",
    "reshape/round-trip",
    "expand/of-expand",
    "copy/copy",
    "split/in-one",
]


@pytest.mark.parametrize("name", NAMES)
def test_fakes_that_are_told_leave_no_guard(name: str) -> None:
    made = 0
    for drawn in drawn_some(patterns.ALL[name], MANY, "shapes", 60):
        symbols, found = made_of(drawn.call, TOLD)
        if found is None or not symbols.hints:
            continue
        made += 1
        env = symbols.env
        assert snapshot(env)["guard"] == snapshot(env)["replacement"] == frozenset()
        fakes = pytree.tree_leaves([*found.tensors.values(), *found.done.values()])
        assert all(fake.fake_mode.shape_env is env for fake in fakes)
        assert any(isinstance(n, torch.SymInt) for fake in fakes for n in fake.shape)
    assert made >= 12


def test_a_kernel_that_wants_a_guard_is_refused_or_becomes_a_fact() -> None:
    x, y = Operand(0, (3,)), Operand(1, (3,))
    call = CallOf(aten.add.Tensor, (x, y, 1))
    _, found = made_of(call, REFUSED, 0.5)
    assert found is None
    symbols, found = made_of(call, GUARDED, 0.5)
    assert found is not None
    assert snapshot(symbols.env)["guard"]
    one, other = (symbols.env.replacements.get(s, s) for s in symbols.hints)
    assert one == other


def test_what_a_kernel_would_ask_of_sizes_is_told_as_if_they_were_neither_one_nor_equal() -> None:
    call = CallOf(aten.squeeze.dim, (Operand(0, (1,)), 0))
    _, refused = made_of(call, REFUSED, 0.5)
    assert refused is None
    symbols, told = made_of(call, TOLD, 0.5)
    (symbol,) = symbols.hints
    (squeezed,) = told.done.values()
    assert [expression_of(n) for n in squeezed.shape] == [symbol]
    assert snapshot(symbols.env)["guard"] == snapshot(symbols.env)["replacement"] == frozenset()


def test_equal_sizes_become_symbols_of_their_own_and_sharing_is_kept() -> None:
    x = Operand(0, (3, 3))
    shared = CallOf(aten.t.default, (x,))
    symbols = Symbols(ShapeEnv(), Fixed(0.3))
    symbols.where = "anywhere"
    known = opened(CallOf(aten.cat.default, ([shared, shared, x], 0)), symbols, {})
    (one, other, source), dim = known.args
    assert one is other
    assert isinstance(source, Open)
    assert one.args[0] is source
    assert source.like is x
    assert dim == 0
    symbols.random = Fixed(0.5)
    (a, b) = opened(Operand(1, (3, 3)), symbols, {}).shape
    assert a != b
    assert symbols.hints[a] == symbols.hints[b] == 3


@pytest.mark.parametrize(
    ("target", "args", "symbolic"),
    [
        (aten.slice.Tensor, (0, 0, 3, 2), [False, True, True, True]),
        (aten.slice_copy.Tensor, (0, 0, None, 2), [False, True, False, True]),
        (aten.select.int, (0, 1), [False, True]),
        (aten.unsqueeze.default, (1,), [False]),
        (aten.squeeze.dims, ([0],), [False]),
    ],
)
def test_only_integers_that_may_be_symbolic_become_symbols(
    target: Any, args: tuple[Any, ...], symbolic: list[bool]
) -> None:
    symbols = Symbols(ShapeEnv(), Fixed(0.65))
    symbols.where = "anywhere"
    call = opened(CallOf(target, (Operand(0, (6,)), *args)), symbols, {})
    assert [isinstance(n, sympy.Expr) for n in call.args[1:]] == symbolic


@pytest.mark.parametrize(
    "target", [aten.view.default, aten.reshape.default, aten.expand.default, aten.repeat.default]
)
def test_sizes_that_are_asked_for_become_symbols(target: Any) -> None:
    symbols = Symbols(ShapeEnv(), Fixed(0.65))
    symbols.where = "arguments"
    call = opened(CallOf(target, (Operand(0, (2, 3)), [2, 3])), symbols, {})
    assert call.args[0].shape == (2, 3)
    assert all(isinstance(n, sympy.Expr) for n in call.args[1])
