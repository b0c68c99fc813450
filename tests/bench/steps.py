"""Calls of a chain, as values that can be looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

_aten = torch.ops.aten
_RESHAPES = (_aten.view.default, _aten._unsafe_view.default)


@dataclass(frozen=True, slots=True)
class Step:
    """One call: ``args`` after the tensor. Sizes are tuples, so that steps can be looked up."""

    target: Callable[..., torch.Tensor]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...] = ()

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        # As Inductor does: of a tensor that has no such view, a copy.
        target = _aten.reshape.default if self.target in _RESHAPES else self.target
        return target(tensor, *self.args, **dict(self.kwargs))

    def __str__(self) -> str:
        name = getattr(self.target, "overloadpacket", self.target).__name__
        flat = [n for a in self.args for n in (a if isinstance(a, tuple) else (a,))]
        return f"{name}({', '.join(map(str, flat))})"


@dataclass(frozen=True, slots=True)
class Form:
    """Calls that stand for a chain."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return " > ".join(map(str, self.steps)) or "itself"
