"""Randomness, effects, collectives, mutation: such nodes stay, with or without users, in their order."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
import torch
from custom_ops import note, store
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten

EFFECTS: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "rand": lambda b, x: b.call(aten.rand.default, [4, 4]),
    "rand_like": lambda b, x: b.call(aten.rand_like.default, x),
    "bernoulli": lambda b, x: b.call(aten.bernoulli.p, x, 0.5),
    "native_dropout": lambda b, x: b.get(b.call(aten.native_dropout.default, x, 0.5, True), 0),
    "in place": lambda b, x: b.call(aten.mul_.Tensor, x, 2.0),
    "custom in place": lambda b, x: b.call(store, x, b.call(aten.cos.default, x)),
    "effectful": lambda b, x: b.call(note, x),
    "assert": lambda b, x: b.call(
        aten._assert_async.msg,
        b.call(aten.ge.Scalar, b.call(aten.sum.default, b.call(aten.abs.default, _clean(b, x))), 0),
        "no",
    ),
}


def _clean(b: Builder, x: fx.Node) -> fx.Node:
    return b.call(aten.nan_to_num.default, x, 0.0, 1.0, -1.0)


def _call(node: fx.Node) -> fx.Node:
    """What has the effect: the call itself, not the pick of one of its results."""
    return node.args[0] if node.target is operator.getitem else node  # type: ignore[return-value]


@pytest.mark.parametrize("effect", EFFECTS)
def test_it_stays_without_users(effect: str) -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    node = EFFECTS[effect](b, x)
    check(b.output(b.call(aten.cos.default, x)), kept=_call(node).name)


@pytest.mark.parametrize(
    "effect", ["rand", "rand_like", "bernoulli", "native_dropout", "in place", "effectful"]
)
def test_a_noop_behind_it_goes(effect: str) -> None:
    b = Builder()
    node = EFFECTS[effect](b, b.input("x", (4, 4)))
    view = b.call(aten.view.default, node, [4, 4])
    check(b.output(b.call(aten.cos.default, view)), kept=node.name, removed=view.name)


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_dead_noop_in_front_of_it_does_not_take_it_along(effect: str) -> None:
    b = Builder()
    x = b.call(aten.view.default, b.call(aten.exp.default, b.input("x", (4, 4))), [4, 4])
    node = EFFECTS[effect](b, x)
    check(b.output(b.call(aten.cos.default, x)), kept=_call(node).name)


def test_two_draws_are_two_draws() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    draws = [b.call(aten.view.default, b.call(aten.rand_like.default, x), [4, 4]) for _ in range(2)]
    check(b.output(b.call(aten.sub.Tensor, *draws)), kept=aten.rand_like.default, removed=aten.view.default)


def test_two_copies_of_one_draw() -> None:
    b = Builder()
    drawn = b.call(aten.rand_like.default, b.input("x", (4, 4)))
    copies = [b.call(aten.clone.default, drawn) for _ in range(2)]
    check(b.output(b.call(aten.sub.Tensor, *copies)), kept=drawn.name, removed=aten.clone.default)


def test_a_data_dependent_number_stays_without_users() -> None:
    b = Builder()
    x = b.input("x", (1,), torch.int64)
    item = b.call(aten._local_scalar_dense.default, x)
    view = b.call(aten.alias.default, b.input("y", (3,)))
    assert item.meta["unbacked_bindings"]
    check(b.output(b.call(aten.cos.default, view)), kept=item.name, removed=view.name)


def test_a_range_assertion_on_a_data_dependent_number_stays() -> None:
    b = Builder()
    item = b.call(
        aten._local_scalar_dense.default, b.call(aten.alias.default, b.input("x", (1,), torch.int64))
    )
    b.call(aten._assert_scalar.default, b.call(operator.ge, item, 0), "negative")
    check(
        b.output(b.call(aten.cos.default, b.input("y", (3,)))),
        kept=aten._assert_scalar.default,
        removed="alias",
    )


def test_an_unknown_function_may_write_its_operands() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    copy = b.call(aten.clone.default, x)
    b.call(_scribble, x)
    check(b.output(b.call(aten.cos.default, copy)), kept=(copy.name, "_scribble"))


def _scribble(x: torch.Tensor) -> None:
    x.zero_()


def test_setitem_writes() -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    copy = b.call(aten.clone.default, x)
    b.call(operator.setitem, x, 0, 7.0)
    check(b.output(b.call(aten.cos.default, copy)), kept=(copy.name, operator.setitem.__name__))
