"""Does ``meta["val"]`` describe what each node computes? Found out by running, sizes and aliasing included."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import sympy
import torch
from torch import fx
from torch.utils import _pytree as pytree

from .observe import Case, fresh, layout_of, repeatable
from .torch_api import own_expression_of, storage_key

Valuation = dict[sympy.Symbol, int]


def evaluate(value: Any, at: Valuation) -> Any:
    """A size of the metadata at concrete symbols; ``None`` if a symbol is unknown."""
    if not isinstance(value, torch.SymInt | torch.SymBool | torch.SymFloat):
        return value
    expr = own_expression_of(value).xreplace({s: sympy.Integer(n) for s, n in at.items()})
    if expr.free_symbols:
        return None
    if isinstance(value, torch.SymBool):
        return bool(expr)
    return int(expr) if isinstance(value, torch.SymInt) else float(expr)


def symbols_of(gm: fx.GraphModule, case: Case) -> Valuation:
    """The symbols as the sizes of the concrete inputs have them."""
    at: Valuation = {}

    def learn(val: Any, real: Any) -> None:
        if isinstance(val, torch.SymInt):
            symbol = own_expression_of(val)
            if symbol.is_Symbol:
                at[symbol] = int(real)
        elif isinstance(val, torch.Tensor) and val.layout is torch.strided:
            for mine, its in (
                *zip(val.size(), real.size(), strict=True),
                *zip(val.stride(), real.stride(), strict=True),
                (val.storage_offset(), real.storage_offset()),
            ):
                learn(mine, its)

    for node, real in zip(gm.graph.find_nodes(op="placeholder"), case, strict=True):
        if isinstance(node.meta.get("val"), torch.Tensor) == isinstance(real, torch.Tensor):
            learn(node.meta.get("val"), real)
    return at


def untruths(gm: fx.GraphModule, case: Case) -> set[str]:
    """Where ``meta["val"]`` does not describe what a run computes: layout, sizes, or who shares storage."""
    audit = _Audit(gm, symbols_of(gm, case), "")
    with repeatable(gm):
        audit.run(*fresh(case), enable_io_processing=False)
    return audit.found


class _Audit(fx.Interpreter):
    """Compares as it runs. Values stay alive to the end: a freed storage may hand its address to another."""

    def __init__(self, gm: fx.GraphModule, at: Valuation, prefix: str) -> None:
        super().__init__(gm, garbage_collect_values=False)
        self.at = at
        self.prefix = prefix
        self.found: set[str] = set()
        self.storages: list[tuple[str, int, int]] = []

    def run(self, *args: Any, **kwargs: Any) -> Any:
        result = super().run(*args, **kwargs)
        for a, b in _disagreements(self.storages):
            self.found.add(f"{a} and {b}: metadata and run differ on whether they share storage")
        return result

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        for symbol, path in node.meta.get("unbacked_bindings", {}).items():
            self.at[symbol] = int(pytree.key_get(value, path))
        if "val" in node.meta and node.op != "output":
            self.compare(self.prefix + node.name, node.meta["val"], value)
        return value

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        value = super().get_attr(target, args, kwargs)
        if not isinstance(value, fx.GraphModule):
            return value

        def nested(*operands: Any) -> Any:
            audit = _Audit(value, self.at, f"{self.prefix}{target}.")
            audit.found = self.found
            return audit.run(*operands, enable_io_processing=False)

        return nested

    def compare(self, name: str, said: Any, real: Any) -> None:
        mine, its = pytree.tree_leaves(said), pytree.tree_leaves(real)
        if len(mine) != len(its):
            self.found.add(f"{name}: metadata has {len(mine)} values, the run {len(its)}")
            return
        for index, (claim, value) in enumerate(zip(mine, its, strict=True)):
            where = f"{name}[{index}]" if len(mine) > 1 else name
            if isinstance(claim, torch.Tensor) != isinstance(value, torch.Tensor):
                self.found.add(f"{where}: metadata says {type(claim)}, the run {type(value)}")
            elif isinstance(claim, torch.Tensor):
                self.compare_tensor(where, claim, value)
            else:
                known = evaluate(claim, self.at)
                if known is not None and known != value:
                    self.found.add(f"{where}: metadata says {claim} = {known}, the run {value}")

    def compare_tensor(self, where: str, claim: torch.Tensor, value: torch.Tensor) -> None:
        if torch.strided not in (claim.layout, value.layout):
            return
        if claim.layout is not value.layout:
            self.found.add(f"{where}: metadata says {claim.layout}, the run {value.layout}")
            return
        for (what, said), (_, real) in zip(layout_of(claim), layout_of(value), strict=True):
            many = said if isinstance(said, tuple) else (said,)
            known = [evaluate(one, self.at) for one in many]
            actual = real if isinstance(real, tuple) else (real,)
            if len(known) != len(actual) or any(
                k is not None and k != r for k, r in zip(known, actual, strict=True)
            ):
                self.found.add(f"{where}: metadata says {what} {said}, the run {real}")
        said_storage, real_storage = storage_key(claim), storage_key(value)
        assert said_storage is not None
        assert real_storage is not None
        self.storages.append((where, said_storage, real_storage))


def _disagreements(storages: list[tuple[str, int, int]]) -> Iterator[tuple[str, str]]:
    """Pairs that share a storage on one side only."""
    swapped = [(name, real, said) for name, said, real in storages]
    for rows in (storages, swapped):
        groups: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for name, one, other in rows:
            groups[one].append((name, other))
        for group in groups.values():
            for (a, mine), (b, its) in (
                itertools.combinations(group, 2) if len({its for _, its in group}) > 1 else ()
            ):
                if mine != its:
                    yield a, b
