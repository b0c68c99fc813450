"""``verify`` refutes every known mistake with a script that shows it, and lets right rules pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bad_rules import BAD, GOOD
from graphs import Builder

from noopelim import Rule, eliminate
from noopelim.scope import CI
from noopelim.verification import verify

aten = torch.ops.aten
SEEN = {
    "bad/slice-end-minus-one": "shape",
    "bad/slice-without-step": "shape",
    "bad/equal-by-hint": "shape",
    "bad/equal-by-guard": "guard",
    "bad/slice-scatter-of-another-dtype": r"torch\.\w+ becomes torch\.",
    "bad/slice-scatter-of-a-part": "shape",
    "bad/reshape-over-a-permute": "element",
    "bad/add-zero": r"0\.0 and becomes -0\.0",
    "bad/narrowed-and-widened": "element",
    "bad/sum-over-one": r"torch\.int64 becomes torch\.",
    "bad/cat-with-empty": r"torch\.\w+ becomes torch\.",
    "bad/permute-of-a-square": "element",
    "bad/pad-and-crop": "element",
    "bad/times-zero": "nan",
    "bad/abs-of-abs": "element",
    "bad/neg-of-complex-neg": "-0",
    "bad/minus-complex-zero": r"0j\) and becomes",
    "bad/expand-once-today": "shape",
    "bad/repeat-once-today": "shape",
}
"""What shows the mistake that the rule is named after, rather than another one."""


@pytest.mark.parametrize("rule", BAD, ids=lambda rule: rule.name)
def test_a_known_mistake_is_refuted_by_a_script_that_runs(
    rule: Rule, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = verify(rule, CI)
    assert not verdict.verified
    assert verdict.rule == rule.name
    found = verdict.counterexample
    assert found is not None
    assert found.what in str(verdict)
    assert found.claim
    assert re.search(SEEN[rule.name], found.what)
    script = found.script()
    assert len(script.splitlines()) < 40, script
    with pytest.raises(AssertionError):
        exec(compile(script, "counterexample.py", "exec"), {"__name__": "__main__"})
    capsys.readouterr()


def test_a_script_runs_by_itself(tmp_path: Path) -> None:
    """In a process of its own, where nothing is known of the rule."""
    (rule,) = (rule for rule in BAD if rule.name == "bad/add-zero")
    found = verify(rule, CI).counterexample
    assert found is not None
    (tmp_path / "counterexample.py").write_text(found.script())
    done = subprocess.run(
        [sys.executable, str(tmp_path / "counterexample.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "AssertionError" in done.stderr


@pytest.mark.parametrize("rule", GOOD, ids=lambda rule: rule.name)
def test_a_right_rule_is_verified(rule: Rule) -> None:
    verdict = verify(rule, CI)
    assert verdict.verified, verdict
    assert verdict.counterexample is None
    assert sum(verdict.counts.values()) > 0


@pytest.mark.parametrize("name", ["bad/equal-by-hint", "bad/expand-once-today"])
def test_by_today_s_sizes_two_symbols_seem_equal(name: str) -> None:
    """The mistake is made by the predicate, and without a guard: the engine, which asks for layouts to be
    equal too, is all that stands in the way."""
    (rule,) = (rule for rule in BAD if rule.name == name)
    b = Builder()
    one, two = b.size("one", hint=8), b.size("two", hint=8 if "hint" in name else 1, low=0)
    if name == "bad/equal-by-hint":
        x = b.call(aten.sin.default, b.input("x", (one, 6)))
        value = b.told(aten.slice.Tensor, x, 0, 0, two, shape=[two, 6], stride=[6, 1])
    else:
        x = b.call(aten.sin.default, b.input("x", (1, 6)))
        value = b.told(aten.expand.default, x, [two, 6], shape=[two, 6], stride=[0, 1])
    # No call reads it: torch would look whether the size is one today, and guard on that.
    gm = b.output(value)
    report = eliminate(gm, [rule])
    assert not report.guards_added
    (missed,) = report.missed
    assert missed.stage.name == "BLOCKED", report


def test_comparing_symints_adds_a_guard() -> None:
    (rule,) = (rule for rule in BAD if rule.name == "bad/equal-by-guard")
    b = Builder()
    s, t = b.size("s"), b.size("t")
    x = b.call(aten.sin.default, b.input("x", (s, 6)))
    view = b.told(aten.view.default, x, [t, 6], shape=[t, 6], stride=[6, 1])
    gm = b.output(b.call(aten.cos.default, view))
    assert eliminate(gm, [rule]).guards_added
