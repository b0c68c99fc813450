"""Large instances of a rule, drawn and shrunk by Hypothesis: of numbers alone, or with symbols and facts about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .choices import draws
from .drawing import Drawer
from .law import Judge, Wrong
from .plain import plain
from .rule import Rule
from .scope import Scope
from .symbolic import Symbolic

BEYOND = Scope("beyond", rank=5, dim=30, window=3)
"""What samples are drawn from."""
_TRIES = 8
"""How often a sample is drawn anew, where its calls refuse, before Hypothesis hears of it."""


def sampled(rule: Rule, scope: Scope) -> tuple[dict[str, int], Wrong | None, str | None]:
    """What became of ``scope.samples`` large instances, the first mistake at its smallest, and a note if there
    were fewer. Raises ``ImportError`` without Hypothesis."""
    import hypothesis
    from hypothesis import strategies as st

    judge = Judge(rule)
    drawer, symbolic = Drawer(rule, BEYOND, dtype=plain(rule).dtype), Symbolic(judge, scope, 0)
    counts = {"samples": 0}
    last: list[Wrong] = []

    @hypothesis.settings(
        max_examples=scope.samples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        verbosity=hypothesis.Verbosity.quiet,
        report_multiple_bugs=False,
    )
    @hypothesis.given(st.data())
    def one(data: st.DataObject) -> None:
        def choose(options: Sequence[Any]) -> Any:
            return data.draw(st.sampled_from(options))

        instance = next(draws(drawer.draw, choose, _TRIES), None)
        if instance is None:
            hypothesis.reject()
        counts["samples"] += 1
        wrong = judge.judge(instance).wrong
        if wrong is None and data.draw(st.booleans()):
            wrong = symbolic.check(instance.call, data.draw(st.randoms()))
        if wrong is not None:
            last[:] = [wrong]
            raise AssertionError(wrong.what)

    note = None
    try:
        one()
    except AssertionError:
        return counts, last[0], None
    except hypothesis.errors.Unsatisfiable:
        note = "few large samples: most of those drawn were no legal calls"
    told = {"samples, symbolic": symbolic.counts["symbolic"], "valuations": symbolic.counts["valuations"]}
    return {**counts, **told}, None, note
