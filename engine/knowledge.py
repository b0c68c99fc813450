"""What a ``ShapeEnv`` and the user know of the symbols, read once and changed by nothing here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import lcm

import sympy
import torch.utils._sympy.functions as functions

from .bounds import Bounds, Range
from .normal import Normalizer
from .points import Point, Unevaluable, evaluate
from .polynomial import OutOfReach, Poly, add, constant, scale, value_of
from .torch_api import ShapeEnv, hints, resolved

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
"""Sizes, strides and bounds are 64-bit integers, so no symbol lies outside."""

_RELATIONS = (sympy.Eq, sympy.Ne, sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt)


class Knowledge:
    """Ranges, replacements, relations. ``zero``: polynomials known to be 0. ``bounds``: under all of it."""

    def __init__(self, env: ShapeEnv | None, assume: Sequence[sympy.Basic]) -> None:
        self.replacements: Mapping[sympy.Symbol, sympy.Expr] = dict(env.replacements) if env else {}
        self._ranges = {s: _range(r) for s, r in env.var_to_range.items()} if env else {}
        self.relations = tuple(dict.fromkeys([*assume, *(_relations_of(env) if env else ())]))
        self.hint: Point = {s: int(v) for s, v in hints(env).items()} if env else {}
        # Runtime asserts and what torch replaces an unbacked symbol by may contradict today's sizes.
        if (
            any(self.truth(fact, self.hint) is not True for fact in assume)
            or any(self.truth(fact, self.hint) is False for fact in self.relations)
            or not self.allows(self.hint, ())
        ):
            self.hint = {}
        self.multiples = self._multiples()
        self._quotients = {s: m * q for q, (s, m) in self.multiples.items()}
        self.normal = Normalizer(self._form_of, self._nonzero)
        self.zero: list[Poly] = []
        self.bounds = Bounds(self.normal, self.range_of)
        for relation in self.relations:
            self._learn(relation)

    def _multiples(self) -> dict[sympy.Symbol, tuple[sympy.Symbol, int]]:
        """For each symbol known to be a multiple of ``m`` a new one, its quotient: the prover then works
        with ``m*q``, and the quotient's range is rounded inwards."""
        found: dict[sympy.Symbol, int] = {}
        for relation in self.relations:
            for part in relation.args if isinstance(relation, sympy.And) else (relation,):
                known = _divisibility(part)
                if known is not None and known[0] not in self.replacements:
                    found[known[0]] = lcm(found.get(known[0], 1), known[1])
        quotients = {}
        for symbol, divisor in found.items():
            quotient = sympy.Symbol(f"{symbol}/{divisor}", integer=True)
            low, high = self.range_of_symbol(symbol)
            self._ranges[quotient] = (-(-low // divisor), high // divisor)
            quotients[quotient] = (symbol, divisor)
        return quotients

    def _form_of(self, symbol: sympy.Symbol) -> sympy.Expr | None:
        return self.replacements.get(symbol, self._quotients.get(symbol))

    def range_of(self, number: int) -> Range | None:
        """The range of an unknown; None if it is no symbol."""
        atom = self.normal.atoms[number]
        return self.range_of_symbol(atom) if isinstance(atom, sympy.Symbol) else None

    def range_of_symbol(self, symbol: sympy.Symbol) -> tuple[int, int]:
        """Least and greatest value. Without a ``ShapeEnv`` what the symbol's assumptions say."""
        low, high = self._ranges.get(symbol, (None, None))
        if low is None:
            low = 1 if symbol.is_positive else 0 if symbol.is_nonnegative else INT64_MIN
        return low, INT64_MAX if high is None else high

    def related(self, symbols: Iterable[sympy.Symbol]) -> tuple[list[sympy.Symbol], list[sympy.Basic]]:
        """The symbols that facts tie to the given ones, and those facts. Replaced symbols are resolved."""
        found = dict.fromkeys(r for s in symbols for r in self._roots(s))
        facts: dict[sympy.Basic, None] = {}
        size = -1
        while size != len(found) + len(facts):
            size = len(found) + len(facts)
            for symbol in self.replacements:
                # The range of a replaced symbol is a fact about what replaces it.
                roots = list(self._roots(symbol))
                if any(r in found for r in roots):
                    found.update(dict.fromkeys(roots))
            for fact in self.relations:
                roots = [r for s in fact.free_symbols for r in self._roots(s)]
                if fact not in facts and any(r in found for r in roots):
                    facts[fact] = None
                    found.update(dict.fromkeys(roots))
        return sorted(found, key=str), list(facts)

    def complete(self, point: Point, symbols: Iterable[sympy.Symbol]) -> dict[sympy.Symbol, int]:
        """``point`` extended to symbols that are replaced by others. Raises ``Unevaluable``."""
        full = dict(point)
        for symbol in symbols:
            if symbol not in full:
                full[symbol] = evaluate(resolved(symbol, self.replacements), full)
        return full

    def allows(self, point: Point, facts: Iterable[sympy.Basic]) -> bool:
        """Do the ranges and these facts surely allow the point?"""
        for symbol, value in point.items():
            low, high = self.range_of_symbol(symbol)
            if not low <= value <= high:
                return False
        for symbol in self.replacements:
            if symbol not in point and resolved(symbol, self.replacements).free_symbols <= point.keys():
                value = evaluate(resolved(symbol, self.replacements), point)
                low, high = self.range_of_symbol(symbol)
                if not low <= value <= high:
                    return False
        return all(self.truth(fact, point) is True for fact in facts)

    def truth(self, claim: sympy.Basic, point: Point) -> bool | None:
        """The truth of a claim at a point; None if it cannot be evaluated there."""
        try:
            return bool(evaluate(claim, self.complete(point, claim.free_symbols)))
        except Unevaluable:
            return None

    def _roots(self, symbol: sympy.Symbol) -> set[sympy.Symbol]:
        return resolved(symbol, self.replacements).free_symbols  # type: ignore[no-any-return]

    def _nonzero(self, poly: Poly) -> bool:
        positive, negative = add(poly, constant(-1)), add(constant(-1), poly, -1)
        return self.bounds.nonnegative(positive) or self.bounds.nonnegative(negative)

    def _learn(self, relation: sympy.Basic) -> None:
        if isinstance(relation, sympy.And):
            for part in relation.args:
                self._learn(part)
            return
        if not isinstance(relation, _RELATIONS):
            return
        try:
            left, right = (self.normal(a) for a in relation.args)
        except OutOfReach:
            return
        difference = add(left, right, -1)
        if value_of(difference) is not None:
            return
        if isinstance(relation, sympy.Eq):
            self.zero.append(difference)
            facts = [difference, scale(difference, -1)]
        elif isinstance(relation, sympy.Ge | sympy.Gt):
            facts = [add(difference, constant(-int(isinstance(relation, sympy.Gt))))]
        elif isinstance(relation, sympy.Le | sympy.Lt):
            facts = [add(scale(difference, -1), constant(-int(isinstance(relation, sympy.Lt))))]
        else:
            return
        self.bounds = self.bounds.with_facts_only(*self.bounds.facts, *facts)


def _range(known: object) -> tuple[int | None, int | None]:
    def end(value: object) -> int | None:
        return int(value) if isinstance(value, sympy.Integer | int) else None

    return end(getattr(known, "lower", None)), end(getattr(known, "upper", None))


def _relations_of(env: ShapeEnv) -> Iterable[sympy.Basic]:
    yield from (guard.expr for guard in env.guards)
    for asserts in env.deferred_runtime_asserts.values():
        yield from (a.expr for a in asserts)
    for remainder in env.divisible:
        if isinstance(remainder, functions.Mod | functions.PythonMod):
            yield sympy.Eq(remainder, 0, evaluate=False)


def _divisibility(relation: sympy.Basic) -> tuple[sympy.Symbol, int] | None:
    """The symbol and divisor of ``Mod(s, m) == 0``."""
    if not isinstance(relation, sympy.Eq):
        return None
    remainder, zero = relation.args if relation.args[1] == 0 else relation.args[::-1]
    if zero != 0 or not isinstance(remainder, functions.Mod | functions.PythonMod | sympy.Mod):
        return None
    symbol, divisor = remainder.args
    if not isinstance(symbol, sympy.Symbol) or not isinstance(divisor, sympy.Integer) or divisor <= 0:
        return None
    return symbol, int(divisor)
