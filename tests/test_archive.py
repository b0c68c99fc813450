"""``.pt2`` files: whole ones come back as they were, and others give one line."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from programs import assert_same, calls, export, observed
from torch.export.pt2_archive._package import package_pt2

import noopelim
from noopelim import archive
from noopelim.errors import NoopelimError

LONGEST_NAME = 255


def busy(m: Any, x: torch.Tensor, y: torch.Tensor) -> Any:
    """No-ops next to writes, constants and a size among the results."""
    old = m.state.clone()
    m.state.add_(x.sum(0))
    y.mul_(2)
    z = m.linear(x.float()).clone().reshape(-1, 2, 2).flatten(1)[:, :4]
    return z.expand(x.shape), old, x.clone(), y.reshape(-1, 2, 2) + 1, None, 3, x.shape[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "m.pt2"
    torch.export.save(export(busy, 2), path)
    return path.read_bytes()


def truncated(path: Path, whole: bytes) -> None:
    path.write_bytes(whole[: len(whole) // 2])


def cut_behind_inner_archive(path: Path, whole: bytes) -> None:
    """Of the inputs stored with a program, which are an archive themselves, whose end is now that of the file."""
    end = whole.index(b"PK\x05\x06") + 22
    assert end < len(whole) - 100
    path.write_bytes(whole[:end])


def damaged(path: Path, whole: bytes) -> None:
    start = whole.index(b'"graph_module"')
    path.write_bytes(whole[:start] + b"\xff" * 40 + whole[start + 40 :])


def compiled(path: Path, whole: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name in ("archive_format", "archive_version", "data/aotinductor/model/c.wrapper.so"):
            file.writestr(f"m/{name}", "pt2")


def two_programs(path: Path, whole: bytes) -> None:
    program = export(lambda m, x: x + 1)
    package_pt2(str(path), exported_programs={"encoder": program, "decoder": program})


def torchscript(path: Path, whole: bytes) -> None:
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), path)  # type: ignore[no-untyped-call]


def plain_zip(path: Path, whole: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("notes.txt", "hello")


def unregistered(path: Path, whole: bytes) -> None:
    with torch.library._scoped_library("noopelim_ghost", "DEF") as library:
        library.define("walk(Tensor x) -> Tensor")
        library.impl("walk", lambda x: x.clone(), "CompositeExplicitAutograd")
        torch.library.register_fake("noopelim_ghost::walk", torch.empty_like, lib=library)
        torch.export.save(export(lambda m, x: torch.ops.noopelim_ghost.walk(x)), path)


BAD: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "missing": (lambda path, whole: None, "no such file; check the path"),
    "directory": (lambda path, whole: path.mkdir(), "is a directory; name a .pt2 file"),
    "pipe": (lambda path, whole: os.mkfifo(path), "is not a regular file; name"),
    "empty": (lambda path, whole: path.write_bytes(b""), "is empty; torch.export.save"),
    "text": (lambda path, whole: path.write_text("hello\n" * 99), "is not a .pt2 archive; torch.export.save"),
    "start only": (
        lambda path, whole: path.write_bytes(whole[:9]),
        "cut short or damaged; copy it once more",
    ),
    "truncated": (truncated, "cut short or damaged; copy it once more"),
    "cut behind inner archive": (cut_behind_inner_archive, "cut short or damaged; copy it once more"),
    "damaged": (damaged, "cannot be read"),
    "state dict": (lambda path, whole: torch.save({"a": torch.ones(2)}, path), "written by torch.save; pass"),
    "TorchScript": (torchscript, "TorchScript archive; pass a program"),
    "zip": (plain_zip, "without an exported program; torch.export.save"),
    "compiled": (compiled, "AOTInductor code and no graph; pass the exported program"),
    "two programs": (two_programs, "named encoder, decoder and none named model; save the one"),
    "unregistered": (unregistered, "noopelim_ghost::walk, which is not registered; import the package"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_program(
    kind: str, tmp_path: Path, whole: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.pt2"
    make, expected = BAD[kind]
    make(path, whole)
    capfd.readouterr()
    with pytest.raises(NoopelimError) as caught:
        archive.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_unreadable(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "m.pt2"
    path.write_bytes(whole)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(NoopelimError, match="cannot be read: Permission denied"):
        archive.load(path)


@pytest.mark.parametrize("decompose", [False, True], ids=["training", "decomposed"])
def test_round_trip(decompose: bool, tmp_path: Path) -> None:
    program = export(busy, 2, decompose=decompose)
    small, large = observed(program, 3), observed(program, 40)
    path = tmp_path / "m.pt2"
    archive.save(program, path, {"note.txt": "hello"})
    extra_files: dict[str, str] = {}
    loaded = archive.load(path, extra_files)
    assert extra_files == {"note.txt": "hello"}
    report = noopelim.eliminate(loaded)
    assert report.passed
    assert report.guards_added == 0
    assert report.nodes_after == len(calls(loaded))
    archive.save(loaded, path, extra_files)
    again = archive.load(path)
    assert calls(again) == calls(loaded)
    for result in (loaded, again):
        assert_same(result, small, 3)
        assert_same(result, large, 40)
    assert not noopelim.eliminate(again).passed


def test_any_suffix_will_do(tmp_path: Path, whole: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(whole)
    archive.save(archive.load(path), tmp_path / ("n" * LONGEST_NAME))
    assert capfd.readouterr() == ("", "")
    assert calls(archive.load(tmp_path / ("n" * LONGEST_NAME))) == calls(archive.load(path))


def test_other_contents(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "m.pt2"
    program = export(lambda m, x: x + 1)
    package_pt2(str(path), exported_programs={"model": program, "encoder": program})
    assert archive.other_contents(path) == ("the program 'encoder'",)
    compiled(path, whole)
    assert archive.other_contents(path) == ("the compiled code of 'model'",)
    path.write_bytes(whole)
    assert archive.other_contents(path) == ()
