"""Index maps of calls that put dims, or the elements along a dim, into another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .positions import Moved, Position, Read, Sizes, made, nth_dim

Cases = Iterator[Moved]


def permuted(x: Moved, dims: Sequence[int]) -> Cases:
    rank = len(x.shape)
    order = [nth_dim(d, rank) for d in dims]
    if sorted(order) != list(range(rank)):
        return iter(())

    def reads(digits: Sizes) -> tuple[Read, ...]:
        place = dict(zip(order, digits, strict=True))
        return x.reads(Position(tuple(place[d] for d in range(rank)), x.shape))

    return made(x, [x.shape[d] for d in order], reads)


def transposed(x: Moved, dim0: int, dim1: int) -> Cases:
    order = list(range(len(x.shape)))
    # A 0-d tensor takes dims 0 and -1, and has nothing to swap.
    first, second = (nth_dim(d, len(order) or 1) for d in (dim0, dim1))
    if order:
        order[first], order[second] = order[second], order[first]
    return permuted(x, order)


def matrix_transposed(x: Moved) -> Cases:
    rank = len(x.shape)
    return permuted(x, tuple(reversed(range(rank)))) if rank <= 2 else iter(())


def last_transposed(x: Moved) -> Cases:
    """What ``mT`` computes; of no dims it is the operand."""
    rank = len(x.shape)
    return (
        iter(())
        if rank == 1
        else permuted(x, (*range(rank - 2), *range(rank - 1, rank - 3, -1)) if rank else ())
    )


def flipped(x: Moved, dims: Sequence[int]) -> Cases:
    turned = [nth_dim(d, len(x.shape)) for d in dims]
    if len(set(turned)) < len(turned):
        return iter(())

    def reads(digits: Sizes) -> tuple[Read, ...]:
        ends = zip(digits, x.shape, strict=True)
        return x.reads(
            Position(tuple(n - 1 - i if d in turned else i for d, (i, n) in enumerate(ends)), x.shape)
        )

    return made(x, x.shape, reads)


def swapped(x: Moved, **axes: int) -> Cases:
    """What ``transpose`` computes under other names."""
    return transposed(x, *axes.values())


def dims_moved(x: Moved, source: Any, destination: Any) -> Cases:
    """What ``movedim`` computes: the dims that are not named keep their order."""
    rank = len(x.shape)
    if not rank and isinstance(source, int):
        return transposed(x, source, destination)
    pairs = [[d] if isinstance(d, int) else d for d in (source, destination)]
    sources, targets = ([nth_dim(d, rank) for d in dims] for dims in pairs)
    if len(sources) != len(targets) or len(set(sources)) < len(sources) or len(set(targets)) < len(targets):
        return iter(())
    placed = dict(zip(targets, sources, strict=True))
    rest = iter(d for d in range(rank) if d not in sources)
    return permuted(x, [placed[d] if d in placed else next(rest) for d in range(rank)])
