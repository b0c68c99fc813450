"""Is a value in memory when it is read, or is it computed where it is read? A compiler that fuses calls makes the
difference: a clone is fused with what computes its source, and a reshape that copies has its source written first."""

from __future__ import annotations

import torch
from torch.fx import Node

from .calls import is_getitem
from .storage import Storages
from .torch_api import OpOverload

_aten = torch.ops.aten
_KERNELS = frozenset(
    getattr(_aten, name)
    for name in (
        "mm addmm bmm baddbmm convolution _scaled_dot_product_flash_attention "
        "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_efficient_attention "
        "_scaled_dot_product_cudnn_attention"
    ).split()
)
"""Operators that are called and not generated, so that they write what they compute."""


def in_memory(node: Node, storages: Storages) -> bool:
    """Surely in memory: an input, what a kernel that is called computes, or a view of such."""
    while True:
        viewed = storages.viewed(node)
        if viewed is not None:
            node = viewed
        elif is_getitem(node) and isinstance(node.args[0], Node):
            node = node.args[0]
        else:
            break
    if node.op in ("placeholder", "get_attr"):
        return True
    target = node.target
    if not isinstance(target, OpOverload):
        return False
    return target.overloadpacket in _KERNELS or target.namespace not in ("aten", "prims")
