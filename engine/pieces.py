"""What calls that cut and join along one dim do to intervals of it: a value as pieces of others, in order.

A piece is an interval of a source along the dim, whole in every other dim, or a run of one fill value. A cut keeps
pieces, a join puts them one after another, an overwrite puts some in the place of others; pieces that continue each
other are one. So a join of all cuts is the whole, a read of what was just written is what was written, and a write
that is overwritten is gone, for any number of calls and for symbolic bounds. Where a bound cannot be compared with
where a piece ends, the call is a source itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch.fx import Node

from .calls import argument, tensor_of
from .integers import Expr, Prover
from .parts import SELECTS, made_of, scalar_expression
from .torch_api import expression_of


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` elements along the dim, from ``start``, of ``source``: a node, or the text of a fill value."""

    source: Node | str
    start: Expr
    length: Expr


class Unknown(Exception):
    """A bound cannot be compared with the end of a piece."""


class Pieces:
    """Values of one graph as pieces along one dim, under the facts of a run."""

    def __init__(self, prover: Prover, dim: int) -> None:
        self._prover, self._dim = prover, dim
        self._known: dict[Node, tuple[Piece, ...]] = {}
        self.fills: dict[str, object] = {}
        """The values behind the texts that pieces name: -0.0 and NaN are told apart by text."""

    def of(self, node: Node) -> tuple[Piece, ...]:
        """The pieces of a value, in order."""
        found = self._known.get(node)
        if found is None:
            try:
                found = self._through(node)
            except Unknown:
                found = None
            if found is None:
                found = self._own(node)
            self._known[node] = found
        return found

    def _own(self, node: Node) -> tuple[Piece, ...]:
        return (Piece(node, 0, self._size(node)),)

    def _size(self, node: Node) -> Expr:
        tensor = tensor_of(node)
        assert tensor is not None
        return expression_of(tensor.shape[self._dim])

    def _through(self, node: Node) -> tuple[Piece, ...] | None:
        """The pieces of what a call is made of; None if it is not made along the dim."""
        parts = made_of(node)
        if parts is None or parts.dim != self._dim or not self._alike(node, parts.values):
            return None
        pieces = [self.of(value) for value in parts.values]
        if parts.kind == "join":
            return self._joined([p for found in pieces for p in found])
        base = pieces[0]
        if parts.kind == "pad":
            before, after, value = parts.bounds
            fill = repr((type(value), value))
            self.fills[fill] = value
            kept = self._padded(base, before, after, self._size(parts.values[0]))
            lead, trail = (Piece(fill, 0, n) for n in kept[1:])
            return self._joined([lead, *kept[0], trail])
        start, length = parts.bounds
        start, size = self._from_front(start, self._size(parts.values[0])), self._size(parts.values[0])
        if parts.kind == "cut":
            return self._joined(self._cut(base, start, self._size(node) if length is None else length))
        end = start + self._size(parts.values[1])
        return self._joined([*self._cut(base, 0, start), *pieces[1], *self._cut(base, end, size - end)])

    def _alike(self, node: Node, values: Sequence[Node]) -> bool:
        """Nothing is converted, broadcast or told apart by rank on the way."""
        ours = tensor_of(node)
        if ours is None:
            return False
        for value in values:
            theirs = tensor_of(value)
            if theirs is None or theirs.dtype is not ours.dtype or theirs.dim() != ours.dim():
                return False
        return True

    def _from_front(self, bound: Expr, size: Expr) -> Expr:
        if self._at_most(0, bound):
            return bound
        if isinstance(bound, int) and bound < 0 and self._at_most(-bound, size):
            return size + bound
        raise Unknown

    def _padded(
        self, base: tuple[Piece, ...], before: Expr, after: Expr, size: Expr
    ) -> tuple[list[Piece], Expr, Expr]:
        for pad in (before, after):
            if not (self._at_most(0, pad) or self._at_most(pad, 0)):
                raise Unknown
        first = 0 if self._at_most(0, before) else -before
        last = size if self._at_most(0, after) else size + after
        kept = self._cut(base, first, last - first) if self._at_most(first, last) else None
        if kept is None:
            raise Unknown
        return kept, before if first == 0 else 0, after if last is size else 0

    def _cut(self, pieces: Sequence[Piece], start: Expr, length: Expr) -> list[Piece]:
        """Some elements of what the pieces make. Raises ``Unknown``."""
        found: list[Piece] = []
        for piece in pieces:
            if self._is(length, 0):
                break
            if not self._is(start, 0):
                if self._at_most(piece.length, start):
                    start = start - piece.length
                    continue
                if not self._at_most(start, piece.length):
                    raise Unknown
            room = piece.length - start
            if self._at_most(length, room):
                found.append(Piece(piece.source, piece.start + start, length))
                return found
            if not self._at_most(room, length):
                raise Unknown
            found.append(Piece(piece.source, piece.start + start, room))
            start, length = 0, length - room
        if not self._is(length, 0):
            raise Unknown
        return found

    def _joined(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        found: list[Piece] = []
        for piece in pieces:
            if self._is(piece.length, 0):
                continue
            last = found[-1] if found else None
            follows = last is not None and last.source == piece.source
            if (
                follows
                and last is not None
                and (isinstance(piece.source, str) or self._is(last.start + last.length, piece.start))
            ):
                found[-1] = replace(last, length=last.length + piece.length)
            else:
                found.append(piece)
        return tuple(found)

    def cut(self, node: Node, start: Expr, length: Expr) -> tuple[Piece, ...]:
        """Some elements of a value. Raises ``Unknown``."""
        return self._joined(self._cut(self.of(node), self._from_front(start, self._size(node)), length))

    def same(self, left: Sequence[Piece], right: Sequence[Piece]) -> bool:
        """Are the pieces provably the same, one by one?"""
        return len(left) == len(right) and all(
            a.source == b.source and self._is(a.start, b.start) and self._is(a.length, b.length)
            for a, b in zip(left, right, strict=True)
        )

    def whole(self, piece: Piece) -> bool:
        """Is the piece all of its source?"""
        return (
            isinstance(piece.source, Node)
            and self._is(piece.start, 0)
            and self._is(piece.length, self._size(piece.source))
        )

    def _is(self, left: Expr, right: Expr) -> bool:
        return self._prover.equal(left, right).proved

    def _at_most(self, left: Expr, right: Expr) -> bool:
        return self._prover.at_most(left, right).proved


@dataclass(frozen=True, slots=True)
class Recipe:
    """A value as pieces along ``dim``. ``picks``: the only piece has one element, and its dim is dropped.
    ``calls``: how many calls make it, at least; ``fill``: the value of its runs, if there are any."""

    dim: int
    pieces: tuple[Piece, ...]
    wholes: frozenset[int]
    picks: bool = False
    fill: object = None

    @property
    def calls(self) -> int:
        """Cuts, and one join or pad."""
        cuts = sum(isinstance(p.source, Node) and k not in self.wholes for k, p in enumerate(self.pieces))
        return cuts + (len(self.pieces) > 1)

    def whole(self, piece: Piece) -> bool:
        """Need the piece not be cut?"""
        return self.pieces.index(piece) in self.wholes

    def pads(self) -> tuple[Expr, Expr]:
        """How much fill before and after the only piece that is none."""
        at = next(k for k, p in enumerate(self.pieces) if isinstance(p.source, Node))
        return tuple(  # type: ignore[return-value]
            sum((p.length for p in side), start=0) for side in (self.pieces[:at], self.pieces[at + 1 :])
        )


def recipe_of(root: Node, prover: Prover) -> Recipe | None:
    """A value in the fewest pieces known; None if it is not made of pieces that calls could be made of."""
    picks = root.target in SELECTS
    if picks:
        source, dim = argument(root, "self"), argument(root, "dim")
        tensor = tensor_of(source) if isinstance(source, Node) else None
        index = scalar_expression(argument(root, "index"))
        if tensor is None or index is None:
            return None
        dim %= tensor.dim()
        known = Pieces(prover, dim)
        try:
            pieces = known.cut(source, index, 1)
        except Unknown:
            return None
    else:
        parts = made_of(root)
        if parts is None:
            return None
        dim, known = parts.dim, Pieces(prover, parts.dim)
        pieces = known.of(root)
    fills = {p.source for p in pieces if isinstance(p.source, str)}
    real = [p for p in pieces if isinstance(p.source, Node)]
    if (
        not real
        or any(p.source is root for p in real)
        or (fills and (len(real) > 1 or len(fills) > 1 or picks))
    ):
        return None
    wholes = frozenset(k for k, p in enumerate(pieces) if not picks and known.whole(p))
    fill = known.fills[fills.pop()] if fills else None
    return Recipe(dim, pieces, wholes, picks, fill)
