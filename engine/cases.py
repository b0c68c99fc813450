"""Goals over polynomials: zero, non-zero, non-negative, with ``Min``, ``Max`` and ``Where`` opened by cases.

Wherever such an unknown stands, under a floor or inside another, one order at a time is supposed: it, or its
negation, becomes a fact, and the goal is put in normal form anew. The goal holds if it does in every case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .atoms import Atom, Choice, Extremum, contenders, parts
from .bounds import Bounds, Range
from .knowledge import Knowledge
from .normal import Normalizer
from .polynomial import Key, OutOfReach, Poly, add, key, scale, unknowns, value_of
from .residues import Residues, always_zero, generalized, never_zero

MAX_CASES = 64
MAX_ORDERED_RESIDUES = 128


def proved_everywhere(known: Knowledge, kind: str, goal: Poly) -> str | None:
    """The step that proves ``goal`` to be ``zero``, ``nonzero`` or ``nonnegative``, or None. Raises
    ``OutOfReach`` if no step within the limits on work did."""
    bounds = known.bounds
    try:
        found = _as_it_stands(known, kind, goal, bounds)
        limit = None
    except OutOfReach as reason:
        found, limit = None, reason
    if found is None and next(orders(known.normal, goal), None) is not None:
        return "cases of Min and Max" if _by_cases(known, kind, goal, bounds) else None
    if limit is not None:
        raise limit
    return found


def _as_it_stands(known: Knowledge, kind: str, goal: Poly, bounds: Bounds) -> str | None:
    """As :func:`proved_everywhere`, with extrema and choices taken for any numbers within their bounds."""
    number = value_of(goal)
    if number is not None:
        holds = {"zero": number == 0, "nonzero": number != 0, "nonnegative": number >= 0}
        return "normal form" if holds[kind] else None
    if kind == "nonnegative":
        if bounds.nonnegative(goal):
            return "bounds"
        return "bounds, residue by residue" if _ordered_by_residues(known, goal, bounds) else None
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
    general = generalized(known.normal, goal)
    try:
        # One unknown for each product first: it has fewer residues.
        if general != goal and test(known.normal, general):
            return "residues, for any value of its products"
    except OutOfReach:
        pass
    return "residues" if test(known.normal, goal) else None


def _ordered_by_residues(known: Knowledge, goal: Poly, bounds: Bounds) -> bool:
    """For each residue the floors of ``goal`` are polynomials, whose bounds are sharper."""
    try:
        residues = Residues(known.normal, [goal], most=MAX_ORDERED_RESIDUES)
    except OutOfReach:
        return False
    if residues.count < 2:
        return False
    plain = [f for f in bounds.facts if not any(parts(known.normal.atoms[n]) for n in unknowns(f))]
    for at, rewrite in residues.each():

        def quotients(number: int, at: dict[int, tuple[int, int]] = at) -> Range:
            low, high = bounds.range(number)
            residue, period = at.get(number, (0, 1))
            return (
                None if low is None else -((residue - low) // period),
                None if high is None else (high - residue) // period,
            )

        there = Bounds(known.normal, quotients, [rewrite(f) for f in plain], opaque=True)
        if not there.nonnegative(rewrite(goal)):
            return False
    return True


def _by_cases(known: Knowledge, kind: str, goal: Poly, bounds: Bounds) -> bool:
    """Is ``goal`` proved in each case? Raises ``OutOfReach``."""
    waiting, count = [(goal, bounds)], 0
    while waiting:
        goal, bounds = waiting.pop()
        order = next(orders(known.normal, goal), None)
        if order is None:
            if _as_it_stands(known, kind, goal, bounds) is None:
                return False
            continue
        count += 1
        if count > MAX_CASES:
            raise OutOfReach(f"more than {MAX_CASES} cases of Min and Max")
        for supposed, denied in ((order, negated(order)), (negated(order), order)):
            if not bounds.nonnegative(denied):
                under = supposing(known.normal, supposed)
                facts = [under(f) for f in bounds.facts]
                waiting.append((under(goal), bounds.with_facts_only(*facts, supposed)))
    return True


def negated(order: Poly) -> Poly:
    """Not negative exactly where ``order`` is."""
    return add(scale(order, -1), {(): -1})


def orders(normal: Normalizer, goal: Poly) -> Iterator[Poly]:
    """Polynomials whose sign decides some extremum or choice in ``goal``, the innermost first."""
    for number in sorted(unknowns(goal)):
        atom = normal.atoms[number]
        for part in parts(atom):
            yield from orders(normal, dict(part))
        if isinstance(atom, Extremum):
            less, more = sorted(atom.of, key=sorted)[:2]
            yield add(dict(more), dict(less), -1)
        if isinstance(atom, Choice):
            yield dict(atom.when)


def supposing(normal: Normalizer, order: Poly) -> Callable[[Poly], Poly]:
    """A function that puts polynomials in normal form where ``order`` is not negative."""
    asked, denied = key(order), key(negated(order))

    def simpler(atom: Atom) -> Atom | Key:
        if isinstance(atom, Extremum):
            return Extremum(atom.largest, contenders(atom, asked))
        if isinstance(atom, Choice) and atom.when in (asked, denied):
            return atom.then if atom.when == asked else atom.other
        return atom

    return normal.rewriter(simpler)
