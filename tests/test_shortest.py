"""The shortest chain for a layout: it makes that layout, and is no longer than the chain it came from."""

from __future__ import annotations

import random
from collections import Counter

import torch
from test_movement import step

from noopelim.movement import Layout, Sizes
from noopelim.shortest import shortest
from noopelim.steps import Step


def carried_out(steps: tuple[Step, ...], x: torch.Tensor) -> torch.Tensor:
    for s in steps:
        if s.kind == "slice":
            dim, start, end, by = s.args
            x = torch.ops.aten.slice(x, dim, start, end, by)
        elif s.kind == "select":
            x = x.select(*s.args)
        elif s.kind in ("flip", "permute", "expand", "reshape"):
            x = getattr(x, s.kind)(s.args)
        assert tuple(x.shape) == s.result
    return x


def test_random_chains_have_a_shortest_form_that_reads_the_same() -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(4000):
        rng = random.Random(seed)
        shape: Sizes = tuple(rng.choice((1, 2, 3, 4, 6)) for _ in range(rng.randint(0, 3)))
        source = torch.arange(torch.Size(shape).numel()).reshape(shape)  # type: ignore[arg-type]
        layout: Layout | None = Layout.identity(shape)
        x, calls = source, rng.randint(1, 5)
        for _ in range(calls):
            assert layout is not None
            layout, x = step(rng, layout, x)
            if layout is None:
                break
        if layout is None:
            outcomes["no layout"] += 1
            continue
        steps = shortest(layout, shape, tuple(x.shape))
        if steps is None:
            outcomes["no form"] += 1
            continue
        assert torch.equal(carried_out(steps, source), x), (seed, steps)
        outcomes["longer" if len(steps) > calls else "as long" if len(steps) == calls else "shorter"] += 1
    assert outcomes["longer"] <= 40, outcomes
    assert outcomes["no form"] <= 80, outcomes
    assert outcomes["shorter"] > 1000, outcomes
