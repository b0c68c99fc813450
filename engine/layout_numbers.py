"""Layouts as numbers: tensors of one number have the same sizes, strides, offset, dtype, device and lazy bits."""

from __future__ import annotations

import torch

from .integers import Prover
from .torch_api import expression_of, has_symbols


class LayoutNumbers:
    """Those met in one run."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._numbers: dict[object, int] = {}
        # Tensors hash by identity, and no two are compared as keys.
        self._found: dict[torch.Tensor, int] = {}

    def of(self, tensor: torch.Tensor) -> int:
        """The number of its layout, with sizes as expressions. Other than strided tensors are like none but
        themselves."""
        found = self._found.get(tensor)
        if found is None:
            found = self._found[tensor] = self._numbers.setdefault(self._told(tensor), len(self._numbers))
        return found

    def _told(self, tensor: torch.Tensor) -> object:
        if tensor.layout is not torch.strided:
            return id(tensor)
        geometry: tuple[object, ...]
        if has_symbols(tensor):
            sizes, strides, offset = self._prover.sizes(tensor), tensor.stride(), tensor.storage_offset()
            geometry = sizes, tuple(map(expression_of, strides)), expression_of(offset)
        else:
            geometry = tensor.size(), tensor.stride(), tensor.storage_offset()
        dtype = tensor.dtype
        conjugate = dtype.is_complex and tensor.is_conj()
        # There is one object for each dtype, and its hash is slow.
        return (*geometry, id(dtype), tensor.device, conjugate, tensor.is_neg())
