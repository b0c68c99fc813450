"""What is true of symbolic integers for every allowed valuation.

Order of work, cheapest first: claims without symbols, identity, refutation at today's sizes in plain ints,
the normal form, bounds and a case for each order of a ``Min`` or ``Max``, the decision by residues,
refutation at further points, all points of a small domain, torch's own static evaluation. No step adds a
guard: nothing here ever sees a ``SymInt``.

Complete for equality (and ``!=`` by the gcd test) of quasi-polynomials, that is any nesting of ``FloorDiv``,
``Mod``, ``CeilDiv`` and ``ModularIndexing`` by constants over polynomials in any number of symbols whose
ranges are unbounded above, up to the limits on work of ``residues.py``: such a claim is proved if it is true.
Everything else is sound and incomplete.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

import sympy
import torch
import torch.utils._sympy.functions as functions
from sympy.logic.boolalg import And, Boolean, BooleanAtom

from .cases import proved_everywhere
from .knowledge import Knowledge
from .needs import sufficient_fact
from .points import Point, Unevaluable, evaluate
from .polynomial import OutOfReach, Poly, add, constant, scale, value_of
from .proof import Proof, Truth
from .refute import fails_at, points_for
from .torch_api import ShapeEnv, expression_of, statically_true

Expr: TypeAlias = "int | sympy.Expr"
Relation: TypeAlias = "type[sympy.Rel]"

_TEXT = {sympy.Eq: "==", sympy.Ne: "!=", sympy.Le: "<=", sympy.Lt: "<", sympy.Ge: ">=", sympy.Gt: ">"}
_MIRRORED = {sympy.Ge: sympy.Le, sympy.Gt: sympy.Lt}
_HOLDS = {sympy.Eq: operator.eq, sympy.Ne: operator.ne, sympy.Le: operator.le, sympy.Lt: operator.lt}
MAX_POINTS = 4096
FEW_POINTS = 8
"""How many points are tried before the costlier steps of a proof."""


class Prover:
    """Decides claims under the facts of one ``ShapeEnv`` and the user's assumptions; memoised for one run.

    The memo is sound for as long as no fact changes, which the engine ensures by adding none.
    """

    def __init__(self, shape_env: ShapeEnv | None = None, assume: Sequence[sympy.Basic] = ()) -> None:
        self._env, self._assume = shape_env, tuple(assume)
        self._memo: dict[object, Proof] = {}
        self._values: dict[sympy.Expr, tuple[int | None, Point]] = {}
        self._known: Knowledge | None = None
        # Tensors hash by identity, and no two are compared as keys.
        self._sizes: dict[torch.Tensor, tuple[Expr, ...]] = {}

    def sizes(self, tensor: torch.Tensor) -> tuple[Expr, ...]:
        """The sizes of a tensor, read once in a run."""
        found = self._sizes.get(tensor)
        if found is None:
            found = self._sizes[tensor] = tuple(map(expression_of, tensor.shape))
        return found

    @property
    def shape_env(self) -> ShapeEnv | None:
        """Where the facts come from."""
        return self._env

    @property
    def knowledge(self) -> Knowledge:
        """The facts, read when first needed."""
        if self._known is None:
            self._known = Knowledge(self._env, self._assume)
        return self._known

    def equal(self, left: Expr, right: Expr) -> Proof:
        """``left == right``."""
        return self._relation(sympy.Eq, left, right)

    def at_most(self, left: Expr, right: Expr) -> Proof:
        """``left <= right``."""
        return self._relation(sympy.Le, left, right)

    def decide(self, claim: sympy.Basic) -> Proof:
        """See :func:`decide`."""
        if isinstance(claim, BooleanAtom):
            return Proof.of(claim is sympy.true, str(claim), "no symbols")
        if isinstance(claim, And):
            return Proof.all(map(self.decide, claim.args))
        for relation in _TEXT:
            if isinstance(claim, relation):
                return self._relation(relation, *claim.args)
        if isinstance(claim, Boolean) and not isinstance(claim, sympy.Symbol):
            return self._settle(claim, str(claim), None)
        raise TypeError(
            f"not a claim: {claim!r} ({type(claim).__name__}); give a sympy relation such as Eq(a, b)"
        )

    def _relation(self, relation: Relation, left: Expr, right: Expr) -> Proof:
        if relation in _MIRRORED:
            return self._relation(_MIRRORED[relation], right, left)
        if left is right:
            return self._decide_relation(relation, left, right)
        asked = (relation, left, right)
        found = self._memo.get(asked)
        if found is None:
            try:
                found = self._decide_relation(relation, left, right)
            except RecursionError:
                text = f"a relation of {type(left).__name__} and {type(right).__name__}"
                found = Proof(Truth.UNKNOWN, text, "the expressions are nested too deeply")
            self._memo[asked] = found
        return found

    def _decide_relation(self, relation: Relation, left: Expr, right: Expr) -> Proof:

        def text() -> str:
            # From the sides as asked: sympy folds a relation that it can decide, and a report would say "true".
            return f"{left} {_TEXT[relation]} {right}"

        if left == right:
            return Proof.of(relation in (sympy.Eq, sympy.Le), text, "the same expression")
        witness = self._fails_at_hint(relation, left, right)
        claim = relation(sympy.sympify(left), sympy.sympify(right), evaluate=False)
        if witness is not None:
            return Proof(Truth.REFUTED, text, "evaluation", witness, sufficient=self._sufficient(claim))
        if not claim.free_symbols:
            truth = self.knowledge.truth(claim, {})
            if truth is not None:
                return Proof.of(truth, text, "no symbols")
        return self._settle(claim, text, relation)

    def _sufficient(self, claim: sympy.Basic) -> Callable[[], str | None]:
        return lambda: sufficient_fact(
            claim, self._env, self._assume, lambda c, facts: Prover(self._env, facts).decide(c)
        )

    def _fails_at_hint(self, relation: Relation, left: Expr, right: Expr) -> dict[sympy.Symbol, int] | None:
        """The hint, if the relation is false there. Each side is evaluated once in a run."""
        if not self.knowledge.hint:
            return None
        (ours, at), (theirs, there) = self._at_hint(left), self._at_hint(right)
        if ours is None or theirs is None or _HOLDS[relation](ours, theirs):
            return None
        return dict(sorted({**at, **there}.items(), key=lambda known: str(known[0])))

    def _at_hint(self, expr: Expr) -> tuple[int | None, Point]:
        if isinstance(expr, int):
            return expr, {}
        found = self._values.get(expr)
        if found is None:
            try:
                full = self.knowledge.complete(self.knowledge.hint, expr.free_symbols)
                found = (evaluate(expr, full), {s: full[s] for s in expr.free_symbols})
            except Unevaluable:
                found = (None, {})
            self._values[expr] = found
        return found

    def _settle(self, claim: sympy.Basic, text: str | Callable[[], str], relation: Relation | None) -> Proof:
        """The verdict on a claim, which was tried at the hint if it is a relation."""
        known, reason = self.knowledge, "no proof found"
        if claim in self._assume:
            return Proof(Truth.PROVED, text, "assumed by the user")
        form: Poly | None = None
        if relation is not None:
            try:
                form = add(known.normal(claim.args[1]), known.normal(claim.args[0]), -1)
            except OutOfReach as limit:
                reason = f"no proof found: {limit}"
            else:
                number = value_of(form)
                if number is not None and _HOLDS[relation](0, number):
                    return Proof(Truth.PROVED, text, "normal form")
                if number is not None:
                    form, reason = None, "false everywhere, but no point was found that the facts allow"
        symbols, facts = known.related(claim.free_symbols)
        points = points_for(known, claim, symbols, facts)
        few = [
            *([known.hint] if relation is None and known.hint else []),
            *itertools.islice(points, FEW_POINTS),
        ]
        witness = fails_at(known, claim, few, facts)
        if witness is None and relation is not None and form is not None:
            try:
                for kind, goal in _goals(relation, form):
                    step = proved_everywhere(known, kind, goal)
                    if step is not None:
                        return Proof(Truth.PROVED, text, step)
            except OutOfReach as limit:
                reason = f"no proof found: {limit}"
        if witness is None:
            witness = fails_at(known, claim, points, facts)
        if witness is not None:
            return Proof(Truth.REFUTED, text, "evaluation", witness, sufficient=self._sufficient(claim))
        if self._true_on_small_domain(claim, symbols):
            return Proof(Truth.PROVED, text, "all points of a finite domain")
        if self._env is not None and _torch_reads(known, claim) and statically_true(self._env, claim):
            return Proof(Truth.PROVED, text, "torch's static evaluation")
        return Proof(Truth.UNKNOWN, text, reason, sufficient=self._sufficient(claim))

    def _true_on_small_domain(self, claim: sympy.Basic, symbols: list[sympy.Symbol]) -> bool:
        ranges = [self.knowledge.range_of_symbol(s) for s in symbols]
        if prod(high - low + 1 for low, high in ranges) > MAX_POINTS:
            return False
        grid = itertools.product(*(range(low, high + 1) for low, high in ranges))
        return all(self.knowledge.truth(claim, dict(zip(symbols, p, strict=True))) is True for p in grid)


def _goals(relation: Relation, form: Poly) -> list[tuple[str, Poly]]:
    """What is to be shown of ``form``, right less left, for the relation to hold: any of these."""
    more, less = add(form, constant(-1)), add(scale(form, -1), constant(-1))
    if relation is sympy.Eq:
        return [("zero", form)]
    if relation is sympy.Ne:
        return [("nonzero", form), ("nonnegative", more), ("nonnegative", less)]
    return [("nonnegative", form if relation is sympy.Le else more)]


def _torch_reads(known: Knowledge, claim: sympy.Basic) -> bool:
    """Torch bounds the remainder of a negative number as C would, by numbers that are negative. Its word is
    taken only where every remainder is of something that is provably not negative."""
    try:
        return all(
            proved_everywhere(known, "nonnegative", known.normal(node.args[0])) is not None
            for node in sympy.preorder_traversal(claim)
            if isinstance(node, functions.Mod | functions.PythonMod | functions.ModularIndexing | sympy.Mod)
        )
    except OutOfReach:
        return False


def decide(
    claim: sympy.Basic, shape_env: ShapeEnv | None = None, assume: Sequence[sympy.Basic] = ()
) -> Proof:
    """Is ``claim`` true for every valuation that the facts allow?

    ``claim`` is a sympy relation or conjunction over integer symbols; ``shape_env`` supplies ranges,
    replacements and runtime asserts and is not changed; ``assume`` are further facts taken on trust.
    Raises ``TypeError`` for anything that is not a boolean sympy expression.
    """
    return Prover(shape_env, assume).decide(claim)
