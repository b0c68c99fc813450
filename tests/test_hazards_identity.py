"""Calls that return an operand itself: to take away the operand's view makes the result another object."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from custom_ops import define
from graphs import Builder, check
from torch import fx

aten = torch.ops.aten


@define("touch(Tensor(a!) x) -> Tensor(a!)")
def touch(x: torch.Tensor) -> torch.Tensor:
    return x.add_(1.0)


RETURNS_ITSELF: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "in place": lambda b, x: b.call(aten.mul_.Tensor, x, 2.0),
    "copy_": lambda b, x: b.call(aten.copy_.default, x, b.input("y", (4, 4))),
    "out=": lambda b, x: b.call(aten.add.out, b.input("y", (4, 4)), 1.0, out=x),
    "twice": lambda b, x: b.call(aten.mul_.Tensor, b.call(aten.add_.Tensor, x, 1.0), 2.0),
    "contiguous": lambda b, x: b.call(aten.contiguous.default, x),
    "to": lambda b, x: b.call(aten.to.dtype, x, torch.float32),
    "lift_fresh": lambda b, x: b.call(aten.lift_fresh.default, x),
    "resolve_conj": lambda b, x: b.call(aten.resolve_conj.default, x),
    "resolve_neg": lambda b, x: b.call(aten.resolve_neg.default, x),
    "custom": lambda b, x: b.call(touch, x),
}
VIEWS: dict[str, Callable[[Builder, fx.Node], fx.Node]] = {
    "alias": lambda b, x: b.call(aten.alias.default, x),
    "view": lambda b, x: b.call(aten.view.default, x, [4, 4]),
    "permute": lambda b, x: b.call(aten.permute.default, x, [0, 1]),
}
both = pytest.mark.parametrize(("view", "then"), [(view, then) for view in VIEWS for then in RETURNS_ITSELF])


@both
def test_of_an_input(view: str, then: str) -> None:
    b = Builder()
    made = VIEWS[view](b, b.input("x", (4, 4)))
    check(b.output(RETURNS_ITSELF[then](b, made)))


@both
def test_of_a_constant(view: str, then: str) -> None:
    b = Builder()
    made = VIEWS[view](b, b.constant("weight", torch.randn(4, 4)))
    check(b.output(RETURNS_ITSELF[then](b, made)))


@both
def test_beside_its_base(view: str, then: str) -> None:
    b = Builder()
    base = b.call(aten.sin.default, b.input("x", (4, 4)))
    made = VIEWS[view](b, base)
    check(b.output(RETURNS_ITSELF[then](b, made), base))


@both
def test_alone_the_view_goes(view: str, then: str) -> None:
    b = Builder()
    made = VIEWS[view](b, b.call(aten.sin.default, b.input("x", (4, 4))))
    check(b.output(RETURNS_ITSELF[then](b, made)), removed=made.name)


@both
def test_consumed_the_view_goes(view: str, then: str) -> None:
    b = Builder()
    x = b.input("x", (4, 4))
    made = VIEWS[view](b, x)
    check(b.output(b.call(aten.sin.default, RETURNS_ITSELF[then](b, made)), x), removed=made.name)


@pytest.mark.parametrize("turned", ["root", "source"])
def test_a_tensor_that_is_turned_in_place(turned: str) -> None:
    """``t_`` changes the sizes of one object, and of no other view of its memory."""
    b = Builder()
    source = b.call(aten.neg.default, b.input("x", (3, 4)))
    root = b.call(aten.slice.Tensor, source, 0, 0, 3)
    operand = root if turned == "root" else source
    seen = operand.meta["val"]
    result = b.bare(aten.t_.default, operand)
    result.meta["val"] = seen.t()
    check(b.output(result, b.call(aten.cos.default, source if turned == "root" else root)), kept=root.name)
