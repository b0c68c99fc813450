"""What a rewrite is before anything is changed: the new calls, what they compute, and what must be said anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import Node, map_arg

from .aliasing import Site
from .calls import tensor_of
from .facts import Facts, resolve
from .fake import run_fake
from .legality import Legality, Verdict
from .match import Matched
from .proof import Proof
from .remarks import Stage
from .rule import Rule, parameters_of
from .strided import Asked, seen_as, view_of
from .torch_api import FakeTensor, OpOverload, storage_key


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call to insert before the root: what to call, with which arguments, and what it computes. The first
    argument may be such a call itself."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    value: torch.Tensor


@dataclass(frozen=True, slots=True)
class Law:
    """What the engine does by itself, named like a rule."""

    name: str
    because: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A rewrite that is proved and legal. ``to`` stands for ``root``; ``values``: metadata that must change
    with it, because views of the root come to live in other memory."""

    rule: Rule | Law
    root: Node
    to: Node | NewCall
    proof: Proof
    verdict: Verdict
    values: dict[Node, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a matched rule does not apply. ``told`` may be given as a function, since most are never read."""

    rule: Rule | Law
    stage: Stage
    told: Proof | str | Callable[[], Proof]

    @property
    def why(self) -> Proof | str:
        """The claim that is not proved, or what else stands in the way."""
        return self.told if isinstance(self.told, Proof | str) else self.told()


def ask(function: Callable[..., Any], facts: Facts, matched: Matched) -> Any:
    """What a function of a rule says of the facts and of the variables it names."""
    values = matched.values
    return function(facts, *[resolve(values[name], facts) for name in parameters_of(function)])


def call_fake(
    target: object, args: Any, operand: torch.Tensor | None, asked: Asked | None = None
) -> torch.Tensor | None:
    """What the call computes; None if it raises, would need a guard or is no tensor. ``asked``: what kernels said
    before in the same run."""
    if not isinstance(operand, FakeTensor) or not isinstance(target, OpOverload):
        return None
    known = view_of(target, args)
    if known is not None:
        return known
    if asked is not None and args[0] is operand:
        return asked.call(target, args, operand)
    result = run_fake(target, args, {}, operand)
    return result if isinstance(result, torch.Tensor) else None


def blocked(rule: Rule | Law, verdict: Verdict, facts: Facts) -> Refusal:
    """Not legal. A layout that is another one stays so; all else may change with the graph around."""
    if not isinstance(verdict.why, Proof):
        facts.looked_afar()
    return Refusal(rule, Stage.BLOCKED, verdict.why)


def with_values(
    found: Plan, site: Site, value: torch.Tensor | None, legality: Legality, facts: Facts | None = None
) -> Plan | Refusal:
    """Views of the root that came to live in the memory of ``value``, or lie as it does, must say so in their
    metadata."""
    ours = tensor_of(site.root)
    if value is None or ours is None or value is ours:
        return found
    lying_otherwise = legality.values_in(site.root, value)
    if lying_otherwise is not None:
        found.values.update((view, new) for view, new in lying_otherwise.items() if view is not site.root)
        return found
    if storage_key(ours) == storage_key(value):
        return found
    moved: dict[Node, Any] = {site.root: value}
    for view in legality.views_of(site.root):
        restated = _restated(view, value, ours, moved)
        if restated is None:
            if facts is not None:
                facts.looked_afar()
            reason = f"the metadata of its view {view.name} cannot be restated"
            return Refusal(found.rule, Stage.BLOCKED, reason)
        moved[view] = restated
    found.values.update((view, new) for view, new in moved.items() if view is not site.root)
    return found


def _restated(view: Node, value: torch.Tensor, old: torch.Tensor, moved: dict[Node, Any]) -> Any:
    """What ``view`` computes once the memory of ``old`` is that of ``value``; None if it cannot be told."""
    before = view.meta.get("val")
    if not isinstance(value, FakeTensor) or before is None:
        return None
    if isinstance(before, torch.Tensor):
        if storage_key(before) != storage_key(old):
            return before
        bits = (value.dtype, value.is_conj(), value.is_neg())
        if (before.dtype, before.is_conj(), before.is_neg()) == bits:
            return restride(
                value, before, before.storage_offset() - old.storage_offset() + value.storage_offset()
            )
    args, kwargs = map_arg((view.args, view.kwargs), lambda n: moved.get(n, n.meta.get("val")))
    return run_fake(view.target, args, kwargs, value)


def restride(value: FakeTensor, like: torch.Tensor, offset: int | torch.SymInt) -> torch.Tensor | None:
    """The memory of ``value`` seen with the sizes and strides of ``like``; None if that needs a guard."""
    known = seen_as(value, like.size(), like.stride(), offset)
    if known is not None:
        return known
    found = run_fake(torch.as_strided, (value, like.size(), like.stride(), offset), {}, value)
    return found if isinstance(found, torch.Tensor) else None
