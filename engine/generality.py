"""What is known of a rule for all sizes, form by form, and how that is told in a line."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .form_arguments import Made


class Outcome(enum.Enum):
    """Of a form. ``SILENT``: no sizes were found at which the rule fires."""

    PROVED = "proved for all sizes"
    TESTED = "tested only"
    SILENT = "does not fire"


@dataclass(frozen=True, slots=True)
class FormResult:
    """What is known of one form, and why no more."""

    form: Made
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Generality:
    """For which forms a rule is proved for all sizes.

    A form is what the pattern's calls are, the rank of each operand, and the arguments that are no sizes. Its
    sizes and bounds are symbols and its strides any, so what a predicate says of a size that is a plain number,
    of dtypes (operands are float32, a second one float64 too), or by reading a node past its facts, is for tests to find out.
    """

    rule: str
    results: tuple[FormResult, ...]

    def of(self, outcome: Outcome) -> list[FormResult]:
        """The forms with this outcome."""
        return [r for r in self.results if r.outcome is outcome]

    @property
    def proved(self) -> bool:
        """Is every form proved at which the rule fires, and is there one?"""
        return bool(self.of(Outcome.PROVED)) and not self.of(Outcome.TESTED)

    def summary(self) -> str:
        """In one line."""
        proved, tested = self.of(Outcome.PROVED), self.of(Outcome.TESTED)
        parts = []
        if proved:
            ranks = sorted({len(o.shape) for r in proved for o in _operands(r.form)})
            spellings = len({t for r in proved for t in _targets(r.form)})
            parts.append(
                f"proved for all sizes: {_span(ranks)}, {_count(spellings, 'spelling')}, "
                f"{_count(len(proved), 'form')}"
            )
        if tested:
            traits = Counter(t for r in tested for t in _traits(r.form))
            elsewhere = {t for r in proved for t in _traits(r.form)}
            # The fewest words that are true of unproved forms alone.
            telling, left = [], list(tested)
            for trait, _ in sorted(traits.items(), key=lambda item: (-item[1], item[0])):
                if trait not in elsewhere and any(trait in _traits(r.form) for r in left):
                    telling.append(trait)
                    left = [r for r in left if trait not in _traits(r.form)]
            named = [*telling[:4], *(str(r.form) for r in left[:3])]
            more = len(telling[4:]) + len(left[3:])
            parts.append(
                f"tested only: {'; '.join(named)}{f' and {more} more' if more else ''} "
                f"({_count(len(tested), 'form')})"
            )
        if not self.results:
            return "nothing for all sizes: no form of it is understood as data movement"
        return "; ".join(parts) or "fires at no form of symbolic sizes"

    def __str__(self) -> str:
        return f"{self.rule}: {self.summary()}"


def _operands(form: Made) -> list[Made]:
    return (
        [form] if form.target is None else [o for a in form.args if isinstance(a, Made) for o in _operands(a)]
    )


def _targets(form: Made) -> list[object]:
    inner = [t for a in form.args if isinstance(a, Made) for t in _targets(a)]
    return inner if form.target is None else [form.target, *inner]


def _traits(form: Made) -> list[str]:
    if form.target is None:
        return []
    name = form.target._schema.name.split("::")[1]
    inner = [t for a in form.args if isinstance(a, Made) for t in _traits(a)]
    return [*inner, str(form.target), *(f"{name} with {words}" for words in form.given)]


def _span(ranks: Sequence[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {ranks[0]}-{ranks[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
