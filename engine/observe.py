"""What a caller can see of one run of a graph: values to the bit, layouts, what is shared, what was written."""

from __future__ import annotations

import contextlib
import copy
import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from .rule import Exact
from .torch_api import set_lazy_bits, storage_key

Case = Sequence[object]
"""One concrete input per placeholder."""


@dataclass
class Seen:
    """What a caller can see of one run: the inputs and constants afterwards, and the outputs.

    ``values`` starts with the structure; then comes each value as pairs of a name and what was seen.
    ``shares`` numbers the storages and ``objects`` the tensor objects in order of appearance, so two runs that
    alias alike have equal lists. ``alive`` keeps them all, or an address might be used twice.
    """

    values: list[object] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    alive: list[torch.Tensor] = field(default_factory=list)


def observe(gm: fx.GraphModule, case: Case, constants: Sequence[str] = (), exact: Exact = Exact.BITS) -> Seen:
    """Run on a copy of ``case``; look at the outputs, and at the inputs and the module's ``constants``
    afterwards, with the values as exact as ``exact`` says. Raises what the run raises."""
    args = fresh(case)
    seen = Seen()
    with repeatable(gm):
        outputs = gm(*args)
        _look(
            seen, {"input": args, "constant": [getattr(gm, n) for n in constants], "output": outputs}, exact
        )
    return seen


@contextlib.contextmanager
def repeatable(gm: fx.GraphModule) -> Iterator[None]:
    """The same random numbers and the same state in every run, though a run may write the module's constants;
    the caller's random numbers go on as if there had been no run."""
    state = [
        value
        for module in gm.modules()
        for value in (
            *vars(module).values(),
            *module.buffers(recurse=False),
            *module.parameters(recurse=False),
        )
        if isinstance(value, torch.Tensor)
    ]
    generator = torch.default_generator
    randomness = generator.get_state()
    with torch.no_grad():
        before = [tensor.clone() for tensor in state]
        generator.manual_seed(0)
        try:
            yield
        finally:
            generator.set_state(randomness)
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)


def _look(seen: Seen, visible: object, exact: Exact) -> None:
    storages: dict[int | None, int] = {}
    objects: dict[int, int] = {}
    leaves, spec = pytree.tree_flatten(visible)
    seen.values.append(spec)
    for leaf in leaves:
        if not isinstance(leaf, torch.Tensor):
            # By its text, or a NaN would differ from itself and 0.0 be -0.0.
            value = repr(leaf) if isinstance(leaf, float | complex) else leaf
            seen.values.append((("type", type(leaf)), ("value", value)))
            continue
        seen.alive.append(leaf)
        seen.values.append(fingerprint(leaf, exact))
        seen.shares.append(storages.setdefault(storage_key(leaf), len(storages)))
        seen.objects.append(objects.setdefault(id(leaf), len(objects)))


def fingerprint(tensor: torch.Tensor, exact: Exact = Exact.BITS) -> tuple[tuple[str, object], ...]:
    """All of a tensor but its identity: type, layout, and the bits of its elements as they lie in memory."""
    if tensor.layout is not torch.strided:
        dense = ("elements", str(tensor.to_dense().tolist()))
        return ("layout", tensor.layout), ("dtype", tensor.dtype), ("shape", tuple(tensor.shape)), dense
    if tensor.is_meta:
        return (*layout_of(tensor), ("bits", b""))
    flat = torch.empty(0, dtype=tensor.dtype).set_(
        tensor.untyped_storage(), tensor.storage_offset(), tensor.size(), tensor.stride()
    )
    packed = torch.empty(flat.numel(), dtype=flat.dtype)
    packed.view(flat.shape).copy_(flat)
    if exact is not Exact.BITS:
        packed = _blurred(packed, exact)
    # Not through numpy, which torch does without and so do we.
    bits = ctypes.string_at(packed.data_ptr(), packed.nbytes) if packed.nbytes else b""
    return (*layout_of(tensor), ("bits", bits))


def _blurred(packed: torch.Tensor, exact: Exact) -> torch.Tensor:
    """With one NaN for all of them, and if only numbers count with one zero; every number fits a float64."""
    if not (packed.dtype.is_floating_point or packed.dtype.is_complex):
        return packed
    parts = torch.view_as_real(packed) if packed.dtype.is_complex else packed
    wide = parts.to(torch.float64)
    wide[wide.isnan()] = float("nan")
    if exact is Exact.VALUES:
        wide[wide == 0] = 0.0
    return wide


def layout_of(tensor: torch.Tensor) -> list[tuple[str, Any]]:
    """How a strided tensor lies in memory, by name."""
    return [
        ("dtype", tensor.dtype),
        ("device", tensor.device.type),
        ("shape", tuple(tensor.shape)),
        ("stride", tuple(tensor.stride())),
        ("offset", tensor.storage_offset()),
        ("conj", tensor.is_conj()),
        ("neg", tensor.is_neg()),
    ]


def difference(was: Seen, now: Seen) -> str | None:
    """The first thing by which two runs of one graph, before and after a change, can be told apart; None if
    nothing can."""
    if was.values[0] != now.values[0]:
        return f"the structure {was.values[0]} became {now.values[0]}"
    spec: Any = was.values[0]
    paths, _ = pytree.tree_flatten_with_path(pytree.tree_unflatten(range(spec.num_leaves), spec))
    names = [pytree.keystr(path).replace("['", "").replace("']", "", 1) for path, _ in paths]
    for name, before, after in zip(names, was.values[1:], now.values[1:], strict=True):
        if before != after:
            return f"{name}: {_difference_of_value(before, after)}"
    tensors = [n for n, value in zip(names, now.values[1:], strict=True) if value[0][0] != "type"]  # type: ignore[index]
    for verb, mine, its in (
        ("shares memory with", was.shares, now.shares),
        ("is the same object as", was.objects, now.objects),
    ):
        for index, (before, after) in enumerate(zip(mine, its, strict=True)):
            if before != after:
                newly = after in its[:index]
                other = its.index(after) if newly else mine.index(before)
                return f"{tensors[index]} {'newly' if newly else 'no longer'} {verb} {tensors[other]}"
    return None


def _difference_of_value(before: Any, after: Any) -> str:
    for (what, old), (other, new) in zip(before, after, strict=False):
        if what == other == "bits":
            size = max(1, len(old) // max(1, prod(dict(before)["shape"])))
            if len(old) != len(new):
                return f"{len(old)} bytes became {len(new)}"
            at = next(i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b) // size * size
            texts = (f"0x{part[at : at + size][::-1].hex()}" for part in (old, new))
            return f"the bits of element {at // size} changed: " + " became ".join(texts)
        if (what, old) != (other, new):
            return f"{what} {old} became {other} {new}" if what != other else f"{what} {old} became {new}"
    return f"{before} became {after}"


def fresh(case: Case) -> list[Any]:
    """A copy of the inputs that keeps their layout and what they share."""
    copies: dict[int, torch.UntypedStorage] = {}

    def one(leaf: object) -> object:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        key = storage_key(leaf)
        if key is None:
            return leaf.clone()
        if key not in copies:
            copies[key] = copy.deepcopy(leaf.untyped_storage())
        return laid_over(copies[key], leaf, leaf.size(), leaf.stride(), leaf.storage_offset())

    return [pytree.tree_map(one, arg) for arg in case]


def laid_over(storage: torch.UntypedStorage, like: torch.Tensor, *layout: Any) -> torch.Tensor:
    """A tensor over ``storage`` with the dtype, conj and neg bits of ``like``; ``layout`` is its size, its
    strides and its storage offset."""
    size, stride, offset = layout
    made = torch.empty(0, dtype=like.dtype).set_(storage, offset, size, stride)
    set_lazy_bits(made, like)
    return made
