"""``.pt2`` files: every failure is one line that names the file and the mend."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import stat
import warnings
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast

import torch
from torch.export import ExportedProgram

from .errors import NoopelimError
from .files import replacing

_LOGGERS = ("torch.export", "torch.export.pt2_archive._package", "torch._export.serde.serialize")
_UNREGISTERED = re.compile(r"failed to resolve torch\.ops\.(\w+\.\w+)")
_PROGRAM = "models/model.json"
_PROGRAM_UNTIL_2_7 = "serialized_exported_program.json"
_SAVE = "torch.export.save(program, path) writes one"
_LONGEST_CAUSE = 200


def load(path: str | os.PathLike[str], extra_files: dict[str, str] | None = None) -> ExportedProgram:
    """The exported program in a file that ``torch.export.save`` wrote; its extra files go to ``extra_files``.

    Loading runs pickle and may load native code: only load what you trust. Raises ``NoopelimError`` for
    anything that is no such file.
    """
    _look_inside(path)
    found = {"": ""}  # not empty, because torch fills no empty one
    with _quiet() as swallowed:
        try:
            program = torch.export.load(os.fspath(path), extra_files=found)
        except Exception as error:  # of a damaged file, readers raise whatever they stumble over
            cause = str(swallowed.cause or error) or type(error).__name__
            if unknown := _UNREGISTERED.search(cause):
                raise NoopelimError(
                    f"{path}: uses the operator {unknown[1].replace('.', '::')}, which is not registered; import "
                    "the package that defines it first (on the command line: --import PACKAGE)"
                ) from error
            raise NoopelimError(
                f"{path}: cannot be read: {_one_line(cause)}; the file is damaged, or needs another torch "
                f"than {torch.__version__}; export the model again"
            ) from error
    if extra_files is not None:
        extra_files.update((name, text) for name, text in found.items() if name)
    return program


def other_contents(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """What the archive at ``path`` holds besides the program that ``load`` reads, and ``save`` does not write."""
    found = []
    for name in _names(path):
        folder, _, rest = name.partition("/")
        if folder == "models" and name != _PROGRAM:
            found.append(f"the program {rest.removesuffix('.json')!r}")
        elif name.startswith("data/aotinductor/"):
            found.append(f"the compiled code of {name.split('/')[2]!r}")
    return tuple(dict.fromkeys(found))


def save(
    program: ExportedProgram, path: str | os.PathLike[str], extra_files: dict[str, str] | None = None
) -> None:
    """Write ``program`` to ``path``, replacing a file that is there only once all is written.

    Raises ``NoopelimError`` if it cannot be written or the program cannot be serialised; then ``path`` is as
    it was.
    """
    with replacing(path) as file:
        sink = _Sink(file)
        try:
            with _quiet():
                torch.export.save(program, cast(IO[bytes], sink), extra_files=extra_files)
        except Exception as error:  # the serialiser raises whatever it stumbles over
            raise NoopelimError(f"{path}: this program cannot be saved: {_one_line(str(error))}") from error
        if sink.error is not None:
            raise sink.error


def _look_inside(path: str | os.PathLike[str]) -> None:
    """Raise ``NoopelimError`` for what is plainly no program, in plainer words than torch has for it."""
    names = _names(path)
    if _PROGRAM in names or _PROGRAM_UNTIL_2_7 in names:
        return
    programs = [n.removeprefix("models/").removesuffix(".json") for n in names if n.startswith("models/")]
    if programs:
        raise NoopelimError(
            f"{path}: holds programs named {', '.join(programs)} and none named model; save the one you want "
            "by itself with torch.export.save"
        )
    if any(n.startswith("data/aotinductor/") for n in names):
        raise NoopelimError(
            f"{path}: holds compiled AOTInductor code and no graph; pass the exported program it was compiled from"
        )
    if any(n.startswith("code/") for n in names):
        raise NoopelimError(f"{path}: is a TorchScript archive; pass a program from torch.export instead")
    if "data.pkl" in names:
        raise NoopelimError(
            f"{path}: was written by torch.save; pass a program written by torch.export.save instead"
        )
    raise NoopelimError(f"{path}: is a zip archive without an exported program; {_SAVE}")


def _names(path: str | os.PathLike[str]) -> list[str]:
    """The entries of the archive, without the directory that torch puts them all in."""
    start = b""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            with open(path, "rb") as file:
                start = file.read(4)
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                # A program cut behind the inputs stored in it ends like the archive that those are.
                if min((entry.header_offset for entry in archive.infolist()), default=0) > 0:
                    raise zipfile.BadZipFile("starts with something else")
    except FileNotFoundError as error:
        raise NoopelimError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise NoopelimError(f"{path}: cannot be read: {error.strerror or error}; check the path") from error
    except Exception as error:  # a damaged list of entries decodes to anything
        if not start:
            raise NoopelimError(f"{path}: is empty; {_SAVE}") from error
        if not start.startswith(b"PK"):
            raise NoopelimError(f"{path}: is not a .pt2 archive; {_SAVE}") from error
        raise NoopelimError(
            f"{path}: is cut short or damaged; copy it once more, or export the model again"
        ) from error
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise NoopelimError(f"{path}: is {kind}; name a .pt2 file")
    if _PROGRAM_UNTIL_2_7 in names:
        return names
    return [name.partition("/")[2] or name for name in names]


def _one_line(text: str) -> str:
    """The line of a message that says most: the last of a traceback, or the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["for no stated reason"]
    line = (
        lines[-1]
        if any(line.startswith("Traceback") or "Traceback (" in line for line in lines)
        else lines[0]
    )
    return line if len(line) <= _LONGEST_CAUSE else line[: _LONGEST_CAUSE - 3] + "..."


class _Swallow(logging.Filter):
    """Lets no record through, and keeps the last exception that was logged instead of raised."""

    cause: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            self.cause = record.exc_info[1]
        return False


@contextlib.contextmanager
def _quiet() -> Iterator[_Swallow]:
    """Keep torch's log lines and warnings about a file off stderr. Applies to all threads."""
    swallow = _Swallow()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(swallow)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield swallow
    finally:
        for logger in loggers:
            logger.removeFilter(swallow)


class _Sink(io.RawIOBase):
    """Passes on what is written. Torch's writer aborts the process if a write fails, as on a full disk; so from
    a failure on this takes everything in silence, and keeps the error."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence) if self.error is None else 0

    def write(self, data: Any) -> int:
        if self.error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.error = error
        return len(data)
