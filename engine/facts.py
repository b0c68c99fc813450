"""What a predicate may ask of a match: shapes, strides, dtypes and arguments, as sympy and plain ints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
import torch
from torch.fx import Node

from .calls import argument, op_name, tensor_of
from .errors import MissingMetadata
from .integers import Expr, Prover
from .proof import Proof
from .torch_api import expression_of

_aten = torch.ops.aten
_TRANSPOSES = (_aten.transpose.int, _aten.transpose_copy.int)
_MATRIX_TRANSPOSES = (_aten.t.default, _aten.t_copy.default)


class Value:
    """A tensor value in the graph, by what its metadata says. Sizes and strides are ints or sympy."""

    __slots__ = ("_shape", "_tensor", "node")

    def __init__(self, node: Node) -> None:
        tensor = tensor_of(node)
        if tensor is None:
            raise MissingMetadata(
                f'node {node.name!r} ({op_name(node)}) has no tensor in meta["val"]; run FakeTensorProp first'
            )
        self.node = node
        self._tensor = tensor
        self._shape: tuple[Expr, ...] | None = None

    @property
    def shape(self) -> tuple[Expr, ...]:
        """Sizes."""
        if self._shape is None:
            self._shape = tuple(map(expression_of, self._tensor.shape))
        return self._shape

    @property
    def name(self) -> str:
        """The node's name, for claims."""
        return self.node.name

    @property
    def rank(self) -> int:
        """Number of dims."""
        return self._tensor.dim()

    @property
    def stride(self) -> tuple[Expr, ...]:
        """In elements."""
        return tuple(map(expression_of, self._tensor.stride()))

    @property
    def dtype(self) -> torch.dtype:
        """Element type."""
        return self._tensor.dtype

    @property
    def device(self) -> torch.device:
        """Where it lives."""
        return self._tensor.device

    def __repr__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.shape))}]"


def resolve(bound: object) -> Any:
    """What a predicate sees of a bound argument: a ``Value``, an int or sympy expression, a tuple of such,
    or the constant itself. Raises ``MissingMetadata`` for a node that nothing is known of."""
    if isinstance(bound, Node):
        value = bound.meta.get("val")
        if isinstance(value, torch.SymInt):
            return expression_of(value)
        if isinstance(value, torch.SymBool | torch.SymFloat):
            return value.node.expr
        if isinstance(value, bool | int | float | complex):
            return value
        return Value(bound)
    if isinstance(bound, list | tuple):
        return tuple(map(resolve, bound))
    if isinstance(bound, torch.SymInt):
        return expression_of(bound)
    return bound


class Facts:
    """The questions a predicate may ask. ``root`` is the value of the matched node.

    Every question answers with a ``Proof``; none adds a guard. ``MissingMetadata`` is raised where a node
    involved has no usable ``meta["val"]``, and the engine then skips the match with a remark.
    """

    __slots__ = ("_prover", "root")

    def __init__(self, prover: Prover, root: Node) -> None:
        self._prover = prover
        self.root = Value(root)

    def eq(self, left: Expr, right: Expr) -> Proof:
        """``left == right``."""
        return self._prover.equal(left, right)

    def le(self, left: Expr, right: Expr) -> Proof:
        """``left <= right``."""
        return self._prover.at_most(left, right)

    def decide(self, claim: sympy.Basic) -> Proof:
        """Any sympy relation or conjunction over the sizes."""
        return self._prover.decide(claim)

    def same_shape(self, left: Value, right: Value) -> Proof:
        """Equal rank and equal sizes, dim by dim."""

        def claim() -> str:
            return f"shape of {left!r} == shape of {right!r}"

        if left.rank != right.rank:
            return Proof.of(False, claim, f"rank {left.rank} and rank {right.rank}")
        return Proof.all(map(self.eq, left.shape, right.shape), claim)

    def same_dtype(self, left: Value, right: Value) -> Proof:
        """Equal element types."""
        return Proof.of(left.dtype is right.dtype, f"{left.dtype} is {right.dtype}", "dtypes")

    def argument(self, value: Value, name: str) -> Any:
        """An argument of the call that computes ``value``, by its schema name, resolved."""
        return resolve(argument(value.node, name))

    def no_size_kept(self, size: Sequence[Expr]) -> Proof:
        """No entry of an ``expand`` size is -1, which stands for the operand's own size."""
        return Proof.all(
            (~self.eq(n, -1) if isinstance(n, int) else self.le(0, n) for n in size), "no size is -1"
        )

    def permutation(self, of: Value) -> tuple[int, ...]:
        """``p`` with ``root.shape[i] == of.shape[p[i]]``, composed over the dim-reordering calls between.

        Only for a root that reaches ``of`` through calls of ``spellings.reorder`` alone.
        """
        dims = tuple(range(self.root.rank))
        node = self.root.node
        while node is not of.node:
            step = _permutation_of(node)
            dims = tuple(step[d] for d in dims)
            node = argument(node, "self")
        return dims

    def identity(self, dims: tuple[int, ...]) -> Proof:
        """Is the permutation ``dims`` the identity?"""
        return Proof.of(dims == tuple(range(len(dims))), f"dims {list(dims)} are in order", "dims")


def _permutation_of(node: Node) -> tuple[int, ...]:
    rank = Value(node).rank
    if node.target in _MATRIX_TRANSPOSES:
        return tuple(reversed(range(rank)))
    if node.target in _TRANSPOSES:
        dims = list(range(rank))
        # A 0-d tensor takes dims 0 and -1, and has nothing to swap.
        if rank:
            first, second = (argument(node, name) % rank for name in ("dim0", "dim1"))
            dims[first], dims[second] = dims[second], dims[first]
        return tuple(dims)
    return tuple(d % rank for d in argument(node, "dims"))
