"""The rules that noopelim ships, by op family. ``ALL`` is the only list."""

from ..rule import RuleSet
from . import (
    arithmetic,
    bitwise,
    casts,
    clamps,
    complex_numbers,
    copies,
    dropout,
    expand,
    flips,
    idempotent,
    joins,
    keepdim,
    movement,
    neutral,
    own_parts,
    padding,
    permute,
    picks,
    pieces,
    reductions,
    reshape,
    running,
    scatter,
    selection,
    slicing,
    splits,
    windows,
)

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
    dropout.RULES,
    flips.RULES,
    joins.RULES,
    own_parts.RULES,
    padding.RULES,
    picks.RULES,
    selection.RULES,
    splits.RULES,
    windows.RULES,
    movement.RULES,
    pieces.RULES,
    arithmetic.RULES,
    bitwise.RULES,
    clamps.RULES,
    complex_numbers.RULES,
    idempotent.RULES,
    keepdim.RULES,
    neutral.RULES,
    reductions.RULES,
    running.RULES,
)
"""Every rule that keeps every bit: the default."""

VALUE_EQUAL = RuleSet.of(
    arithmetic.VALUE_EQUAL,
    casts.VALUE_EQUAL,
    clamps.VALUE_EQUAL,
    idempotent.VALUE_EQUAL,
    keepdim.VALUE_EQUAL,
    neutral.VALUE_EQUAL,
    reductions.VALUE_EQUAL,
    running.VALUE_EQUAL,
    selection.VALUE_EQUAL,
)
"""Rules that keep values but not every bit: off by default. ``Rule.exact`` says what each keeps."""
