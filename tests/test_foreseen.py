"""Strides foreseen by arithmetic are those that torch gives, or none are foreseen."""

from __future__ import annotations

import math

import pytest
import torch
from graphs import Builder
from hypothesis import given
from hypothesis import strategies as st

from noopelim.foreseen import NoView, lies_otherwise
from noopelim.integers import Prover
from noopelim.moves import Moves
from noopelim.steps import Step

aten = torch.ops.aten
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@st.composite
def laid_out(draw: st.DrawFn) -> torch.Tensor:
    """A tensor whose dims are in any order, some of them cut or repeated."""
    sizes = draw(SIZES)
    order = draw(st.permutations(range(len(sizes))))
    made = torch.empty([n + 1 for n in sizes]).permute(order)
    made = made[tuple(slice(draw(st.integers(0, 1)), None) for _ in order)]
    return made.unsqueeze(0).expand(3, *made.shape) if draw(st.booleans()) else made


@st.composite
def step_on(draw: st.DrawFn, value: torch.Tensor) -> Step:
    sizes, rank = tuple(value.shape), value.dim()
    kind = draw(st.sampled_from(["permute", "select", "slice", "expand", "reshape"]))
    dim = draw(st.integers(0, rank - 1)) if rank else 0
    if kind == "permute":
        order = tuple(draw(st.permutations(range(rank))))
        return Step("permute", order, tuple(sizes[d] for d in order))
    if kind == "select" and rank:
        return Step("select", (dim, sizes[dim] - 1), (*sizes[:dim], *sizes[dim + 1 :]))
    if kind == "slice" and rank:
        start, by = draw(st.integers(0, sizes[dim] - 1)), draw(st.integers(1, 2))
        length = -((start - sizes[dim]) // by)
        return Step("slice", (dim, start, sizes[dim], by), (*sizes[:dim], length, *sizes[dim + 1 :]))
    if kind == "expand":
        wider = tuple(5 if n == 1 and draw(st.booleans()) else n for n in sizes)
        front = (2,) if draw(st.booleans()) else ()
        return Step("expand", (*front, *wider), (*front, *wider))
    left, new = math.prod(sizes), []
    while left > 1:
        factor = draw(st.sampled_from([d for d in range(2, left + 1) if left % d == 0]))
        new.append(factor)
        left //= factor
    new.insert(draw(st.integers(0, len(new))), 1)
    return Step("reshape", tuple(new), tuple(new))


def taken(value: torch.Tensor, step: Step) -> torch.Tensor:
    target, args = step.call()
    made: torch.Tensor = target(value, *args)
    return made


def foreseen(value: torch.Tensor, steps: list[Step], result: torch.Tensor, views_alone: bool) -> int | None:
    return lies_otherwise(steps, value, tuple(value.shape), result, Prover(None), views_alone)


@given(st.data(), laid_out())
def test_what_torch_makes_is_what_was_foreseen(data: st.DataObject, value: torch.Tensor) -> None:
    made, steps = value, []
    for _ in range(data.draw(st.integers(1, 3))):
        steps.append(data.draw(step_on(made)))
        made = taken(made, steps[-1])
    assert foreseen(value, steps, made, views_alone=False) is None
    for dim in range(made.dim()):
        if made.shape[dim] > 1:
            strides = [n + (d == dim) for d, n in enumerate(made.stride())]
            other = torch.empty_strided(made.shape, strides)
            assert foreseen(value, steps, other, views_alone=False) == dim


@given(st.data(), laid_out())
def test_where_there_is_no_view_none_is_foreseen(data: st.DataObject, value: torch.Tensor) -> None:
    step = data.draw(step_on(value).filter(lambda s: s.kind == "reshape"))
    try:
        made = value.view(step.args)
    except RuntimeError:
        with pytest.raises(NoView):
            foreseen(value, [step], taken(value, step), views_alone=True)
    else:
        assert foreseen(value, [step], made, views_alone=True) is None


def test_sizes_that_are_symbols() -> None:
    b = Builder()
    s = b.size("s")
    x = b.input("x", (s, 6, 4))
    turned = b.call(aten.permute.default, x, [1, 0, 2])
    prover = Prover(b.env)
    value, result = (n.meta["val"] for n in (x, turned))
    n = Moves(prover).shape(x)
    assert n is not None
    step = Step("permute", (1, 0, 2), (n[1], n[0], n[2]))
    assert lies_otherwise([step], value, n, result, prover, True) is None
    assert lies_otherwise([step], value, n, b.input("y", (6, s, 4)).meta["val"], prover, True) == 0


def test_an_extremum_may_come_to_the_same() -> None:
    """Torch writes the larger of 1 and a size where it lays out what might be empty."""
    b = Builder()
    s = b.size("s")
    n = s.meta["val"]
    x = b.input("x", (s, 4), stride=(torch.sym_max(n - 3, 1), 1))
    turned = b.input("y", (4, s), stride=(1, n - 3))
    prover = Prover(b.env)
    value, result = (v.meta["val"] for v in (x, turned))
    sizes = Moves(prover).shape(x)
    assert sizes is not None
    step = Step("permute", (1, 0), (sizes[1], sizes[0]))
    assert lies_otherwise([step], value, sizes, result, prover, True) is None
    apart, plain = (
        b.input(name, (4, s), stride=(1, by)).meta["val"] for name, by in (("z", 5 * n), ("w", n))
    )
    assert lies_otherwise([], apart, step.result, plain, prover, True) == 1
