"""What a predicate may ask of a match: shapes, strides, dtypes and arguments, as sympy and plain ints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
import torch
from torch.fx import Node

from .calls import argument, op_name
from .errors import MissingMetadata
from .integers import Expr, Prover
from .moves import Chained, Moves
from .orders import permutation_of
from .parts import made_of, picked
from .pieces import Pieces
from .proof import Proof, Truth
from .recipe import Recipe, recipe_of
from .steps import Steps
from .torch_api import expression_of


class Value:
    """A tensor value in the graph, by what its metadata says. Sizes and strides are ints or sympy."""

    __slots__ = ("_facts", "_node", "_shape", "_tensor")

    def __init__(self, node: Node, facts: Facts | None = None) -> None:
        tensor = node.meta.get("val")
        if not isinstance(tensor, torch.Tensor):
            raise MissingMetadata(
                f'node {node.name!r} ({op_name(node)}) has no tensor in meta["val"]; run FakeTensorProp first'
            )
        self._node = node
        self._facts = facts
        self._tensor = tensor
        self._shape: tuple[Expr, ...] | None = None

    @property
    def node(self) -> Node:
        """The node that computes it. Who asks may look anywhere from there, so the answer of a predicate that does
        is not relied on once the graph has changed."""
        if self._facts is not None:
            self._facts.looked_afar()
        return self._node

    @property
    def target(self) -> object:
        """What the node calls; None if it is no call of a function."""
        return self._node.target if self._node.op == "call_function" else None

    @property
    def shape(self) -> tuple[Expr, ...]:
        """Sizes."""
        if self._shape is None:
            facts = self._facts
            self._shape = (
                tuple(map(expression_of, self._tensor.shape))
                if facts is None
                else facts._prover.sizes(self._tensor)
            )
        return self._shape

    @property
    def name(self) -> str:
        """The node's name, for claims."""
        return self._node.name

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


def resolve(bound: object, facts: Facts | None = None) -> Any:
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
        return Value(bound) if facts is None else facts.value(bound)
    if isinstance(bound, list | tuple):
        return tuple(resolve(b, facts) for b in bound)
    if isinstance(bound, torch.SymInt):
        return expression_of(bound)
    return bound


class Facts:
    """The questions a predicate may ask. ``root`` is the value of the matched node.

    Every question answers with a ``Proof``; none adds a guard. ``MissingMetadata`` is raised where a node
    involved has no usable ``meta["val"]``, and the engine then skips the match with a remark.
    """

    __slots__ = ("_chain", "_moves", "_prover", "_values", "elements", "local", "near", "root")

    def __init__(self, prover: Prover, root: Node, moves: Moves | None = None) -> None:
        """``moves``: what is known of chains in the graph already."""
        self._prover = prover
        self._moves = Moves(prover) if moves is None else moves
        self._values: dict[Node, Value] = {}
        self._chain: Chained | None = None
        self.local = True
        """Is all that was asked a matter of the matched calls, their chains and their operands' metadata?"""
        self.near = True
        """Would all of it be answered alike at any node of the same description? See ``descriptions.py``."""
        self.elements = False
        """Did it matter what an operand holds?"""
        self.root = self.value(root)

    def looked_afar(self) -> None:
        """The answer rests on more of the graph than what was matched."""
        self.local = self.near = False

    def for_its_elements(self, value: Value) -> Node:
        """The node of a value, for the question which numbers it holds."""
        self.elements = True
        return value._node

    def value(self, node: Node) -> Value:
        """What is known of a node's value. Raises ``MissingMetadata``."""
        found = self._values.get(node)
        if found is None:
            found = self._values[node] = Value(node, self)
        return found

    @property
    def moves(self) -> Moves:
        """What is known of chains in the graph."""
        return self._moves

    @property
    def prover(self) -> Prover:
        """What answers, and what one run knows."""
        return self._prover

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

        ours, theirs = left.shape, right.shape
        if len(ours) != len(theirs):
            return Proof.of(False, claim, f"rank {len(ours)} and rank {len(theirs)}")
        if ours == theirs:
            return Proof(Truth.PROVED, claim, "the same expression" if ours else "vacuous")
        return Proof.all(map(self.eq, ours, theirs), claim)

    def same_dtype(self, left: Value, right: Value) -> Proof:
        """Equal element types."""
        return Proof.of(left.dtype is right.dtype, f"{left.dtype} is {right.dtype}", "dtypes")

    @property
    def inner(self) -> Value:
        """What the root's first operand is: in a pattern of two calls, the value of the inner one."""
        return self.value(self.root._node.all_input_nodes[0])

    def argument(self, value: Value, name: str) -> Any:
        """An argument of the call that computes ``value``, by its schema name, resolved. In a pattern of two calls that
        of ``inner`` is matched too."""
        if value is not self.root and value is not self.inner:
            self.looked_afar()
        return resolve(argument(value._node, name), self)

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
        node = self.root._node
        while node is not of._node:
            step = permutation_of(node)
            dims = tuple(step[d] for d in dims)
            node = argument(node, "self")
        return dims

    def identity(self, dims: tuple[int, ...]) -> Proof:
        """Is the permutation ``dims`` the identity?"""
        return Proof.of(dims == tuple(range(len(dims))), f"dims {list(dims)} are in order", "dims")

    def reads_all_of(self, x: Value) -> Proof:
        """Has the root the elements of ``x``, an earlier value of its chain, each in its place?"""

        def claim() -> str:
            return f"{self.root!r} reads {x!r} element by element"

        if 0 in self.root.shape:
            return self.same_shape(x, self.root)
        chained = self._chained()
        nodes, traced = chained.nodes, chained.traced
        ours = traced[0]
        theirs = traced[nodes.index(x._node)] if x._node in nodes else None
        if ours is None or theirs is None or ours.base != theirs.base:
            return Proof(Truth.UNKNOWN, claim, "no common source is known")
        if not ours.layout.same(theirs.layout):
            return Proof.of(False, claim, "index maps")
        return Proof.all((self.same_shape(x, self.root), Proof.of(True, claim, "index maps")), claim)

    def shortest(self, x: Value) -> Steps | None:
        """The shortest known chain of calls on ``x``, an earlier value of the root's chain, that has the root's
        value; None if none is known."""
        return self._chained().shortest(x._node)

    def _chained(self) -> Chained:
        if self._chain is None:
            self._chain = self._moves.along(self.root._node)
        return self._chain

    def is_made_of(self, x: Value) -> Proof:
        """Is the root, cut and joined along one dim, all of ``x`` and nothing else?"""

        def claim() -> str:
            return f"{self.root!r} is made of {x!r} alone"

        self.looked_afar()
        if 0 in self.root.shape:
            return self.same_shape(x, self.root) & self.same_dtype(x, self.root)
        parts, pick = made_of(self.root.node), picked(self.root.node)
        if (parts is None and pick is None) or x.rank != self.root.rank:
            return Proof.of(False, claim, "pieces")
        if pick is not None:
            pieces = Pieces(self._prover, pick.dim)
            ours, theirs = pieces.lifted(self.root.node), pieces.lifted(x.node)
        elif parts is not None:
            pieces = Pieces(self._prover, parts.dim)
            ours, theirs = pieces.of(self.root.node), pieces.of(x.node)
        if not pieces.same(ours, theirs):
            if [p.source for p in ours] != [p.source for p in theirs]:
                return Proof.of(False, claim, "pieces")
            return Proof(Truth.UNKNOWN, claim, "the pieces may have other bounds")
        return self.same_shape(x, self.root) & self.same_dtype(x, self.root)

    def pieces(self) -> Recipe | None:
        """The root in the fewest pieces of other values along one dim; None if it is not made of such."""
        return recipe_of(self.root.node, self._prover)
