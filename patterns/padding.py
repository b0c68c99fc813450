"""Pads: by nothing, and one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import torch

from ..facts import Facts
from ..integers import Expr
from ..pattern import Computed, OpCall, X, same_constant, var
from ..proof import Proof
from ..rule import Rule

_aten = torch.ops.aten
PADS = (
    _aten.constant_pad_nd.default,
    _aten.pad.default,
    _aten._pad_circular.default,
    _aten.reflection_pad1d.default,
    _aten.reflection_pad2d.default,
    _aten.reflection_pad3d.default,
    _aten.replication_pad1d.default,
    _aten.replication_pad2d.default,
    _aten.replication_pad3d.default,
)
"""Take the widths to pad by: before and after the last dim, before and after the last but one, and so on."""


def _summed(f: Facts, inner: Sequence[Expr], outer: Sequence[Expr]) -> tuple[int, ...] | None:
    """The widths of both pads together, if they are plain numbers."""
    both = [(a, b) for a, b in zip_longest(inner, outer, fillvalue=0)]
    return tuple(a + b for a, b in both) if all(isinstance(n, int) for ab in both for n in ab) else None


by_zero = Rule(
    name="pad/by-zero",
    pattern=OpCall(PADS, X, var("pad"), rest="any"),
    # Not by its shape: a pad of 1 before and -1 after shifts a value.
    where=lambda f, pad: Proof.all((f.eq(n, 0) for n in pad), "every width is 0"),
    to=X,
    because="padded by nothing on any side, a value stays as it is",
    example=lambda x: _aten.constant_pad_nd(x, (0, 0)),
    near_miss=(
        lambda x: _aten.constant_pad_nd(x, (0, 1)),
        lambda x: _aten.constant_pad_nd(x, (1, -1)),
        lambda x: _aten.reflection_pad1d(x, (0, 1)),
    ),
)

of_pad = Rule(
    name="pad/of-pad",
    pattern=OpCall(
        _aten.constant_pad_nd.default,
        OpCall(_aten.constant_pad_nd.default, X, var("inner"), var("fill")),
        var("outer"),
        var("again"),
    ),
    # A negative width crops, and what is cropped does not come back.
    where=lambda f, inner, outer, fill, again: (
        Proof.all((f.le(0, n) for n in (*inner, *outer)), "no width is negative")
        & Proof.of(same_constant(fill, again), f"filled with {fill} and with {again}", "fill values")
    ),
    to=OpCall(
        _aten.constant_pad_nd.default,
        X,
        Computed(_summed),
        var("fill"),
    ),
    because="two pads with one fill value, neither of which crops, are one pad by both widths",
    # Of symbolic sizes torch's fake kernel does not tell what a pad computes without a guard.
    example=lambda x: _aten.constant_pad_nd(
        _aten.constant_pad_nd(_aten.new_ones(x, (2, 3)), (1, 0)), (0, 2, 1, 0)
    ),
    near_miss=(
        lambda x: _aten.constant_pad_nd(_aten.constant_pad_nd(x, (-1, 0)), (1, 0)),
        lambda x: _aten.constant_pad_nd(_aten.constant_pad_nd(x, (1, 0)), (-2, 0)),
        lambda x: _aten.constant_pad_nd(_aten.constant_pad_nd(x, (1, 0), 0.0), (1, 0), -0.0),
    ),
)

RULES = (by_zero, of_pad)
