"""The distribution holds what the checkout holds.

The import names are not the folders' names, and an editable install is forgiving where a wheel is not: a module
or a package that the wheel lacks still imports in every other test.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"engine": "noopelim", "patterns": "noopelim/patterns"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    # Built in a copy, and by way of the sdist: setuptools reuses build/lib, where a module that has since been
    # deleted would still be found, and two workers building in the checkout would trip over one another.
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("folder", FOLDERS)
def test_wheel_holds_every_file(wheel: zipfile.ZipFile, folder: str) -> None:
    tree = {
        f"{FOLDERS[folder]}/{path.relative_to(ROOT / folder).as_posix()}"
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert f"{FOLDERS[folder]}/py.typed" in tree
    assert tree <= set(wheel.namelist())


def test_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"noopelim"}
    assert sum(name.endswith(".py") for name in wheel.namelist()) == sum(
        len(list((ROOT / folder).rglob("*.py"))) for folder in FOLDERS
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_are_no_modules(folder: str) -> None:
    # Isolated, because pytest's own search path may well hold the checkout.
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({folder!r}) is not None)"
    assert subprocess.run([sys.executable, "-I", "-c", probe], check=False).returncode == 0
