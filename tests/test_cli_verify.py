"""``noopelim verify``: what it prints, the code it exits with, and that processes give the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noopelim import patterns
from noopelim.cli import cli
from noopelim.reference import reference_of, rule_at

DONE, BAD_INPUT, USAGE, BUG, UNVERIFIED = range(5)
RULES = """
import torch
from noopelim import OpCall, Rule, X

aten = torch.ops.aten


def rule(name, op):
    return Rule(name, OpCall(op, OpCall(op, X)), X, "twice is not at all", lambda x: op(op(x)))


RULES = (rule("twice/logical-not", aten.bitwise_not.default), rule("twice/abs", aten.abs.default))
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    (tmp_path / "my_rules.py").write_text(RULES)
    return str(tmp_path / "my_rules.py")


def invoke(*args: str, code: int = DONE) -> Result:
    result = CliRunner().invoke(cli, ["verify", "--scope", "ci", *args])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_one_rule_is_right_and_one_is_not(rules: str) -> None:
    text = invoke(rules, "--jobs", "1", code=UNVERIFIED).stdout
    assert "twice/logical-not: verified: no counterexample exists up to this scope" in text
    assert "exhausted: all shapes: rank <= 2, dims <= 2" in text
    assert "twice/abs: REFUTED: element 0 is" in text
    assert "x = torch.tensor(" in text
    assert text.endswith("1 of 2 rules verified at scope ci\n")


def test_quiet_and_selected(rules: str) -> None:
    text = invoke(rules, "--jobs", "1", "--quiet", "--rule", "*/logical-not").stdout
    assert text == "1 of 1 rules verified at scope ci\n"


def test_processes_agree_with_none(rules: str) -> None:
    apart = json.loads(invoke(rules, "--jobs", "2", "--json", code=UNVERIFIED).stdout)
    here = json.loads(invoke(rules, "--jobs", "1", "--json", code=UNVERIFIED).stdout)
    for one, other in zip(apart, here, strict=True):
        assert one["rule"] == other["rule"]
        assert one["verified"] == other["verified"]
        assert one["exhausted"] == other["exhausted"]
    script = apart[1]["counterexample"]["script"]
    with pytest.raises(AssertionError):
        exec(script, {})


def test_other_processes_find_every_rule_that_is_shipped() -> None:
    for rule in patterns.ALL | patterns.VALUE_EQUAL:
        assert rule_at(*reference_of(rule)) is rule
    text = invoke("--jobs", "2", "--rule", "arithmetic/plus-zero-of-floats").stdout
    assert text.endswith("1 of 1 rules verified at scope ci\n")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("nothing.py",), BAD_INPUT, "nothing.py: there is no such file"),
        (("no.such.module",), BAD_INPUT, "there is no module no"),
        (("--rule", "nothing/*"), USAGE, "no rule is named 'nothing/*'"),
        (("--scope", "endless"), USAGE, "endless"),
    ],
)
def test_bad_input_is_one_clear_line(args: tuple[str, ...], code: int, says: str) -> None:
    result = invoke(*args, code=code)
    assert result.stdout == ""
    assert says in result.stderr
