"""Kinds of files that torch writes, and the first line of an error about one."""

from __future__ import annotations

import zipfile
from pathlib import Path


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip that contains code."""
    return archive_has(path, "code")


def archive_has(path: Path, entry: str) -> bool:
    """Whether a file is a zip with a file or folder of this name below its root folder."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split("/")[1:2] == [entry] for name in archive.namelist())


def first_line(error: BaseException) -> str:
    """The first line of an error's message that isn't blank, else the name of its class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
