"""The front door: a graph with its nested graphs, as one transaction over one set of facts."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator, Sequence

import sympy
from torch.export import ExportedProgram
from torch.fx import Graph, GraphModule

from .effects import attribute, writes_anything
from .errors import GraphError
from .fixpoint import Run
from .integers import Prover
from .remarks import Report
from .rule import Rule, RuleSet
from .rule_index import Index
from .torch_api import ShapeEnv, changes, shape_env_of, snapshot


def eliminate(
    target: Graph | GraphModule | ExportedProgram,
    rules: RuleSet | Iterable[Rule] | None = None,
    *,
    assume: Sequence[sympy.Basic] = (),
    tidy: bool | None = None,
) -> Report:
    """Remove what does nothing from ``target``, in place, nested graphs included.

    ``rules`` defaults to ``noopelim.patterns.ALL``; ``assume`` are facts about the graph's symbols that are
    taken on trust and recorded in the report; ``tidy``: merge equal calls and drop those that nobody reads, too
    (by default, if no rules are named). Returns what went and what stayed, with proofs.

    Raises ``GraphError`` if the graph does not pass lint, ``RuleError`` for a malformed rule set,
    ``RewriteError`` if a rule raises and ``TypeError`` for another kind of target; after any of them the
    target is as it was.
    """
    index = _index(rule_set(rules), rules is None if tidy is None else tidy)
    if isinstance(target, ExportedProgram):
        from .export import eliminate_exported

        return eliminate_exported(target, lambda gm: _checked(gm.graph, index, assume))
    if isinstance(target, GraphModule):
        report = _checked(target.graph, index, assume)
        if report.passed:
            target.recompile()
        return report
    if isinstance(target, Graph):
        return _checked(target, index, assume)
    raise TypeError(
        f"cannot eliminate no-ops from a {type(target).__name__}; pass a torch.fx.Graph, a GraphModule or an ExportedProgram"
    )


@functools.lru_cache(maxsize=16)
def _index(rules: RuleSet, tidy: bool) -> Index:
    """Compiled once for a set of rules: that takes as long as a run over a small graph."""
    return Index(rules, tidy)


def rule_set(rules: RuleSet | Iterable[Rule] | None) -> RuleSet:
    """What the caller means by ``rules``: all of them by default."""
    if rules is None:
        from .patterns import ALL

        return ALL
    return rules if isinstance(rules, RuleSet) else RuleSet(tuple(rules))


def _checked(graph: Graph, index: Index, assume: Sequence[sympy.Basic]) -> Report:
    try:
        graph.lint()
    except Exception as error:  # lint raises whatever it stumbles over
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise GraphError(
            f"the graph does not pass lint: {first}; it is unchanged; repair it first"
        ) from error
    return run(graph, index, assume)


def run(
    graph: Graph, index: Index, assume: Sequence[sympy.Basic] = (), *, fused_later: bool = True
) -> Report:
    """Apply an index of rules to a graph that is taken to be well formed. ``fused_later``: a compiler may still look for
    attention in it."""
    began = time.perf_counter()
    env = find_shape_env(graph)
    before = snapshot(env)
    prover = Prover(env, assume)
    runs: list[tuple[Run, GraphModule | None]] = []
    try:
        for inner, owner, path in _with_nested(graph):
            # A caller may hand one tensor to two placeholders of a nested graph, which then sees the writes
            # of one through the other.
            shared = owner is not None and writes_anything(inner)
            this = Run(inner, index, prover, path, shared, fused_later)
            runs.append((this, owner))
            this.to_fixpoint()
    except BaseException:
        for done, _ in runs:
            done.transaction.rollback()
        raise
    report = Report()
    for this, owner in runs:
        this.transaction.commit()
        report.merge(this.report)
        if owner is not None and this.report.passed:
            owner.recompile()
    report.shape_env_changes = tuple(changes(before, snapshot(env)))
    report.assumptions = tuple(map(str, assume))
    report.seconds = time.perf_counter() - began
    return report


def find_shape_env(graph: Graph) -> ShapeEnv | None:
    """The ``ShapeEnv`` of the first symbolic value in the graph."""
    for node in graph.nodes:
        env = shape_env_of(node.meta.get("val"))
        if env is not None:
            return env
    return None


def _with_nested(graph: Graph) -> Iterator[tuple[Graph, GraphModule | None, str]]:
    """The graph, then each distinct graph module that its ``get_attr`` nodes refer to, depth first."""
    stack: list[tuple[Graph, GraphModule | None, str]] = [(graph, None, "")]
    seen: set[int] = set()
    while stack:
        current, owner, path = stack.pop()
        yield current, owner, path
        for node in current.find_nodes(op="get_attr"):
            body = attribute(node)
            if isinstance(body, GraphModule) and id(body) not in seen:
                seen.add(id(body))
                stack.append((body.graph, body, f"{path}{node.target}."))
