"""Proof of a rule over pure data movement for all sizes: both sides read the same element everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import sympy

from .calls import signature
from .form_arguments import Made
from .forms import forms
from .generality import FormResult, Generality, Outcome
from .index_maps import moved
from .known import Known
from .match import compile_pattern
from .pattern import calls_in
from .positions import Fact, Moved, Position, Read
from .rule import Rule
from .supposing import Firing, World, firings
from .torch_api import OpOverload, PatternExpr

INDICES = tuple(sympy.Symbol(f"i{d}", integer=True, nonnegative=True) for d in range(16))
MOST_RANK, MOST_RANK_OF_CHAIN = 3, 2


def for_all_sizes(
    rule: Rule, most_rank: int = MOST_RANK, most_rank_of_chain: int = MOST_RANK_OF_CHAIN
) -> Generality:
    """Which forms of the rule are proved for all sizes, with operands of up to ``most_rank`` dims where the
    pattern is one call, and of ``most_rank_of_chain`` where it is several.

    The rule's pattern, predicate and replacement are the ones that run. What its functions raise makes a form
    "tested only".
    """
    if any(_holds_patterns(argument) for call in calls_in(rule.pattern) for argument in call.args):
        return Generality(rule.name, ())
    world, matcher = World(), compile_pattern(rule.pattern)
    results = []
    for form in forms(rule.pattern, most_rank, most_rank_of_chain):
        try:
            results.append(_judged(form, firings(rule, matcher, form, world)))
        except Exception as raised:  # a rule's own function may raise anything
            results.append(FormResult(form, Outcome.TESTED, f"{type(raised).__name__}: {raised}"))
    return Generality(rule.name, tuple(results))


def _holds_patterns(argument: object) -> bool:
    """Is it a list with patterns in it, as ``cat`` takes?"""
    return isinstance(argument, list | tuple) and any(isinstance(a, PatternExpr) for a in argument)


def _judged(form: Made, ways: Iterable[Firing]) -> FormResult:
    proved = False
    if form.opaque:
        return FormResult(form, Outcome.TESTED, "not known to be pure data movement")
    for firing in ways:
        if form.cases is None:
            return FormResult(form, Outcome.TESTED, "not known to be pure data movement")
        for case in form.cases:
            facts = Known.of((*case.facts, *firing.supposed))
            if facts is None:
                continue
            possible = facts.possible
            if not possible and facts.contradictory():
                continue
            why = _unproved(case, replacements(firing), facts)
            if why is not None:
                return FormResult(form, Outcome.TESTED, why)
            proved |= possible
    return FormResult(form, Outcome.PROVED if proved else Outcome.SILENT)


def replacements(firing: Firing) -> Sequence[Moved]:
    """What may stand for the root, by cases."""
    if isinstance(firing.to, Made):
        return firing.to.cases or ()
    target, given = firing.to
    if not isinstance(target, OpOverload):
        return ()
    defaults = signature(target).defaults
    operands = [a for a in given if isinstance(a, Made)]
    found: list[Moved] = []
    for chosen in itertools.product(*(o.cases or () for o in operands)):
        by_operand = dict(zip(operands, chosen, strict=True))
        args = [by_operand[a] if isinstance(a, Made) else a for a in given]
        found += moved(target, (*args, *defaults[len(args) :])) or ()
    return found


def _unproved(root: Moved, others: Sequence[Moved], known: Known) -> str | None:
    """Why it is not shown that one of ``others``, surely the one that applies, is ``root``."""
    why = "what stands for the root is not known to be pure data movement"
    for other in others:
        needed = next((f for f in other.facts if not known.proves(f)), None)
        if needed is not None:
            why = f"not shown to be defined: {needed.claim}"
            continue
        if len(root.shape) != len(other.shape):
            return f"rank {len(root.shape)} and rank {len(other.shape)}"
        for ours, theirs in zip(root.shape, other.shape, strict=True):
            if not known.proves(Fact(sympy.Eq, ours, theirs)):
                return f"not shown: size {ours} == {theirs}"
        indices = INDICES[: len(root.shape)]
        scope = [
            f
            for i, n in zip(indices, root.shape, strict=True)
            for f in (Fact(sympy.Ge, n, 1), Fact(sympy.Le, i, n - 1))
        ]
        pairs = itertools.product(
            root.reads(Position(indices, root.shape)), other.reads(Position(indices, other.shape))
        )
        return next((w for ours, theirs in pairs if (w := _differ(ours, theirs, scope, known))), None)
    return why


def _differ(ours: Read, theirs: Read, scope: Sequence[Fact], known: Known) -> str | None:
    """Why it is not shown that two reads are of one element, or that not both take place."""
    here = known.also((*scope, *ours.when, *theirs.when))
    if here is None:
        return None
    claims: list[Fact] = []
    if ours.slot is theirs.slot:
        claims = _same_place(ours.position, theirs.position, here)
        if all(here.proves(c) or _between(c, scope, here) for c in claims):
            return None
    for fact in dict.fromkeys((*ours.when, *theirs.when, *scope)):
        rest = [f for f in (*scope, *ours.when, *theirs.when) if f != fact]
        without = known.also(rest)
        if without is None or without.proves(fact.negated):
            return None
    failed = next((c for c in claims if not (here.proves(c) or _between(c, scope, here))), None)
    if failed is None:
        return "two operands are read, perhaps at once"
    return f"not shown: {here.under(failed.left)} == {here.under(failed.right)}"


def _between(claim: Fact, scope: Sequence[Fact], known: Known) -> bool:
    """Is one side no more and no less than the other, each shown with indices counted from either end?"""
    ends = {f.left: known.under(f.right) - f.left for f in scope if f.relation is sympy.Le}
    mirrored = Known.of(f.replaced(ends) for f in known.facts)
    left, right = known.under(claim.left), known.under(claim.right)
    return mirrored is None or all(
        known.proves(order) or mirrored.proves(order.replaced(ends))
        for order in (Fact(sympy.Le, left, right), Fact(sympy.Ge, left, right))
    )


def _same_place(ours: Position, theirs: Position, known: Known) -> list[Fact]:
    if tuple(map(known.under, ours.sizes)) == tuple(map(known.under, theirs.sizes)):
        pairs = zip(ours.digits, theirs.digits, strict=True)
    else:
        pairs = zip((ours.flat,), (theirs.flat,), strict=True)
    return [Fact(sympy.Eq, a, b) for a, b in pairs]
