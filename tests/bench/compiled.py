"""The graphs that Inductor sees of a model: entering its joint passes, and as it would lower them."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._dynamo.utils import counters
from torch._inductor import config
from torch._inductor.compile_fx import (  # type: ignore[attr-defined]
    _recursive_joint_graph_passes,
    _recursive_post_grad_passes,
    compile_fx,
    fake_tensor_prop,
    view_to_reshape,
)
from torch._inductor.custom_graph_pass import CustomGraphPass
from torch._inductor.virtualized import V
from torch.fx import Graph, GraphModule, Interpreter
from values import copied

HOOKS = (
    "joint_custom_pre_pass",
    "joint_custom_post_pass",
    "post_grad_custom_pre_pass",
    "post_grad_custom_post_pass",
)
Passes = Mapping[str, CustomGraphPass]
"""What runs at which of Inductor's hooks."""


@dataclass
class Lowered:
    """One graph at the last hook before lowering, and the arguments of each call of it.

    ``changed``: what comes of the same graph with passes at the hooks, if it was asked for."""

    graph: GraphModule
    kind: str
    """``inference``, ``forward`` or ``backward``."""
    changed: GraphModule | None = None
    calls: list[list[Any]] = field(default_factory=list)


@dataclass
class Seen:
    """Everything of one compilation. ``joint``: the graphs as they enter the joint passes. ``patterns``: how often
    Inductor's own patterns fired, by the names of its counters, and how often in what makes ``changed``; in that
    case from where the graphs enter the joint passes, else in all."""

    joint: list[GraphModule] = field(default_factory=list)
    lowered: list[Lowered] = field(default_factory=list)
    patterns: Counter[str] = field(default_factory=Counter)
    patterns_changed: Counter[str] = field(default_factory=Counter)
    first: list[Lowered] = field(default_factory=list)
    """What the first call needed; later calls may have had graphs of their own."""
    first_joint: int = 0

    def mark_first(self) -> None:
        """To be called after the first call, backward pass included."""
        self.first, self.first_joint = list(self.lowered), len(self.joint)


def duplicate(graph: Graph) -> GraphModule:
    """A copy that edits of ``graph`` and of its metadata do not reach; tensors are shared."""
    owner = graph.owning_module
    assert owner is not None
    made = GraphModule(owner, copy.deepcopy(graph))
    for name, inner in owner.named_children():
        if isinstance(inner, GraphModule) and hasattr(made, name):
            setattr(made, name, duplicate(inner.graph))
    return made


class _Keep(CustomGraphPass):
    """A pass that changes nothing and shows a copy of each graph."""

    def __init__(self, show: Callable[[Graph, GraphModule], None]) -> None:
        self._show = show

    def __call__(self, graph: Graph) -> None:
        self._show(graph, duplicate(graph))

    def uuid(self) -> None:
        return None

    def __deepcopy__(self, memo: dict[int, object]) -> _Keep:
        return self


@contextlib.contextmanager
def watched(
    passes: Passes | None = None, beside: Passes | None = None
) -> Iterator[tuple[Callable[..., Any], Seen]]:
    """A backend for ``torch.compile`` that runs Inductor's passes, with ``passes`` at its hooks, and then the
    graph as it is, node by node, where Inductor would make kernels of it. With ``beside``, each inference graph
    goes through Inductor's passes once more, as it was, with these at the hooks."""
    seen = Seen()
    entered: list[GraphModule] = []
    left: dict[Graph, GraphModule] = {}
    counted: list[Counter[str]] = []

    def enter(_: Graph, copied: GraphModule) -> None:
        entered.append(copied)
        counted.append(counters["inductor"].copy())

    def hooks(of: Passes) -> dict[str, Any]:
        made: dict[str, list[CustomGraphPass]] = {name: [of[name]] if name in of else [] for name in HOOKS}
        made["joint_custom_pre_pass"].insert(0, _Keep(enter))
        made["post_grad_custom_post_pass"].append(_Keep(left.__setitem__))
        return made

    def post_grad(gm: GraphModule, example_inputs: Sequence[Any], is_inference: bool) -> GraphModule:
        view_to_reshape(gm)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            fake_mode = fake_tensor_prop(gm, example_inputs)
        with V.set_fake_mode(fake_mode):
            _recursive_post_grad_passes(gm, is_inference=is_inference)
        return left.pop(gm.graph)

    def run_as_it_is(
        gm: GraphModule,
        example_inputs: Sequence[Any],
        is_inference: bool = False,
        is_backward: bool = False,
        **_: Any,
    ) -> Any:
        # Joint passes show the graphs inside of a graph before the graph itself.
        entering = entered[-1]
        if entering not in seen.joint:
            seen.joint.append(entering)
        kind = "inference" if is_inference else "backward" if is_backward else "forward"
        lowered = Lowered(post_grad(gm, example_inputs, is_inference), kind)
        if beside is not None and is_inference:
            before = counters["inductor"].copy()
            # Graphs inside of the graph entered first.
            seen.patterns.update(before - counted[0])
            with config.patch(**hooks(beside)):
                other = _recursive_joint_graph_passes(
                    duplicate(entering.graph), input_device=torch.device("cpu")
                )
                lowered.changed = post_grad(other, example_inputs, is_inference)
            seen.patterns_changed.update(counters["inductor"] - before)
            del entered[entered.index(entering) + 1 :]
        counted.clear()
        seen.lowered.append(lowered)

        def run(arguments: list[Any]) -> Any:
            lowered.calls.append([copied(a) for a in arguments])
            taken = list(arguments)
            arguments.clear()
            return Interpreter(lowered.graph).run(*taken)

        run._boxed_call = True  # type: ignore[attr-defined]
        return run

    before = counters["inductor"].copy()
    with config.patch(force_disable_caches=True, **hooks(passes or {})):
        yield functools.partial(compile_fx, inner_compile=run_as_it_is), seen
    if beside is None:
        seen.patterns.update(counters["inductor"] - before)
