"""Files that are whole or not there: written beside their place and moved into it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..torch_bridge.errors import SceneError

_unfinished: set[Path] = set()
"""Of the whole process, because it is for a process that ends."""


def discard() -> None:
    """Remove every file that is not finished; for a process that must end at once."""
    for part in list(_unfinished):
        part.unlink(missing_ok=True)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to; it takes the place of `path` when all went well. Raises SceneError."""
    folder = path.parent
    if not folder.is_dir():
        raise SceneError(f"{folder}: no such folder; make it first, or choose another place for {path.name}")
    try:
        handle, name = tempfile.mkstemp(prefix=".part-", suffix=path.suffix, dir=folder)
    except OSError as error:
        raise SceneError(f"{folder}: can't write here ({error.strerror}); choose another folder") from None
    os.close(handle)
    part = Path(name)
    _unfinished.add(part)
    try:
        yield part
        _flush(part)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        raise unwritten(path, error) from None
    finally:
        part.unlink(missing_ok=True)
        _unfinished.discard(part)


def unwritten(path: Path, error: OSError | None = None) -> SceneError:
    """The one line for a file that could not be written."""
    if error is None or error.errno == errno.ENOSPC:
        return SceneError(f"{path}: the disk is full; nothing was left half-written")
    return SceneError(f"{path}: can't be written ({error.strerror}); nothing was left half-written")


def _flush(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
