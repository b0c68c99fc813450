"""``python tests/bench/speed.py``: what passes cost per node, in turns on copies of the same graphs.

By default graphs of 1e3 and 1e4 nodes and models of 8 layers, in a few minutes. ``--long`` adds 1e5 and 1e6 nodes and
32 layers; ``--write`` puts docs/performance.json and docs/performance.svg.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from compiled import duplicate
from speed_contestants import MOST, SLOW, Contestant, contestants
from speed_edits import Edits
from speed_graphs import FAMILIES, Case, architectures, models
from speed_report import EDITING, edits_of, ratios, show, svg
from torch.fx import GraphModule

Record = dict[str, Any]
_DOCS = Path(__file__).parents[2] / "docs"
_WEIGHED = "10% no-ops"
"""The family of graphs whose runs' memory is measured."""
_LARGE = 5_000
"""Nodes from which on each contestant has one turn."""


def main() -> int:
    options = _options()
    if options.read:
        return _told(_merged([json.loads(Path(name).read_text()) for name in options.read]), options)
    torch.set_num_threads(1)
    everybody = contestants()
    chosen = {k: v for k, v in everybody.items() if k in (options.contestant or everybody)}
    records: list[Record] = []

    def measure(case: Case) -> None:
        records.extend(_timed(case, chosen, options.rounds))
        if options.json:
            # Whatever comes of the rest.
            Path(options.json).write_text(json.dumps({"records": records}, indent=1))

    known = [1_000, 10_000, *([100_000, 1_000_000] if options.long else [])]
    sizes = [s for s in known if s <= (options.most or s)]
    for family, make in FAMILIES.items():
        if options.only not in (None, "synthetic", family):
            continue
        # A symbol for every ten nodes: the ShapeEnv is slow at making them.
        for n in [s for s in sizes if not (family == "symbols" and s > 10_000)]:
            measure(Case(family, "synthetic", str(n), make(n)))
    for layers in (8, 32) if options.long else (8,):
        named = architectures(layers)
        if options.only not in (None, "models"):
            named = {name: each for name, each in named.items() if name == options.only}
        if options.only != "synthetic":
            for case in models(named, ("static", "dynamic")):
                measure(case)
    result = {
        "torch": torch.__version__,
        "python": sys.version.split()[0],
        "asked": {k: v for k, v in vars(options).items() if v and k not in ("json", "read", "write")},
        "records": records,
        "ratios": ratios(records),
        "memory": [
            _memory(FAMILIES[_WEIGHED](n), n, everybody["noopelim"])
            for n in sizes[1:]
            if options.only in (None, "synthetic", _WEIGHED)
        ],
        "import_seconds": _import_seconds(),
    }
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1))
    return _told(result, options)


def _merged(results: Sequence[Record]) -> Record:
    """One result of several: of what two of them measured the first counts."""
    first, *others = results
    if not others:
        return first
    records: dict[tuple[Any, ...], Record] = {}
    memory: dict[int, Record] = {}
    for result in results:
        for record in result["records"]:
            records.setdefault(_key(record), record)
        for weighed in result["memory"]:
            memory.setdefault(weighed["nodes"], weighed)
    found = list(records.values())
    return {
        **first,
        "asked": [result["asked"] for result in results],
        "records": found,
        "ratios": ratios(found),
        "memory": [memory[n] for n in sorted(memory)],
    }


def _key(record: Record) -> tuple[Any, ...]:
    return record["graph"], record["kind"], record["sizes"], record["contestant"]


def _told(result: Record, options: argparse.Namespace) -> int:
    show(result)
    if options.write:
        (_DOCS / "performance.json").write_text(json.dumps(result, indent=1) + "\n")
        (_DOCS / "performance.svg").write_text(svg(result["records"]))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--long", action="store_true", help="up to 1e6 nodes, and 32 layers")
    parser.add_argument("--most", type=int, help="no synthetic graph of more nodes")
    parser.add_argument("--only", help="models, synthetic, one model or one family of graphs")
    parser.add_argument("--contestant", action="append", help="may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--read", metavar="FILE", action="append", help="measure nothing, and show what earlier runs wrote"
    )
    parser.add_argument("--write", action="store_true", help="docs/performance.json and .svg")
    return parser.parse_args()


def _timed(case: Case, chosen: Mapping[str, Contestant | Edits], rounds: int) -> list[Record]:
    """One record for each contestant; who goes first changes from round to round. Times are of the process, so that
    other work on the machine does not count, and no garbage is collected meanwhile."""
    nodes = len(case.graph.graph.nodes)
    if case.kind != "synthetic":
        edits = {edits_of(name): Edits(chosen[name], case.graph) for name in EDITING if name in chosen}
        chosen = {**chosen, **edits}
    slow_too = (case.kind, case.sizes) == ("joint", "static")
    names = [n for n in chosen if nodes <= MOST.get(n, nodes) and (n != SLOW or slow_too)]
    seconds: dict[str, list[float]] = defaultdict(list)
    left: dict[str, int] = {}
    found: dict[str, int] = {}
    turns = 1 if nodes > _LARGE else rounds
    gc.collect()
    gc.freeze()
    for turn in range(turns):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            if name == SLOW and turn:
                continue
            copy = duplicate(case.graph.graph)
            seconds[name].append(_seconds(chosen[name], copy))
            if turn == 0:
                left[name] = _live(copy)
                after = chosen.get("remove_noop_ops")
                if after is not None and not isinstance(after, Edits) and nodes <= _LARGE:
                    after(copy.graph)
                    found[name] = left[name] - _live(copy)
    before = _live(duplicate(case.graph.graph))
    print(f"{case.name} {case.kind} {case.sizes}: {nodes} nodes", file=sys.stderr, flush=True)
    return [
        {
            "graph": case.name,
            "kind": case.kind,
            "sizes": case.sizes,
            "nodes": nodes,
            "contestant": name,
            "microseconds_per_node": [s / nodes * 1e6 for s in seconds[name]],
            "median": statistics.median(seconds[name]) / nodes * 1e6,
            "removed": before - left[name],
            "left_for_remove_noop_ops": found.get(name),
        }
        for name in names
    ]


def _seconds(contestant: Contestant | Edits, copy: GraphModule) -> float:
    run = contestant.ready(copy.graph) if isinstance(contestant, Edits) else partial(contestant, copy.graph)
    gc.disable()
    try:
        began = time.process_time()
        run()
        return time.process_time() - began
    finally:
        gc.enable()


def _live(gm: GraphModule) -> int:
    """Nodes once what nobody reads is gone."""
    gm.graph.eliminate_dead_code()
    return len(gm.graph.nodes)


def _memory(gm: GraphModule, n: int, contestant: Contestant) -> Record:
    """Bytes per node at the peak of a run, beyond what was there before."""
    gc.collect()
    tracemalloc.start()
    contestant(gm.graph)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"nodes": n, "peak_bytes_per_node": peak / n}


def _import_seconds(times: int = 5) -> dict[str, float]:
    """Medians over new processes: importing noopelim after torch, and the pass and its rules after that."""
    code = (
        "import torch, time\nt = time.perf_counter()\nimport noopelim\nu = time.perf_counter()\n"
        "noopelim.NoOpElimination()\nprint(u - t, time.perf_counter() - u)"
    )
    runs: Sequence[list[float]] = [
        [
            float(x)
            for x in subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout.split()
        ]
        for _ in range(times)
    ]
    first, second = (statistics.median(run[k] for run in runs) for k in (0, 1))
    return {"import noopelim": first, "noopelim.NoOpElimination()": second}


if __name__ == "__main__":
    sys.exit(main())
