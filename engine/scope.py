"""How far a rule is checked: what is tried exhaustively, and how much beyond that by sampling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Bounds on the instances of a rule's pattern.

    Exhausted: all operand shapes of at most ``rank`` dims of at most ``dim``, with all spellings of the calls
    and all arguments of their schemas, integers within ``window`` of zero or of a size. ``most``: where that
    is more than so many instances, ``dim`` and then ``rank`` are lowered until it is not, and the verdict says
    to what. Sampled: ``samples`` larger instances, ``symbolic`` instances with symbols for sizes, each tried
    at other sizes too, and ``contexts`` instances put through the engine in every graph context.
    """

    name: str = "custom"
    rank: int = 3
    dim: int = 3
    window: int = 3
    most: int = 150_000
    samples: int = 150
    symbolic: int = 150
    contexts: int = 12

    def __str__(self) -> str:
        return f"rank <= {self.rank}, dims <= {self.dim}, integers within {self.window}"


CI = Scope("ci", rank=2, dim=2, window=2, most=8_000, samples=25, symbolic=40, contexts=4)
DEFAULT = Scope("default")
FULL = Scope("full", most=20_000_000, samples=2_000, symbolic=2_000, contexts=60)
NAMED = {scope.name: scope for scope in (CI, DEFAULT, FULL)}
