"""Which nodes of a graph do nothing, told by running it: no rule, no prover and no symbol is asked.

The graph runs node by node on several sets of arguments, of other sizes and other values. A node whose result
has, in every run, the value, the shape, the dtype and the strides of an earlier one is not needed: it is a
*no-op* if that one is an operand of it, an *ancestor* if it was computed on the way to it, else a *duplicate*.
Of the rest, chains of calls that only move data are composed and compared with shorter ones (``chains.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from chains import shorter_chains
from findings import ANCESTOR, BY_SIZE, BY_VALUE, DUPLICATE, NOOP, Finding, Run
from probe import Outcome, between, probe, same_sizes
from torch.fx import GraphModule, Interpreter, Node
from torch.utils import _pytree as pytree
from values import copied, dense, kept, moves

_aten = torch.ops.aten
_SIZES = (_aten.sym_size, _aten.sym_stride, _aten.sym_numel, _aten.sym_storage_offset)
_TRIED = 3
_DRAW = ("rand", "dropout", "bernoulli", "multinomial", "inductor_seed", "philox")


class _Recorder(Interpreter):
    def __init__(self, gm: GraphModule) -> None:
        super().__init__(gm)
        self.run_seen = Run()

    def run_node(self, n: Node) -> Any:
        if moves(n):
            args, kwargs = self.fetch_args_kwargs_from_env(n)
            self.run_seen.arguments[n] = (tuple(args[1:]), dict(kwargs))
        result = self.run_seen.results[n] = super().run_node(n)
        # At once: an epilogue may write it later.
        if n.op != "output" and dense(result):
            self.run_seen.values[n] = kept(result)
        return result


def recorded(gm: GraphModule, calls: Iterable[Sequence[Any]]) -> list[Run]:
    """Run the graph on each list of arguments, with the same random numbers for all."""
    runs = []
    for arguments in calls:
        recorder = _Recorder(gm)
        torch.manual_seed(0)
        taken = [copied(a) for a in arguments]
        with torch.no_grad():
            given = recorder.run(*taken)
        # The epilogues of a graph write its arguments.
        recorder.run_seen.given = [kept(x) for x in pytree.tree_leaves([given, taken]) if dense(x)]
        runs.append(recorder.run_seen)
    return runs


def equal_nodes(gm: GraphModule, runs: Sequence[Run]) -> list[Finding]:
    """No-ops, ancestors and duplicates, in graph order; of several equal nodes the nearest is named."""
    equal: dict[tuple[Any, ...], list[Node]] = {}
    above: dict[Node, set[Node]] = {}
    constant: set[Node] = set()
    written = _written(gm, runs[-1])
    found = []
    for node in gm.graph.nodes:
        operands = node.all_input_nodes
        above[node] = set(operands).union(*(above[o] for o in operands))
        if _sized(node) or (node.op == "call_function" and all(o in constant for o in operands)):
            constant.add(node)
        values = [v for run in runs if (v := run.values.get(node)) is not None]
        if len(values) < len(runs) or any(0 in v.layout.shape for v in values):
            continue
        key = tuple((v.layout.shape, v.layout.seen, v.layout.dtype, v.digest) for v in values)
        before = equal.setdefault(key, [])
        telling = node in constant or not all(v.uniform for v in values)
        if telling and _may_go(node) and node not in written:
            found += _best(node, before, above[node], constant, runs)
        before.append(node)
    return found


def _best(
    node: Node, equal: Sequence[Node], above: set[Node], constant: set[Node], runs: Sequence[Run]
) -> list[Finding]:
    """What stands for the node for all values, else for some, else nothing. The last few are tried."""
    operands = set(node.all_input_nodes)
    weaker: list[Finding] = []
    for kind, nodes in (
        (NOOP, [n for n in equal if n in operands]),
        (ANCESTOR, [n for n in equal if n in above and n not in operands]),
        (DUPLICATE, [n for n in equal if n not in above and _may_go(n)]),
    ):
        for source in reversed(nodes[-_TRIED:]):
            held = _held(node, source, kind, constant, runs)
            if held is not None:
                exact = all(r.values[node].layout.stride == r.values[source].layout.stride for r in runs)
                finding = Finding(node, held, source, exact=exact, constant=node in constant)
                if held == kind:
                    return [finding]
                weaker.append(finding)
    return weaker[:1]


def _held(node: Node, source: Node, kind: str, constant: set[Node], runs: Sequence[Run]) -> str | None:
    """``kind`` if the equality is no accident, or a weaker one; None if it is nothing but that."""
    if not same_sizes(node, source):
        return BY_SIZE
    if kind == DUPLICATE or node in constant:
        return kind
    path = between(node, source)
    outcome = probe(node, source, path, runs[-1].results)
    if outcome is Outcome.ACCIDENT:
        return None
    # A mask that comes of the data and is true throughout could be another one.
    beside = {o for each in path for o in each.all_input_nodes} - {source, *path} - constant
    uniform = any(all(r.values[o].uniform for r in runs) for o in beside if o in runs[-1].values)
    return BY_VALUE if uniform or outcome is Outcome.NUMBERS else kind


def _sized(node: Node) -> bool:
    """A number that is the same for all values of the arguments: a size, or a symbol."""
    if node.op == "placeholder":
        return not isinstance(node.meta.get("val"), torch.Tensor)
    return getattr(node.target, "overloadpacket", None) in _SIZES


def _written(gm: GraphModule, run: Run) -> set[Node]:
    """Nodes whose memory some call writes: what they hold is a matter of time."""
    storages = set()
    for node in gm.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if node.op == "call_function" and schema is not None and schema.is_mutable:
            storages |= {s for o in node.all_input_nodes if (s := _storage(run.results[o])) is not None}
    return {n for n, result in run.results.items() if _storage(result) in storages}


def _storage(result: Any) -> int | None:
    return result.untyped_storage()._cdata if dense(result) else None


def _may_go(node: Node) -> bool:
    """A call without an effect, whose value is no matter of chance."""
    if node.op != "call_function" or getattr(node.target, "__name__", "") == "getitem":
        return False
    schema = getattr(node.target, "_schema", None)
    return (
        schema is not None and not schema.is_mutable and not any(word in str(node.target) for word in _DRAW)
    )


def findings(gm: GraphModule, runs: Sequence[Run]) -> list[Finding]:
    """All that the oracle has to say of a graph."""
    equal = equal_nodes(gm, runs)
    gone = {f.node: f.source for f in equal if f.kind in (NOOP, ANCESTOR, DUPLICATE)}
    return [*equal, *shorter_chains(gm, runs, gone)]
