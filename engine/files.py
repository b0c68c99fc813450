"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import NoopelimError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A new file beside ``path`` that takes its place at the end, or is removed if the body raises.

    Raises ``NoopelimError`` if it cannot be written; what else the body raises is raised.
    """
    target = writable(path)
    # Not derived from the target's name, which may already be as long as the file system takes.
    beside = target.with_name(f".noopelim-{secrets.token_hex(8)}.tmp")
    try:
        try:
            with beside.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise NoopelimError(
            f"{path}: cannot be written: {error.strerror or error}; nothing was changed; write somewhere else"
        ) from error


def writable(path: str | os.PathLike[str]) -> Path:
    """The file that ``path`` means, links followed. Raises ``NoopelimError`` if it surely cannot be written."""
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise NoopelimError(f"{path}: is a directory; name a file in it")
        if target.exists() and not target.is_file():
            raise NoopelimError(f"{path}: is not a regular file; name one")
        if not target.parent.is_dir():
            raise NoopelimError(f"{path}: there is no directory {target.parent}; create it first")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise NoopelimError(
                f"{path}: the directory {target.parent} is not writable; write somewhere else"
            )
    except OSError as error:
        raise NoopelimError(
            f"{path}: cannot be written: {error.strerror or error}; write somewhere else"
        ) from error
    return target
