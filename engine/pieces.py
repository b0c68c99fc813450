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

from .calls import tensor_of
from .integers import Expr, Prover
from .parts import Parts, made_of, picked
from .torch_api import expression_of


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` elements along the dim, from ``start``, of ``source``: a node, or the text of a fill value. A source
    that is ``lifted`` lacks the dim, and is one element along it."""

    source: Node | str
    start: Expr
    length: Expr
    lifted: bool = False


class Unknown(Exception):
    """A bound cannot be compared with the end of a piece."""


def size_of(node: Node, dim: int) -> Expr:
    """The size of a dim of a value that has metadata."""
    tensor = tensor_of(node)
    assert tensor is not None
    return expression_of(tensor.shape[dim])


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
        return size_of(node, self._dim)

    def _through(self, node: Node) -> tuple[Piece, ...] | None:
        """The pieces of what a call is made of; None if it is not made along the dim."""
        parts = made_of(node)
        if parts is None or parts.dim != self._dim or not self._alike(node, parts):
            return None
        pieces = [
            self.lifted(value) if position in parts.lifted else self.of(value)
            for position, value in enumerate(parts.values)
        ]
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
        end = start + (self._size(parts.values[1]) if length is None else length)
        return self._joined([*self._cut(base, 0, start), *pieces[1], *self._cut(base, end, size - end)])

    def lifted(self, value: Node) -> tuple[Piece, ...]:
        """A value that lacks the dim, as one element along it."""
        found = picked(value)
        if found is not None and found.dim == self._dim:
            try:
                return self.cut(found.source, found.index, 1)
            except Unknown:
                pass
        return (Piece(value, 0, 1, lifted=True),)

    def _alike(self, node: Node, parts: Parts) -> bool:
        """Nothing is converted, broadcast or told apart by rank on the way."""
        ours = tensor_of(node)
        if ours is None:
            return False
        for position, value in enumerate(parts.values):
            theirs, rank = tensor_of(value), ours.dim() - (position in parts.lifted)
            if theirs is None or theirs.dtype is not ours.dtype or theirs.dim() != rank:
                return False
        return True

    def _from_front(self, bound: Expr, size: Expr) -> Expr:
        if self._at_most(0, bound):
            return bound
        if self._at_most(bound, -1) and self._at_most(-bound, size):
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
                found.append(replace(piece, start=piece.start + start, length=length))
                return found
            if not self._at_most(room, length):
                raise Unknown
            found.append(replace(piece, start=piece.start + start, length=room))
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
            (a.source, a.lifted) == (b.source, b.lifted)
            and self._is(a.start, b.start)
            and self._is(a.length, b.length)
            for a, b in zip(left, right, strict=True)
        )

    def lies_in_place(
        self, base: Node, pieces: Sequence[Piece], places: Sequence[Expr], length: Expr
    ) -> bool:
        """Is each piece of ``base`` where it is in ``base``, which has this length?"""
        if not self._is(self._size(base), length):
            return False
        return all(
            not p.lifted and self._is(p.start, place)
            for p, place in zip(pieces, places, strict=True)
            if p.source is base
        )

    def whole(self, piece: Piece) -> bool:
        """Is the piece all of its source?"""
        return (
            isinstance(piece.source, Node)
            and not piece.lifted
            and self._is(piece.start, 0)
            and self._is(piece.length, self._size(piece.source))
        )

    def _is(self, left: Expr, right: Expr) -> bool:
        return self._prover.equal(left, right).proved

    def _at_most(self, left: Expr, right: Expr) -> bool:
        return self._prover.at_most(left, right).proved
