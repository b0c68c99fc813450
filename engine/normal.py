"""One normal form for integer expressions: polynomials over symbols and irreducible floors.

``Mod``, ``CeilDiv`` and ``ModularIndexing`` are written with floors (``p mod c = p - c*floor(p/c)``), what
divides is taken out of a floor, and nested floors by constants are merged. Expressions that torch's own
simplifier tells apart then often meet: ``8*(s//8) + Mod(s, 8)`` and ``s`` are one polynomial.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import gcd

import sympy
import torch.utils._sympy.functions as functions

from .atoms import Atom, Choice, Extremum, Floor, parts
from .polynomial import (
    Key,
    OutOfReach,
    Poly,
    add,
    constant,
    content,
    divide,
    key,
    multiply,
    scale,
    split_by,
    substitute,
    unknown,
    unknowns,
    value_of,
)

MAX_POWER = 8


class Normalizer:
    """Numbers atoms as they are met and remembers normal forms, for the length of one run."""

    def __init__(self, replace: Callable[[sympy.Symbol], sympy.Expr | None], nonzero: Callable[[Poly], bool]):
        self.atoms: list[Atom] = []
        self._numbers: dict[Atom, int] = {}
        self._forms: dict[sympy.Basic, Poly] = {}
        self._replace, self._nonzero = replace, nonzero

    def __call__(self, expr: int | sympy.Basic) -> Poly:
        """The normal form of an integer expression. Raises ``OutOfReach``."""
        if isinstance(expr, int):
            return constant(expr)
        found = self._forms.get(expr)
        if found is None:
            found = self._forms[expr] = self._form(expr)
        return found

    def number(self, atom: Atom) -> int:
        """The number of the unknown that stands for ``atom``."""
        found = self._numbers.get(atom)
        if found is None:
            found = self._numbers[atom] = len(self.atoms)
            self.atoms.append(atom)
        return found

    def symbols_in(self, poly: Poly) -> set[int]:
        """The numbers of the symbols, and expressions not looked into, that the value depends on."""
        found: set[int] = set()
        stack, seen = [poly], set[int]()
        while stack:
            for number in unknowns(stack.pop()) - seen:
                seen.add(number)
                inside = parts(self.atoms[number])
                if inside:
                    stack += map(dict, inside)
                else:
                    found.add(number)
        return found

    def rewriter(self, simpler: Callable[[Atom], Atom | Key | int]) -> Callable[[Poly], Poly]:
        """A function that puts polynomials in normal form anew, with ``simpler`` applied to every atom before
        its parts are looked at. It gives an atom, a polynomial or a number. Raises ``OutOfReach``."""
        forms: dict[int, Poly] = {}

        def again(poly: Poly) -> Poly:
            return substitute(poly, form)

        def form(number: int) -> Poly:
            found = forms.get(number)
            if found is None:
                found = forms[number] = anew(number)
            return found

        def anew(number: int) -> Poly:
            atom = simpler(self.atoms[number])
            if isinstance(atom, int):
                return constant(atom)
            if isinstance(atom, frozenset):
                return again(dict(atom))
            inside = [again(dict(p)) for p in parts(atom)]
            if isinstance(atom, Floor):
                return self.floor(*inside)
            if isinstance(atom, Extremum):
                return self.extremum(atom.largest, inside)
            return self.choice(*inside) if isinstance(atom, Choice) else unknown(number)

        return again

    def _form(self, expr: sympy.Basic) -> Poly:
        if isinstance(expr, sympy.Integer):
            return constant(int(expr))
        if isinstance(expr, sympy.Symbol):
            known = self._replace(expr)
            return self._whole(expr) if known is None or known == expr else self(known)
        if isinstance(expr, sympy.Add):
            total: Poly = {}
            for part in expr.args:
                total = add(total, self(part))
            return total
        if isinstance(expr, sympy.Mul):
            product = constant(1)
            for part in expr.args:
                product = multiply(product, self(part))
            return product
        if isinstance(expr, sympy.Pow | functions.PowByNatural):
            return self._power(expr)
        if isinstance(expr, functions.FloorDiv):
            return self.floor(*map(self, expr.args))
        if isinstance(expr, functions.CeilDiv):
            over, under = map(self, expr.args)
            return scale(self.floor(scale(over, -1), under), -1)
        if isinstance(expr, functions.Mod | functions.PythonMod | sympy.Mod):
            return self.modulo(*map(self, expr.args))
        if isinstance(expr, functions.ModularIndexing):
            base, divisor, modulus = map(self, expr.args)
            return self.modulo(self.floor(base, divisor), modulus)
        if isinstance(expr, functions.Min | functions.Max | sympy.Min | sympy.Max):
            return self.extremum(isinstance(expr, functions.Max | sympy.Max), [self(a) for a in expr.args])
        if isinstance(expr, functions.Where):
            condition, then, other = expr.args
            chosen = self._by_condition(condition, self(then), self(other))
            return self._whole(expr) if chosen is None else chosen
        if isinstance(expr, functions.Identity):
            return self(expr.args[0])
        return self._whole(expr)

    def _whole(self, expr: sympy.Basic) -> Poly:
        """An expression that is not looked into. Every step of the prover relies on its being an integer."""
        if not expr.is_integer:
            raise OutOfReach(f"{expr} is not known to be an integer")
        return unknown(self.number(expr))

    def _power(self, expr: sympy.Basic) -> Poly:
        base, exponent = expr.args
        if not isinstance(exponent, sympy.Integer) or not 0 <= int(exponent) <= MAX_POWER:
            return self._whole(expr)
        product, form = constant(1), self(base)
        for _ in range(int(exponent)):
            product = multiply(product, form)
        return product

    def modulo(self, over: Poly, under: Poly) -> Poly:
        """``over - under * floor(over / under)``: the remainder with the sign of the divisor."""
        return add(over, multiply(under, self.floor(over, under)), -1)

    def floor(self, over: Poly, under: Poly) -> Poly:
        """``floor(over / under)``, with what divides taken out."""
        divisor = value_of(under)
        if divisor is None:
            return self._floor_by_unknown(over, under)
        if divisor == 0:
            return unknown(self.number(Floor(key(over), key(under))))
        if divisor < 0:
            over, divisor = scale(over, -1), -divisor
        outside, rest = split_by(over, divisor)
        shared = gcd(content(rest), divisor)
        if content(rest) == 0:
            return outside
        if shared > 1:
            # floor((g*a + k) / (g*d)) == floor((a + k // g) / d) for integers a and k
            rest = {m: c // shared for m, c in rest.items() if c // shared}
            divisor //= shared
            if divisor == 1:
                return add(outside, rest)
        merged = self._merged(rest, divisor)
        if merged is not None:
            return add(outside, merged)
        return add(outside, unknown(self.number(Floor(key(rest), key(constant(divisor))))))

    def _merged(self, over: Poly, divisor: int) -> Poly | None:
        """``floor((floor(p / a) + k) / d) == floor((p + a*k) / (a*d))``."""
        terms = [(m, c) for m, c in over.items() if m]
        if len(terms) != 1 or terms[0][1] != 1 or len(terms[0][0]) != 1:
            return None
        inner = self.atoms[terms[0][0][0]]
        if not isinstance(inner, Floor):
            return None
        first = value_of(dict(inner.under))
        if first is None or first <= 0:
            return None
        return self.floor(add(dict(inner.over), constant(first * over.get((), 0))), constant(first * divisor))

    def _floor_by_unknown(self, over: Poly, under: Poly) -> Poly:
        if self._nonzero(under):
            exact = divide(over, under)
            if exact is not None:
                return exact
        return unknown(self.number(Floor(key(over), key(under))))

    def extremum(self, largest: bool, of: list[Poly]) -> Poly:
        """``Max`` of the operands if ``largest``, else ``Min``."""
        options: set[Key] = set()
        for poly in of:
            atom = self._alone(poly)
            same = isinstance(atom, Extremum) and atom.largest == largest
            options |= atom.of if same else {key(poly)}  # type: ignore[union-attr]
        for one, other in itertools.permutations(options, 2):
            ahead = value_of(add(dict(one), dict(other), -1))
            if ahead is not None and (ahead > 0) == largest:
                options.discard(other)
        if len(options) == 1:
            return dict(next(iter(options)))
        return unknown(self.number(Extremum(largest, frozenset(options))))

    def _alone(self, poly: Poly) -> Atom | None:
        """The atom that the polynomial is, if it is one."""
        (monomial, coefficient), *rest = poly.items() or [((), 0)]
        return self.atoms[monomial[0]] if len(monomial) == 1 and coefficient == 1 and not rest else None

    def choice(self, when: Poly, then: Poly, other: Poly) -> Poly:
        """``then`` where ``when >= 0``, else ``other``."""
        value = value_of(when)
        if value is not None or then == other:
            return other if value is not None and value < 0 else then
        return unknown(self.number(Choice(key(when), key(then), key(other))))

    def _by_condition(self, condition: sympy.Basic, then: Poly, other: Poly) -> Poly | None:
        """``then`` where the condition holds, else ``other``; None for a condition that is no relation of
        integers, or made of them."""
        if condition in (sympy.true, sympy.false):
            return then if condition is sympy.true else other
        if isinstance(condition, sympy.Not):
            return self._by_condition(condition.args[0], other, then)
        if isinstance(condition, sympy.And | sympy.Or):
            result: Poly | None = then if isinstance(condition, sympy.And) else other
            for part in condition.args:
                if result is not None:
                    sides = (result, other) if isinstance(condition, sympy.And) else (then, result)
                    result = self._by_condition(part, *sides)
            return result
        if not isinstance(condition, sympy.Rel):
            return None
        left, right = map(self, condition.args)
        more, less = add(left, right, -1), add(right, left, -1)
        if isinstance(condition, sympy.Eq):
            return self.choice(more, self.choice(less, then, other), other)
        if isinstance(condition, sympy.Ne):
            return self.choice(more, self.choice(less, other, then), then)
        if isinstance(condition, sympy.Ge | sympy.Le):
            return self.choice(more if isinstance(condition, sympy.Ge) else less, then, other)
        return self.choice(less if isinstance(condition, sympy.Gt) else more, other, then)
