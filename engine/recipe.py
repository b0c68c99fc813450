"""A value as the fewest pieces of others: what is written down in place of a tree of cuts and joins."""

from __future__ import annotations

from dataclasses import dataclass

from torch.fx import Node

from .integers import Expr, Prover
from .parts import SCATTERS, SELECT_SCATTERS, STACKS, made_of, picked
from .pieces import Piece, Pieces
from .trees import tree


@dataclass(frozen=True, slots=True)
class Recipe:
    """A value as pieces along ``dim``. ``picks``: the only piece has one element, and its dim is dropped.
    ``calls``: how many calls make it, at least; ``fill``: the value of its runs, if there are any."""

    dim: int
    pieces: tuple[Piece, ...]
    wholes: frozenset[int]
    picks: bool = False
    fill: object = None
    stacks: bool = False
    """Is it a join along a new dim?"""
    over: Node | None = None
    """What all pieces but one are parts of, each where it was: that one is written over the rest."""

    @property
    def calls(self) -> int:
        """Cuts, and one join, pad or write."""
        if self.stacks:
            return 1
        if self.over is not None:
            return 1 + (not self.written.lifted and not self.whole(self.written))
        cuts = sum(isinstance(p.source, Node) and k not in self.wholes for k, p in enumerate(self.pieces))
        return cuts + (len(self.pieces) > 1)

    @property
    def written(self) -> Piece:
        """The piece that is no part of ``over``."""
        return next(p for p in self.pieces if p.source is not self.over)

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
    pick, parts = picked(root), made_of(root)
    if pick is not None:
        dim, known = pick.dim, Pieces(prover, pick.dim)
        pieces = known.lifted(root)
    elif parts is not None:
        dim, known = parts.dim, Pieces(prover, parts.dim)
        pieces = known.of(root)
    else:
        return None
    picks = pick is not None
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
    # A join is made a write, or a stack, only where there was one: not every compiler knows a stack.
    calls = {call.target for call in tree(root)[0]}
    stacks = len(pieces) > 1 and all(p.lifted for p in pieces) and not calls.isdisjoint(STACKS)
    writes = not fills and not picks and not calls.isdisjoint((*SCATTERS, *SELECT_SCATTERS))
    over = _written_over(pieces, known) if writes else None
    return Recipe(dim, pieces, wholes, picks, fill, stacks, over)


def _written_over(pieces: tuple[Piece, ...], known: Pieces) -> Node | None:
    """The value of which all pieces but one are parts in their places, the whole as long as it is."""
    at: Expr = 0
    places = []
    for piece in pieces:
        places.append(at)
        at = at + piece.length
    for base in dict.fromkeys(p.source for p in pieces):
        if not isinstance(base, Node) or any(p.lifted for p in pieces if p.source is base):
            continue
        others = [p for p in pieces if p.source is not base]
        if len(others) == 1 and known.lies_in_place(base, pieces, places, at):
            return base
    return None
