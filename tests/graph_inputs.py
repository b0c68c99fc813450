"""Concrete inputs for a graph with symbols: sizes its ShapeEnv allows, laid out as its metadata says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy
import torch
from torch import fx
from torch.utils import _pytree as pytree

from noopelim.audit import Valuation, evaluate
from noopelim.driver import find_shape_env
from noopelim.observe import laid_over
from noopelim.torch_api import ShapeEnv, own_expression_of, resolved, storage_key

MOST_CASES = 6
MOST_ELEMENTS = 1 << 20


def facts_hold(env: ShapeEnv, at: Valuation) -> bool:
    """Whether the guards, ranges and runtime asserts of the environment allow this valuation."""
    full: dict[sympy.Basic, sympy.Basic] = {s: sympy.Integer(v) for s, v in at.items()}
    for symbol, value in at.items():
        bounds = env.var_to_range.get(symbol)
        if bounds is not None and not (bounds.lower <= value and value <= bounds.upper):
            return False
        replacement = resolved(symbol, env.replacements).xreplace(full)
        if not replacement.free_symbols and replacement != value:
            return False
    claims = [guard.expr for guard in env.guards]
    claims += [claim.expr for claims in env.deferred_runtime_asserts.values() for claim in claims]
    return all(claim.xreplace(full) is not sympy.false for claim in claims)


def valuations(gm: fx.GraphModule) -> Iterator[Valuation]:
    """The hints first, then others the environment allows. Symbols in order of appearance."""
    env = find_shape_env(gm.graph)
    symbols: dict[sympy.Symbol, None] = {}
    for node in gm.graph.find_nodes(op="placeholder"):
        for leaf in pytree.tree_leaves(node.meta.get("val")):
            sizes = [*leaf.size(), *leaf.stride(), leaf.storage_offset()] if _is_strided(leaf) else [leaf]
            for size in sizes:
                if isinstance(size, torch.SymInt):
                    symbols |= dict.fromkeys(sorted(own_expression_of(size).free_symbols, key=str))
    if env is None or not symbols:
        yield {}
        return
    ranges = {s: env.var_to_range.get(s) for s in symbols}
    lows = {s: int(max(bounds.lower, sympy.Integer(-3))) if bounds else 0 for s, bounds in ranges.items()}
    hints = {s: int(env.backed_var_to_val.get(s, low)) for s, low in lows.items()}
    highs = {s: int(min(bounds.upper, sympy.Integer(12))) if bounds else 12 for s, bounds in ranges.items()}
    choices = [[hints[s], low, low + 1, highs[s], low + 2, 3, 5, 8] for s, low in lows.items()]
    rng = random.Random(0)
    points = [*zip(*choices, strict=True)][:4] + [tuple(map(rng.choice, choices)) for _ in range(2000)]
    found: list[Valuation] = []
    for point in points:
        at = dict(zip(lows, point, strict=True))
        if at not in found and facts_hold(env, at):
            found.append(at)
            yield at
        if len(found) == MOST_CASES:
            return


def _is_strided(leaf: object) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.layout is torch.strided


def inputs_at(gm: fx.GraphModule, at: Valuation, seed: int = 0) -> list[object]:
    """One concrete input per placeholder, laid out and aliased as its metadata says."""
    vals = [node.meta["val"] for node in gm.graph.find_nodes(op="placeholder")]
    need: dict[int, int] = {}
    shapes = {}
    for index, val in enumerate(vals):
        if not isinstance(val, torch.Tensor):
            continue
        size, stride, offset = (
            [evaluate(n, at) for n in val.size()],
            [evaluate(n, at) for n in val.stride()],
            evaluate(val.storage_offset(), at),
        )
        shapes[index] = (size, stride, offset)
        reach = 0 if 0 in size else 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        key = storage_key(val)
        assert key is not None, "inputs of this layout are for the test to supply"
        assert reach <= MOST_ELEMENTS
        need[key] = max(need.get(key, 0), (offset + reach) * val.element_size())
    generator = torch.Generator().manual_seed(seed)
    storages: dict[int, torch.UntypedStorage] = {}
    made: list[object] = []
    for index, val in enumerate(vals):
        if not isinstance(val, torch.Tensor):
            made.append(evaluate(val, at))
            continue
        key = storage_key(val)
        assert key is not None
        if key not in storages:
            count = -(-need[key] // val.element_size())
            storages[key] = _filled(count, val.dtype, generator).untyped_storage()
        made.append(laid_over(storages[key], val, *shapes[index]))
    return made


def _filled(count: int, dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
    """Values that tell copies from originals, with some among them that do not survive every cast or sum."""
    if dtype is torch.bool:
        return torch.randint(0, 2, (count,), generator=generator).to(dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        whole = torch.randint(0, 100, (count,), generator=generator)
        for start, number in enumerate([(1 << 24) + 1, (1 << 40) + 1]):
            if number <= torch.iinfo(dtype).max:
                whole[1 + 3 * start :: 41] = number
        return whole.to(dtype)
    real = torch.float64 if dtype in (torch.float64, torch.complex128) else torch.float32
    values = torch.randn((count, 2 if dtype.is_complex else 1), generator=generator, dtype=real)
    for start, value in enumerate([-0.0, 1e-30, 7e4, 1.0 + 2.0**-20, float("nan"), float("inf")]):
        values.view(-1)[1 + 2 * start :: 41] = value
    return torch.view_as_complex(values).to(dtype) if dtype.is_complex else values[:, 0].to(dtype)
