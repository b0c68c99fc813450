"""Rules are found by file or by module, and what cannot be loaded is an error that names the file and the mend."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from noopelim import RuleSet, patterns
from noopelim.errors import RuleError
from noopelim.loading import load_rules

HEAD = """\
from noopelim import Rule, RuleSet, X, patterns
from noopelim.spellings import clone

def rule(name, **changes):
    fields = dict(pattern=clone(X), to=X, because="a clone is its source", example=lambda x: x.clone())
    return Rule(name, **{**fields, **changes})

"""


def written(path: Path, body: str) -> str:
    path.write_text(HEAD + textwrap.dedent(body))
    return str(path)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("RULES = (rule('a/one'), rule('a/two'))", ["a/one", "a/two"]),
        ("RULES = [rule('a/one')]", ["a/one"]),
        ("RULES = RuleSet((rule('a/one'),))", ["a/one"]),
        ("kept = rule('a/one')\nleft = rule('a/two')\nRULES = (kept,)", ["a/one"]),
        ("two = rule('a/two')\none = rule('a/one')\nagain = two", ["a/two", "a/one"]),
        ("one = rule('a/one')\neverything = patterns.ALL", ["a/one"]),
        ("everything = patterns.ALL | (rule('a/one'),)", [*patterns.ALL.names, "a/one"]),
    ],
    ids=["tuple", "list", "set", "RULES alone", "single rules", "rules before sets", "sets"],
)
def test_the_rules_of_a_file(tmp_path: Path, body: str, names: list[str]) -> None:
    rules = load_rules(written(tmp_path / "mine.py", body))
    assert isinstance(rules, RuleSet)
    assert list(rules.names) == names


def test_the_rules_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_rules("noopelim.patterns.slicing").names == ("slice/whole",)
    assert load_rules("noopelim.patterns") == patterns.ALL
    package = tmp_path / "some_package_of_rules"
    package.mkdir()
    written(package / "__init__.py", "")
    written(package / "mine.py", "RULES = (rule('a/one'),)")
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    assert load_rules("some_package_of_rules.mine").names == ("a/one",)
    assert sys.path == path


def test_a_file_may_import_its_neighbour(tmp_path: Path) -> None:
    written(tmp_path / "neighbour_of_rules.py", "one = rule('a/one')")
    path = list(sys.path)
    body = "from neighbour_of_rules import one\nRULES = (one,)"
    assert load_rules(written(tmp_path / "mine.py", body)).names == ("a/one",)
    assert sys.path == path
    del sys.modules["neighbour_of_rules"]


def test_two_files_of_one_name_are_two_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder / "mine.py", f"RULES = (rule('a/{folder}'),)")
    assert [load_rules(str(tmp_path / f / "mine.py")).names for f in ("one", "two")] == [
        ("a/one",),
        ("a/two",),
    ]


LINE = len(HEAD.splitlines()) + 1
WRONG = {
    "nothing": ("x = 3", r"mine\.py: no RULES, and no Rule at top level; end it with RULES = \(my_rule,\)"),
    "no tuple": ("RULES = rule('a/one')", r"mine\.py: RULES is of type Rule; make it a tuple"),
    "empty": ("RULES = ()", r"mine\.py: RULES is empty; list the rules"),
    "no rule": ("RULES = (rule('a/one'), 'two')", r"mine\.py: RULES holds 'two', which is no rule; put only"),
    "same name": ("RULES = (rule('a/one'), rule('a/one'))", r"mine\.py: rule name used twice: a/one; rename"),
    "bad rule": ("RULES = (rule('One'),)", rf"mine\.py:{LINE - 2}: rule 'One': name it family/what-it-does"),
    "import": (
        "\nimport no_such_thing",
        rf"mine\.py:{LINE + 1}: ModuleNotFoundError: .*no_such_thing.*; mend",
    ),
    "raises": ("\n\n1 / 0", rf"mine\.py:{LINE + 2}: ZeroDivisionError: .*; mend the line"),
    "exits": ("raise SystemExit(3)", rf"mine\.py:{LINE}: SystemExit: 3; mend the line"),
    "syntax": ("RULES = (", rf"mine\.py:{LINE}: .*; mend the line"),
    "relative": (
        "from .x import y",
        r"mine\.py: ImportError: .*; it belongs to a package: name it as a dotted",
    ),
}


@pytest.mark.parametrize(("body", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_wrong(tmp_path: Path, body: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(HEAD + body)
    path = list(sys.path)
    with pytest.raises(RuleError, match=message):
        load_rules(str(tmp_path / "mine.py"))
    assert sys.path == path


def test_a_file_that_raises_leaves_no_module_behind(tmp_path: Path) -> None:
    modules = set(sys.modules)
    with pytest.raises(RuleError):
        load_rules(written(tmp_path / "mine.py", "1 / 0"))
    assert set(sys.modules) == modules


@pytest.mark.parametrize("name", ["no_such.py", "folder/no_such", "no_such"])
def test_a_path_or_module_that_is_not_there(name: str) -> None:
    with pytest.raises(RuleError, match=r"there is no (such file|module no_such); check the (path|name)"):
        load_rules(name)


def test_a_module_within_a_package_that_is_not_there() -> None:
    with pytest.raises(RuleError, match=r"there is no module noopelim\.patterns\.slicin; check the name"):
        load_rules("noopelim.patterns.slicin")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"is a directory; name a file in it"):
        load_rules(str(tmp_path))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("RULES = ()")
    with pytest.raises(RuleError, match=r"rules\.txt: is no Python file; give one that ends in \.py"):
        load_rules(str(tmp_path / "rules.txt"))


def test_a_module_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "wrong_module_of_rules.py", "\nimport no_such_thing")
    place = rf"wrong_module_of_rules: .*wrong_module_of_rules\.py:{LINE + 1}: ModuleNotFoundError: .*no_such_thing"
    with pytest.raises(RuleError, match=place):
        load_rules("wrong_module_of_rules")
