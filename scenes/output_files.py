"""Files that are whole or not there: written beside their place and moved into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..blender_addon.atomic_files import unwritten
from ..torch_bridge.recording.errors import SceneError

_unfinished: set[Path] = set()
"""Of the whole process, because it is for a process that ends."""


def discard() -> None:
    """Remove every file that is not finished; for a process that must end at once."""
    for part in list(_unfinished):
        part.unlink(missing_ok=True)


def check_place(path: Path, suffix: str) -> None:
    """Raise one line where a file of this suffix can't be put: by another name, whoever opens it takes it for another.

    Raises SceneError.
    """
    if path.is_dir():
        raise SceneError(f"{path}: a folder; name a file in it, such as {path / f'hall{suffix}'}")
    if path.suffix.lower() != suffix:
        raise SceneError(f"{path}: not the name of a {suffix} file; {path.stem}{suffix} would be")
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; make it first, or choose another place for {path.name}")


@contextmanager
def replaced(path: Path, suffix: str) -> Iterator[Path]:
    """A path in the same folder to write to; it takes the place of `path` when all went well. Raises SceneError."""
    check_place(path, suffix)
    folder = path.parent
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


def _flush(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
