"""Files and folders that are whole or not there."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..torch_bridge.recording.errors import SceneError


def write_error(path: Path, error: Exception) -> SceneError:
    """The one line for a file that could not be written. Blender's errors say why only in their text."""
    reason = getattr(error, "strerror", None) or str(error).strip()
    why = "the disk is full" if os.strerror(errno.ENOSPC) in reason else f"can't be written ({reason})"
    return SceneError(f"{path}: {why}; nothing was left half-written")


def free_path(parent: Path, name: str) -> Path:
    """A path in `parent` that isn't there yet: the name, or the name with a number."""
    path, number = parent / name, 2
    while path.exists():
        path, number = parent / f"{name}-{number}", number + 1
    return path


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path` to write into; it is moved there when all went well, else removed.

    Nothing that is there is ever replaced. Raises SceneError.
    """
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; make it first, or choose another place for {path.name}")
    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=path.parent))
        yield part
        part.chmod(0o755)
        part.rename(path)
    except OSError as error:
        raise write_error(path, error) from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
