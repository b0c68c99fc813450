"""Operators as vendors write them: some write their operands, some can see strides, one has an effect."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch._library.effects import EffectType

NAMESPACE = "noopelim_test"
LIBRARY = torch.library.Library(NAMESPACE, "DEF")  # type: ignore[no-untyped-call]

Body = Callable[..., object]


def define(schema: str, fake: Body | None = None) -> Callable[[Body], torch._ops.OpOverload]:
    """Define the operator with this body, which serves the CPU and, unless ``fake`` does, the fake mode too."""

    def register(body: Body) -> torch._ops.OpOverload:
        name = schema.split("(", maxsplit=1)[0]
        LIBRARY.define(schema)  # type: ignore[no-untyped-call]
        LIBRARY.impl(name, body, "CPU")  # type: ignore[no-untyped-call]
        torch.library.register_fake(f"{NAMESPACE}::{name}", fake or body, lib=LIBRARY)
        found = getattr(getattr(torch.ops, NAMESPACE), name).default
        assert isinstance(found, torch._ops.OpOverload)
        return found

    return register


@define("store(Tensor(a!) dst, Tensor src) -> ()")
def store(dst: torch.Tensor, src: torch.Tensor) -> None:
    dst.copy_(src)


@define("absorb(Tensor(a!) dst, Tensor src) -> ()", lambda dst, src: None)
def absorb(dst: torch.Tensor, src: torch.Tensor) -> None:
    """Takes any number of rows, as kernels of inference engines do, whose fakes compare no sizes."""
    dst.copy_(src.sum(0))


@define("absorb_all(Tensor(a!) dst, Tensor src) -> ()", lambda dst, src: dst.resize_(16, 4) and None)
def absorb_all(dst: torch.Tensor, src: torch.Tensor) -> None:
    """Makes room first, as ``out=`` does."""
    dst.resize_(16, 4).copy_(src.sum(0))


@define("store_kw(Tensor src, *, Tensor(a!) dst) -> ()")
def store_kw(src: torch.Tensor, *, dst: torch.Tensor) -> None:
    dst.copy_(src)


@define("store_all(Tensor src, Tensor(a!)[] dsts) -> ()")
def store_all(src: torch.Tensor, dsts: list[torch.Tensor]) -> None:
    for dst in dsts:
        dst.copy_(src)


@define("store_maybe(Tensor src, Tensor(a!)? dst=None) -> ()")
def store_maybe(src: torch.Tensor, dst: torch.Tensor | None = None) -> None:
    if dst is not None:
        dst.copy_(src)


@define("running_sum(Tensor src, Tensor(a!) dst) -> ()")
def running_sum(src: torch.Tensor, dst: torch.Tensor) -> None:
    """Reads ``src`` again after each row of ``dst`` is written, so it can tell whether they share memory."""
    for row in range(dst.shape[0]):
        dst[row].add_(src.sum(0))


@define("strides(Tensor x) -> Tensor", lambda x: x.new_empty(x.dim() + 1, dtype=torch.float64))
def strides(x: torch.Tensor) -> torch.Tensor:
    """What a kernel that walks memory by itself would see."""
    return torch.tensor([*x.stride(), x.storage_offset()], dtype=torch.float64)


@define("note(Tensor x) -> Tensor")
def note(x: torch.Tensor) -> torch.Tensor:
    return x.new_zeros(x.shape)


torch.library._register_effectful_op(note, EffectType.ORDERED)
