"""Tables, ratios and a chart of what ``speed.py`` measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

Record = dict[str, Any]


def _of_model(record: Record) -> bool:
    return record["kind"] in ("joint", "post")


_PAIRS: dict[str, tuple[str, str, Callable[[Record], bool], float]] = {
    "seed / loop, static": ("noopelim seed", "loop", lambda r: r["sizes"] == "static", 0.6),
    "seed / loop, dynamic": ("noopelim seed", "loop", lambda r: r["sizes"] == "dynamic", 0.5),
    "look / loop, static": ("look", "loop", lambda r: _of_model(r) and r["sizes"] == "static", math.nan),
    "look / loop, dynamic": ("look", "loop", lambda r: _of_model(r) and r["sizes"] == "dynamic", math.nan),
    "edits of loop / loop, static": ("edits of loop", "loop", lambda r: r["sizes"] == "static", math.nan),
    "edits of loop / loop, dynamic": ("edits of loop", "loop", lambda r: r["sizes"] == "dynamic", math.nan),
    "all / remove_noop_ops, joint, static": (
        "noopelim",
        "remove_noop_ops",
        lambda r: (r["kind"], r["sizes"]) == ("joint", "static"),
        0.5,
    ),
    "all / remove_noop_ops, joint, dynamic": (
        "noopelim",
        "remove_noop_ops",
        lambda r: (r["kind"], r["sizes"]) == ("joint", "dynamic"),
        0.5,
    ),
    "all / joint patterns, joint": ("noopelim", "joint patterns", lambda r: r["kind"] == "joint", math.nan),
    "all / loop, post": ("noopelim", "loop", lambda r: r["kind"] == "post", 2),
    "all / same rules in a matcher": ("noopelim", "matcher", _of_model, 0.05),
    "all / walk, nothing to remove": ("noopelim", "walk", lambda r: r["graph"] == "none", 15),
}
EDITING = ("loop", "noopelim seed")
"""Contestants whose edits are timed by themselves, too."""
_COLORS = ("#999999", "#1b6ca8", "#2a9d5c", "#0b3d2e", "#7bc8a4", "#d1495b", "#edae49", "#7d5ba6")
_WIDTH, _HEIGHT, _LEFT, _TOP = 230, 170, 50, 40


def edits_of(contestant: str) -> str:
    """The name under which the edits of a contestant are timed."""
    return f"edits of {contestant}"


def ratios(records: Sequence[Record]) -> dict[str, Record]:
    """The median over graphs of one contestant's time by the other's on the same graph, with the ends."""
    by = {(r["graph"], r["kind"], r["sizes"], r["contestant"]): r for r in records}
    found = {}

    def beside(record: Record, other: str) -> Record | None:
        return by.get((record["graph"], record["kind"], record["sizes"], other))

    for name, (ours, theirs, wanted, target) in _PAIRS.items():
        chosen = [r for r in records if r["contestant"] == ours and wanted(r)]
        pairs = [(r, other) for r in chosen if (other := beside(r, theirs)) is not None]
        if pairs:
            found[name] = _ratio([a["median"] / b["median"] for a, b in pairs], target, pairs)
        without = [
            (a["median"] - mine["median"]) / (b["median"] - its["median"])
            for a, b in pairs
            if (mine := beside(a, edits_of(ours))) and (its := beside(b, edits_of(theirs)))
        ]
        if without:
            found[f"{name}, outside edits"] = _ratio(without, 0.3, pairs)
    return found


def _ratio(ratios: Sequence[float], target: float, pairs: Sequence[tuple[Record, Record]]) -> Record:
    each = sorted(ratios)
    return {
        "median": statistics.median(each),
        "least": each[0],
        "greatest": each[-1],
        "target": None if math.isnan(target) else target,
        "graphs": len(each),
        "removed": [sum(a["removed"] for a, _ in pairs), sum(b["removed"] for _, b in pairs)],
    }


def show(result: Record) -> None:
    """Print all of it."""
    records = result["records"]
    names = list(dict.fromkeys(r["contestant"] for r in records))
    print(f"{'microseconds per node (least-greatest), and nodes removed':50s}")
    for key in dict.fromkeys((r["graph"], r["kind"], r["sizes"], r["nodes"]) for r in records):
        print(f"{key[0]}, {key[1]}, {key[2]}: {key[3]} nodes")
        for r in records:
            if (r["graph"], r["kind"], r["sizes"], r["nodes"]) == key:
                low, high = min(r["microseconds_per_node"]), max(r["microseconds_per_node"])
                left = r["left_for_remove_noop_ops"]
                rest = "" if left is None else f", {left} left for remove_noop_ops"
                print(
                    f"  {r['contestant']:22s} {r['median']:9.2f} ({low:.2f}-{high:.2f})  {r['removed']}{rest}"
                )
    print("totals over models, microseconds per node, and nodes removed")
    for kind in ("joint", "post"):
        for sizes in ("static", "dynamic"):
            for name in names:
                of = [r for r in records if (r["kind"], r["sizes"], r["contestant"]) == (kind, sizes, name)]
                if of:
                    cost = sum(r["median"] * r["nodes"] for r in of) / sum(r["nodes"] for r in of)
                    print(f"  {kind:6s} {sizes:8s} {name:22s} {cost:9.2f}  {sum(r['removed'] for r in of)}")
    print("ratios: median over graphs (least-greatest), target, nodes removed by the two")
    for name, r in result["ratios"].items():
        print(
            f"  {name:40s} {r['median']:8.3f} ({r['least']:.3f}-{r['greatest']:.3f})  {r['target']}  {r['removed']}"
        )
    for r in result["memory"]:
        print(f"memory of a run on {r['nodes']} nodes: {r['peak_bytes_per_node']:.0f} bytes a node")
    for name, seconds in result["import_seconds"].items():
        print(f"{name}: {seconds * 1e3:.0f} ms")


def svg(records: Sequence[Record]) -> str:
    """Cost per node against size, for each family of synthetic graphs; both axes logarithmic."""
    families = list(dict.fromkeys(r["graph"] for r in records if r["kind"] == "synthetic"))
    names = list(dict.fromkeys(r["contestant"] for r in records if r["kind"] == "synthetic"))
    columns = 4
    rows = -(-len(families) // columns)
    width = _LEFT + columns * (_WIDTH + 30)
    height = _TOP + rows * (_HEIGHT + 50) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        'font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for k, name in enumerate(names):
        x = _LEFT + k * 125
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{_COLORS[k % 8]}"/>')
        parts.append(f'<text x="{x + 14}" y="17">{name}</text>')
    for at, family in enumerate(families):
        left = _LEFT + at % columns * (_WIDTH + 30)
        top = _TOP + at // columns * (_HEIGHT + 50)
        parts += _panel(family, [r for r in records if r["graph"] == family], names, left, top)
    return "\n".join([*parts, "</svg>\n"])


def _panel(family: str, records: Sequence[Record], names: list[str], left: int, top: int) -> list[str]:
    def x(nodes: float) -> float:
        return left + (math.log10(nodes) - 3) / 3 * _WIDTH

    def y(cost: float) -> float:
        return top + _HEIGHT - (math.log10(max(cost, 0.01)) + 2) / 6 * _HEIGHT

    parts = [
        f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#ccc"/>',
        f'<text x="{left + 4}" y="{top + 14}">{family}: \u00b5s per node</text>',
    ]
    for power in (-2, 0, 2, 4):
        parts.append(f'<text x="{left - 34}" y="{y(10**power) + 4:.0f}" fill="#666">1e{power}</text>')
    for power in (3, 4, 5, 6):
        parts.append(
            f'<text x="{x(10**power) - 8:.0f}" y="{top + _HEIGHT + 14}" fill="#666">1e{power}</text>'
        )
    for k, name in enumerate(names):
        points = sorted((int(r["sizes"]), r["median"]) for r in records if r["contestant"] == name)
        if points:
            path = " ".join(f"{x(n):.1f},{y(cost):.1f}" for n, cost in points)
            color = _COLORS[k % 8]
            parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
            parts += [f'<circle cx="{x(n):.1f}" cy="{y(c):.1f}" r="2.5" fill="{color}"/>' for n, c in points]
    return parts
