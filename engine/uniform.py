"""Values all of whose elements are one number: the neutral operand of arithmetic, as a scalar or as a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch.fx import Node

from .calls import arguments, tensor_of
from .constants import KNOWN, Constants, constants
from .facts import Facts, Value
from .kinds import Kind, like_root
from .pattern import OpCall
from .proof import Proof, Truth
from .spellings import ALIASES, CASTS, EXPANDS, PERMUTES, RELABELS
from .writers import writers_below

_aten = torch.ops.aten
_FILL_AT: dict[Callable[..., object], int] = {
    _aten.full.default: 1,
    _aten.full_like.default: 1,
    _aten.new_full.default: 2,
    _aten.scalar_tensor.default: 0,
    _aten.fill.Scalar: 1,
}
"""Position of the argument that says what every element is."""
_ALWAYS: dict[Callable[..., object], int] = {
    **dict.fromkeys((_aten.zeros.default, _aten.zeros_like.default, _aten.new_zeros.default), 0),
    **dict.fromkeys((_aten.ones.default, _aten.ones_like.default, _aten.new_ones.default), 1),
}
_SAME_ELEMENTS: tuple[Callable[..., object], ...] = (
    *EXPANDS,
    *RELABELS,
    *PERMUTES,
    *ALIASES,
    *CASTS,
    _aten.slice.Tensor,
    _aten.select.int,
    _aten.clone.default,
    _aten.contiguous.default,
    _aten.repeat.default,
)
"""Every element of the result is one of the operand's, converted to the result's dtype."""
_LEADS_BACK: frozenset[object] = frozenset(_SAME_ELEMENTS)
_LIKELY_LAST: tuple[Callable[..., object], ...] = (
    _aten.expand.default,
    _aten.unsqueeze.default,
    _aten.view.default,
    _aten.reshape.default,
    _aten.slice.Tensor,
    _aten.clone.default,
    _aten._to_copy.default,
    torch.ops.prims.convert_element_type.default,
)
"""What a filled value goes through last before it is used, in graphs of models."""
_MAY_BE_UNIFORM: frozenset[object] = frozenset((*_SAME_ELEMENTS, *_FILL_AT, *_ALWAYS))
# By identity, as the hash of an overload is slow.
_FILLS, _LEADS = frozenset(map(id, (*_FILL_AT, *_ALWAYS))), frozenset(map(id, _SAME_ELEMENTS))
_IN_QUESTION = frozenset({*_FILLS, *_LEADS, *map(id, KNOWN)})
_FLOATS = (
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
    torch.complex128,
)


def filled() -> OpCall:
    """A call that may compute a uniform value: ``full``, ``zeros``, ``ones`` in any form, or one that commonly
    moves, repeats or converts the elements of another; ask :func:`uniform` of it."""
    return OpCall((*_FILL_AT, *_ALWAYS, *_LIKELY_LAST), rest="any")


def ones() -> OpCall:
    """``ones`` in any form."""
    return OpCall(tuple(fn for fn, number in _ALWAYS.items() if number == 1), rest="any")


def uniform(f: Facts, bound: object, number: float) -> Proof:
    """Is every element of ``bound`` exactly ``number``, which is -1, 0, 1 or -0.0, the sign of a zero included?

    ``bound`` is a Python number, or a value that was filled with one, seen through calls that move, repeat or
    convert elements. It is proved only if no call of the graph can write memory that the elements are in; an
    element is a ``number`` in the dtype of the value, so that ``full([2], True)`` is 1. Bools are 0 and 1.
    """

    def claim() -> str:
        return f"{bound!r} is {number!r} throughout"

    if isinstance(bound, bool | int | float):
        return Proof.of(_equal(bound, number), claim, "the number")
    if not isinstance(bound, Value):
        return Proof(Truth.UNKNOWN, claim, "not a number, and no value that was filled with one")
    path: list[Node] = []
    node = f.for_its_elements(bound)
    found = _element(node, path) if bound.target in _MAY_BE_UNIFORM else None
    if found is None:
        same = constants(f.prover).throughout(node, number)
        if same is None:
            return Proof(Truth.UNKNOWN, claim, "what it holds is not known")
        return Proof.of(same, claim, "it is computed from numbers alone")
    if not _equal(found, number):
        return Proof.of(False, claim, f"{path[-1].name} is filled with {found!r}")
    writer = next(writers_below(path), None)
    if writer is not None:
        f.local = False
        return Proof(Truth.UNKNOWN, claim, f"{writer.name} may write it")
    return Proof.of(True, claim, f"{path[-1].name} is filled with it, and nothing writes it")


def is_constant(known: Constants, node: Node) -> bool:
    """Is every element of what a call computes known?"""
    return known.knows(node) or (node.target in _MAY_BE_UNIFORM and _element(node, []) is not None)


class InQuestion:
    """Which values may be known to the last element, by what is called alone: nothing is worked out."""

    def __init__(self) -> None:
        self._told: dict[Node, bool] = {}

    def ask_again(self) -> None:
        """What was none may be one now."""
        self._told.clear()

    def look_again(self, node: Node) -> None:
        """It is called on other values now."""
        self._told.pop(node, None)

    def of(self, node: Node) -> bool:
        """False for what :func:`is_constant` is surely not said of."""
        told = self._told
        known = told.get(node)
        if known is not None:
            return known
        if node.op != "call_function" or id(node.target) not in _IN_QUESTION:
            return False
        stack = [node]
        while stack:
            asked = stack[-1]
            operands = _rests_on(asked)
            answer, waiting = operands is not None, None
            for operand in operands or ():
                known = told.get(operand)
                if known is None:
                    waiting = operand
                elif not known:
                    answer, waiting = False, None
                    break
            if waiting is not None:
                stack.append(waiting)
                continue
            told[asked] = answer
            stack.pop()
        return told[node]


def _rests_on(node: Node) -> Iterable[Node] | None:
    """The operands that must be known for the result to be; None if it cannot be."""
    target = id(node.target)
    if node.op != "call_function" or target not in _IN_QUESTION:
        return None
    if target in _FILLS:
        return ()
    first = node.args[0] if target in _LEADS and node.args else None
    return (first,) if isinstance(first, Node) else node._input_nodes


def leaves(f: Facts, operand: object, number: float, x: object, kind: Kind) -> Proof:
    """Is ``operand`` the ``number`` throughout, and ``x`` of a kind, with the shape and dtype of the result? Asked in
    this order and up to what is not proved: of the many operands that there are, nearly all are other numbers."""
    proof = uniform(f, operand, number)
    if proof.proved:
        proof &= kind(x)
    return proof & like_root(f, x) if proof.proved else proof


def _equal(left: float, right: float) -> bool:
    return left == right and math.copysign(1, left) == math.copysign(1, right)


def _element(node: Node, path: list[Node]) -> float | None:
    """The number that every element of ``node`` is; ``path`` becomes the calls from it to where it was filled."""
    while node.op == "call_function" and node.target in _LEADS_BACK:
        path.append(node)
        operands = arguments(node)
        if operands is None or not isinstance(operands[0], Node):
            return None
        node = operands[0]
    path.append(node)
    operands = arguments(node) if node.op == "call_function" else None
    if operands is None:
        return None
    number: object = _ALWAYS.get(node.target)  # type: ignore[arg-type]
    if number is None:
        at = _FILL_AT.get(node.target)  # type: ignore[arg-type]
        number = None if at is None else operands[at]
    for call in reversed(path):
        number = _converted(number, call)
    return number if isinstance(number, int | float) else None


def _converted(number: object, node: Node) -> float | None:
    """The number in the dtype of what ``node`` computes; None if that is not sure to be -1, 0 or 1."""
    tensor = tensor_of(node)
    if tensor is None or not isinstance(number, bool | int | float) or number not in (-1, 0, 1):
        return None
    dtype = tensor.dtype
    if dtype is torch.bool:
        return int(number != 0)
    if dtype in _FLOATS:
        return float(number)
    if dtype.is_floating_point or dtype.is_complex:
        # The narrowest floats do not all have a zero, or a sign.
        return None
    return int(number) if number >= 0 or dtype.is_signed else None
