"""How far a rule is checked: what is tried exhaustively, and how much beyond that by sampling."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scope:
    """Bounds on the instances of a rule's pattern.

    Exhausted: all operand shapes of at most ``rank`` dims of at most ``dim``, with each spelling of each call
    and with arguments by the types in its schema: all dims, all sizes within the scope, integers within
    ``window`` of zero, a telling few of other numbers and of dtypes. ``most``: where that is more than so many
    instances, ``dim`` and then ``rank`` are lowered until it is not, and the verdict says to what. All spellings
    together, all dtypes, all layouts and all telling values are exhausted with few shapes and few of the other
    arguments' values, and ``narrow`` is how many instances that may be each.

    Sampled: ``samples`` larger instances, ``symbolic`` instances with symbols for sizes, each tried at other sizes
    too, and ``contexts`` instances put through the engine in every graph context. A rule over chains is tried as
    one over exactly one call, two, and up to ``calls``; these, or the forms of a tree, share the numbers.
    """

    name: str = "custom"
    rank: int = 3
    dim: int = 3
    window: int = 3
    most: int = 6_000
    narrow: int = 5_000
    samples: int = 30
    symbolic: int = 60
    contexts: int = 3
    calls: int = 3

    @property
    def large(self) -> bool:
        """Is it for sampling only?"""
        return self.dim > 4

    def shared(self, among: int) -> Scope:
        """What each of so many rules gets that are tried as one."""
        if among == 1:
            return self
        names = ("most", "narrow", "samples", "symbolic", "contexts")
        return replace(self, **{name: -(-getattr(self, name) // among) for name in names})

    def __str__(self) -> str:
        return f"rank <= {self.rank}, dims <= {self.dim}, integers within {self.window}"


CI = Scope("ci", rank=2, dim=2, window=2, most=3_000, narrow=1_500, samples=20, symbolic=60, contexts=3)
DEFAULT = Scope("default")
FULL = Scope("full", most=60_000, narrow=15_000, samples=300, symbolic=600, contexts=30)
NAMED = {scope.name: scope for scope in (CI, DEFAULT, FULL)}
