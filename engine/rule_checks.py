"""What every rule owes, as checks: its example fires, its near misses do not, and ``verify`` finds it right."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from .driver import eliminate
from .pattern import calls_in
from .rule import Rule, RuleSet
from .scope import CI, Scope

EXAMPLE_SHAPE = (4, 6)
"""What the operands of examples and near misses are traced with, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One thing that a rule owes. ``name``: ``example-static``, ``near-miss-0-symbolic``, ..., ``verify``.
    ``run`` raises ``AssertionError`` with a text that says what is wrong."""

    rule: Rule
    name: str
    run: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.rule.name}::{self.name}"


def checks_of(rule: Rule, scope: Scope = CI) -> Iterator[RuleCheck]:
    """The example fires and each near miss does not, static and symbolic, and ``verify`` finds no
    counterexample."""
    traces: list[tuple[str, Callable[..., GraphModule]]] = [
        ("example", functools.partial(example_graph, rule)),
        *((f"near-miss-{i}", functools.partial(as_written, miss)) for i, miss in enumerate(rule.near_miss)),
    ]
    for name, tracer in traces:
        for label, dynamic in (("static", False), ("symbolic", True)):
            make = functools.partial(tracer, dynamic=dynamic)
            yield RuleCheck(rule, f"{name}-{label}", functools.partial(_fires, rule, make, name == "example"))
    yield RuleCheck(rule, "verify", functools.partial(_verifies, rule, scope))


def _fires(rule: Rule, make: Callable[[], GraphModule], wanted: bool) -> None:
    gm = make()
    graph = str(gm.graph)
    report = eliminate(gm, RuleSet((rule,)))
    # Not assert statements, which -O removes and pytest rewrites.
    if report.guards_added:
        raise AssertionError(f"{rule.name} adds guards: {', '.join(report.shape_env_changes)}\n{graph}")
    if (rule.name in report.counts) is not wanted:
        what = "does not fire on its example" if wanted else "fires on a near miss"
        raise AssertionError(f"{rule.name} {what}:\n{report}\n{graph}")
    if wanted and report.nodes_after >= report.nodes_before:
        raise AssertionError(f"{rule.name} fires and no node goes:\n{report}\n{graph}")


def _verifies(rule: Rule, scope: Scope) -> None:
    from .verification import verify

    verdict = verify(rule, scope)
    if not verdict.verified:
        raise AssertionError(str(verdict))


def example_graph(rule: Rule, *, dynamic: bool = False) -> GraphModule:
    """The graph of the rule's example as :func:`traced` has it; of a rule over operators that ATen writes in terms of
    others, as it is before that."""
    gm = traced(rule.example, dynamic=dynamic)
    targets = {node.target for node in gm.graph.nodes}
    if not any(targets.isdisjoint(call.fns) for call in calls_in(rule.pattern)):
        return gm
    return traced(rule.example, dynamic=dynamic, composite=True)


def traced(
    function: Callable[..., Any],
    shape: Sequence[int] = EXAMPLE_SHAPE,
    *,
    dynamic: bool = False,
    composite: bool = False,
) -> GraphModule:
    """The graph of an example: float32 operands of ``shape``, each computed in the graph, and a consumer of
    the result, so that no input or output stands in the way of a rewrite. With ``dynamic``, every size above
    one is a symbol, and equal sizes share one. With ``composite``, operators that ATen writes in terms of others
    stay whole."""

    def consumed(*xs: torch.Tensor) -> torch.Tensor:
        return torch.cos(function(*(torch.sin(x) for x in xs)))

    operands = [torch.zeros(tuple(shape)) for _ in range(_arity(function))]
    return trace(consumed, operands, dynamic, composite)


def as_written(
    function: Callable[..., Any], shape: Sequence[int] = EXAMPLE_SHAPE, *, dynamic: bool = False
) -> GraphModule:
    """The graph of a near miss: as :func:`traced`, with operands and result left inputs and output, since a
    near miss may be about just that."""
    return trace(function, [torch.zeros(tuple(shape)) for _ in range(_arity(function))], dynamic)


def _arity(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    # An operator of torch takes *args; it serves as an example if it needs one tensor.
    return sum(p.kind is not p.VAR_POSITIONAL and p.kind is not p.VAR_KEYWORD for p in parameters) or 1


def trace(
    function: Callable[..., Any], operands: list[torch.Tensor], dynamic: bool, composite: bool = False
) -> GraphModule:
    """``function`` as an ATen graph with fake ``meta["val"]``; for the rest see :func:`traced`."""
    with torch.no_grad():
        return make_fx(function, tracing_mode="symbolic" if dynamic else "fake", pre_dispatch=composite)(
            *operands
        )
