"""Three-valued answers. Only ``PROVED`` lets a node go; ``bool()`` of a proof is an error on purpose."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import sympy


class Truth(enum.Enum):
    """``PROVED``: true for every valuation the facts allow. ``REFUTED``: false for at least one."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim and what is known of it.

    ``claim`` is the text of the question as asked, before any simplification; it may be given as a function,
    since most claims are never read and printing sympy is slow. ``by`` names the step that settled it. ``witness`` is a valuation that makes a refuted claim false; it is empty when the claim has
    no symbols, and then the claim is false everywhere. ``parts`` are the proofs it was put together from.
    """

    truth: Truth
    stated: str | Callable[[], str] = field(repr=False)
    by: str
    witness: Mapping[sympy.Symbol, int] = field(default_factory=dict)
    parts: tuple[Proof, ...] = ()
    sufficient: Callable[[], str | None] | None = field(default=None, repr=False, compare=False)

    @property
    def needs(self) -> str | None:
        """A simple fact that would have sufficed, as ``4 | s0`` or ``s0 >= 1``; None if none of those tried
        would. Worked out when asked, in milliseconds."""
        return None if self.proved or self.sufficient is None else self.sufficient()

    @property
    def claim(self) -> str:
        """The question, as text."""
        return self.stated if isinstance(self.stated, str) else self.stated()

    @classmethod
    def of(cls, holds: bool, claim: str | Callable[[], str], by: str) -> Proof:
        """A claim without symbols, decided by looking."""
        return cls(Truth.PROVED if holds else Truth.REFUTED, claim, by)

    @classmethod
    def all(cls, proofs: Iterable[Proof], claim: str | Callable[[], str] | None = None) -> Proof:
        """The conjunction; with no parts it is proved."""
        parts = tuple(proofs)

        def joined() -> str:
            return " & ".join(p.claim for p in parts) or "nothing to show"

        text = joined if claim is None else claim
        for truth in (Truth.REFUTED, Truth.UNKNOWN):
            for part in parts:
                if part.truth is truth:
                    return cls(truth, text, part.by, part.witness, parts)
        return cls(
            Truth.PROVED, text, "; ".join(dict.fromkeys(p.by for p in parts)) or "vacuous", parts=parts
        )

    @property
    def proved(self) -> bool:
        """The explicit narrowing to ``bool`` that ``bool()`` refuses."""
        return self.truth is Truth.PROVED

    def why_not(self) -> Proof:
        """The innermost part that kept this claim from being proved, or the proof itself."""
        proof = self
        while not proof.proved:
            part = next((p for p in proof.parts if p.truth is proof.truth), None)
            if part is None:
                break
            proof = part
        return proof

    def __and__(self, other: Proof) -> Proof:
        return Proof.all((self, other))

    def __or__(self, other: Proof) -> Proof:
        parts = (self, other)

        def text() -> str:
            return f"({self.claim}) | ({other.claim})"

        held = next((p for p in parts if p.proved), None)
        if held is not None:
            return Proof(Truth.PROVED, text, held.by, parts=parts)
        # Two refutations at different points do not refute the disjunction: each side may hold where the
        # other fails. Only one valuation that falsifies both does.
        both = self.truth is other.truth is Truth.REFUTED
        everywhere = next((p for p in parts if not p.witness), None)
        if both and (everywhere is not None or self.witness == other.witness):
            return Proof(Truth.REFUTED, text, "both sides", self.witness or other.witness, parts)
        return Proof(Truth.UNKNOWN, text, "neither side proved", parts=parts)

    def __invert__(self) -> Proof:
        def text() -> str:
            return f"~({self.claim})"

        if self.truth is Truth.PROVED:
            return Proof(Truth.REFUTED, text, self.by, parts=(self,))
        # False at one point says nothing of the others, so only a claim that is false everywhere flips.
        if self.truth is Truth.REFUTED and not self.witness:
            return Proof(Truth.PROVED, text, self.by, parts=(self,))
        return Proof(Truth.UNKNOWN, text, "negation of a claim not settled everywhere", parts=(self,))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a Proof is three-valued and has no bool ({self}); ask `.proved`, or combine proofs with & | ~"
        )

    def __str__(self) -> str:
        at = ", ".join(f"{symbol}={value}" for symbol, value in self.witness.items())
        return f"{self.claim}: {self.truth.value} by {self.by}" + (f" at {at}" if at else "")
