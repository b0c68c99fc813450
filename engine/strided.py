"""What view-like calls on strided tensors compute, where no kernel need be asked.

A fake kernel takes a thousand times as long as the few lines here. They know the calls that templates are made
of, on tensors whose sizes and strides are numbers, and of others those that only put dims in order, drop or keep
them. ``None`` means that the kernel is to be asked; it would say the same of all that is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch

from .dense import Geometry, Number, are_numbers, dense, plain, reshaped_run
from .fake import run_fake
from .torch_api import (
    FakeTensor,
    fake_copy,
    fake_view,
    no_new_guards,
    shape_env_of,
    storage_key,
)

_aten = torch.ops.aten


def view_of(target: object, args: Sequence[Any]) -> torch.Tensor | None:
    """The result of a call whose first argument is a fake tensor, a view of it."""
    geometry_of = _KNOWN.get(target)
    value = args[0] if args else None
    if geometry_of is None or not isinstance(value, FakeTensor):
        return None
    geometry = geometry_of(value, *args[1:])
    return None if geometry is None else seen_as(value, *geometry)


def seen_as(
    value: FakeTensor, sizes: Sequence[Number], strides: Sequence[Number], offset: Number
) -> torch.Tensor | None:
    """The memory of ``value`` seen with this geometry; None for tensors with more to them than that, or if it would
    need a guard."""
    if value.requires_grad or value.is_conj() or value.is_neg() or value.layout is not torch.strided:
        return None
    try:
        with no_new_guards(shape_env_of(value)):
            return fake_view(value, sizes, strides, offset)
    except Exception:  # as in run_fake
        return None


class Asked:
    """What kernels said of calls whose result has the elements of their first argument, as a view of it or a copy,
    and of calls that they refused, in one run. A kernel is a function of the operand's geometry and of the other
    arguments."""

    def __init__(self) -> None:
        self._said: dict[object, tuple[bool, Geometry] | None] = {}

    def call(self, target: Any, args: Sequence[Any], operand: FakeTensor) -> torch.Tensor | None:
        """As :func:`noopelim.fake.run_fake`, of a call that computes one tensor."""
        if operand.requires_grad or operand.is_conj() or operand.is_neg():
            result = run_fake(target, args, {}, operand)
            return result if isinstance(result, torch.Tensor) else None
        told = (operand.size(), operand.stride(), operand.storage_offset())
        key = (id(target), operand.dtype, operand.device, plain((told, args[1:])))
        if key in self._said:
            said = self._said[key]
            if said is None:
                return None
            made = seen_as(operand, *said[1]) if said[0] else _copied(operand, *said[1])
            if made is not None:
                return made
        known = reshaped_run(operand, args[1]) if _KNOWN.get(target) is _reshaped and len(args) == 2 else None
        result = None if known is None else seen_as(operand, *known)
        if result is None:
            result = run_fake(target, args, {}, operand)
        if not isinstance(result, torch.Tensor):
            self._said[key] = None
            return None
        alike = (result.dtype, result.is_conj(), result.is_neg()) == (operand.dtype, False, False)
        if alike and result.device == operand.device:
            is_view = storage_key(result) == storage_key(operand)
            self._said[key] = is_view, (result.size(), result.stride(), result.storage_offset())
        return result


def _copied(
    value: FakeTensor, sizes: Sequence[Number], strides: Sequence[Number], offset: Number
) -> torch.Tensor | None:
    """A new value of this geometry; None if it would need a guard."""
    if type(offset) is not int or offset:
        return None
    try:
        with no_new_guards(shape_env_of(value)):
            return fake_copy(value, sizes, strides)
    except Exception:  # as in run_fake
        return None


def _permuted(value: torch.Tensor, dims: Sequence[int]) -> Geometry | None:
    rank = value.dim()
    order = [d % rank for d in dims] if rank else []
    if sorted(order) != list(range(rank)):
        return None
    sizes, strides = value.size(), value.stride()
    return [sizes[d] for d in order], [strides[d] for d in order], value.storage_offset()


def _selected(value: torch.Tensor, dim: int, index: Any) -> Geometry | None:
    sizes, strides, offset = list(value.size()), list(value.stride()), value.storage_offset()
    size = sizes.pop(dim)
    by = strides.pop(dim)
    if not are_numbers(size, by, offset, index) or not -size <= index < size:
        return None
    return sizes, strides, offset + (index % size) * by


def _sliced(value: torch.Tensor, dim: int, start: Any, end: Any, step: Any = 1) -> Geometry | None:
    sizes, strides, offset = list(value.size()), list(value.stride()), value.storage_offset()
    size, by = sizes[dim], strides[dim]
    if not are_numbers(size, by, offset, start, end, step) or step < 1:
        return None
    first, last, _ = slice(start, end).indices(size)
    sizes[dim], strides[dim] = max(-((first - last) // step), 0), by * step
    return sizes, strides, offset + first * by


def _unsqueezed(value: torch.Tensor, dim: int) -> Geometry | None:
    sizes, strides = list(value.size()), list(value.stride())
    at = dim % (len(sizes) + 1)
    by = 1
    if at < len(sizes):
        if not are_numbers(sizes[at], strides[at]):
            return None
        by = sizes[at] * strides[at]
    return [*sizes[:at], 1, *sizes[at:]], [*strides[:at], by, *strides[at:]], value.storage_offset()


def _squeezed(value: torch.Tensor, dims: Sequence[int]) -> Geometry | None:
    sizes, strides = value.size(), value.stride()
    gone = {d % len(sizes) for d in dims} if sizes else set()
    if not all(are_numbers(sizes[d]) for d in gone):
        return None
    kept = [d for d in range(len(sizes)) if d not in gone or sizes[d] != 1]
    return [sizes[d] for d in kept], [strides[d] for d in kept], value.storage_offset()


def _expanded(value: torch.Tensor, sizes: Sequence[Any]) -> Geometry | None:
    old, by = value.size(), value.stride()
    new = len(sizes) - len(old)
    if not are_numbers(*sizes, *old, *by) or new < 0 or any(n < 1 for n in sizes[:new]):
        return None
    strides: list[Number] = []
    for size, was, stride in zip(sizes[new:], old, by, strict=True):
        if size != was and (was != 1 or size < 2):
            return None
        strides.append(stride if size == was else 0)
    for k in reversed(range(new)):
        # A new dim of one element steps over the whole of the next.
        strides.insert(0, sizes[k + 1] * strides[0] if sizes[k] == 1 and strides else 0)
    return sizes, strides, value.storage_offset()


def _reshaped(value: torch.Tensor, sizes: Sequence[Any]) -> Geometry | None:
    """Of one dense run of elements. Kernels differ in the strides that they give to unit dims of others."""
    old = value.size()
    if not are_numbers(*sizes, *old) or tuple(value.stride()) != dense(old):
        return None
    total = prod(old)
    known = prod(n for n in sizes if n != -1)
    if total == 0 or known <= 0 or total % known or list(sizes).count(-1) > 1:
        return None
    sizes = [total // known if n == -1 else n for n in sizes]
    return (sizes, dense(sizes), value.storage_offset()) if prod(sizes) == total else None


_KNOWN: dict[object, Callable[..., Geometry | None]] = {
    _aten.permute.default: _permuted,
    _aten.select.int: _selected,
    _aten.slice.Tensor: _sliced,
    _aten.unsqueeze.default: _unsqueezed,
    _aten.squeeze.dims: _squeezed,
    _aten.expand.default: _expanded,
    _aten.reshape.default: _reshaped,
    _aten.view.default: _reshaped,
    _aten._unsafe_view.default: _reshaped,
}
