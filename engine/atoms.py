"""What the unknowns of a polynomial stand for: symbols, irreducible floors, extrema, choices by a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import sympy

from .polynomial import Key, add, key, value_of


@dataclass(frozen=True, slots=True)
class Floor:
    """``floor(over / under)``. ``under`` is a positive constant, or a polynomial that is never zero."""

    over: Key
    under: Key

    @property
    def divisor(self) -> int | None:
        """The constant it divides by; None if that is no constant, or 0."""
        return value_of(dict(self.under)) or None


@dataclass(frozen=True, slots=True)
class Extremum:
    """``Min`` or ``Max`` of two or more polynomials."""

    largest: bool
    of: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Choice:
    """``then`` where ``when >= 0``, else ``other``."""

    when: Key
    then: Key
    other: Key


Atom: TypeAlias = "sympy.Basic | Floor | Extremum | Choice"
"""The last resort is an expression that is not looked into."""


def parts(atom: Atom) -> tuple[Key, ...]:
    """The polynomials that an atom is made of; none for a symbol or an expression not looked into."""
    if isinstance(atom, Floor):
        return atom.over, atom.under
    if isinstance(atom, Extremum):
        return tuple(atom.of)
    return (atom.when, atom.then, atom.other) if isinstance(atom, Choice) else ()


def contenders(atom: Extremum, order: Key) -> frozenset[Key]:
    """The operands that can still win where the polynomial ``order`` is not negative."""
    lost = set()
    for less in atom.of:
        for more in atom.of - {less}:
            difference = add(dict(more), dict(less), -1)
            if order in (key(difference), key(add(difference, {(): -1}))):
                lost.add(less if atom.largest else more)
    return atom.of - lost
