"""A .zip of picture files, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image

from ..inputs.image_files import open_picture
from ..recording.errors import InputError
from .base import DataSet
from .listing import SUFFIXES, Parts, by_folder, class_order, is_picture, is_plain

MOST_BYTES = 256 << 20
"""Of one picture when unpacked: more is no picture file but an attack."""


class ArchiveData(DataSet):
    """Folders in the archive are classes; one folder around all of them is not. Odd names are left out."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Read the table of contents. Raises InputError: no zip, damaged, no picture in it, or one that explodes."""
        self._path, self._file = path, _opened(path)
        listed = [(_parts(info.filename), info) for info in self._file.infolist() if not info.is_dir()]
        listed = [(parts, info) for parts, info in listed if is_picture(parts[-1]) and all(map(is_plain, parts))]
        if not listed:
            raise InputError(f"archive {path}: no picture in it; {', '.join(SUFFIXES)} are read")
        _refuse_bombs(path, [info for _, info in listed])
        around = _around([parts for parts, _ in listed])
        ordered = sorted(((parts[around:], info) for parts, info in listed), key=lambda one: class_order(one[0]))
        self._entries = [info for _, info in ordered]
        super().__init__(name or path.stem, *by_folder([parts for parts, _ in ordered]))

    def _picture(self, index: int, near: int) -> Image.Image:
        entry = self._entries[index]
        where = f"{self._path}/{entry.filename}"
        try:
            with self._file.open(entry) as file:
                packed = file.read(entry.file_size)  # never without a number: the size may lie
        except Exception as error:  # an entry of a stranger's archive: damaged, encrypted, of an unknown method …
            raise InputError(f"picture {where}: can't be unpacked ({' '.join(str(error).split())[:200]})") from error
        return open_picture(where, io.BytesIO(packed), near)

    def _title(self, index: int) -> str:
        return _parts(self._entries[index].filename)[-1]


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # the table of contents is a stranger's: anything may be raised
        said = " ".join(str(error).split())[:200]
        raise InputError(f"archive {path}: not a .zip, or a damaged one ({said})") from error


def _refuse_bombs(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    largest = max(entries, key=lambda entry: entry.file_size)
    if largest.file_size > MOST_BYTES:
        size = f"{largest.file_size >> 20:,} MiB unpacked, {MOST_BYTES >> 20} a picture are the most"
        raise InputError(f"archive {path}: {largest.filename} is {size}")


def _parts(name: str) -> Parts:
    return tuple(name.split("/"))


def _around(paths: list[Parts]) -> int:
    """How many folders lie around all pictures and their classes."""
    depth = 0
    while all(len(parts) > depth + 2 for parts in paths) and len({parts[depth] for parts in paths}) == 1:
        depth += 1
    return depth
