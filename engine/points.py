"""Evaluation of integer expressions at points, in plain Python ints, and the points that facts allow."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any

import sympy
import torch.utils._sympy.functions as functions

FAR = 2**40

Point = Mapping[sympy.Symbol, int]


class Unevaluable(Exception):
    """The expression has no integer value at the point: an unknown symbol or function, or a division by 0."""


def evaluate(expr: sympy.Basic, at: Point) -> int:
    """The value of an expression; a relation gives 0 or 1. Raises ``Unevaluable``."""
    if isinstance(expr, sympy.Integer):
        return int(expr)
    if isinstance(expr, sympy.Symbol):
        if expr not in at:
            raise Unevaluable(str(expr))
        return at[expr]
    if expr is sympy.true or expr is sympy.false:
        return int(expr is sympy.true)
    kernel = _kernel(type(expr))
    if kernel is None:
        raise Unevaluable(str(type(expr)))
    try:
        return int(kernel(*(evaluate(a, at) for a in expr.args)))
    except ZeroDivisionError:
        raise Unevaluable("division by zero") from None


def _power(base: int, exponent: int) -> int:
    if not 0 <= exponent <= 64:
        raise Unevaluable("power")
    return int(base**exponent)


_KERNELS: tuple[tuple[type | tuple[type, ...], Callable[..., Any]], ...] = (
    (sympy.Add, lambda *a: sum(a)),
    (sympy.Mul, lambda *a: prod(a)),
    (functions.FloorDiv, lambda a, b: a // b),
    ((functions.Mod, functions.PythonMod, sympy.Mod), lambda a, b: a % b),
    (functions.ModularIndexing, lambda a, b, c: a // b % c),
    (functions.CeilDiv, lambda a, b: -(-a // b)),
    ((functions.Min, sympy.Min), min),
    ((functions.Max, sympy.Max), max),
    ((sympy.Pow, functions.PowByNatural), _power),
    (functions.Identity, lambda a: a),
    (functions.Where, lambda c, a, b: a if c else b),
    (sympy.Eq, lambda a, b: a == b),
    (sympy.Ne, lambda a, b: a != b),
    (sympy.Le, lambda a, b: a <= b),
    (sympy.Lt, lambda a, b: a < b),
    (sympy.Ge, lambda a, b: a >= b),
    (sympy.Gt, lambda a, b: a > b),
    (sympy.And, lambda *a: all(a)),
    (sympy.Or, lambda *a: any(a)),
    (sympy.Not, lambda a: not a),
)
_found: dict[type, Callable[..., Any] | None] = {}


def _kernel(kind: type) -> Callable[..., Any] | None:
    if kind not in _found:
        _found[kind] = next((k for kinds, k in _KERNELS if issubclass(kind, kinds)), None)
    return _found[kind]


def candidates(
    symbols: Sequence[sympy.Symbol],
    ranges: Mapping[sympy.Symbol, tuple[int | None, int | None]],
    hint: Point,
    periods: Sequence[int] = (),
    near: Sequence[int] = (),
) -> Iterator[dict[sympy.Symbol, int]]:
    """Points to try, the hint first, then ends of ranges and their neighbourhood, then scattered ones.

    Within ``ranges``; other facts are the caller's to check. Deterministic. ``periods``: steps worth
    taking, such as the divisors in the expressions; ``near``: values worth trying, with their neighbours.
    """
    if all(s in hint for s in symbols):
        yield {s: hint[s] for s in symbols}
    choices = [_values(*ranges.get(s, (None, None)), periods, near) for s in symbols]
    if any(not c for c in choices):
        return
    if len(symbols) == 1:
        yield from ({symbols[0]: value} for value in choices[0])
        return
    small = [c[:4] for c in choices]
    for count, point in enumerate(itertools.product(*small)):
        if count == 64:
            break
        yield dict(zip(symbols, point, strict=True))
    # All alike, which orders between symbols allow; values that only the facts suggest come last in each list.
    for value in list(dict.fromkeys(itertools.chain.from_iterable(c[4:] for c in choices)))[:64]:
        if all(value in c for c in choices):
            yield dict.fromkeys(symbols, value)
    scatter = random.Random(len(symbols))
    for _ in range(48):
        yield {s: scatter.choice(c) for s, c in zip(symbols, choices, strict=True)}


def _values(low: int | None, high: int | None, periods: Sequence[int], near: Sequence[int]) -> list[int]:
    if low is not None and low < -FAR:
        # A witness is for people to read: start from zero rather than from the end of the 64-bit range.
        start = 0 if high is None else min(high, 0)
    else:
        start = low if low is not None else (min(high, 0) if high is not None else 0)
    steps = [
        0,
        1,
        2,
        3,
        5,
        7,
        16,
        30,
        97,
        1000,
        *(p * k + d for p in periods[:6] for k in (1, 3) for d in (0, 1)),
    ]
    found = [start + step for step in steps]
    if low is None or low < -FAR:
        found += [start - step for step in steps]
    if high is not None:
        found = [*found[:6], high, *found[6:]]
    found += [n + d for n in near[:8] for d in (0, 1, -1)]
    within = (v for v in found if (low is None or v >= low) and (high is None or v <= high))
    return list(dict.fromkeys(within))


def divisors(*expressions: sympy.Basic) -> list[int]:
    """The constants that the expressions divide by, and their product if it is small."""
    found = {
        abs(int(a))
        for expr in expressions
        for node in sympy.preorder_traversal(expr)
        if isinstance(
            node, functions.FloorDiv | functions.Mod | functions.PythonMod | functions.ModularIndexing
        )
        for a in node.args[1:]
        if isinstance(a, sympy.Integer)
    }
    together = reduce(lambda a, b: a * b, found, 1)
    return sorted({*found, together} if 1 < together < 10**6 else found)


def landmarks(*expressions: sympy.Basic) -> list[int]:
    """The constants in the expressions, smallest first."""
    found = {
        int(n) for expr in expressions for n in sympy.preorder_traversal(expr) if isinstance(n, sympy.Integer)
    }
    return sorted(found, key=abs)
