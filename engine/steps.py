"""One call of a shorter chain: what it is, what it does to a layout, how it is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from .extents import Extent
from .movement import Layout, Sizes

_aten = torch.ops.aten
_OPS: dict[str, Any] = {
    "slice": _aten.slice.Tensor,
    "select": _aten.select.int,
    "flip": _aten.flip.default,
    "reshape": _aten.reshape.default,
    "permute": _aten.permute.default,
    "expand": _aten.expand.default,
}
Kind = Literal["slice", "select", "flip", "reshape", "permute", "expand"]


@dataclass(frozen=True, slots=True)
class Step:
    """One call. ``args``: of ``slice`` the dim, start, end and step; of ``select`` the dim and index; of ``flip``
    the dims; of ``permute`` the order; of ``reshape`` and ``expand`` the sizes of the result.
    ``result``: sizes."""

    kind: Kind
    args: tuple[Any, ...]
    result: Sizes

    def call(self, write: Callable[[Extent], Any] = lambda size: size) -> tuple[Any, tuple[Any, ...]]:
        """The operator, and its arguments after the tensor, each size as ``write`` gives it."""
        if self.kind in ("slice", "select"):
            return _OPS[self.kind], tuple(map(write, self.args))
        return _OPS[self.kind], ([write(a) for a in self.args],)

    def on(self, layout: Layout) -> Layout | None:
        """The layout after the call."""
        if self.kind == "slice":
            dim, start, _, step = self.args
            return layout.sliced(dim, start, step, self.result[dim])
        if self.kind == "select":
            return layout.picked(*self.args)
        if self.kind == "flip":
            return layout.flipped(self.args)
        if self.kind == "permute":
            return layout.permuted(self.args)
        if self.kind == "expand":
            return layout.expanded(self.args)
        return layout.reshaped(self.args)


Steps = tuple[Step, ...]
