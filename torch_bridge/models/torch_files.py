"""Kinds of files that torch writes, and the first line of an error about one."""

from __future__ import annotations

from pathlib import Path

from ..recording.errors import message_of
from ..recording.files import open_file, open_zip


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip that contains code."""
    return archive_has(path, "code")


def archive_has(path: Path, entry: str) -> bool:
    """Whether a file is a zip with a file or folder of this name below its root folder."""
    try:
        with open_file(path) as file, open_zip(file) as archive:
            return any(name.split("/")[1:2] == [entry] for name in archive.namelist())
    except Exception:  # noqa: BLE001 - no zip, or one whose table of contents is damaged, which may raise anything
        return False


def unpacked_size(path: Path) -> int:
    """Bytes that the entries of a zip unpack to, as its table of contents says; 0 for any other file."""
    try:
        with open_file(path) as file, open_zip(file) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except Exception:  # noqa: BLE001 - as in `archive_has`
        return 0


def first_line(error: BaseException) -> str:
    """The first line of an error's message that isn't blank, else the name of its class."""
    lines = [line.strip() for line in message_of(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
