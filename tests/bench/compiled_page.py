"""docs/compiled.md, from what compiling in full measured."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import torch
from endtoend import medians
from models_page import table
from models_report import Record, compiled_row


def compiled_page(records: Sequence[Record]) -> str:
    """The whole page."""
    good = sorted((r for r in records if "failure" not in r), key=lambda r: (r["mode"], r["name"]))
    rounds = max((len(r["compile_seconds"][0]) for r in good), default=0)
    often = "once" if rounds == 1 else f"{rounds} times"
    compiling = [medians(r["compile_seconds"]) for r in good]
    running = [medians(r["run_seconds"]) for r in good]
    shares = [median(r["pass_seconds"]) / with_it for r, (_, with_it) in zip(good, compiling, strict=True)]
    kernels, moved = ([sum(r[key][k] for r in good) for k in (0, 1)] for key in ("kernels", "bytes"))
    grown = sum(r[key][1] > r[key][0] for r in good for key in ("kernels", "bytes"))
    lines = [
        "# Compiled in full",
        "",
        f"{len({r['name'] for r in good})} architectures with random weights, {len(good)} runs, {len(records) - len(good)} "
        f"failed; torch {torch.__version__}, CPU, one thread. Written by",
        f'`make bench-models ARGS="--compile {rounds} --write"`. Each model is compiled in turns without noopelim and with it '
        "(after",
        f"Inductor's own joint and post-grad passes), {often} each; caches are off. Times are wall time, medians.",
        "",
        *table(
            ("", "without", "with", "ratio"),
            [
                ("kernels, in all", f"{kernels[0]:,}", f"{kernels[1]:,}", f"{kernels[1] / kernels[0]:.3f}"),
                (
                    "bytes read and written, in all",
                    f"{moved[0]:,}",
                    f"{moved[1]:,}",
                    f"{moved[1] / moved[0]:.3f}",
                ),
                ("time to compile, median of ratios", "", "", _ratio(compiling)),
                ("time to run, median of ratios", "", "", _ratio(running)),
                ("noopelim's share of compiling", "", f"{median(shares):.1%}", _ends(shares)),
            ],
        ),
        "",
        f"Runs in which kernels or bytes grew: {grown}. Results that differ in a bit: "
        f"{sum(not all(r['same_bits']) for r in good)}.",
        "",
        *table(
            ("architecture", "mode", "compile s", "", "of it noopelim", "kernels", "MB", "run ms", ""),
            map(compiled_row, good),
        ),
    ]
    return "\n".join(lines) + "\n"


def _ratio(pairs: Sequence[tuple[float, float]]) -> str:
    ratios = sorted(after / before for before, after in pairs)
    return f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _ends(shares: Sequence[float]) -> str:
    return f"{min(shares):.1%} to {max(shares):.1%}"
