"""Writes output files atomically: into a temporary file in the same folder, which then replaces the target."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...torch_bridge.recording.errors import SceneError
from ...torch_bridge.recording.part_files import part_prefix, remove_stale_parts
from ..atomic_folders import write_error

_unfinished: set[Path] = set()
"""Temporary files of this process that are still being written."""


def discard() -> None:
    """Removes every unfinished file; called before the process exits at once."""
    for part in list(_unfinished):
        part.unlink(missing_ok=True)


def check_place(path: Path, suffix: str) -> None:
    """Raises SceneError unless `path` has the suffix, is no folder or protected file, and its folder exists."""
    if "\0" in str(path):
        raise SceneError(f"{str(path)!r}: no file has a null character in its name; name another")
    if path.is_dir():
        raise SceneError(f"{path}: this is a folder; name a file in it, such as {path / f'hall{suffix}'}")
    if path.suffix.lower() != suffix:
        raise SceneError(f"{path}: the name of the output must end in {suffix}, such as {path.stem}{suffix}")
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; create it first, or choose another place for {path.name}")
    if path.exists() and not (path.stat().st_mode & stat.S_IWUSR and os.access(path, os.W_OK)):  # root may write all
        raise SceneError(f"{path}: it is read-only; make it writable, or choose another name")


@contextmanager
def replaced(path: Path, suffix: str) -> Iterator[Path]:
    """Yields a temporary path in the same folder; it replaces `path` if the block ends without an error.

    Raises SceneError when `path` can't be written.
    """
    check_place(path, suffix)
    folder = path.parent
    try:
        remove_stale_parts(folder)
        handle, name = tempfile.mkstemp(prefix=part_prefix(), suffix=path.suffix, dir=folder)
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
        raise write_error(path, error) from None
    finally:
        part.unlink(missing_ok=True)
        _unfinished.discard(part)


@contextmanager
def temporary_copy(path: Path) -> Iterator[Path]:
    """Yields a copy of a file in the same folder, which is removed afterwards. Raises SceneError."""
    try:
        handle, name = tempfile.mkstemp(prefix=part_prefix(), suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise SceneError(f"{path.parent}: can't write here ({error.strerror}); save the open file elsewhere") from None
    part = Path(name)
    _unfinished.add(part)
    try:
        shutil.copyfile(path, part)
        yield part
    finally:
        part.unlink(missing_ok=True)
        _unfinished.discard(part)


def _flush(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
