"""One architecture in one mode: what Inductor leaves, what noopelim removes of it, and what the oracle says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import oracle
import torch
from compiled import Lowered, Passes, Seen, duplicate, watched
from findings import Finding, Run
from survivors import survivors
from torch.fx import GraphModule
from torch.utils import _pytree as pytree
from values import Value, kept, varied
from zoo import OTHERS, STATIC, TRACED, Architecture, Sizes

import noopelim

DYNAMIC, FIXED, TRAINING = MODES = ("dynamic", "static", "training")
Record = dict[str, Any]


def modes(architecture: Architecture) -> list[str]:
    """Those that the architecture is measured in."""
    return [
        *([DYNAMIC] if architecture.dynamic else []),
        FIXED,
        *([TRAINING] if architecture.trains else []),
    ]


def sizes(mode: str) -> tuple[Sizes, ...]:
    """Of the calls, the first being the one that is traced."""
    return (STATIC, STATIC) if mode == FIXED else (TRACED, *OTHERS)


def measured(architecture: Architecture, mode: str, hooks: Sequence[str]) -> Record:
    """Inductor without noopelim and with it at ``hooks``, compared in all that can be."""
    passes = {hook: noopelim.NoOpElimination() for hook in hooks}
    if mode == TRAINING:
        # The graph is cut in two between the hooks, so it has to be compiled twice.
        seen, before = _compiled(architecture, mode)
        other, after = _compiled(architecture, mode, passes)
        changed, patterns = [each.graph for each in other.first], other.patterns
        runs = [_recorded(each, each.graph) for each in seen.first]
        changed_runs = [_recorded(each, each.graph) for each in other.first]
        same = [left == right for left, right in zip(before, after, strict=True)]
    else:
        seen, _ = _compiled(architecture, mode, beside=passes)
        changed, patterns = [each.changed for each in seen.first if each.changed], seen.patterns_changed
        runs = [_recorded(each, each.graph) for each in seen.first]
        changed_runs = [_recorded(each, gm) for each, gm in zip(seen.first, changed, strict=True)]
        same = [
            left.given == right.given
            for one, two in zip(runs, changed_runs, strict=True)
            for left, right in zip(one, two, strict=True)
        ]
    reports = [report for each in passes.values() for report in each.reports]
    record: Record = {
        "name": architecture.name,
        "mode": mode,
        "graphs": len(seen.first),
        "recompiled": len(seen.lowered) - len(seen.first),
        "calls": [len(each.calls) for each in seen.first],
        "pass_seconds": sum(r.seconds for r in reports),
        "nodes": {
            "entering": sum(_calls(gm) for gm in seen.joint[: seen.first_joint]),
            "inductor": sum(_calls(each.graph) for each in seen.first),
            "noopelim": sum(_calls(gm) for gm in changed),
        },
        "rules": sum((Counter(r.counts) for r in reports), Counter()),
        "guards": [change for r in reports for change in r.shape_env_changes],
        "converged": all(r.converged for r in reports),
        "patterns": [seen.patterns, patterns],
        "same_bits": same,
        "entering": Counter(),
        "alone": Counter(),
        "before": Counter(),
        "after": Counter(),
        "survivors": [],
        "again": 0,
    }
    if mode != TRAINING:
        _without_inductor(seen, record)
    for each, run in zip(seen.first, runs, strict=True):
        record["before"] += _tally(oracle.findings(each.graph, run))
    for gm, run in zip(changed, changed_runs, strict=True):
        found = oracle.findings(gm, run)
        record["after"] += _tally(found)
        again = noopelim.eliminate(duplicate(gm.graph))
        record["again"] += len(again.passed)
        record["survivors"] += [s.to_dict() for s in survivors(gm, found, again)]
    return record


def _without_inductor(seen: Seen, record: Record) -> None:
    """noopelim by itself, on the graphs that enter the joint passes."""
    nodes = 0
    for gm, lowered in zip(seen.joint[: seen.first_joint], seen.first, strict=True):
        runs = _recorded(lowered, gm)
        record["entering"] += _tally(oracle.findings(gm, runs))
        alone = duplicate(gm.graph)
        record["guards"] += noopelim.eliminate(alone).shape_env_changes
        changed_runs = _recorded(lowered, alone)
        record["alone"] += _tally(oracle.findings(alone, changed_runs))
        record["same_bits"] += [a.given == b.given for a, b in zip(runs, changed_runs, strict=True)]
        nodes += _calls(alone)
    record["nodes"]["alone"] = nodes


def _compiled(
    architecture: Architecture, mode: str, passes: Passes | None = None, beside: Passes | None = None
) -> tuple[Seen, list[list[Value]]]:
    """Compile and call at each of the sizes. Also what the calls gave."""
    training = mode == TRAINING
    torch._dynamo.reset()
    model = architecture.model(training)
    given = []
    with watched(passes, beside) as (backend, seen):
        compiled = torch.compile(model, backend=backend, dynamic=mode != FIXED)
        for seed, each in enumerate(sizes(mode)):
            given.append(_results(compiled, model, architecture.arguments(each, seed), training))
            if not seed:
                seen.mark_first()
    return seen, given


def _results(model: Any, named: torch.nn.Module, call: dict[str, Any], training: bool) -> list[Value]:
    """The tensors that a call gives and, in training, the gradients that it leaves on the parameters."""
    named.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    with torch.set_grad_enabled(training):
        given = [x for x in pytree.tree_leaves(model(**call)) if isinstance(x, torch.Tensor)]
        if training:
            losses = [x.float().square().mean() for x in given if x.requires_grad]
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
            given += [p.grad for p in named.parameters() if p.grad is not None]
    return [kept(x) for x in given]


def _calls(gm: GraphModule) -> int:
    return sum(node.op.startswith("call") for node in gm.graph.nodes)


def _recorded(lowered: Lowered, gm: GraphModule) -> list[Run]:
    return oracle.recorded(gm, [*lowered.calls, varied(lowered.calls[-1], 1)])


def _tally(found: Sequence[Finding]) -> Counter[str]:
    tally: Counter[str] = Counter()
    for finding in found:
        tally[finding.kind] += finding.saved
    return tally
