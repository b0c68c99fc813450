"""What is known of a few symbols, by the prover's ways of knowing, and the points that it allows.

The facts are made here and told twice: to a ``ShapeEnv`` or as assumptions, for the prover to read, and to a
``World``, which judges. All hold at one point, drawn first.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import sympy
from claims import compiled
from torch._dynamo.source import ConstantSource
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv
from torch.utils._sympy.functions import FloorDiv, PythonMod
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

Range = tuple[int, int]
LEAST, MOST = -(2**63), 2**63 - 1


@dataclass
class World:
    """Symbols, the ranges and facts that hold of them, and how the prover is told."""

    symbols: list[sympy.Symbol]
    ranges: dict[sympy.Symbol, Range]
    facts: list[sympy.Basic]
    env: ShapeEnv | None = None
    assume: tuple[sympy.Basic, ...] = ()
    today: dict[sympy.Symbol, int] = field(default_factory=dict)

    def allows(self, point: Mapping[sympy.Symbol, int]) -> bool:
        """Is a point of all symbols allowed?"""
        if any(not low <= point[s] <= high for s, (low, high) in self.ranges.items()):
            return False
        at = [point[s] for s in self.symbols]
        return all(_holds(f, self.symbols, at) for f in self.facts)

    def points(self, random: Random, small: int, large: int) -> list[list[int]]:
        """Allowed points: small ones, in order, about ``small`` of them before the facts sift them, then
        what is left of ``large`` random ones."""
        width = max(2, round(small ** (1 / len(self.symbols))))
        axes = []
        for symbol in self.symbols:
            low, high = self.ranges[symbol]
            start = max(low, -(width // 2)) if high >= 0 else low
            axes.append(range(start, min(high, start + width - 1) + 1))
        found = [list(p) for p in itertools.product(*axes)]
        found += [self._scattered(random) for _ in range(large)]
        if self.today.keys() >= set(self.symbols):
            found.append([self.today[s] for s in self.symbols])
        return [p for p in found if self.allows(dict(zip(self.symbols, p, strict=True)))]

    def extends(self, witness: Mapping[sympy.Symbol, int]) -> bool | None:
        """Does an allowed point of all symbols agree with ``witness``? None: there may be one elsewhere."""
        if any(not low <= witness[s] <= high for s, (low, high) in self.ranges.items() if s in witness):
            return False
        missing = [s for s in self.symbols if s not in witness]
        if not missing:
            return self.allows(witness)
        symbol = missing[0]
        low, high = self.ranges[symbol]
        near = self._solved(symbol, witness)
        near += [
            v * k + d for v in (0, low, high, *witness.values()) for k in (1, 2, 3) for d in range(-12, 13)
        ]
        found = (
            self.extends({**witness, symbol: value}) for value in dict.fromkeys(near) if low <= value <= high
        )
        return True if any(found) else None

    def _solved(self, symbol: sympy.Symbol, at: Mapping[sympy.Symbol, int]) -> list[int]:
        """The values that facts linear in ``symbol`` leave to it when all others are known."""
        values = []
        for fact in self.facts:
            if not isinstance(fact, sympy.Eq) or fact.free_symbols - at.keys() != {symbol}:
                continue
            sides = [compiled(side, [symbol, *at]) for side in fact.args]
            zero, one = (sides[0](x, *at.values()) - sides[1](x, *at.values()) for x in (0, 1))
            if zero != one:
                values += [-zero // (one - zero), -zero // (one - zero) + 1]
        return values

    def _scattered(self, random: Random) -> list[int]:
        at = {}
        for symbol in self.symbols:
            low, high = self.ranges[symbol]
            reach = 10 ** random.randrange(1, 19)
            start = max(low, -reach) if high >= -reach else low
            at[symbol] = random.randint(start, min(high, start + 2 * reach))
        for fact in self.facts:
            _repair(fact, at)
        return [at[s] for s in self.symbols]


def _repair(fact: sympy.Basic, at: dict[sympy.Symbol, int]) -> None:
    """Move one symbol of an equality such that it holds, if that is easy."""
    if not isinstance(fact, sympy.Eq):
        return
    left, right = fact.args
    if isinstance(left, PythonMod) and isinstance(left.args[0], sympy.Symbol):
        symbol, size = left.args[0], int(left.args[1])
        at[symbol] -= at[symbol] % size - int(right)
    elif isinstance(left, sympy.Symbol) and left not in right.free_symbols:
        names = list(at)
        at[left] = compiled(right, names)(*(at[n] for n in names))


_judges: dict[tuple[sympy.Basic, tuple[sympy.Symbol, ...]], object] = {}


def _holds(fact: sympy.Basic, symbols: list[sympy.Symbol], at: list[int]) -> bool:
    key = (fact, tuple(symbols))
    judge = _judges.get(key)
    if judge is None:
        if len(_judges) > 500:
            _judges.clear()
        judge = _judges[key] = compiled(fact, symbols)
    try:
        return bool(judge(*at))  # type: ignore[operator]
    except ZeroDivisionError:
        return False


def world(random: Random) -> World:
    """A world of one to three symbols."""
    count = random.choice((1, 2, 2, 3))
    kind = random.randrange(4)
    if kind == 0:
        return _plain(random, count)
    if kind == 1:
        return _assumed(random, count)
    return _traced(random, count, unbacked=kind == 3)


def _plain(random: Random, count: int) -> World:
    """No facts but what the symbols themselves say."""
    kinds: tuple[tuple[dict[str, bool], int], ...] = (
        ({"integer": True}, LEAST),
        ({"integer": True, "nonnegative": True}, 0),
        ({"integer": True, "positive": True}, 1),
    )
    ranges = {}
    for i in range(count):
        flags, low = random.choice(kinds)
        ranges[sympy.Symbol(f"s{i}", **flags)] = (low, MOST)
    return World(list(ranges), ranges, [])


def _range(random: Random) -> Range:
    low = random.choice((0, 0, 1, 1, 2, 3, -4, -50))
    return low, random.choice((MOST, MOST, low + 1, low + 5, low + 40, low + 4096))


def _facts(random: Random, symbols: list[sympy.Symbol], at: dict[sympy.Symbol, int]) -> list[sympy.Basic]:
    """Up to three facts that hold at a point."""
    found = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        s = random.choice(symbols)
        others = [t for t in symbols if t is not s]
        c = random.choice((2, 3, 4, 8))
        kind = random.randrange(8)
        if kind < 2 or not others:
            found.append(sympy.Eq(PythonMod(s, c), at[s] % c, evaluate=False))
            continue
        t = random.choice(others)
        gap = at[s] - at[t]
        if kind == 2:
            found.append(sympy.Eq(s, t + gap, evaluate=False))
        elif kind == 3:
            found.append(sympy.Eq(s, c * t + at[s] - c * at[t], evaluate=False))
        elif kind == 4:
            found.append(sympy.Le(s, t + gap + random.choice((0, 3)), evaluate=False))
        elif kind == 5:
            found.append(sympy.Lt(c * t, s + c * at[t] - at[s] + 1, evaluate=False))
        elif kind == 6:
            found.append(sympy.Ne(s, t + gap + random.choice((1, -1)), evaluate=False))
        else:
            found.append(sympy.Eq(FloorDiv(s, c), FloorDiv(t, c) + at[s] // c - at[t] // c, evaluate=False))
    return found


def _assumed(random: Random, count: int) -> World:
    ranges = {}
    for i in range(count):
        ranges[sympy.Symbol(f"s{i}", integer=True)] = _range(random)
    at = {s: random.randint(low, min(high, low + 20)) for s, (low, high) in ranges.items()}
    facts = _facts(random, list(ranges), at)
    told = [sympy.Le(low, s, evaluate=False) for s, (low, high) in ranges.items()]
    told += [sympy.Lt(s, high + 1, evaluate=False) for s, (low, high) in ranges.items() if high != MOST]
    return World(list(ranges), ranges, facts, None, (*told, *facts), at)


def _traced(random: Random, count: int, unbacked: bool) -> World:
    """A real ``ShapeEnv``; some facts as guards and runtime asserts, the rest assumed."""
    env = ShapeEnv(specialize_zero_one=False, duck_shape=False)
    ranges: dict[sympy.Symbol, Range] = {}
    at: dict[sympy.Symbol, int] = {}
    for i in range(count):
        low, high = _range(random)
        today = random.randint(low, min(high, low + 20))
        if unbacked and random.random() < 0.7:
            symbol = env.create_unbacked_symint().node.expr
        else:
            low, today = max(low, 0), max(today, 0)
            high = max(low, high)
            source = ConstantSource(f"s{i}")
            symbol = env.create_symbol(
                today, source, DimDynamic.DYNAMIC, do_not_specialize_zero_one=True, positive=None
            )
        env.var_to_range[symbol] = ValueRanges(low, int_oo if high == MOST else high)
        ranges[symbol], at[symbol] = (low, high), today
    facts = _facts(random, list(ranges), at)
    assumed = []
    for fact in facts:
        if random.random() < 0.25:
            assumed.append(fact)
        else:
            told = env.guard_or_defer_runtime_assert(fact.func(*fact.args), "a fact", None)
            assert told, fact
    return World(list(ranges), ranges, facts, env, tuple(assumed), at)
