"""Under which conditions on sizes does a rule fire at a form? The rule's own functions say: they are run.

What the sizes do not settle is supposed: each claim in turn is proved, refuted, or left open, and every course
of answers is followed on which the rule fires. Answers that say nothing of the sizes suppose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from torch.fx import Graph, Node
from torch.fx.node import map_aggregate
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from .facts import Facts, resolve
from .form_arguments import SYMBOLS, Made
from .integers import Expr, Prover
from .match import Matched, Matcher
from .pattern import Built, Calls, Computed, OpCall
from .points import evaluate
from .positions import Fact, Sizes
from .proof import Proof, Truth
from .rule import Rule, parameters_of
from .torch_api import FakeTensorMode, KeywordArg, ShapeEnv, hints, no_new_guards

MAX_COURSES = 300
"""How many courses of answers are followed at one form: four claims with four answers each."""


class TooManyCourses(Exception):
    """The rule asks more than can be followed."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A way to fire: what was supposed, and what then stands for the root: an operand, or a call's arguments
    in schema order. Symbols are those of the form."""

    supposed: tuple[Fact, ...]
    to: Made | tuple[Any, tuple[Any, ...]]


class World:
    """A ``ShapeEnv`` in which the symbols of forms are sizes from 0 up, and tensors of such sizes. No two values
    of a form share a stride: what a rule asks of strides is supposed, not seen."""

    def __init__(self) -> None:
        self.env = ShapeEnv()
        self._mode = FakeTensorMode(shape_env=self.env)
        self._tensors: dict[object, torch.Tensor] = {}
        self._register(SYMBOLS)
        self.prover = Prover(self.env)

    def _register(self, symbols: tuple[sympy.Symbol, ...]) -> None:
        self.env.var_to_range.update(dict.fromkeys(symbols, ValueRanges(0, int_oo)))
        today = hints(self.env)
        assert isinstance(today, dict)
        today.update(dict.fromkeys(symbols, sympy.S.One))

    def number(self, expr: Expr) -> int | torch.SymInt:
        """A size, bound or stride as a graph holds it. Today every symbol is 1, which lures a predicate that
        looks at today's sizes into firing at every form."""
        if isinstance(expr, int | sympy.Integer):
            return int(expr)
        return self.env.create_symintnode(expr, hint=evaluate(expr, dict.fromkeys(expr.free_symbols, 1)))

    def tensor(self, shape: Sizes, dtype: torch.dtype, nth: int) -> torch.Tensor:
        """The ``nth`` value of a form."""
        asked = (shape, dtype, nth)
        found = self._tensors.get(asked)
        if found is None:
            strides = tuple(
                sympy.Symbol(f"s{len(SYMBOLS) + 8 * nth + d}", integer=True, nonnegative=True)
                for d in range(len(shape))
            )
            self._register(strides)
            self.prover = Prover(self.env)
            with self._mode, self.env.suppress_guards():
                sizes, steps = (list(map(self.number, numbers)) for numbers in (shape, strides))
                found = self._tensors[asked] = torch.empty_strided(sizes, steps, dtype=dtype)
        return found

    def lay(self, made: Made) -> tuple[Node, dict[Node, Made | Expr]]:
        """A graph of the form: its root, and what each node stands for."""
        graph, nodes, meaning = Graph(), dict[object, Node](), dict[Node, Any]()

        def node_of(part: Any) -> Any:
            symbolic = isinstance(part, sympy.Expr) and not part.is_Integer
            if not (isinstance(part, Made) or symbolic):
                return part
            node = nodes.get(part)
            if node is None:
                if isinstance(part, Made) and part.target is not None:
                    args = map_aggregate(part.args, node_of)
                    node = graph.call_function(part.target, args)
                else:
                    node = graph.placeholder(f"p{len(nodes)}")
                is_made = isinstance(part, Made)
                node.meta["val"] = (
                    self.tensor(part.shape, part.dtype, len(nodes)) if is_made else self.number(part)
                )
                nodes[part], meaning[node] = node, part
            return node

        return node_of(made), meaning


class Supposing(Prover):
    """Answers truthfully what is settled for all sizes, and by ``course`` the rest, in the order asked."""

    def __init__(self, truthful: Prover, course: tuple[int, ...]) -> None:
        super().__init__(truthful.shape_env)
        self._truthful, self._course = truthful, course
        self._answers: dict[object, Proof] = {}
        self.supposed: list[Fact] = []
        self.ways: list[int] = []

    def equal(self, left: Expr, right: Expr) -> Proof:
        return self._answer(Fact(sympy.Eq, left, right))

    def at_most(self, left: Expr, right: Expr) -> Proof:
        return self._answer(Fact(sympy.Le, left, right))

    def decide(self, claim: sympy.Basic) -> Proof:
        if isinstance(claim, sympy.And):
            return Proof.all(map(self.decide, claim.args))
        for relation in (sympy.Eq, sympy.Ne, sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt):
            if isinstance(claim, relation):
                return self._answer(Fact(relation, *claim.args))
        return self._answer(claim)

    def _answer(self, asked: Fact | sympy.Basic) -> Proof:
        found = self._answers.get(asked)
        if found is None:
            found = self._answers[asked] = self._decided(asked)
        return found

    def _decided(self, asked: Fact | sympy.Basic) -> Proof:
        fact = asked if isinstance(asked, Fact) else None
        real = self._truthful.decide(fact.claim if fact else asked)
        if real.proved or (not real.witness and real.truth is Truth.REFUTED):
            return real
        ways: list[tuple[Proof, Fact | None]] = [
            (Proof(Truth.REFUTED, real.stated, "supposed"), fact.negated if fact else None),
            (Proof(Truth.UNKNOWN, real.stated, "supposed"), None),
            (Proof(Truth.REFUTED, real.stated, "supposed", real.witness or {SYMBOLS[0]: 0}), None),
        ]
        if fact is None or not self._truthful.decide(fact.negated.claim).proved:
            ways.insert(0, (Proof(Truth.PROVED, real.stated, "supposed"), fact))
        nth = len(self.ways)
        self.ways.append(len(ways))
        proof, supposed = ways[self._course[nth] if nth < len(self._course) else 0]
        if supposed is not None:
            self.supposed.append(supposed)
        return proof


def firings(rule: Rule, matcher: Matcher, made: Made, world: World) -> Iterator[Firing]:
    """Every way in which the rule fires at the form. Raises ``TooManyCourses``, and what the rule's own
    functions raise."""
    root, meaning = world.lay(made)
    matched = matcher(root)
    if matched is None:
        return
    course: tuple[int, ...] = ()
    for _ in range(MAX_COURSES):
        prover = Supposing(world.prover, course)
        # A predicate that asks for a guard is in error here as it would be in a run.
        with no_new_guards(world.env):
            to = _replacement(rule, Facts(prover, root), matched, meaning)
        if to is not None:
            yield Firing(tuple(prover.supposed), to)
        following = _next(course, prover.ways)
        if following is None:
            return
        course = following
    raise TooManyCourses(f"more than {MAX_COURSES} courses of answers")


def _next(course: tuple[int, ...], ways: list[int]) -> tuple[int, ...] | None:
    taken = [*course, *[0] * (len(ways) - len(course))][: len(ways)]
    while taken:
        last = taken.pop() + 1
        if last < ways[len(taken)]:
            return (*taken, last)
    return None


def _replacement(
    rule: Rule, facts: Facts, matched: Matched, meaning: dict[Node, Made | Expr]
) -> Made | tuple[Any, tuple[Any, ...]] | None:
    def asked(function: Callable[..., Any]) -> Any:
        return function(facts, *(resolve(matched.values[name]) for name in parameters_of(function)))

    def meant(argument: Any) -> Any:
        if isinstance(argument, list | tuple):
            return [meant(a) for a in argument]
        return meaning[argument] if isinstance(argument, Node) else argument

    if rule.where is not None and not asked(rule.where).proved:
        return None
    if isinstance(rule.to, Calls | Built):
        return None
    if not isinstance(rule.to, OpCall):
        source = meaning.get(matched.values[rule.to.name])
        return source if isinstance(source, Made) else None
    args: list[Any] = []
    for argument in rule.to.args:
        if isinstance(argument, KeywordArg):
            args.append(meant(matched.values[argument.name]))
        elif isinstance(argument, Computed):
            computed = asked(argument.of)
            if computed is None:
                return None
            args.append(list(computed) if isinstance(computed, tuple) else computed)
        else:
            args.append(argument)
    root = matched.nodes[0].target
    return (root if root in rule.to.fns else rule.to.fns[0]), tuple(args)
