"""Claims over the sizes of one graph, and what evaluation says of them: an oracle that shares no code with the
prover."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy
import torch
import torch.utils._sympy.functions as functions
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._sympy.printers import PythonPrinter

from noopelim.torch_api import expression_of

Size: TypeAlias = "int | torch.SymInt"
Expr: TypeAlias = "int | sympy.Expr"
Point: TypeAlias = "dict[str, int]"

SIGNS = {sympy.Eq: "==", sympy.Ne: "!=", sympy.Le: "<=", sympy.Lt: "<"}
UNBOUNDED = 2**62
"""A range that ends here or later is no bound on a size."""
TRIES = 5000
ENOUGH = 2000
RUN = 1024


@dataclass(frozen=True, slots=True)
class Claim:
    """``left relation right``. ``intended``: true or false by construction, None where it was recorded."""

    relation: type[sympy.Rel]
    left: Expr
    right: Expr
    intended: bool | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.left} {SIGNS[self.relation]} {self.right}"

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """The symbols on either side."""
        return set().union(*(e.free_symbols for e in (self.left, self.right) if isinstance(e, sympy.Basic)))

    def built(self) -> sympy.Basic:
        """As sympy, unevaluated."""
        return self.relation(sympy.sympify(self.left), sympy.sympify(self.right), evaluate=False)


@dataclass
class Group:
    """What is asked of one graph: claims that share a ``ShapeEnv``."""

    family: str
    name: str
    env: ShapeEnv
    claims: list[Claim] = field(default_factory=list)

    def add(self, relation: type[sympy.Rel], left: Size, right: Size, intended: bool | None = None) -> None:
        """Add a claim unless it is there already or has no symbols, since then there is nothing to prove."""
        claim = Claim(relation, expression_of(left), expression_of(right), intended)
        # Of the claims made by rule, those too where torch's arithmetic already gave both sides one form.
        settled = intended is not None and claim.left == claim.right
        if claim.symbols and not settled and claim not in self.claims:
            self.claims.append(claim)


class Oracle:
    """Evaluates claims at points that the facts of one ``ShapeEnv`` allow. Expressions become Python source."""

    def __init__(self, env: ShapeEnv) -> None:
        self._env = env
        self._points: dict[frozenset[sympy.Symbol], list[Point]] = {}
        replaced = [
            relation(s, bound)
            for s in env.replacements
            for relation, bound in zip((sympy.Ge, sympy.Le), self._range(s), strict=True)
        ]
        asserted = [a.expr for group in env.deferred_runtime_asserts.values() for a in group]
        facts = [self._resolved(f) for f in (*(g.expr for g in env.guards), *asserted, *replaced)]
        self._facts = [(f.free_symbols, _compiled(f)) for f in facts if f is not sympy.true]

    def falsified(self, claim: Claim) -> bool:
        """Is the claim false at some allowed point that was tried?"""
        resolved = self._resolved(claim.built())
        holds = _compiled(resolved)
        return any(_value(holds, p) is False for p in self._allowed(resolved.free_symbols))

    def confirms(self, claim: Claim, witness: Mapping[sympy.Symbol, int]) -> bool:
        """Is ``witness`` within the ranges, and the claim false there?"""
        within = all(low <= witness[s] <= high for s in witness for low, high in [self._range(s)])
        return within and _value(_compiled(claim.built()), {str(s): v for s, v in witness.items()}) is False

    def _resolved(self, expr: sympy.Basic) -> sympy.Basic:
        while expr.free_symbols & self._env.replacements.keys():
            expr = expr.xreplace(self._env.replacements)
        return expr

    def _range(self, symbol: sympy.Symbol) -> tuple[int, int]:
        known = self._env.var_to_range[symbol]
        return _end(known.lower, -UNBOUNDED), _end(known.upper, UNBOUNDED)

    def _allowed(self, symbols: set[sympy.Symbol]) -> list[Point]:
        key = frozenset(symbols)
        if key not in self._points:
            self._points[key] = self._found(symbols)
        return self._points[key]

    def _found(self, symbols: set[sympy.Symbol]) -> list[Point]:
        related = set(symbols)
        while more := set().union(*(s for s, _ in self._facts if s & related)) - related:
            related |= more
        facts = [test for s, test in self._facts if s & related]
        found: list[Point] = []
        for point in self._tries(sorted(related, key=str)):
            if all(_value(test, point) is True for test in facts):
                found.append(point)
            if len(found) == ENOUGH:
                break
        return found

    def _tries(self, symbols: Sequence[sympy.Symbol]) -> Iterator[Point]:
        hint = self._env.backed_var_to_val
        if all(s in hint for s in symbols):
            yield {str(s): int(hint[s]) for s in symbols}
        chance = random.Random(0)
        ranges = {s: self._range(s) for s in symbols}
        if len(symbols) == 1:
            # Every remainder by any divisor of ordinary size.
            low, high = ranges[symbols[0]]
            start = max(low, min(0, high))
            yield from ({str(symbols[0]): v} for v in range(start, min(start + RUN, high + 1)))
        for _ in range(TRIES):
            reach = chance.choice((3, 20, 300, 10**6))
            step = chance.choice((1, 1, 8, 64))
            yield {str(s): _near(low, high, reach, step, chance) for s, (low, high) in ranges.items()}


def _end(bound: sympy.Basic, otherwise: int) -> int:
    # Torch writes an absent bound with an infinity of its own, which is no Integer.
    return int(bound) if isinstance(bound, sympy.Integer) else otherwise


def _near(low: int, high: int, reach: int, step: int, chance: random.Random) -> int:
    """A value close to zero, or to the end of the range that is closest to it. Often a multiple of ``step``."""
    start = min(max(low, 0), high)
    value = start + chance.randrange(reach) * (-1 if low < 0 and chance.random() < 0.5 else 1)
    return min(max(low, value // step * step if step > 1 else value), high)


def _compiled(expr: sympy.Basic) -> Callable[[Point], object]:
    code = compile(PythonPrinter().doprint(expr), "<claim>", "eval")
    return lambda point: eval(code, {"min": min, "max": max}, point)


def _value(holds: Callable[[Point], object], point: Point) -> bool | None:
    try:
        return bool(holds(point))
    except ZeroDivisionError:
        return None


def in_complete_class(claim: Claim, env: ShapeEnv) -> bool:
    """Is it of the class that ``integers.py`` calls complete? Equalities of nested divisions by positive
    constants over polynomials in symbols without upper bound."""
    if claim.relation is not sympy.Eq:
        return False
    bounded = any(_end(env.var_to_range[s].upper, UNBOUNDED) < UNBOUNDED for s in claim.symbols)
    sides = (e for e in (claim.left, claim.right) if isinstance(e, sympy.Basic))
    return not bounded and all(map(_quasi_polynomial, sides))


def _quasi_polynomial(expr: sympy.Basic) -> bool:
    if isinstance(expr, sympy.Integer | sympy.Symbol):
        return True
    if isinstance(expr, sympy.Add | sympy.Mul):
        return all(map(_quasi_polynomial, expr.args))
    if isinstance(expr, sympy.Pow | functions.PowByNatural):
        base, exponent = expr.args
        return isinstance(exponent, sympy.Integer) and exponent >= 0 and _quasi_polynomial(base)
    if isinstance(expr, functions.FloorDiv | functions.Mod | functions.PythonMod | functions.ModularIndexing):
        return all(isinstance(d, sympy.Integer) and d > 0 for d in expr.args[1:]) and _quasi_polynomial(
            expr.args[0]
        )
    return False
