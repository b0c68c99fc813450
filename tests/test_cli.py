"""The command line: what it prints, what it writes and the code it exits with."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import programs
import pytest
import torch
from click.testing import CliRunner, Result
from programs import assert_same, calls, export, observed

import noopelim
from noopelim import archive
from noopelim.cli import cli

DONE, BAD_INPUT, USAGE, BUG = range(4)


def model(m: Any, x: torch.Tensor, y: torch.Tensor) -> Any:
    z = m.linear(x.float()).clone().reshape(-1, 2, 2).flatten(1)
    return z.expand(x.shape), z[:, :3], y[-x.shape[0] :] * 2, x.clone()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("source") / "model.pt2"
    torch.export.save(export(model, 2), path, extra_files={"note.txt": "hello"})
    return str(path)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def invoke(*args: str, code: int = DONE) -> Result:
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def fails(*args: str, code: int = BAD_INPUT) -> str:
    """The one line that a failure prints, and nothing else."""
    result = invoke(*args, code=code)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("noopelim: ")
    return line.removeprefix("noopelim: ")


def test_run(source: str) -> None:
    result = invoke("run", source, "-o", "out.pt2", "--report", "report.json")
    assert result.stderr == ""
    report = json.loads(Path("report.json").read_text())
    assert report["guards_added"] == 0
    first, *rules = result.stdout.splitlines()
    assert first.startswith(
        f"{source} -> out.pt2: {report['nodes_before']} -> {report['nodes_after']} nodes, "
    )
    assert {line.split()[1]: int(line.split()[0]) for line in rules} == report["counts"]
    before, extra_files = archive.load(source), dict[str, str]()
    after = archive.load("out.pt2", extra_files)
    assert extra_files == {"note.txt": "hello"}
    assert len(calls(after)) == report["nodes_after"] < len(calls(before)) == report["nodes_before"]
    for rows in (3, 40):
        assert_same(after, observed(before, rows), rows)
    assert sorted(os.listdir()) == ["out.pt2", "report.json"]


def test_run_over_its_own_input(source: str) -> None:
    Path("model.pt2").write_bytes(Path(source).read_bytes())
    assert fails("run", "model.pt2", "-o", "model.pt2").endswith("exists already; pass --force to replace it")
    assert Path("model.pt2").read_bytes() == Path(source).read_bytes()
    invoke("run", "model.pt2", "-o", "model.pt2", "--force")
    assert len(calls(archive.load("model.pt2"))) < len(calls(archive.load(source)))


def test_run_prints_what_it_is_asked_for(source: str) -> None:
    assert invoke("run", source, "-o", "a.pt2", "--quiet").output == ""
    result = invoke("run", source, "-o", "b.pt2", "--report", "-")
    assert json.loads(result.stdout)["version"] == 1


def test_rules_are_chosen_by_name(source: str) -> None:
    def fired(*options: str) -> set[str]:
        return set(json.loads(invoke("explain", source, "--json", *options).stdout)["counts"])

    everything = fired()
    assert {"copy/clone", "expand/to-own-shape"} < everything
    assert fired("--rules", "copy/*") == {rule for rule in everything if rule.startswith("copy/")}
    assert fired("--without", "copy/*") & {"copy/clone"} == set()
    assert fired("--rules", "copy/*", "--rules", "expand/*", "--without", "*/clone") == {
        "expand/to-own-shape"
    }


def test_explain(source: str) -> None:
    result = invoke("explain", source)
    lines = result.stdout.splitlines()
    goes, stays = (next(i for i, line in enumerate(lines) if line.endswith(w)) for w in ("go", "stay"))
    gone = [line.split("\t") for line in lines[goes + 1 : stays]]
    assert lines[goes] == f"{len(gone)} would go"
    assert {len(fields) for fields in gone} == {7}
    clone = next(fields for fields in gone if fields[1] == "copy/clone")
    assert clone[0] == "clone [aten.clone]"
    assert clone[2] == "linear"
    assert clone[3] == noopelim.patterns.ALL["copy/clone"].because
    assert clone[6].startswith(f"{programs.__file__}:")
    kept = [line.split("\t") for line in lines[stays + 1 :] if "\t" in line]
    assert lines[stays] == f"{len(kept)} would stay"
    assert {len(fields) for fields in kept} == {5}
    assert any("proved, but needed: " in fields[2] for fields in kept)
    hidden = next(line for line in lines if line.endswith("--all lists them"))
    more = invoke("explain", source, "--all").stdout
    assert len([line for line in more.splitlines() if "\t" in line]) == len(gone) + len(kept) + int(
        hidden.split()[0]
    )
    assert os.listdir() == []


def test_explain_as_json(source: str) -> None:
    program = archive.load(source)
    report = json.loads(invoke("explain", source, "--json").stdout)
    expected = noopelim.eliminate(program).to_dict()
    assert {k: v for k, v in report.items() if k != "seconds"} == {
        k: v for k, v in expected.items() if k != "seconds"
    }


@pytest.mark.parametrize("width", [60, 100, 200])
def test_tables_on_a_terminal(width: int, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    for command in (["explain", source, "--all"], ["rules"]):
        plain = "".join(invoke(*command).stdout)
        lines = [_without_colour(line) for line in plain.splitlines()]
        assert max(map(len, lines)) <= width
        assert any(line.startswith("┏") for line in lines)
        assert "…" not in plain


def _without_colour(line: str) -> str:
    while "\x1b[" in line:
        start = line.index("\x1b[")
        line = line[:start] + line[line.index("m", start) + 1 :]
    return line


def test_rules() -> None:
    lines = invoke("rules").stdout.splitlines()
    listed = json.loads(invoke("rules", "--json").stdout)
    assert [rule["name"] for rule in listed] == list(noopelim.patterns.ALL.names)
    assert [line.split("\t")[0] for line in lines[1:]] == list(noopelim.patterns.ALL.names)
    clone = next(rule for rule in listed if rule["name"] == "copy/clone")
    assert set(clone) == {"name", "because", "exact", "ops"}
    assert "aten.clone.default" in clone["ops"]
    assert clone["exact"] == "bits"


def test_one_line_for_bad_files(source: str) -> None:
    Path("cut.pt2").write_bytes(Path(source).read_bytes()[:5000])
    torch.save({}, "state.pt2")
    for command in (["explain"], ["run", "-o", "out.pt2"]):
        assert fails(*command, "missing.pt2") == "missing.pt2: there is no such file; check the path"
        assert "cut short or damaged" in fails(*command, "cut.pt2")
        assert "written by torch.save" in fails(*command, "state.pt2")
        assert "is a directory" in fails(*command, ".")
    assert sorted(os.listdir()) == ["cut.pt2", "state.pt2"]


def test_one_line_for_bad_outputs(source: str) -> None:
    assert "there is no directory" in fails("run", source, "-o", "nowhere/out.pt2")
    assert "is a directory" in fails("run", source, "-o", ".", "--force")
    assert "not a regular file" in fails("run", source, "-o", "/dev/null", "--force")
    assert "there is no directory" in fails("run", source, "-o", "out.pt2", "--report", "nowhere/r.json")
    assert "named twice" in fails("run", source, "-o", "out.pt2", "--report", "./out.pt2", code=USAGE)
    assert os.listdir() == []


def test_one_line_for_bad_rules(source: str) -> None:
    line = fails("run", source, "-o", "out.pt2", "--rules", "copy/clne", code=USAGE)
    assert "'copy/clne'; did you mean copy/clone" in line
    assert "'nope/*'" in fails("explain", source, "--without", "nope/*", code=USAGE)
    assert "leaves no rule" in fails(
        "explain", source, "--rules", "copy/clone", "--without", "copy/*", code=USAGE
    )


def test_import(source: str) -> None:
    assert "No module named 'no_such_package'" in fails("explain", source, "--import", "no_such_package")
    Path("operators_for_this_test.py").write_text("1 / 0")
    assert "ZeroDivisionError" in fails("explain", source, "--import", "operators_for_this_test")
    Path("operators_for_this_test.py").write_text("print('imported')")
    assert "imported\n" in invoke("explain", source, "--import", "operators_for_this_test").stdout


def test_a_bug_is_not_the_callers(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(noopelim, "eliminate", broken)
    result = invoke("run", source, "-o", "out.pt2", code=BUG)
    assert "Traceback" in result.stderr
    assert (
        result.stderr.splitlines()[-1]
        == "noopelim: internal error, please report it: ZeroDivisionError: oops"
    )
    assert os.listdir() == []


def real(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "noopelim", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_real_processes(source: str) -> None:
    done = real("run", source, "-o", "out.pt2")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert done.stdout.startswith(f"{source} -> out.pt2: ")
    Path("cut.pt2").write_bytes(Path(source).read_bytes()[:5000])
    done = real("run", "cut.pt2", "-o", "out.pt2", "--force")
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert done.stderr.startswith("noopelim: cut.pt2: is cut short or damaged")
    assert done.stderr.count("\n") == 1
    assert real("run", "cut.pt2").returncode == USAGE


def test_help_and_version() -> None:
    assert "Exit codes:" in invoke("--help").stdout
    for command in ("run", "explain", "rules"):
        assert "Exit codes:" in invoke(command, "--help").stdout
    assert invoke("--version").stdout == f"noopelim {importlib.metadata.version('noopelim')}\n"


def test_help_does_not_wait_for_torch() -> None:
    program = "import sys, noopelim.cli; assert 'torch' not in sys.modules; print(sorted(dir(__import__('noopelim'))))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "eliminate" in done.stdout
