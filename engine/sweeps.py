"""What varies in each sweep over the instances of a rule, and how little the rest varies meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .operands import ALL_PAIRS

SWEEPS = ("shapes", "spellings", "dtypes", "layouts", "values")
"""All shapes and arguments; all spellings of several calls together; all dtypes of operands and arguments; all
layouts; all telling values. Except in the first, shapes and arguments take a few of their values."""

Shapes = Sequence[tuple[int, ...]]
_FEW: tuple[Shapes, ...] = (
    ((), (0,), (1,), (2,), (1, 2), (2, 2)),
    ((), (0,), (2,), (1, 2)),
    ((), (2,)),
    ((2,),),
)
_LAID: tuple[Shapes, ...] = (
    ((), (1,), (2,), (0, 2), (1, 2), (2, 1), (2, 2), (1, 2, 1), (2, 1, 2), (2, 2, 2)),
    ((), (2,), (0, 2), (2, 1), (2, 2), (2, 1, 2)),
    ((2,), (2, 1), (2, 2)),
    ((2, 2),),
)
_VALUED: tuple[Shapes, ...] = (((ALL_PAIRS,), (ALL_PAIRS // 2, 2)), ((ALL_PAIRS,),))


@dataclass(frozen=True, slots=True)
class Few:
    """How much varies beside what the sweep is about: the ``shapes`` of operands, the first so many ``values`` of
    an argument, and whether the other ``spellings`` of a call occur, each with the first of the other calls."""

    shapes: Shapes
    values: int
    spellings: bool = True

    def told(self, sweep: str) -> str:
        """In words, for a verdict."""
        sizes = ", ".join(str(list(shape)) for shape in self.shapes)
        spelled = "" if self.spellings or sweep == "spellings" else ", of the first spelling"
        return f"all {sweep}: of operands {sizes} and {self.values} of each argument's values{spelled}"


def ladder(sweep: str) -> Sequence[Few]:
    """From the most to the least that is tried in a sweep; the first that a scope can afford is taken."""
    shapes = {"layouts": _LAID, "values": _VALUED}.get(sweep, _FEW)
    steps = [Few(shapes[min(i // 2, len(shapes) - 1)], n) for i, n in enumerate((5, 3, 3, 2, 2, 1, 1))]
    last = steps[-1]
    steps.append(Few(last.shapes, last.values, spellings=False))
    return list(dict.fromkeys(steps))
