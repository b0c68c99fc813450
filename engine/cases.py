"""Goals over polynomials: zero, non-zero, non-negative. ``Min`` and ``Max`` are opened, a case per order."""

from __future__ import annotations

from collections.abc import Callable

from .bounds import Bounds
from .knowledge import Knowledge
from .normal import Extremum
from .polynomial import Key, OutOfReach, Poly, add, scale, substitute, unknown, unknowns, value_of
from .residues import always_zero, generalized, never_zero

MAX_DEPTH = 6


def proved_everywhere(known: Knowledge, kind: str, goal: Poly) -> str | None:
    """The step that proves ``goal`` to be ``zero``, ``nonzero`` or ``nonnegative``, or None. Raises
    ``OutOfReach`` if no step within the limits on work did."""
    return _proved(known, kind, goal, known.bounds(), MAX_DEPTH)


def _proved(known: Knowledge, kind: str, goal: Poly, bounds: Bounds, depth: int) -> str | None:
    number = value_of(goal)
    if number is not None:
        holds = {"zero": number == 0, "nonzero": number != 0, "nonnegative": number >= 0}
        return "normal form" if holds[kind] else None
    split = _choice(known, goal)
    if split is not None and depth:
        return _by_cases(known, kind, goal, bounds, depth, split)
    if kind == "nonnegative":
        return "bounds" if bounds.nonnegative(goal) else None
    if kind == "zero":
        if any(goal in (fact, scale(fact, -1)) for fact in known.zero):
            return "a known equality"
        return _by_residues(known, always_zero, goal) or (
            "bounds from both sides"
            if bounds.nonnegative(goal) and bounds.nonnegative(scale(goal, -1))
            else None
        )
    return _by_residues(known, never_zero, goal)


def _by_residues(known: Knowledge, test: Callable[..., bool], goal: Poly) -> str | None:
    symbols = known.normal.symbols_in(goal)
    facts = [f for f in known.zero if known.normal.symbols_in(f) <= symbols]
    if facts:
        try:
            if test(known.normal, goal, facts):
                return "residues, under known equalities"
        except OutOfReach:
            pass
    try:
        return "residues" if test(known.normal, goal) else None
    except OutOfReach:
        general = generalized(known.normal, goal)
        if general != goal and test(known.normal, general):
            return "residues, for any value of its products"
        raise


def _choice(known: Knowledge, goal: Poly) -> tuple[Key, Key] | None:
    """Two operands of some ``Min`` or ``Max`` in ``goal``."""
    for number in sorted(unknowns(goal)):
        atom = known.normal.atoms[number]
        if isinstance(atom, Extremum):
            first, second = sorted(atom.of, key=sorted)[:2]
            return first, second
    return None


def _by_cases(
    known: Knowledge, kind: str, goal: Poly, bounds: Bounds, depth: int, split: tuple[Key, Key]
) -> str | None:
    for less, more in (split, split[::-1]):
        order = add(dict(more), dict(less), -1)
        impossible = add(scale(order, -1), {(): -1})
        if bounds.nonnegative(impossible):
            continue
        simpler = substitute(goal, lambda n, a=less, b=more: _decided(known, n, a, b))  # type: ignore[misc]
        if _proved(known, kind, simpler, bounds.with_facts(order), depth - 1) is None:
            return None
    return "cases of Min and Max"


def _decided(known: Knowledge, number: int, less: Key, more: Key) -> Poly:
    """An unknown, with the loser dropped if it is an extremum of both operands."""
    atom = known.normal.atoms[number]
    if not isinstance(atom, Extremum) or not {less, more} <= atom.of:
        return unknown(number)
    rest = atom.of - {less if atom.largest else more}
    if len(rest) == 1:
        return dict(next(iter(rest)))
    return unknown(known.normal.number(Extremum(atom.largest, rest)))
