"""Values whose elements are those of operands, by symbolic position, and the facts they depend on.

A position in a tensor is its digits in a box of sizes, most significant first. A call that only relabels
sizes passes a position on as it is, so a chain of reshapes costs no division; one is written only where a
call moves dims that cut across those the digits belong to.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import sympy
import torch
from torch.utils._sympy.functions import CeilDiv, FloorDiv, Mod

from .integers import Expr

Sizes = tuple[Expr, ...]

_NEGATED = {
    sympy.Eq: sympy.Ne,
    sympy.Ne: sympy.Eq,
    sympy.Le: sympy.Gt,
    sympy.Gt: sympy.Le,
    sympy.Lt: sympy.Ge,
    sympy.Ge: sympy.Lt,
}
_HOLDS: dict[Any, Callable[[Any, Any], bool]] = {
    sympy.Eq: operator.eq,
    sympy.Ne: operator.ne,
    sympy.Le: operator.le,
    sympy.Gt: operator.gt,
    sympy.Lt: operator.lt,
    sympy.Ge: operator.ge,
}


class Fact(NamedTuple):
    """``left relation right``, unevaluated: sympy would spend its time on what the prover does better."""

    relation: Any
    left: Expr
    right: Expr

    @property
    def negated(self) -> Fact:
        """The fact that holds where this one does not."""
        return Fact(_NEGATED[self.relation], self.left, self.right)

    @property
    def claim(self) -> sympy.Basic:
        """As the prover takes it."""
        return self.relation(sympy.sympify(self.left), sympy.sympify(self.right), evaluate=False)

    @property
    def evident(self) -> bool | None:
        """Its truth, if numbers or the signs of symbols tell; None if they do not."""
        return _evident(self)

    def replaced(self, by: Mapping[Any, Expr]) -> Fact:
        """With expressions replaced by others, all at once."""
        steps = {old: sympy.sympify(new) for old, new in by.items()}
        sides = (e.xreplace(steps) if isinstance(e, sympy.Basic) else e for e in (self.left, self.right))
        return Fact(self.relation, *sides)


@functools.lru_cache(maxsize=65536)
def _evident(fact: Fact) -> bool | None:
    if isinstance(fact.left, int) and isinstance(fact.right, int):
        return _HOLDS[fact.relation](fact.left, fact.right)
    less = sympy.expand(fact.left - fact.right)
    if less.is_Integer:
        return _HOLDS[fact.relation](int(less), 0)
    low, high = _ends(less)
    holds = _HOLDS[fact.relation]
    if low is not None:
        # At low and above: the same truth there and a little later is the truth throughout.
        return holds(low, 0) if low > 0 or (low == 0 and fact.relation in (sympy.Ge, sympy.Lt)) else None
    if high is not None:
        return holds(high, 0) if high < 0 or (high == 0 and fact.relation in (sympy.Le, sympy.Gt)) else None
    return None


def _ends(expr: sympy.Expr) -> tuple[int | None, int | None]:
    """Least and greatest value of an expanded sum, where signs alone tell; sympy's own inference is slow."""
    coefficients = dict(expr.as_coefficients_dict())
    number = int(coefficients.pop(sympy.S.One, 0))
    bases = (base for term in coefficients for base in term.as_powers_dict())
    if not all(isinstance(base, sympy.Symbol) and base.is_nonnegative for base in bases):
        return None, None
    signs = {coefficient > 0 for coefficient in coefficients.values()}
    return (number if signs == {True} else None), (number if signs == {False} else None)


@dataclass(frozen=True, slots=True)
class Position:
    """The element at ``digits`` of a box of ``sizes``, in row-major order."""

    digits: Sizes
    sizes: Sizes

    @property
    def flat(self) -> Expr:
        """How many elements come before it."""
        total: Expr = 0
        for digit, size in zip(self.digits, self.sizes, strict=True):
            total = total * size + digit
        return total

    def within(self, sizes: Sizes) -> Sizes:
        """The digits of the same place in the row-major order of another box with as many elements."""
        ours, left, right = self.sizes, 0, 0
        shorter = min(len(ours), len(sizes))
        while left < shorter and ours[left] == sizes[left]:
            left += 1
        while right < shorter - left and ours[-1 - right] == sizes[-1 - right]:
            right += 1
        ends = len(ours) - right, len(sizes) - right
        rest = Position(self.digits[left : ends[0]], ours[left : ends[0]]).flat
        middle: list[Expr] = []
        for size in reversed(sizes[left + 1 : ends[1]]):
            middle.insert(0, mod(rest, size))
            rest = floor_div(rest, size)
        leading = (rest,) if ends[1] > left else ()
        return (*self.digits[:left], *leading, *middle, *self.digits[ends[0] :])


class Read(NamedTuple):
    """Where ``when`` holds, the element is that of operand ``slot`` at a position."""

    when: tuple[Fact, ...]
    slot: Hashable
    position: Position


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A value whose elements are those of operands. It is defined where ``facts`` hold.

    ``reads`` tells of a position what is read there; exactly one ``when`` holds. ``numel`` is the number of
    elements, in the terms of the first value that has them in this order.
    """

    shape: Sizes
    dtype: torch.dtype
    reads: Callable[[Position], tuple[Read, ...]]
    facts: tuple[Fact, ...]
    numel: Expr

    @classmethod
    def operand(cls, slot: Hashable, shape: Sizes, dtype: torch.dtype = torch.float32) -> Moved:
        """An operand itself."""
        return cls(shape, dtype, lambda p: (Read((), slot, p),), (), prod(shape))

    def with_shape(self, shape: Sizes) -> Moved:
        """The same value with its sizes called otherwise; that they are equal is a fact that the caller knows."""
        known = (Fact(sympy.Eq, a, b) for a, b in zip(shape, self.shape, strict=True) if a != b)
        moved = self
        if shape != self.shape:
            old = self.shape
            moved = replace(
                self, reads=lambda p: self.reads(Position(p.digits, old) if p.sizes == shape else p)
            )
        return replace(moved, shape=shape, facts=(*self.facts, *known))


def floor_div(over: Expr, under: Expr) -> Expr:
    """The floor of a quotient. By 0 it is 0: no position exists in a box with a size of 0."""
    if under == 0:
        return 0
    if under == 1:
        return over
    return over // under if isinstance(over, int) and isinstance(under, int) else FloorDiv(over, under)


def ceil_div(over: Expr, under: Expr) -> Expr:
    """The ceiling of a quotient."""
    if under == 1:
        return over
    return -(-over // under) if isinstance(over, int) and isinstance(under, int) else CeilDiv(over, under)  # type: ignore[no-untyped-call]


def mod(over: Expr, under: Expr) -> Expr:
    """The remainder of a number that is not negative. By 0 it is 0, as in :func:`floor_div`."""
    if under in (0, 1):
        return 0
    return over % under if isinstance(over, int) and isinstance(under, int) else Mod(over, under)


def made(
    x: Moved, shape: Sequence[Expr], reads: Callable[[Sizes], Iterable[Read]], *facts: Fact
) -> Iterator[Moved]:
    """The value of ``shape`` whose element at given digits is what ``reads`` gives, if the facts may hold."""
    sizes = tuple(shape)
    told = [(f, f.evident) for f in facts]
    if not any(truth is False for _, truth in told):
        unsettled = tuple(f for f, truth in told if truth is None)
        yield Moved(
            sizes,
            x.dtype,
            lambda p: tuple(reads(p.within(sizes))),
            tuple(dict.fromkeys((*x.facts, *unsettled))),
            prod(sizes, start=1),
        )


def guarded(reads: Iterable[Read], facts: Sequence[Fact]) -> Iterator[Read]:
    """The reads where the facts hold too, if they may."""
    told = [(f, f.evident) for f in facts]
    if not any(truth is False for _, truth in told):
        more = tuple(f for f, truth in told if truth is None)
        yield from (Read((*r.when, *more), r.slot, r.position) for r in reads)


def nth_dim(dim: int, rank: int) -> int:
    """Raises ``IndexError`` for a dim that is not there."""
    return range(rank)[dim]
