"""Facts about sizes with the equalities among them carried out, and what follows from them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from .integers import Expr, Prover
from .points import Unevaluable, evaluate
from .positions import Fact

_NAMES = tuple(sympy.Symbol(f"v{k}", integer=True, nonnegative=True) for k in range(32))
MAX_POINTS = 4096
"""How many small valuations are tried before facts count as impossible."""


@dataclass(frozen=True, slots=True)
class Known:
    """Facts, with the equalities among them carried out: ``steps`` replaces what they settle."""

    facts: tuple[Fact, ...]
    steps: tuple[tuple[sympy.Basic, Expr], ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Known | None:
        """None if the facts evidently contradict each other."""
        return cls(()).also(facts)

    def also(self, facts: Iterable[Fact]) -> Known | None:
        """With more facts."""
        waiting = [*self.facts, *(Fact(f.relation, self.under(f.left), self.under(f.right)) for f in facts)]
        settled: list[Fact] = []
        steps = list(self.steps)
        while waiting:
            fact = waiting.pop(0)
            truth = fact.evident
            if truth is False:
                return None
            step = _solved(fact) if truth is None else None
            if step is not None:
                old, new = step
                steps.append(step)
                waiting = [f.replaced({old: new}) for f in (*settled, *waiting)]
                settled = []
                if isinstance(old, sympy.Symbol):
                    waiting.append(Fact(sympy.Ge, new, 0))
            elif truth is None and fact not in settled:
                settled.append(fact)
        return Known(tuple(settled), tuple(steps))

    def under(self, expr: Expr) -> Expr:
        """An expression in the terms that are left."""
        for old, new in self.steps:
            if isinstance(expr, sympy.Expr):
                expr = expr.xreplace({old: sympy.sympify(new)})
        return expr

    def proves(self, fact: Fact) -> bool:
        """Does the fact follow?"""
        claim = Fact(fact.relation, self.under(fact.left), self.under(fact.right))
        truth = claim.evident
        return _proved(_related(self.facts, claim), claim) if truth is None else truth

    @property
    def possible(self) -> bool:
        """Is there a small valuation at which they hold?"""
        return _possible(frozenset(self.facts))

    def contradictory(self) -> bool:
        """Is it proved that no valuation has them hold?"""
        return any(_proved(_related([g for g in self.facts if g != f], f), f.negated) for f in self.facts)


def _solved(fact: Fact) -> tuple[sympy.Basic, Expr] | None:
    """What an equality lets be replaced, and by what: a quotient before a symbol."""
    if fact.relation is not sympy.Eq:
        return None
    sides = ((fact.left, fact.right), (fact.right, fact.left))
    for old, new in sides:
        if isinstance(old, sympy.Function) and (isinstance(new, int) or new.is_Atom):
            return old, new
    less = sympy.expand(fact.left - fact.right)
    for symbol in sorted(less.free_symbols, key=str, reverse=True):
        sign = less.coeff(symbol)
        rest = less - sign * symbol
        if sign in (1, -1) and not rest.has(symbol):
            return symbol, sympy.expand(-sign * rest)
    return None


def _symbols(fact: Fact) -> frozenset[sympy.Symbol]:
    return frozenset(s for e in fact[1:] if isinstance(e, sympy.Expr) for s in e.free_symbols)


def _related(facts: Sequence[Fact], claim: Fact) -> frozenset[Fact]:
    """The facts that share symbols with the claim, or with such a fact."""
    reached, found, size = set(_symbols(claim)), set[Fact](), -1
    while size != len(found):
        size = len(found)
        for fact in facts:
            if fact not in found and not reached.isdisjoint(_symbols(fact)):
                found.add(fact)
                reached |= _symbols(fact)
    return frozenset(found)


def _proved(facts: frozenset[Fact], claim: Fact) -> bool:
    """Asked with symbols renamed in order, since one question arises of many dims."""
    symbols = sorted({s for f in (*facts, claim) for s in _symbols(f)}, key=lambda s: (len(s.name), s.name))
    names = dict(zip(symbols, _NAMES, strict=False))
    if len(names) < len(symbols):
        return False
    return _follows(frozenset(f.replaced(names) for f in facts), claim.replaced(names))


@functools.lru_cache(maxsize=65536)
def _follows(facts: frozenset[Fact], claim: Fact) -> bool:
    ordered = sorted(facts, key=str)
    return Prover(None, [f.claim for f in ordered]).decide(claim.claim).proved


@functools.lru_cache(maxsize=65536)
def _possible(facts: frozenset[Fact]) -> bool:
    left = set(facts)
    while left:
        part = _related(list(left), next(iter(left)))
        left -= part
        if not part or not _met(sorted(part, key=str)):
            return False
    return True


def _met(facts: Sequence[Fact]) -> bool:
    symbols = sorted({s for f in facts for s in _symbols(f)}, key=str)
    claims = [f.claim for f in facts]
    points = itertools.product((1, 2, 0, 3), repeat=len(symbols))
    for point in itertools.islice(points, MAX_POINTS):
        at: dict[Any, int] = dict(zip(symbols, point, strict=True))
        try:
            if all(evaluate(claim, at) for claim in claims):
                return True
        except Unevaluable:
            continue
    return False
