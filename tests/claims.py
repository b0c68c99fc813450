"""Random claims about integers: true by construction, near-true, or anything at all; and how to judge them.

Every choice comes from one ``random.Random``, so that Hypothesis (``st.randoms``) and the soak share the
generators. The evaluator is Python source compiled from the sympy tree, independent of the prover's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, TypeAlias

import sympy
from torch.utils._sympy import functions
from torch.utils._sympy.functions import (
    CleanDiv,
    FloorDiv,
    Mod,
    ModularIndexing,
    PowByNatural,
    PythonMod,
    Where,
)

Expr: TypeAlias = sympy.Expr
# Torch leaves their constructors without types.
CeilDiv: Any = functions.CeilDiv
Max: Any = functions.Max
Min: Any = functions.Min

CONSTANTS = (2, 2, 3, 4, 4, 5, 6, 8)


@dataclass(frozen=True)
class Claim:
    """``claim`` in the ``family`` that made it. ``surely``: true of all integers, by construction."""

    family: str
    claim: sympy.Basic
    surely: bool


def int_symbols(*names: str) -> list[sympy.Symbol]:
    return [sympy.Symbol(n, integer=True) for n in names]


# How to judge


_INFIX: dict[Any, str] = {
    sympy.Add: " + ",
    sympy.Mul: " * ",
    sympy.And: " and ",
    sympy.Or: " or ",
    sympy.Eq: " == ",
    sympy.Ne: " != ",
    sympy.Le: " <= ",
    sympy.Lt: " < ",
    sympy.Ge: " >= ",
    sympy.Gt: " > ",
    FloorDiv: " // ",
    CleanDiv: " // ",
    Mod: " % ",
    PythonMod: " % ",
    sympy.Mod: " % ",
    sympy.Pow: " ** ",
    PowByNatural: " ** ",
}
_CALLS: dict[Any, str] = {
    Max: "max({}, {})",
    Min: "min({}, {})",
    sympy.Max: "max({}, {})",
    sympy.Min: "min({}, {})",
    ModularIndexing: "({} // {} % {})",
    CeilDiv: "(-(-{} // {}))",
    sympy.Not: "(not {})",
    Where: "({1} if {0} else {2})",
}


def source(expr: sympy.Basic) -> str:
    """The expression in Python, over its symbols' names."""
    if isinstance(expr, sympy.Integer):
        return f"({int(expr)})"
    if isinstance(expr, sympy.Rational):
        # A conjunction makes 2*s <= 5 into s <= 5/2.
        return f"Fraction({expr.p}, {expr.q})"
    if isinstance(expr, sympy.Symbol):
        return str(expr)
    if expr in (sympy.true, sympy.false):
        return str(expr)
    kind = type(expr)
    parts = [source(a) for a in expr.args]
    if kind in _INFIX:
        return f"({_INFIX[kind].join(parts)})"
    if kind in (Max, Min, sympy.Max, sympy.Min):
        return f"{'max' if 'Max' in kind.__name__ else 'min'}({', '.join(parts)})"
    return _CALLS[kind].format(*parts)


def compiled(expr: sympy.Basic, symbols: Iterable[sympy.Symbol]) -> Callable[..., int]:
    """A function of the symbols, in order. It raises ``ZeroDivisionError`` where the value is undefined."""
    function: Callable[..., int] = eval(
        f"lambda {', '.join(map(str, symbols))}: {source(expr)}", {"Fraction": Fraction}
    )
    return function


# How to make


class Maker:
    """Makes expressions and claims over given symbols."""

    def __init__(self, random: Random, symbols: list[sympy.Symbol]) -> None:
        self.random, self.symbols, self.folds = random, symbols, False

    def op(self, kind: Any, *args: Expr | int) -> Expr:
        """An operation. Unless ``folds``, as written: torch's own folding is slow and hides what we test."""
        if self.folds or not any(isinstance(a, sympy.Basic) and a.free_symbols for a in args):
            return kind(*args)
        node = Expr.__new__(kind, *map(sympy.sympify, args))
        if kind in (Max, Min):
            node._argset, node.unique_summations_symbols = frozenset(node.args), None
        return node

    def constant(self) -> int:
        return self.random.choice(CONSTANTS)

    def linear(self) -> Expr:
        total = sympy.Integer(self.random.choice((0, 0, 1, -1, 3, 7)))
        for symbol in self.random.choices(self.symbols, k=self.random.choice((1, 1, 2))):
            total += self.random.choice((1, 1, 1, -1, 2, 3, 4, 8, -4)) * symbol
        return total

    def expr(self, depth: int = 2) -> Expr:
        """Anything: sums, products, divisions by constants, remainders, extrema, choices."""
        kind = self.random.randrange(12) if depth else 0
        if kind < 3:
            return self.linear()
        inner, c = self.expr(depth - 1), self.constant()
        if kind == 3:
            return self.op(FloorDiv, inner, c)
        if kind == 4:
            return self.op(self.random.choice((PythonMod, PythonMod, Mod)), inner, c)
        if kind == 5:
            return self.op(CeilDiv, inner, c)
        if kind == 6:
            return self.op(ModularIndexing, inner, c, self.constant())
        if kind == 7:
            return inner * self.random.choice((c, self.linear()))
        if kind == 8:
            return inner + self.random.choice((1, -1, 2)) * self.expr(depth - 1)
        other = self.expr(depth - 1) if kind == 9 else inner + self.random.choice((-2, 0, 1, 5))
        if kind == 11:
            return self.op(Where, self.condition(), inner, other)
        return self.op(self.random.choice((Max, Min)), inner, other)

    def condition(self) -> sympy.Basic:
        """For a ``Where``: an order, an equality, or two of them."""
        kind = self.random.choice((sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge, sympy.Eq, sympy.Ne))
        # By symbols of either side alone: sympy would fold some of the others to true or false.
        first = kind(self.linear(), self.constant(), evaluate=False)
        if self.random.random() < 0.7:
            return first
        joined = self.random.choice((sympy.And, sympy.Or))
        second = sympy.Not(sympy.Le(self.linear(), self.linear(), evaluate=False), evaluate=False)
        return joined(first, second, evaluate=False)

    def periodic(self) -> Expr:
        """Inside the class that is complete: few divisions, small periods."""
        kind, inner, c = self.random.randrange(6), self.linear(), self.constant()
        if kind == 0:
            return inner * self.linear()
        if kind == 1:
            return self.op(FloorDiv, inner, c)
        if kind == 2:
            return self.op(PythonMod, inner, c)
        return inner

    def related(self, left: Expr, right: Expr) -> sympy.Basic:
        """What follows from ``left == right``."""
        kind, k = self.random.randrange(12), self.random.choice((0, 1, 1, 4))
        if kind == 0:
            return sympy.Le(left, right + k, evaluate=False)
        if kind == 1:
            return sympy.Lt(left, right + k + 1, evaluate=False)
        if kind == 2:
            return sympy.Ge(left + k, right, evaluate=False)
        if kind == 3:
            return sympy.Ne(left, right + k + 1, evaluate=False)
        if kind == 4:
            c = self.constant()
            return sympy.Eq(self.op(PythonMod, left - right + c * self.linear(), c), 0, evaluate=False)
        if kind == 5:
            return sympy.Gt(left + k + 1, right, evaluate=False)
        return sympy.Eq(left, right, evaluate=self.folds)

    def spoilt(self, claim: sympy.Basic) -> sympy.Basic:
        """Another claim that looks much like it: a constant off by one, or one symbol for another."""
        sides = list(claim.args)
        if not isinstance(claim, sympy.Rel):
            return claim
        side = self.random.randrange(2)
        old: sympy.Basic
        if self.random.random() < 0.4 and len(self.symbols) > 1:
            old, new = self.random.sample(self.symbols, 2)
        else:
            old = self.random.choice(sorted(sides[side].atoms(sympy.Integer), key=int) or [sympy.Integer(0)])
            new = old + self.random.choice((1, -1, 2))
        changed = self._replaced(sides[side], old, new)
        sides[side] = sides[side] + 1 if changed == sides[side] else changed
        return claim.func(*sides, evaluate=False)

    def _replaced(self, expr: Expr, old: sympy.Basic, new: sympy.Basic) -> Expr:
        if expr == old:
            return new
        if not expr.args or isinstance(expr, Where):
            return expr
        args = [self._replaced(a, old, new) for a in expr.args]
        if len(args) > 1 and type(expr) not in (sympy.Add, sympy.Mul, sympy.Pow, Max, Min) and 0 in args[1:]:
            return expr  # never a divisor of zero
        return (
            expr.func(*args)
            if isinstance(expr, sympy.Add | sympy.Mul | sympy.Pow)
            else self.op(type(expr), *args)
        )
