"""docs/models.md, from what the benchmark on real models measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from findings import ANCESTOR, CHAIN, DUPLICATE, KINDS, NOOP
from models_report import Record, added, removed
from survivors import NO_RULE

STRICT = (NOOP, ANCESTOR, CHAIN)
FUSED = "a clone may be fused"
"""How the remark begins that keeps a clone for the sake of a kernel."""


def page(records: Sequence[Record]) -> str:
    """The whole page."""
    good = [r for r in records if "failure" not in r]
    failed = [r for r in records if "failure" in r]
    left = [s for r in good for s in r["survivors"]]
    fused = sum(s["saved"] for s in left if s["kind"] == CHAIN and FUSED in s["why"])
    after = added(r["after"] for r in good)
    but_fused = after - Counter({CHAIN: fused})
    before = added(r["before"] for r in good)
    unexplained = Counter(s["kind"] for s in left if s["why"] == NO_RULE)
    wrong = sum(not all(r["same_bits"]) for r in good), sum(len(r["guards"]) for r in good)
    lines = [
        "# Real models",
        "",
        f"{len({r['name'] for r in good})} architectures of `transformers` and `diffusers` with random weights, "
        f"{len(good)} runs (static, dynamic, some in training), {len(failed)} failed. torch {torch.__version__}. Written by",
        "`make bench-models ARGS=--write`. Each model is compiled by Inductor up to where it would make kernels, without",
        "noopelim and with it (all default rules, and `tidy`) after Inductor's own joint and post-grad passes.",
        "",
        f"Outputs at sizes other than the traced ones differ in a bit from those without noopelim in {wrong[0]} runs; "
        f"guards added: {wrong[1]}.",
        "",
        "## What an oracle finds not needed after all of Inductor's passes",
        "",
        "The oracle runs the graph on values that are all different and at several sizes, and knows no rule: a node may be",
        "an operand of its own (no-op), an earlier value on the way to it (ancestor), or another node (duplicate), and a",
        "chain of calls that move data may have a shorter form.",
        "",
        *table(
            ("runs", "nodes", "with noopelim", *KINDS, "no-ops, ancestors, chains gone"),
            (
                (
                    f"{len(part)} {mode}",
                    f"{sum(r['nodes']['inductor'] for r in part):,}",
                    f"{sum(r['nodes']['noopelim'] for r in part):,}",
                    *(f"{b[k]:,} > {a[k]:,}" for k in KINDS),
                    removed(b, a, STRICT),
                )
                for mode in (*dict.fromkeys(r["mode"] for r in good), "in all")
                for part in [[r for r in good if mode in ("in all", r["mode"])]]
                for b, a in [[added(r[key] for r in part) for key in ("before", "after")]]
            ),
        ),
        "",
        f"Of the chains that are left {fused} are a clone and a reshape, of which one would do: Inductor fuses the clone with",
        "what it copies, and would not fuse the reshape that copies, so the shorter form would be a kernel more. Without",
        f"these, {removed(before, but_fused, STRICT)} of no-ops, ancestors and chains are gone, with duplicates "
        f"{removed(before, but_fused, (*STRICT, DUPLICATE))}.",
        f"Every other node that is left has a remark, but for {sum(unexplained[k] for k in (*STRICT, DUPLICATE))} "
        f"({_counted(unexplained)}).",
        "",
        *table(
            ("kind", "call", "runs"),
            (
                (kind, f"`{what}`", f"{len(runs)}: {', '.join(dict.fromkeys(runs))}")
                for (kind, what), runs in _silent(good).items()
            ),
        ),
        "",
        "The calls that pick all of a value by indices that count up are of a later scope. A constant that is made, as by",
        "`full`, is not taken from one that is computed. `_unsafe_index` picks at other places what is equal there.",
        "",
        "## What keeps the rest",
        "",
        *table(("left", "what", "remark"), _reasons(left)),
        "",
        "## Rewrites by rule",
        "",
        *table(
            ("rule", "rewrites", "architectures"),
            (
                (f"`{rule}`", f"{count:,}", f"{len({r['name'] for r in good if rule in r['rules']})}")
                for rule, count in added(r["rules"] for r in good).most_common()
            ),
        ),
        "",
        "## Each run",
        "",
        "Nodes entering Inductor, after its passes, and after them with noopelim; what the oracle finds without and with it.",
        "",
        *table(
            ("architecture", "mode", "entering", "Inductor", "noopelim", *KINDS),
            (
                (
                    r["name"],
                    r["mode"],
                    *(f"{r['nodes'][k]}" for k in ("entering", "inductor", "noopelim")),
                    *(f"{r['before'].get(k, 0)} > {r['after'].get(k, 0)}" for k in KINDS),
                )
                for r in sorted(good, key=lambda r: (r["name"].lower(), r["mode"]))
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def _silent(records: Sequence[Record]) -> dict[tuple[str, str], list[str]]:
    """No-ops, ancestors and duplicates that no rule speaks of, and the runs they are in."""
    found: dict[tuple[str, str], list[str]] = {}
    for r in records:
        for s in r["survivors"]:
            if s["why"] == NO_RULE and s["kind"] in (*STRICT, DUPLICATE):
                found.setdefault((s["kind"], s["what"]), []).append(f"{r['name']} ({r['mode']})")
    return found


def table(titles: Iterable[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """As lines of Markdown."""
    heads = list(titles)
    return [
        f"| {' | '.join(heads)} |",
        f"|{'--|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _counted(tally: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in tally.most_common()) or "none"


def _reasons(left: Sequence[Record], most: int = 15) -> list[tuple[str, str, str]]:
    """Groups of survivors, the largest first. Of a remark only what names no node."""
    groups: Counter[tuple[str, str]] = Counter()
    for s in left:
        groups[s["kind"], "a clone that is fused" if FUSED in s["why"] else s["why"].split(":")[0]] += s[
            "saved"
        ]
    return [(f"{count}", kind, why) for (kind, why), count in groups.most_common(most)]
