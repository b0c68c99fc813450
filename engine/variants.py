"""One law for several dtypes: the same rule at a weaker level, and operands for its examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from .proof import Proof
from .rule import Exact, Rule


def of_type(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """``x`` converted: examples are given float32."""
    found: torch.Tensor = torch.ops.prims.convert_element_type(x, dtype)
    return found


def in_half_precision(rule: Rule, where: Callable[..., Proof]) -> Rule:
    """The law of ``rule`` for the floats of :func:`noopelim.kinds.narrow`, where NaNs may lose what they carry.
    The example of ``rule``, which takes float32, is a near miss of this one."""
    return replace(
        rule,
        name=f"{rule.name}-in-half-precision",
        where=where,
        example=lambda x: rule.example(of_type(x, torch.bfloat16)),
        near_miss=(rule.example, *rule.near_miss[:1]),
        exact=Exact.NAN_PAYLOAD,
    )
