"""Models through all of Inductor but the C++ compiler, without noopelim and with it at every hook: does it still generate
code for each, and on what does it guard?

``python tests/bench/generated.py [--hook HOOK] [--static] [NAME ...]``; all models take about an hour. Exits with 1 if a model fails
with noopelim alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from code_only import Generated, code_only
from compiled import HOOKS
from endtoend import TRACED
from torch._guards import TracingContext
from torch._inductor import config
from torch._inductor.compile_fx import compile_fx
from zoo import Architecture, zoo

import noopelim


def guards(
    architecture: Architecture, passes: Mapping[str, noopelim.NoOpElimination], dynamic: bool
) -> set[str]:
    """Those that Inductor adds to the graphs up to the first that would be run. Raises what compiling raises."""
    found: set[str] = set()

    def backend(gm: torch.fx.GraphModule, example_inputs: list[Any]) -> Callable[..., Any]:
        context = TracingContext.get()
        env = context.fake_mode.shape_env if context.fake_mode else None
        had = len(env.guards) if env else 0
        inner: Any = compile_fx(gm, example_inputs)
        found.update(str(guard.expr) for guard in (env.guards[had:] if env else ()))
        return inner

    torch._dynamo.reset()
    hooks = {hook: passes.get(hook) for hook in HOOKS}
    with (
        torch.no_grad(),
        config.patch(force_disable_caches=True, compile_threads=1, **hooks),
        code_only(),
    ):
        try:
            model = torch.compile(architecture.model(training=False), backend=backend, dynamic=dynamic)
            model(**architecture.arguments(TRACED, 0))
        except Generated:
            pass
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hook", action="append", choices=HOOKS, help="where noopelim runs; all by default")
    parser.add_argument("--static", action="store_true", help="sizes are numbers")
    parser.add_argument("name", nargs="*", help="of the architectures; all by default")
    options = parser.parse_args()
    architectures = zoo()
    failed = 0
    for name in options.name or architectures:
        passes = {hook: noopelim.NoOpElimination() for hook in options.hook or HOOKS}
        told: list[set[str] | str] = []
        for each in ({}, passes):
            try:
                told.append(guards(architectures[name], each, not options.static))
            except Exception as error:  # compiling may raise anything
                told.append(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        without, with_it = told
        removed = sum(len(report.passed) for one in passes.values() for report in one.reports)
        if isinstance(without, str):
            print(f"{name}: fails without noopelim: {without}")
        elif isinstance(with_it, str):
            failed += 1
            print(f"{name}: FAILS with noopelim: {with_it}")
        else:
            new = sorted(with_it - without)
            print(
                f"{name}: {removed} rewrites, {len(without)} guards without, {len(with_it)} with",
                *new,
                sep="\n    ",
            )
        sys.stdout.flush()
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
