"""Reversals, rotations and shuffles: of nothing, and there and back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import sympy
import torch
from torch.utils._sympy.functions import PythonMod

from ..facts import Facts, Value
from ..integers import Expr
from ..pattern import ANY, Computed, OpCall, X, var
from ..proof import Proof, Truth
from ..rule import Rule

_aten = torch.ops.aten
_Turns = dict[int | None, Expr]
"""How far a roll shifts along each dim; along None it shifts the elements in row-major order."""


def _roll(x: object, shifts: object, dims: object) -> OpCall:
    return OpCall(_aten.roll.default, x, shifts, dims)


def _turns(x: Value, shifts: Sequence[Expr], dims: Sequence[int]) -> _Turns:
    total: _Turns = {}
    for shift, dim in zip(shifts, dims or (None,), strict=True):
        at = dim if dim is None else dim % max(x.rank, 1)
        total[at] = total.get(at, 0) + shift
    return total


def _together(x: Value, a: Sequence[Expr], d: Sequence[int], b: Sequence[Expr], e: Sequence[int]) -> _Turns:
    """How far two rolls shift, one after the other."""
    total = _turns(x, a, d)
    for at, shift in _turns(x, b, e).items():
        total[at] = total.get(at, 0) + shift
    return total


def _same_kind(d: Sequence[int], e: Sequence[int]) -> Proof:
    return Proof.of(bool(d) == bool(e), "both rolls are along dims, or neither is", "dims")


def _full_circles(f: Facts, x: Value, turns: _Turns) -> Proof:
    """Each shift is a multiple of the size that it is along."""

    def one(at: int | None, shift: Expr) -> Proof:
        return _multiple(f, shift, prod(x.shape) if at is None or not x.rank else x.shape[at])

    return Proof.all((one(at, shift) for at, shift in turns.items()), "every shift is of full circles")


def _multiple(f: Facts, number: Expr, of: Expr) -> Proof:
    """``number`` is a multiple of ``of``, or ``of`` is at most 1."""
    small = f.le(of, 1) | f.eq(number, 0)
    if isinstance(of, int):
        return small if of < 2 else small | f.decide(sympy.Eq(PythonMod(number, of), 0))
    once = f.eq(number, of) | f.eq(number, -of)
    # Not once is not never: 4 is twice 2.
    unknown = Proof(Truth.UNKNOWN, f"{number} is a multiple of {of}", "looked for one circle only")
    return small | (once if once.proved else unknown)


nothing = Rule(
    name="flip/nothing",
    pattern=OpCall(_aten.flip.default, X, var("dims")),
    where=lambda f, x, dims: Proof.all(
        (f.le(x.shape[d], 1) for d in dims if x.rank), "every flipped dim has at most one element"
    ),
    to=X,
    because="a flip along dims of at most one element reverses nothing",
    example=lambda x: _aten.flip(_aten.unsqueeze(x, 0), (0,)),
    near_miss=(lambda x: _aten.flip(x, (0,)), lambda x: _aten.flip(_aten.unsqueeze(x, 0), (0, 2))),
)

full_circle = Rule(
    name="roll/full-circle",
    pattern=_roll(X, var("shifts"), var("dims")),
    where=lambda f, x, shifts, dims: _full_circles(f, x, _turns(x, shifts, dims)),
    to=X,
    because="rolled by a multiple of a dim's size, its elements come back to where they were",
    example=lambda x: _aten.roll(x, (0, x.shape[1]), (0, 1)),
    near_miss=(lambda x: _aten.roll(x, (0, 1), (0, 1)), lambda x: _aten.roll(x, (x.shape[0],))),
)

there_and_back = Rule(
    name="roll/there-and-back",
    pattern=_roll(_roll(X, var("a"), var("d")), var("b"), var("e")),
    where=lambda f, x, a, d, b, e: _same_kind(d, e) & _full_circles(f, x, _together(x, a, d, b, e)),
    to=X,
    because="rolls whose shifts add up to full circles leave every element where it was",
    example=lambda x: _aten.roll(_aten.roll(x, (2, -1), (0, 1)), (1, -2), (-1, 0)),
    near_miss=(
        lambda x: _aten.roll(_aten.roll(x, (2,), (0,)), (-2,), (1,)),
        lambda x: _aten.roll(_aten.roll(x, (2,), (0,)), (-2,)),
        lambda x: _aten.roll(_aten.roll(x, (2,), (0,)), (-1,), (0,)),
    ),
)


def _plain(turns: _Turns) -> tuple[int, ...] | None:
    shifts = tuple(turns.values())
    return shifts if all(isinstance(n, int) for n in shifts) else None


of_roll = Rule(
    name="roll/of-roll",
    pattern=_roll(_roll(X, var("a"), var("d")), var("b"), var("e")),
    where=lambda f, d, e: _same_kind(d, e),
    to=_roll(
        X,
        Computed(lambda f, x, a, d, b, e: _plain(_together(x, a, d, b, e))),
        Computed(lambda f, x, a, d, b, e: tuple(n for n in _together(x, a, d, b, e) if n is not None)),
    ),
    because="two rolls are one by the sum of their shifts along each dim",
    example=lambda x: _aten.roll(_aten.roll(x, (1,), (0,)), (2, 1), (-1, -2)),
    near_miss=(lambda x: _aten.roll(_aten.roll(x, (1,), (0,)), (2,)),),
)

rot90_full_circle = Rule(
    name="rot90/full-circle",
    pattern=OpCall(_aten.rot90.default, X, var("k"), ANY),
    where=lambda f, k: Proof.of(k % 4 == 0, f"{k} is a multiple of 4", "the number"),
    to=X,
    because="four quarter turns are a full one",
    example=lambda x: _aten.rot90(x, -4),
    near_miss=(lambda x: _aten.rot90(x, 2), _aten.rot90),
)

shuffled_by_one = Rule(
    name="shuffle/by-one",
    pattern=OpCall(
        (
            _aten.pixel_shuffle.default,
            _aten.pixel_unshuffle.default,
            _aten.channel_shuffle.default,
            _aten.native_channel_shuffle.default,
        ),
        X,
        1,
    ),
    to=X,
    because="blocks of one pixel, or one group of channels, leave nothing to move",
    example=lambda x: _aten.pixel_shuffle(_aten.reshape(x, (4, 2, -1)), 1),
    near_miss=(lambda x: _aten.pixel_shuffle(_aten.reshape(x, (4, 2, -1)), 2),),
)

RULES = (nothing, full_circle, there_and_back, of_roll, rot90_full_circle, shuffled_by_one)
