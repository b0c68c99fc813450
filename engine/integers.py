"""What is true of symbolic integers for every allowed valuation.

Order of work, cheapest first: claims without symbols, identity, structural equality, refutation at today's
sizes, algebra (expansion of the difference), torch's own static evaluation. No step adds a guard: nothing
here ever sees a ``SymInt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import sympy
from sympy.logic.boolalg import And, Boolean, BooleanAtom

from .proof import Proof, Truth
from .torch_api import ShapeEnv, hints, statically_true

Expr: TypeAlias = "int | sympy.Expr"

_TEXT = {sympy.Eq: "==", sympy.Ne: "!=", sympy.Le: "<=", sympy.Lt: "<", sympy.Ge: ">=", sympy.Gt: ">"}


class Prover:
    """Decides claims under the facts of one ``ShapeEnv`` and the user's assumptions; memoised for one run.

    The memo is sound for as long as no fact changes, which the engine ensures by adding none.
    """

    def __init__(self, shape_env: ShapeEnv | None = None, assume: Sequence[sympy.Basic] = ()) -> None:
        self._env = shape_env
        self._assume = tuple(assume)
        self._memo: dict[object, Proof] = {}

    @property
    def shape_env(self) -> ShapeEnv | None:
        """Where the facts come from."""
        return self._env

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
        if isinstance(claim, Boolean):
            return self._decide(claim, str(claim))
        raise TypeError(
            f"not a claim: {claim!r} ({type(claim).__name__}); give a sympy relation such as Eq(a, b)"
        )

    def _relation(self, relation: type[sympy.Rel], left: Expr, right: Expr) -> Proof:
        key = (relation, left, right)
        found = self._memo.get(key)
        if found is None:
            # Rendered before sympy folds it, or a report would say "true".
            text = f"{left} {_TEXT[relation]} {right}"
            found = self._memo[key] = self._decide_relation(relation, left, right, text)
        return found

    def _decide_relation(self, relation: type[sympy.Rel], left: Expr, right: Expr, text: str) -> Proof:
        if isinstance(left, int) and isinstance(right, int):
            return Proof.of(bool(relation(left, right)), text, "no symbols")
        reflexive = relation in (sympy.Eq, sympy.Le, sympy.Ge)
        if left == right:
            return Proof.of(reflexive, text, "the same expression")
        claim = relation(left, right)
        if isinstance(claim, BooleanAtom):
            return Proof.of(claim is sympy.true, text, "sympy, from the symbols' own assumptions")
        refuted = self._refute(claim, text)
        if refuted is not None:
            return refuted
        difference = sympy.expand(sympy.sympify(left) - sympy.sympify(right))
        if reflexive and difference == 0:
            return Proof(Truth.PROVED, text, "algebra")
        return self._decide(claim, text)

    def _decide(self, claim: sympy.Basic, text: str) -> Proof:
        if claim in self._assume:
            return Proof(Truth.PROVED, text, "assumed by the user")
        refuted = self._refute(claim, text)
        if refuted is not None:
            return refuted
        if self._env is not None and statically_true(self._env, claim, self._assume):
            return Proof(Truth.PROVED, text, "torch's static evaluation")
        return Proof(Truth.UNKNOWN, text, "no proof found")

    def _refute(self, claim: sympy.Basic, text: str) -> Proof | None:
        if self._env is None:
            return None
        known = hints(self._env)
        point = {s: known[s] for s in claim.free_symbols if s in known}
        if len(point) != len(claim.free_symbols):
            return None
        # Today's sizes satisfy every fact of the ShapeEnv, but not necessarily what the user assumes.
        if any(fact.xreplace(dict(known)) is not sympy.true for fact in self._assume):
            return None
        if claim.xreplace(point) is sympy.false:
            witness = {s: int(v) for s, v in sorted(point.items(), key=lambda item: str(item[0]))}
            return Proof(Truth.REFUTED, text, "evaluation", witness)
        return None


def decide(
    claim: sympy.Basic, shape_env: ShapeEnv | None = None, assume: Sequence[sympy.Basic] = ()
) -> Proof:
    """Is ``claim`` true for every valuation that the facts allow?

    ``claim`` is a sympy relation or conjunction over integer symbols; ``shape_env`` supplies ranges,
    replacements and runtime asserts and is not changed; ``assume`` are further facts taken on trust.
    Raises ``TypeError`` for anything that is not a boolean sympy expression.
    """
    return Prover(shape_env, assume).decide(claim)
