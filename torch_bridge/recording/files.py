"""Opens files that strangers may have made: regular files only, up to a limit, and JSON up to a depth.

Every file that a user names is opened here: a pipe or a device would be waited for, or would fill the memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import weakref
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

MAX_DEPTH = 100
"""Lists and objects inside each other that JSON may have; code that reads deeper ones would exceed Python's stack."""
MAX_CONTAINERS = 1 << 20
"""Most lists and objects in a JSON text: a megabyte of brackets becomes 24; 200,000 tensors have 600,000."""
MAX_LISTING = 8 << 20
"""Bytes of a table of contents that a zip of any size may have: 100,000 files with names of 34 characters."""
KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
UNBLOCKED = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags of `os.open` with which no pipe is waited for."""


def open_file(path: Path | str, most: int | None = None) -> BinaryIO:
    """Opens a regular file, or a link to one, to read its bytes.

    most: its largest size in bytes. Raises OSError, whose `strerror` says what is wrong and what would be right.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file has a null character in its name", str(path).replace("\0", "\\0"))
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "its name has characters that no file's has", ascii(str(path))) from None
    _check_regular(os.stat(path), path)  # before it is opened: opening a device may do something already
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | UNBLOCKED))
    try:
        found = os.fstat(file.fileno())
        _check_regular(found, path)  # again: another file may have taken its place
        if most is not None and found.st_size > most:
            raise OSError(errno.EFBIG, _too_large(most), str(path))
    except BaseException:
        file.close()
        raise
    return file


def check_file(path: Path | str) -> None:
    """Raises OSError, as `open_file`, for what can't be opened; for libraries that open files by their path only."""
    open_file(path).close()


def read_file(path: Path | str, most: int) -> bytes:
    """Reads the bytes of a regular file of at most so many. Raises OSError, as `open_file`."""
    with open_file(path, most) as file:
        content = file.read(most + 1) or b""  # it may have grown, or belong to the system and state no size
    if len(content) > most:
        raise OSError(errno.EFBIG, _too_large(most), str(path))
    return content


def user_path(text: str) -> Path:
    """The path that a person writes: "~" is the own folder; an unknown user's, "~name", stays as it is."""
    return Path(os.path.expanduser(text))


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Opens a zip whose table of contents has at most MAX_LISTING bytes, or a 16th of the file, in a file's bytes.

    The file is closed when the archive is no longer used. Raises zipfile.BadZipFile, OSError as `open_file`, or
    anything for a damaged one.
    """
    size = file.seek(0, os.SEEK_END)
    listing = _Listing(file, max(MAX_LISTING, size // 16))
    try:
        archive = zipfile.ZipFile(listing)  # type: ignore[call-overload]
    except BaseException:
        file.close()
        raise
    weakref.finalize(archive, file.close)
    listing.most = size
    return archive


class _Listing:
    """A file that refuses to read more bytes at once than `most`: `zipfile` reads a table of contents in one piece."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.file, self.most = file, most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        """Reads up to so many bytes. Raises OSError."""
        if count > self.most:
            raise OSError(errno.EFBIG, "its table of contents is too large; a zip of fewer files is needed")
        return self.file.read(count)


def failure_text(error: OSError) -> str:
    """Why a file can't be opened, as the end of an error's line."""
    return "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror or error)


def _check_regular(found: os.stat_result, path: Path | str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder; a file is needed", str(path))
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise OSError(errno.EINVAL, f"it is {kind}; a regular file is needed", str(path))


def _too_large(most: int) -> str:
    size = f"{most >> 20:,} MiB" if most >= 1 << 20 else f"{most:,} bytes"
    return f"it is too large; files of at most {size} are read"


def parse_json(text: str | bytes) -> Any:
    """Parses JSON, UTF-8 where it is bytes, of at most MAX_CONTAINERS and MAX_DEPTH. Raises ValueError."""
    brackets = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    if sum(map(text.count, brackets)) > MAX_CONTAINERS:  # type: ignore[arg-type]
        raise ValueError(f"more than {MAX_CONTAINERS:,} lists and objects")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"lists and objects inside each other, more than {MAX_DEPTH} deep") from None
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise ValueError(f"lists and objects inside each other, more than {MAX_DEPTH} deep")
    return value


def is_weights_name(weights: str) -> bool:
    """Whether a text is a name of weights to download, such as DEFAULT or IMAGENET1K_V2, and not a file."""
    return weights.isidentifier() and weights.isupper() and not os.path.exists(weights)
