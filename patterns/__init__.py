"""The rules that noopelim ships, by op family. ``ALL`` is the only list."""

from ..rule import RuleSet
from . import casts, copies, expand, movement, permute, pieces, reshape, scatter, slicing

if __name__ != "noopelim.patterns":
    raise ImportError(f"import this package as noopelim.patterns, not as {__name__}")

ALL = RuleSet.of(
    reshape.RULES,
    slicing.RULES,
    scatter.RULES,
    permute.RULES,
    expand.RULES,
    copies.RULES,
    casts.RULES,
    movement.RULES,
    pieces.RULES,
)
"""Every rule that keeps every bit: the default."""
