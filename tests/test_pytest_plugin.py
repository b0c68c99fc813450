"""``pytest --noopelim-rules``: one item per test that a rule owes, found, chosen, run and reported like any other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from noopelim import rule_checks

pytest_plugins = ["pytester"]

RIGHT = """\
import torch
from noopelim import OpCall, Rule, X
aten = torch.ops.aten

not_of_not = Rule(
    name="mine/not-of-not",
    pattern=OpCall(aten.bitwise_not.default, OpCall(aten.bitwise_not.default, X)),
    to=X,
    because="bits inverted twice are as they were",
    example=lambda x: aten.bitwise_not(aten.bitwise_not(aten.gt(x, 0))),
    near_miss=(lambda x: aten.bitwise_not(aten.gt(x, 0)),),
)
RULES = (not_of_not,)
"""
WRONG = RIGHT.replace("bitwise_not.default, OpCall(aten.bitwise_not", "abs.default, OpCall(aten.abs")
NAMES = ("example-static", "example-symbolic", "near-miss-0-static", "near-miss-0-symbolic", "verify")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A directory with a file of rules and an ordinary test; ``verify`` is left to a test of its own."""
    pytester.makepyfile(my_rules=RIGHT, test_mine="def test_mine(): pass")
    monkeypatch.setattr(rule_checks, "_verifies", lambda rule, scope: None)
    return pytester


def rules_of(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest("-p", "noopelim.pytest_plugin", "--noopelim-rules", "my_rules.py", *arguments)


def test_one_item_per_test_with_a_readable_id(run: pytest.Pytester) -> None:
    result = rules_of(run, "--collect-only", "-q")
    ids = [line for line in result.outlines if "::" in line]
    assert ids == ["test_mine.py::test_mine", *(f"my_rules.py::mine/not-of-not::{name}" for name in NAMES)]


def test_they_run_beside_the_other_tests(run: pytest.Pytester) -> None:
    rules_of(run).assert_outcomes(passed=6)
    rules_of(run, "test_mine.py").assert_outcomes(passed=6)


@pytest.mark.parametrize(
    ("arguments", "passed", "deselected"),
    [
        (["my_rules.py::mine/not-of-not::verify"], 1, 0),
        (["my_rules.py::mine/not-of-not"], 5, 0),
        (["my_rules.py::mine/not-of-not::verify", "test_mine.py"], 2, 0),
        (["-k", "not-of-not and example"], 2, 4),
        (["-k", "mine/not-of-not and verify"], 1, 5),
    ],
    ids=["item", "rule", "item and file", "keyword", "keyword with a slash"],
)
def test_they_can_be_chosen(run: pytest.Pytester, arguments: list[str], passed: int, deselected: int) -> None:
    result = rules_of(run, *arguments)
    result.assert_outcomes(passed=passed, deselected=deselected)
    result.stdout.fnmatch_lines([f"collected {passed + deselected} item*"])


def test_from_below_the_root_directory(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    run.makeini("[pytest]")
    below = run.mkdir("below")
    (run.path / "my_rules.py").rename(below / "my_rules.py")
    monkeypatch.chdir(below)
    result = rules_of(run, "./my_rules.py::mine/not-of-not::verify", "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["my_rules.py .*", "PASSED my_rules.py::mine/not-of-not::verify"])


def test_a_module_and_a_file(run: pytest.Pytester) -> None:
    result = rules_of(run, "--noopelim-rules", "noopelim.patterns.slicing", "-v")
    result.assert_outcomes(passed=15)
    result.stdout.fnmatch_lines(["noopelim.patterns.slicing::slice/whole::near-miss-2-symbolic PASSED*"])


def test_a_failure_says_what_is_wrong_and_the_last_failed_run_again(run: pytest.Pytester) -> None:
    run.makepyfile(my_rules=WRONG)
    result = rules_of(run)
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        ["*mine/not-of-not::example-static*", "mine/not-of-not does not fire on its*"]
    )
    result.stdout.fnmatch_lines(["FAILED my_rules.py::mine/not-of-not::example-static*"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    rules_of(run, "--lf").assert_outcomes(failed=2)


@pytest.mark.parametrize(
    ("body", "arguments", "message"),
    [
        ("x = 3", [], "my_rules.py: no RULES*"),
        ("1 / 0", [], "my_rules.py:1: ZeroDivisionError*"),
        (
            RIGHT,
            ["my_rules.py::mine/other"],
            "no test is called mine/other; the rules are mine/not-of-not",
        ),
    ],
    ids=["no rules", "raises", "no such test"],
)
def test_what_cannot_be_meant_is_one_line(
    run: pytest.Pytester, body: str, arguments: list[str], message: str
) -> None:
    run.makepyfile(my_rules=body)
    result = rules_of(run, *arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ERROR collecting my_rules.py*", message, "ERROR my_rules.py"])


def test_with_a_worker_of_xdist(run: pytest.Pytester) -> None:
    result = rules_of(run, "-n", "1", "-k", "not verify")
    result.assert_outcomes(passed=5)


def test_verify_runs_and_a_counterexample_is_shown(pytester: pytest.Pytester) -> None:
    right = RIGHT.replace("RULES = (not_of_not,)", "")
    wrong = right.replace("bitwise_not.default, OpCall(aten.bitwise_not", "abs.default, OpCall(aten.abs")
    pytester.makepyfile(
        my_rules=right + wrong.replace("not-of-not", "abs-of-abs").replace("not_of", "abs_of")
    )
    result = rules_of(pytester, "-k", "verify")
    result.assert_outcomes(passed=1, failed=1, deselected=8)
    result.stdout.fnmatch_lines(["mine/abs-of-abs: REFUTED: element 0 is 0.0 and becomes -0.0", "*assert *"])


def test_without_the_option_nothing_is_imported(pytester: pytest.Pytester) -> None:
    probe = (
        "import sys, noopelim.pytest_plugin; sys.exit('torch' in sys.modules or 'hypothesis' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    pytester.makepyfile("def test_mine(): pass")
    pytester.runpytest("-p", "noopelim.pytest_plugin").assert_outcomes(passed=1)
