"""Which simple fact would have sufficed? A fixed, small set of candidates is tried, none is guessed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import sympy
from torch.utils._sympy.functions import Mod

from .knowledge import Knowledge
from .points import Unevaluable, candidates, divisors, landmarks
from .proof import Proof
from .torch_api import ShapeEnv

MAX_SYMBOLS = 3
MAX_DIVISORS = 4

Decide = Callable[[sympy.Basic, Sequence[sympy.Basic]], Proof]


def sufficient_fact(
    claim: sympy.Basic, env: ShapeEnv | None, assume: Sequence[sympy.Basic], decide: Decide
) -> str | None:
    """The first candidate fact under which ``decide`` proves the claim, as ``4 | s0`` or ``s0 >= 1``.

    Divisibility by the divisors that occur comes first, then lower bounds, equality and order of two
    symbols. A fact that no allowed point satisfies would prove anything, so one such point is found first.
    """
    known = Knowledge(env, assume)
    symbols, facts = known.related(claim.free_symbols)
    if not 0 < len(symbols) <= MAX_SYMBOLS:
        return None
    ranges = {s: known.range_of_symbol(s) for s in symbols}
    for fact, text in _candidates(claim, symbols):
        points = candidates(symbols, ranges, known.hint, divisors(fact, claim), landmarks(fact, claim))
        if any(_holds(known, p, facts, fact) for p in points) and decide(claim, [*assume, fact]).proved:
            return text
    return None


def _holds(
    known: Knowledge, point: dict[sympy.Symbol, int], facts: list[sympy.Basic], fact: sympy.Basic
) -> bool:
    try:
        return known.truth(fact, point) is True and known.allows(point, facts)
    except Unevaluable:
        return False


def _candidates(claim: sympy.Basic, symbols: list[sympy.Symbol]) -> Iterator[tuple[sympy.Basic, str]]:
    for symbol in symbols:
        for divisor in divisors(claim)[:MAX_DIVISORS]:
            yield sympy.Eq(Mod(symbol, divisor), 0, evaluate=False), f"{divisor} | {symbol}"
    for symbol in symbols:
        for low in (0, 1, 2):
            yield sympy.Ge(symbol, low, evaluate=False), f"{symbol} >= {low}"
    for left, right in itertools.permutations(symbols, 2):
        if str(left) < str(right):
            yield sympy.Eq(left, right, evaluate=False), f"{left} == {right}"
        yield sympy.Le(left, right, evaluate=False), f"{left} <= {right}"
