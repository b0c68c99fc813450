"""The tables of the benchmark on real models, and what the oracle finds that noopelim leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from endtoend import medians
from findings import ANCESTOR, CHAIN, DUPLICATE, KINDS, NOOP
from rich.console import Console
from rich.table import Table

console = Console(width=150, highlight=False)
Record = dict[str, Any]


def progress(record: Record, seconds: float) -> None:
    """One line as soon as it is known."""
    head = f"{seconds:6.0f} s  {record['name']}, {record['mode']}: "
    if "failure" in record:
        console.print(head + f"FAILED: {record['failure'][:300]}", style="bold red", markup=False)
        return
    if "kernels" in record:
        console.print(f"{head}kernels {record['kernels']}, bytes {record['bytes']}", markup=False)
        return
    nodes = record["nodes"]
    console.print(
        f"{head}{nodes['entering']} nodes, {nodes['inductor']} after Inductor, {nodes['noopelim']} with noopelim; "
        f"oracle {_sum(record['before'])} -> {_sum(record['after'])}",
        markup=False,
    )


def _sum(tally: Record, kinds: Sequence[str] = KINDS) -> int:
    return sum(tally.get(k, 0) for k in kinds)


def show(records: Sequence[Record]) -> int:
    """Print all of it. The exit status: 1 if something is wrong."""
    good = sorted((r for r in records if "failure" not in r), key=lambda r: (r["mode"], r["name"]))
    console.print(_per_model(good), _totals(good), _rules(good))
    wrong = _wrong(records)
    for line in wrong:
        console.print(line, style="bold red", markup=False)
    return int(bool(wrong))


def _per_model(records: Sequence[Record]) -> Table:
    table = Table(title="nodes, and what the oracle finds not needed", title_justify="left")
    titles = "architecture|mode|graphs|entering|after Inductor|with noopelim|left"
    for index, name in enumerate([*titles.split("|"), *KINDS, "bits", "guards"]):
        table.add_column(name, justify="right" if index > 1 else "left", no_wrap=not index)
    for r in records:
        nodes = r["nodes"]
        table.add_row(
            r["name"],
            r["mode"],
            f"{r['graphs']}" + (f"+{r['recompiled']}" if r["recompiled"] else ""),
            *(f"{nodes[k]}" for k in ("entering", "inductor", "noopelim")),
            f"{nodes['noopelim'] / nodes['inductor']:.0%}" if nodes["inductor"] else "",
            *(f"{r['before'].get(k, 0)} > {r['after'].get(k, 0)}" for k in KINDS),
            "same" if all(r["same_bits"]) else "DIFFER",
            f"{len(r['guards'])}",
        )
    return table


def _totals(records: Sequence[Record]) -> Table:
    table = Table(
        title="in total: what the oracle finds not needed, without noopelim and with it", title_justify="left"
    )
    titles = "|mode|models|nodes|with noopelim"
    for index, name in enumerate([*titles.split("|"), *KINDS, "share removed", "with duplicates"]):
        table.add_column(name, justify="right" if index > 1 else "left")
    stages = (
        ("entering Inductor", ("entering", "alone"), ("entering", "alone")),
        ("after Inductor", ("inductor", "noopelim"), ("before", "after")),
    )
    for title, counts, tallies in stages:
        for mode in (*dict.fromkeys(r["mode"] for r in records), "all"):
            part = [r for r in records if mode in ("all", r["mode"]) and counts[1] in r["nodes"]]
            if not part:
                continue
            before, after = (added(r[key] for r in part) for key in tallies)
            table.add_row(
                title,
                mode,
                f"{len(part)}",
                *(f"{sum(r['nodes'][key] for r in part):,}" for key in counts),
                *(f"{before[k]:,} > {after[k]:,}" for k in KINDS),
                removed(before, after, (NOOP, ANCESTOR, CHAIN)),
                removed(before, after, (NOOP, ANCESTOR, CHAIN, DUPLICATE)),
            )
        table.add_section()
    return table


def removed(before: Counter[str], after: Counter[str], kinds: Sequence[str]) -> str:
    """The share of these kinds that is gone."""
    total = _sum(before, kinds)
    return f"{1 - _sum(after, kinds) / total:.1%}" if total else ""


def added(tallies: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Tallies of several models as one."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total


def _rules(records: Sequence[Record]) -> Table:
    table = Table(title="removed, by rule", title_justify="left")
    table.add_column("rule")
    table.add_column("rewrites", justify="right")
    table.add_column("models", justify="right")
    for rule, count in added(r["rules"] for r in records).most_common():
        table.add_row(rule, f"{count:,}", f"{len({r['name'] for r in records if rule in r['rules']})}")
    return table


def _wrong(records: Sequence[Record]) -> list[str]:
    found = []
    for r in records:
        head = f"{r['name']}, {r['mode']}: "
        if "failure" in r:
            found.append(f"{head}failed: {r['failure'][:1000]}")
            continue
        if not all(r["same_bits"]):
            found.append(f"{head}the results differ with and without noopelim: {r['same_bits']}")
        found += [f"{head}guard added: {g}" for g in r["guards"]]
        if r["again"]:
            found.append(f"{head}a second run made {r['again']} more rewrites")
        if not r["converged"]:
            found.append(f"{head}a run did not converge")
        theirs, ours = r["patterns"]
        found += [
            f"{head}Inductor's pattern counter {k}: {theirs.get(k, 0)} without noopelim, {ours.get(k, 0)} with it"
            for k in sorted(theirs.keys() | ours.keys())
            if theirs.get(k, 0) > ours.get(k, 0)
        ]
    return found


def compiled_row(record: Record) -> tuple[str, ...]:
    """Name, mode, seconds to compile and of them noopelim's, kernels, MB moved, milliseconds to run; ratios after times."""
    (before, after), (alone, run) = (medians(record[key]) for key in ("compile_seconds", "run_seconds"))
    return (
        record["name"],
        record["mode"],
        f"{before:.1f} > {after:.1f}",
        f"{after / before:.2f}",
        f"{median(record['pass_seconds']):.2f}",
        "{} > {}".format(*record["kernels"]),
        "{:.3f} > {:.3f}".format(*(n / 1e6 for n in record["bytes"])),
        f"{alone * 1e3:.3f} > {run * 1e3:.3f}",
        f"{run / alone:.2f}",
    )


def show_compiled(records: Sequence[Record]) -> int:
    """Print what was compiled in full. The exit status: 1 if something failed, differs, or grew."""
    table = Table(title="compiled in full: without noopelim, with it, and the ratio", title_justify="left")
    for index, name in enumerate(
        (
            "architecture",
            "mode",
            "compile s",
            "",
            "of it noopelim",
            "kernels",
            "MB moved",
            "run ms",
            "",
            "bits",
        )
    ):
        table.add_column(name, justify="right" if index > 1 else "left", no_wrap=True)
    wrong = []
    for r in sorted(records, key=lambda r: (r["mode"], r["name"])):
        head = f"{r['name']}, {r['mode']}: "
        if "failure" in r:
            wrong.append(f"{head}failed: {r['failure'][:1000]}")
            continue
        table.add_row(*compiled_row(r), "same" if all(r["same_bits"]) else "DIFFER")
        if not all(r["same_bits"]):
            wrong.append(f"{head}the results differ: {r['same_bits']}")
        wrong += [f"{head}more {k} with noopelim: {r[k]}" for k in ("kernels", "bytes") if r[k][1] > r[k][0]]
    console.print(table)
    for line in wrong:
        console.print(line, style="bold red", markup=False)
    return int(bool(wrong))


def survivors_text(records: Sequence[Record], most: int = 60) -> str:
    """What is left and why, largest groups first, each with one example."""
    groups: dict[tuple[str, str, str], list[tuple[Record, Record]]] = {}
    for r in records:
        for s in r.get("survivors", ()):
            groups.setdefault((s["kind"], s["what"], s["why"]), []).append((r, s))
    good = [r for r in records if "failure" not in r]
    lines = [f"# What is left, and why: {len(good)} models ({len(records) - len(good)} failed)", ""]
    for kind in KINDS:
        before, after = (sum(r[key].get(kind, 0) for r in good) for key in ("before", "after"))
        lines.append(f"- {kind}: {before} after Inductor, {after} with noopelim")
    by_why: Counter[str] = Counter()
    for (kind, _, why), found in groups.items():
        by_why[f"{kind}: {why.split(':')[0]}"] += sum(s["saved"] for _, s in found)
    lines += ["", "## By remark", "", *(f"- {n} {why}" for why, n in by_why.most_common(40))]
    ranked = sorted(groups.items(), key=lambda g: -sum(s["saved"] for _, s in g[1]))
    for (kind, what, why), found in ranked[:most]:
        # The shortest excerpt shows the point best.
        record, example = min(found, key=lambda f: len("".join(f[1]["excerpt"])))
        names = list(dict.fromkeys(f"{r['name']} ({r['mode']})" for r, _ in found))
        lines += [
            "",
            f"## {sum(s['saved'] for _, s in found)} {kind}: {what}",
            "",
            f"why: {why}" + (f"; claim: {example['claim']}" if example["claim"] else ""),
            f"in: {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else ""),
            f"example: {record['name']} ({record['mode']})",
            "```",
            *example["excerpt"],
            "```",
        ]
    return "\n".join(lines) + "\n"
