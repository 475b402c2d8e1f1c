"""Writing files and folders that are never left half-written."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..torch_bridge.recording.errors import SceneError
from ..torch_bridge.recording.part_files import part_prefix, remove_stale_parts


def write_error(path: Path, error: Exception) -> SceneError:
    """Returns a one-line error for a file that couldn't be written. Blender's errors have their reason in the text."""
    reason = getattr(error, "strerror", None) or str(error).strip()
    why = "the disk is full" if os.strerror(errno.ENOSPC) in reason else f"can't be written ({reason})"
    return SceneError(f"{path}: {why}; nothing was left half-written")


def free_path(parent: Path, name: str) -> Path:
    """Returns a path in `parent` that doesn't exist yet: the name, or the name with a number."""
    path, number = parent / name, 2
    while path.exists():
        path, number = parent / f"{name}-{number}", number + 1
    return path


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a hidden folder to write into; it becomes `path` when the block ends, and is removed after an error.

    Nothing that exists is ever replaced. Raises SceneError.
    """
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; create it first, or choose another place for {path.name}")
    part = None
    try:
        remove_stale_parts(path.parent)
        part = Path(tempfile.mkdtemp(prefix=part_prefix(), dir=path.parent))
        yield part
        part.chmod(0o755)
        part.rename(path)
    except OSError as error:
        raise write_error(path, error) from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
