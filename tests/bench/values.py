"""Tensors as the oracle sees them: layouts, bits, copies, and the calls that only move elements."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

_aten = torch.ops.aten
MOVEMENT = frozenset(
    getattr(_aten, name)
    for name in (
        "view reshape _unsafe_view permute transpose t squeeze unsqueeze expand slice select clone flip alias detach"
    ).split()
)
"""Operators that move or relabel elements of their first argument."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes and strides in one run."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: torch.Tensor) -> Layout:
        return cls(tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype)

    @property
    def seen(self) -> tuple[int, ...]:
        """Strides as far as they move anything: 0 for dims of size 1."""
        return tuple(0 if n == 1 else s for n, s in zip(self.shape, self.stride, strict=True))


@dataclass(frozen=True, slots=True)
class Value:
    """What is kept of a tensor in one run. ``uniform``: all elements are equal, so that its value tells little."""

    layout: Layout
    digest: bytes
    uniform: bool


def moves(node: Node) -> bool:
    """Does it only move or relabel what its first argument holds?"""
    return node.op == "call_function" and getattr(node.target, "overloadpacket", None) in MOVEMENT


def kept(tensor: torch.Tensor) -> Value:
    """Its layout, and a digest of its bits in row-major order."""
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous()
    raw = ctypes.string_at(plain.data_ptr(), plain.numel() * plain.element_size()) if plain.numel() else b""
    width = plain.element_size()
    uniform = raw == raw[:width] * plain.numel()
    return Value(Layout.of(tensor), hashlib.blake2b(raw, digest_size=16).digest(), uniform)


def dense(value: Any) -> bool:
    """Is it a tensor with strides?"""
    return isinstance(value, torch.Tensor) and value.layout is torch.strided


def copied(argument: Any) -> Any:
    """A tensor with the same layout in memory of its own; anything else as it is."""
    if not dense(argument):
        return argument
    with torch.no_grad():
        made = torch.empty(0, dtype=argument.dtype)
        made.set_(
            argument.untyped_storage().clone(), argument.storage_offset(), argument.shape, argument.stride()
        )
    return made


def varied(arguments: Sequence[Any], seed: int) -> list[Any]:
    """Arguments of the same sizes with other values: what a tensor of zeros, ones or ``True`` happened to be
    should not count. Integers stay, since they may be indices; signs stay, since they may be variances."""
    generator = torch.Generator().manual_seed(seed)
    made = [copied(a) for a in arguments]
    for argument in made:
        if not dense(argument):
            continue
        # All of its memory, so that elements which share a place still do.
        held = argument.as_strided((argument.untyped_storage().nbytes() // argument.element_size(),), (1,), 0)
        noise = torch.rand(held.shape, generator=generator)
        if held.is_floating_point() or held.is_complex():
            held.mul_((noise * 0.5 + 0.75).to(held.dtype)).add_((noise * 2.0**-6).to(held.dtype))
        elif held.dtype is torch.bool:
            held.logical_xor_(noise < 0.25)
    return made
