"""One line of the catalogue of no-ops, with graphs that show it, and what a run of the eliminator leaves of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

import noopelim
from noopelim import Exact, RuleSet, patterns
from noopelim.remarks import Report

aten = torch.ops.aten

Eliminate = Callable[[fx.GraphModule], Report]
BURIAL = "engine/dead"


@dataclass(frozen=True)
class Example:
    """One graph of a row.

    ``left`` counts the calls that a run may leave of those that ``build`` made, its consumers and arithmetic on
    sizes not counted. ``level`` says which rules run: the default ones, or those that keep less of a value, too.
    ``static_only`` says why the graph makes no sense with symbols, and ``stays`` why nothing may go from it.
    Not ``truthful``: torch's own metadata of the graph is not what a run shows.
    """

    name: str
    build: Callable[[bool], tuple[fx.GraphModule, int]]
    left: int
    level: Exact
    static_only: str
    stays: str
    truthful: bool


@dataclass(frozen=True)
class Row:
    """``number`` in the catalogue; ``title`` says what it is in our words. ``reason`` says why no rule does it,
    and then nothing goes from its examples."""

    number: int
    title: str
    scope: Literal["core", "compose"]
    examples: tuple[Example, ...]
    reason: str = ""


def row(
    number: int, title: str, scope: Literal["core", "compose"], *examples: Example, reason: str = ""
) -> Row:
    return Row(number, title, scope, examples, reason)


def f32(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


def of(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype)


PAIR = (f32(4, 6), f32(4, 6))


def ex(
    name: str,
    function: Callable[..., Any],
    left: int = 0,
    *,
    on: torch.Tensor | Sequence[torch.Tensor] | None = None,
    level: Exact = Exact.BITS,
    composite: bool = False,
    static_only: str = "",
    stays: str = "",
    truthful: bool = True,
) -> Example:
    """``function`` of tensors like ``on``, by default float32 of (4, 6) each; every result is consumed by a
    multiplication, so that the identity of outputs does not stand in the way. With ``composite``, operators that
    ATen writes in terms of others stay whole, as in a graph before decomposition. Traced with symbols, every size
    above one of ``on`` is one, equal sizes share one, and the graph has them at hand."""
    given = (on,) if isinstance(on, torch.Tensor) else on

    def build(dynamic: bool) -> tuple[fx.GraphModule, int]:
        operands = given or [f32(4, 6) for _ in range(_arity(function))]
        return traced(function, operands, dynamic, composite)

    return Example(name, build, left, level, static_only, stays, truthful)


def _arity(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    # An operator of torch takes *args; it serves as an example if it needs one tensor.
    return sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) or 1


def ex_graph(
    name: str, build: Callable[[bool], fx.GraphModule], left: int, *, static_only: str = "", stays: str = ""
) -> Example:
    """A graph that is laid by hand; all its calls count, nested graphs included."""
    return Example(name, lambda dynamic: (build(dynamic), 0), left, Exact.BITS, static_only, stays, True)


def write(base: torch.Tensor, src: torch.Tensor, dim: int, *bounds: Any) -> torch.Tensor:
    """``slice_scatter``, with the sizes compared: in a trace with symbols, torch's own takes any source."""
    torch._check(src.shape[dim] == aten.slice(base, dim, *bounds).shape[dim])
    return aten.slice_scatter(base, src, dim, *bounds)


def traced(
    function: Callable[..., Any], operands: Sequence[torch.Tensor], dynamic: bool, composite: bool
) -> tuple[fx.GraphModule, int]:
    """The graph, and how many of its calls only consume."""
    results = 0

    def consumed(*xs: torch.Tensor) -> Any:
        nonlocal results
        sizes = [size for x in xs for size in x.shape if isinstance(size, torch.SymInt)]
        outs, spec = pytree.tree_flatten(function(*xs))
        results = len(outs)
        # Another factor each, or equal results would be consumed by equal calls.
        used = [_use(out, factor) for factor, out in enumerate(outs, start=3)]
        return pytree.tree_unflatten(used, spec), sizes

    mode = "symbolic" if dynamic else "fake"
    with torch.no_grad():
        gm = make_fx(consumed, tracing_mode=mode, pre_dispatch=composite)(*operands)
    _sizes_first(gm.graph)
    gm.graph.eliminate_dead_code()
    gm.recompile()
    return gm, results


def _sizes_first(graph: fx.Graph) -> None:
    """The sizes of inputs come before all else, as where they are inputs themselves."""
    inputs = graph.find_nodes(op="placeholder")
    for node in graph.find_nodes(op="call_function", target=aten.sym_size.int):
        if node.args[0] in inputs:
            inputs[-1].append(node)


def _use(x: torch.Tensor, factor: int) -> torch.Tensor:
    # Torch does not multiply floats of eight bits.
    small_float = x.dtype.is_floating_point and x.dtype.itemsize == 1
    return aten.cat.default([x] * factor) if small_float else aten.mul.Tensor(x, factor)


def calls(gm: fx.GraphModule) -> list[str]:
    """The calls of the graph and its nested graphs, but for arithmetic on sizes, as text."""
    graphs = [module.graph for module in gm.modules() if isinstance(module, fx.GraphModule)]
    return [
        f"{node.name} = {_named(node)}({', '.join(map(str, (*node.args, *_keywords(node))))})"
        for graph in graphs
        for node in graph.nodes
        if node.op.startswith("call_")
        and not isinstance(node.meta.get("val"), torch.SymInt | torch.SymBool | int)
    ]


def _named(node: fx.Node) -> str:
    return (
        str(node.target)
        if isinstance(node.target, torch._ops.OpOverload)
        else node._pretty_print_target(node.target)
    )


def _keywords(node: fx.Node) -> list[str]:
    return [f"{key}={value}" for key, value in node.kwargs.items()]


def rules_for(level: Exact) -> RuleSet:
    """The rules on by default; if less than every bit must be kept, those that keep less, too."""
    if level is Exact.BITS:
        return patterns.ALL
    return patterns.ALL | patterns.VALUE_EQUAL


def eliminated(gm: fx.GraphModule, level: Exact) -> Report:
    return noopelim.eliminate(gm, rules_for(level), tidy=True)


@dataclass(frozen=True)
class Outcome:
    """What one run left of one example."""

    before: list[str]
    after: list[str]
    consumers: int
    report: Report

    @classmethod
    def of(cls, example: Example, dynamic: bool, eliminate: Eliminate | None = None) -> Outcome:
        """Of a run with the rules of the example's level, unless ``eliminate`` does otherwise."""
        gm, consumers = example.build(dynamic)
        before = calls(gm)
        report = eliminate(gm) if eliminate else eliminated(gm, example.level)
        return cls(before, calls(gm), consumers, report)

    @property
    def made(self) -> int:
        return len(self.before) - self.consumers

    @property
    def left(self) -> int:
        return len(self.after) - self.consumers

    @property
    def rules(self) -> list[str]:
        """Who removed calls, but for the burial of what was left unread."""
        return sorted(set(self.report.counts) - {BURIAL})

    def __str__(self) -> str:
        return "\n".join((*self.before, "became", *self.after, "by", *self.report.counts))


def name_of(row: Row, example: Example, dynamic: bool) -> str:
    """As tests and the list of what is not built call one run."""
    return f"{row.number} {example.name}, {'symbolic' if dynamic else 'static'}"
