"""What can be seen of a run: by its caller, and by somebody who compares each value with its metadata."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from graph_inputs import Case, Valuation, evaluate, fresh, resolved, shape_env_of, storage_of
from torch import fx
from torch.utils import _pytree as pytree


@dataclass
class Seen:
    """What a caller can see of one run.

    ``shares`` numbers the storages and ``objects`` the tensor objects in order of appearance, so two runs that
    alias alike have equal lists. ``alive`` keeps them all, or an address might be used twice.
    """

    values: list[object] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    alive: list[torch.Tensor] = field(default_factory=list)


def observe(gm: fx.GraphModule, case: Case, constants: Sequence[str] = ()) -> Seen:
    """Run on a copy of ``case``; look at the outputs, and at the inputs and the module's constants afterwards."""
    args = fresh(case)
    seen = Seen()
    with _repeatable(gm):
        _look(seen, gm(*args), args, [getattr(gm, name) for name in constants])
    return seen


@contextlib.contextmanager
def _repeatable(gm: fx.GraphModule) -> Iterator[None]:
    """The same random numbers and the same state in every run, though a run may write the module's constants."""
    state = [
        value
        for module in gm.modules()
        for value in (*vars(module).values(), *module._buffers.values(), *module._parameters.values())
        if isinstance(value, torch.Tensor)
    ]
    with torch.no_grad():
        before = [tensor.clone() for tensor in state]
        torch.manual_seed(0)
        yield
        for tensor, value in zip(state, before, strict=True):
            tensor.copy_(value)


def _look(seen: Seen, *visible: object) -> None:
    storages: dict[int | None, int] = {}
    objects: dict[int, int] = {}
    leaves, spec = pytree.tree_flatten(visible)
    seen.values.append(str(spec))
    for leaf in leaves:
        if not isinstance(leaf, torch.Tensor):
            seen.values.append((type(leaf), leaf))
            continue
        seen.alive.append(leaf)
        seen.values.append(fingerprint(leaf))
        seen.shares.append(storages.setdefault(storage_of(leaf), len(storages)))
        seen.objects.append(objects.setdefault(id(leaf), len(objects)))


def fingerprint(tensor: torch.Tensor) -> tuple[object, ...]:
    """All of a tensor but its identity: type, layout, and the bits of its elements as they lie in memory."""
    if tensor.layout is not torch.strided:
        return (tensor.layout, tensor.dtype, tuple(tensor.shape), str(tensor.to_dense().tolist()))
    flat = torch.empty(0, dtype=tensor.dtype).set_(
        tensor.untyped_storage(), tensor.storage_offset(), tensor.size(), tensor.stride()
    )
    packed = torch.empty(flat.numel(), dtype=flat.dtype)
    packed.view(flat.shape).copy_(flat)
    # Not through numpy, which torch does without and so do we.
    bits = ctypes.string_at(packed.data_ptr(), packed.nbytes) if packed.nbytes else b""
    return (*(value for _, value in layout_of(tensor)), bits)


def layout_of(tensor: torch.Tensor) -> list[tuple[str, Any]]:
    return [
        ("dtype", tensor.dtype),
        ("device", tensor.device.type),
        ("shape", tuple(tensor.shape)),
        ("stride", tuple(tensor.stride())),
        ("offset", tensor.storage_offset()),
        ("conj", tensor.is_conj()),
        ("neg", tensor.is_neg()),
    ]


def symbols_of(gm: fx.GraphModule, case: Case) -> Valuation:
    """The symbols as the sizes of the concrete inputs have them."""
    env = shape_env_of(gm)
    at: Valuation = {}

    def learn(val: Any, real: Any) -> None:
        if isinstance(val, torch.SymInt):
            symbol = resolved(val.node._expr, env)
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
    with _repeatable(gm):
        audit.run(*fresh(case), enable_io_processing=False)
    return audit.found


class _Audit(fx.Interpreter):
    """Compares as it runs. Values stay alive to the end: a freed storage may hand its address to another."""

    def __init__(self, gm: fx.GraphModule, at: Valuation, prefix: str) -> None:
        super().__init__(gm, garbage_collect_values=False)
        self.env_facts = shape_env_of(gm)
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
                known = evaluate(claim, self.env_facts, self.at)
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
            known = [evaluate(one, self.env_facts, self.at) for one in many]
            actual = real if isinstance(real, tuple) else (real,)
            if len(known) != len(actual) or any(
                k is not None and k != r for k, r in zip(known, actual, strict=True)
            ):
                self.found.add(f"{where}: metadata says {what} {said}, the run {real}")
        said_storage, real_storage = storage_of(claim), storage_of(value)
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
