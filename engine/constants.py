"""Values that are computed from numbers alone: position grids, masks of fixed sizes, weights of interpolation.

They are worked out by running their calls, on the CPU, for the calls whose every element is the same wherever and
however it is computed: whole numbers, choices, moves, and float arithmetic that rounds nothing (so that a compiler
may contract it). A value that is written anywhere, is NaN somewhere, or is too large, is not known.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch.fx import Node, map_arg

from .calls import is_getitem, tensor_of
from .effects import kept_for_effect
from .integers import Prover
from .torch_api import OpOverload, real_tensors
from .writers import writers_below

_LARGEST = 1 << 20
"""Elements of a value that is worked out; a mask of 1024 by 1024 has as many."""
_DEEPEST = 64
_aten = torch.ops.aten
MADE = frozenset(
    {
        torch.ops.prims.iota.default,
        *(_aten.full.default, _aten.scalar_tensor.default, _aten.arange.default, _aten.arange.start),
        *(_aten.arange.start_step, _aten.zeros.default, _aten.ones.default),
    }
)
"""Calls that read no value."""
_RANGES = frozenset({_aten.arange.default, _aten.arange.start, _aten.arange.start_step})


def _overloads(names: str) -> frozenset[OpOverload]:
    packets = [getattr(_aten, name) for name in names.split()]
    return frozenset(getattr(packet, name) for packet in packets for name in packet.overloads())


_MOVES = _overloads(
    "view reshape _unsafe_view permute transpose t squeeze unsqueeze expand slice select clone flip alias detach "
    "cat stack split split_with_sizes unbind repeat where full_like zeros_like ones_like new_full new_zeros new_ones "
    "constant_pad_nd slice_scatter select_scatter tril triu index _unsafe_index gather masked_fill"
)
_CHOICES = _overloads(
    "eq ne lt le gt ge logical_and logical_or logical_xor logical_not bitwise_and bitwise_or bitwise_xor "
    "bitwise_not minimum maximum clamp clamp_min clamp_max relu any all"
)
_ARITHMETIC = _overloads("add sub rsub mul neg abs floor ceil trunc cumsum sum") | {_aten.round.default}
_SIGNED_ZEROS = _overloads("add sub rsub mul neg") | _MOVES | MADE
"""Calls of which it is certain which zero they make of which; extremes, for one, may take either."""
_CASTS = frozenset({torch.ops.prims.convert_element_type.default, *_overloads("_to_copy")})
KNOWN = frozenset[object]({operator.getitem} | MADE | _MOVES | _CHOICES | _ARITHMETIC | _CASTS)
"""Calls that are worked out where all that they read is known."""
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_NARROW = (torch.float16, torch.bfloat16)
_WHOLE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
# Sums and products of numbers on this grid are exact in float64, so it can tell what a narrower format rounds.
_FINENESS, _BOUND = 2.0**8, 2.0**18


class Constants:
    """The values of one run that are worked out so far. A rewrite puts equal values in each other's place, so what
    is known stays true; what is not known is asked anew."""

    def __init__(self) -> None:
        self._found: dict[Node, Any] = {}
        self._unknown: set[Node] = set()
        self._cut_short = False

    def of(self, node: Node, depth: int = _DEEPEST) -> torch.Tensor | None:
        """All elements, on the CPU; None if they are not known."""
        found = self._result(node, depth)
        return found if isinstance(found, torch.Tensor) else None

    def _result(self, node: Node, depth: int) -> Any:
        found = self._found.get(node)
        if found is not None or node in self._unknown:
            return found
        if depth == 0:
            self._cut_short = True
            return None
        given = node.op == "call_function" and self._unknown.isdisjoint(node._input_nodes)
        found = self._computed(node, depth) if given and _in_question(node) else None
        if found is not None:
            self._found[node] = found
        elif not self._cut_short:
            self._unknown.add(node)
        if depth == _DEEPEST:
            self._cut_short = False
        return found

    def _computed(self, node: Node, depth: int) -> Any:
        operands: dict[Node, Any] = {}
        for operand in node._input_nodes:
            operands[operand] = self._result(operand, depth - 1)
            if operands[operand] is None:
                return None
        result = _run(node, operands)
        return result if result is not None and next(writers_below([node]), None) is None else None

    def ask_again(self) -> None:
        """What was not known may be now."""
        self._unknown.clear()

    def unknown(self, node: Node) -> bool:
        """Was it asked for in vain?"""
        return node in self._unknown

    def look_again(self, node: Node) -> None:
        """It is called on other values now."""
        self._unknown.discard(node)

    def has(self, node: Node) -> bool:
        """Is it worked out already?"""
        return node in self._found

    def knows(self, node: Node) -> bool:
        """Is it worked out, or can be? A call with several results, too."""
        return self._result(node, _DEEPEST) is not None

    def equal(self, left: Node, right: Node) -> bool:
        """Are both known, and the same element by element?"""
        ours, theirs = self.of(left), self.of(right)
        if ours is None or theirs is None or (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
            return False
        with real_tensors():
            return _same_bits(ours, theirs)

    def throughout(self, node: Node, number: float) -> bool | None:
        """Is every element this number, the sign of a zero included? None if that is not known."""
        found = self.of(node)
        if found is None or not found.numel():
            return None
        with real_tensors():
            return _same_bits(found.double(), torch.full(found.shape, number, dtype=torch.float64))

    def look(self, node: Node) -> Hashable | None:
        """Equal for equal values, and seldom for others; None if the value is not known."""
        found = self.of(node)
        if found is None:
            return None
        with real_tensors():
            flat = found.reshape(-1)
            return found.dtype, found.shape, *flat[:: max(1, flat.numel() // 16)].tolist()


_of_run: weakref.WeakKeyDictionary[Prover, Constants] = weakref.WeakKeyDictionary()


def constants(prover: Prover) -> Constants:
    """Those of the run that this prover serves."""
    return _of_run.setdefault(prover, Constants())


def forget(prover: Prover) -> None:
    """For one that serves a graph whose nodes come to be others."""
    _of_run.pop(prover, None)


def _in_question(node: Node) -> bool:
    if node.op != "call_function":
        return False
    if is_getitem(node):
        return True
    tensor = tensor_of(node)
    if node.target not in KNOWN or kept_for_effect(node) is not None:
        return False
    if tensor is None:
        return isinstance(node.meta.get("val"), list | tuple)
    sizes = tensor.shape
    if any(type(n) is not int for n in sizes) or tensor.layout is not torch.strided:
        return False
    return (tensor.dtype in _FLOATS or tensor.dtype in _WHOLE) and sizes.numel() <= _LARGEST


def _run(node: Node, operands: dict[Node, Any]) -> Any:
    if is_getitem(node):
        return _picked(node, operands)
    args, kwargs = map_arg((node.args, node.kwargs), lambda n: operands[n])
    kwargs = {k: v for k, v in kwargs.items() if k not in ("device", "pin_memory", "layout")}
    if node.target is torch.ops.prims.iota.default:
        kwargs["device"] = torch.device("cpu")
    target: Callable[..., Any] = node.target  # type: ignore[assignment]
    with real_tensors():
        try:
            result = target(*args, **kwargs)
        except Exception:  # a kernel may raise anything: an index out of range, say
            return None
        return result if _is_sure(node, result, args, kwargs) else None


def _picked(node: Node, operands: dict[Node, Any]) -> Any:
    source, index = node.args
    several = operands.get(source) if isinstance(source, Node) else None
    return several[index] if isinstance(several, list | tuple) and isinstance(index, int) else None


def _is_sure(node: Node, result: Any, args: Any, kwargs: Any) -> bool:
    """Is the result the same on every machine, and what the metadata says?"""
    if isinstance(result, list | tuple):
        return all(map(_is_plain, result))
    said = tensor_of(node)
    if said is None or (result.dtype, result.shape) != (said.dtype, said.shape) or not _is_plain(result):
        return False
    tensors = [a for a in args if isinstance(a, torch.Tensor)]
    if node.target not in _SIGNED_ZEROS and any(map(_has_negative_zero, (result, *tensors))):
        return False
    if not any(t.dtype in _FLOATS for t in (result, *tensors)):
        return True
    if node.target in _RANGES:
        # Kernels count in other precisions.
        return all(_on_grid(a) for a in (result, *args) if _is_number(a))
    if node.target in MADE | _MOVES:
        return True
    if node.target in _CASTS:
        # A float that no integer stands for becomes another on each machine; and a compiler may leave a rounding
        # to a narrow type out.
        (operand,) = tensors
        return _on_grid(operand) and _on_grid(result) and _same(operand, result)
    if any(t.dtype in _NARROW for t in (result, *tensors)):
        return False
    if node.target in _CHOICES:
        return all(_on_grid(a, infinite=True) for a in (*args, *kwargs.values()) if _is_number(a))
    exact = _in_double(node.target, args, kwargs)
    return exact is not None and _on_grid(result) and _same_bits(exact, result.double())


def _same(operand: torch.Tensor, result: torch.Tensor) -> bool:
    if result.dtype is torch.bool:
        return True
    if result.dtype in _WHOLE:
        return torch.equal(operand.double().trunc(), result.double())
    return torch.equal(operand.double(), result.double())


def _is_plain(result: torch.Tensor) -> bool:
    return result.dtype not in _FLOATS or not bool(torch.isnan(result).any())


def _has_negative_zero(tensor: torch.Tensor) -> bool:
    return tensor.dtype in _FLOATS and bool(((tensor == 0) & torch.signbit(tensor)).any())


def _same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Of tensors without NaN, of one dtype."""
    return torch.equal(left, right) and (
        left.dtype not in _FLOATS or torch.equal(torch.signbit(left), torch.signbit(right))
    )


def _is_number(argument: object) -> bool:
    return isinstance(argument, torch.Tensor | int | float)


def _on_grid(numbers: torch.Tensor | float, infinite: bool = False) -> bool:
    wide = torch.as_tensor(numbers).double()
    fine = wide * _FINENESS
    within = (wide.abs() < _BOUND) & (fine == fine.trunc())
    return bool((within | wide.isinf() if infinite else within).all())


def _in_double(target: Any, args: Any, kwargs: Any) -> torch.Tensor | None:
    """The same call in float64, where it rounds nothing; None if that is not sure."""
    kwargs = {k: v for k, v in kwargs.items() if k != "dtype"}
    if not all(_on_grid(a) for a in (*args, *kwargs.values()) if _is_number(a)):
        return None
    wide = [a.double() if isinstance(a, torch.Tensor) else a for a in args]
    result = target(*wide, **kwargs)
    return result if isinstance(result, torch.Tensor) else None
