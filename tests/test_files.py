"""Writing is all or nothing, and one line says why it was nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from programs import export

from noopelim import archive
from noopelim.errors import NoopelimError
from noopelim.files import replacing

LONGEST_NAME = 255


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "is a directory; name a file in it"),
        ("nowhere/m.pt2", "there is no directory .*nowhere; create it first"),
        ("file/m.pt2", "there is no directory .*file; create it first"),
        ("pipe", "is not a regular file; name one"),
        ("n" * (LONGEST_NAME + 1), "cannot be written: File name too long; write somewhere else"),
    ],
)
def test_where_nothing_can_be_written(name: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NoopelimError, match=expected) as caught:
        archive.save(export(lambda m, x: x + 1), tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert sorted(os.listdir(tmp_path)) == ["file", "pipe"]


def test_devices_are_not_replaced() -> None:
    with pytest.raises(NoopelimError, match="/dev/null: is not a regular file"):
        archive.save(export(lambda m, x: x + 1), "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_directory_that_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(NoopelimError, match="is not writable; write somewhere else"):
        archive.save(export(lambda m, x: x + 1), tmp_path / "m.pt2")


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (ValueError("no\nsuch thing"), NoopelimError, "this program cannot be saved: no$"),
        (KeyboardInterrupt(), KeyboardInterrupt, ""),
    ],
)
def test_failures_while_writing(
    raised: BaseException,
    expected: type[BaseException],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def save(program: object, file: Any, extra_files: object) -> None:
        file.write(b"half")
        raise raised

    path = tmp_path / "m.pt2"
    path.write_bytes(b"before")
    program = export(lambda m, x: x + 1)
    monkeypatch.setattr(torch.export, "save", save)
    with pytest.raises(expected, match=message):
        archive.save(program, path)
    assert os.listdir(tmp_path) == ["m.pt2"]
    assert path.read_bytes() == b"before"


def test_a_full_disk(tmp_path: Path) -> None:
    """In a process of its own, because torch's writer would take this one with it."""
    path = tmp_path / "m.pt2"
    path.write_bytes(b"before")
    script = f"""
import resource, signal, torch
from noopelim import archive, errors
program = torch.export.export(torch.nn.Linear(64, 64), (torch.ones(1, 64),))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
try:
    archive.save(program, {str(path)!r})
except errors.NoopelimError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout
        == f"{path}: cannot be written: File too large; nothing was changed; write somewhere else\n"
    )
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["m.pt2"]


def test_replacing_keeps_mode_and_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"before")
    target.chmod(0o640)
    link.symlink_to(target)
    with replacing(link) as file:
        file.write(b"after")
        assert target.read_bytes() == b"before"
    assert link.is_symlink()
    assert target.read_bytes() == b"after"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link", "target"]
