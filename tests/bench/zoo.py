"""Real models with random weights: what each is built from, what it is called with, at which sizes."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

Sizes = Mapping[str, int]
TRACED: Sizes = {"b": 5, "s": 17, "t": 11, "h": 65, "w": 63, "l": 1003}
"""Batch, two sequence lengths, height, width and samples, as traced where sizes are dynamic."""
OTHERS: tuple[Sizes, ...] = (
    {"b": 7, "s": 23, "t": 13, "h": 97, "w": 81, "l": 1207},
    {"b": 2, "s": 29, "t": 9, "h": 71, "w": 77, "l": 1511},
)
STATIC: Sizes = {"b": 1, "s": 16, "t": 12, "h": 64, "w": 64, "l": 1000}
"""As a server or a script would have them: one sequence, round numbers."""


@dataclass(frozen=True)
class Input:
    """One tensor argument. ``shape``: numbers, or names of sizes. ``below``: integers up to it, else floats."""

    shape: tuple[int | str, ...]
    below: int | None = None
    mask: bool = False
    """Ones and then zeros along the last dim, of another length in each row: a padding mask."""

    def drawn(self, sizes: Sizes, generator: torch.Generator) -> torch.Tensor:
        """Random values, of sizes given by name."""
        shape = [sizes[n] if isinstance(n, str) else n for n in self.shape]
        if self.mask:
            lengths = torch.randint(1, shape[-1] + 1, (*shape[:-1], 1), generator=generator)
            return (torch.arange(shape[-1]) < lengths).to(torch.int64)
        if self.below is not None:
            return torch.randint(0, self.below, shape, generator=generator)
        return torch.randn(shape, generator=generator)


@dataclass(frozen=True)
class Architecture:
    """``build`` makes the model from its configuration. ``dynamic``: false if its code fixes every size."""

    name: str
    build: Callable[[], torch.nn.Module]
    inputs: Mapping[str, Input]
    dtype: torch.dtype = torch.float32
    trains: bool = False
    dynamic: bool = True
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are no tensors."""

    def model(self, training: bool) -> torch.nn.Module:
        """The same weights for every call of this method: distinct numbers, no ones and no zeros among them."""
        logging.getLogger("transformers").setLevel(logging.ERROR)
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self.build().train(training)
            if self.dtype is not torch.float32:
                model = model.to(self.dtype)
        generator = torch.Generator().manual_seed(0)
        for weight in _weights(model):
            _redraw(weight, generator)
        return model

    def arguments(self, sizes: Sizes, seed: int) -> dict[str, Any]:
        """Keyword arguments of one call."""
        generator = torch.Generator().manual_seed(seed)
        drawn = {name: each.drawn(sizes, generator) for name, each in self.inputs.items()}
        made = {k: v.to(self.dtype) if v.is_floating_point() else v for k, v in drawn.items()}
        for name, each in self.inputs.items():
            # Else a batch as large as some other size would share its symbol, and be fixed with it.
            for dim in (d for d, n in enumerate(each.shape) if isinstance(n, int)):
                torch._dynamo.mark_static(made[name], dim)
        return made | dict(self.constants)


def _weights(model: torch.nn.Module) -> Iterator[torch.Tensor]:
    """Parameters, and what a checkpoint holds beside them. Tables of positions and frequencies are code."""
    yield from (p.data for p in model.parameters())
    kept = model.state_dict(keep_vars=True)
    yield from (v for v in kept.values() if not isinstance(v, torch.nn.Parameter))


def _redraw(weight: torch.Tensor, generator: torch.Generator) -> None:
    # Norms begin as ones and biases as zeros, and a product with ones is a no-op only by that accident.
    if not weight.is_floating_point() or weight.numel() == 0:
        return
    constant = bool((weight == weight.flatten()[0]).all())
    noise = torch.rand(weight.shape, generator=generator).to(weight.dtype)
    if constant:
        # Variances among them, so never negative.
        weight.add_(noise * 0.5 + 0.01)
    else:
        weight.mul_(noise * 0.5 + 0.75)


@functools.cache
def zoo() -> dict[str, Architecture]:
    """All architectures by name."""
    from zoo_diffusers import DIFFUSERS
    from zoo_text import TEXT
    from zoo_video import VIDEO
    from zoo_vision import VISION

    listed = (*TEXT, *VISION, *DIFFUSERS, *VIDEO)
    found = {each.name: each for each in listed}
    assert len(found) == len(listed), "two architectures of one name"
    return found
