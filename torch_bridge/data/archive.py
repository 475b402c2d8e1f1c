"""Data sets from a .zip of image files, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image

from ..inputs.image_files import open_picture, short_reason
from ..recording.errors import InputError
from ..recording.files import open_file, open_zip
from .base import DataSet
from .listing import SUFFIXES, PathParts, class_sort_key, classes_by_folder, is_displayable, is_picture

MAX_UNPACKED = 256 << 20
"""Bytes of one unpacked image; more is an attack."""


class ArchiveData(DataSet):
    """Folders in the archive are classes, except folders around all of them. Files with odd names are left out."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Read the table of contents. Raises InputError: not a zip, damaged, no image in it, or a zip bomb."""
        self._path, self._file = path, _open_zip(path)
        listed = [(_parts(info.filename), info) for info in self._file.infolist() if not info.is_dir()]
        listed = [(parts, info) for parts, info in listed if is_picture(parts[-1]) and all(map(is_displayable, parts))]
        if not listed:
            raise InputError(f"archive {path}: no picture in it; {', '.join(SUFFIXES)} are read")
        _refuse_bombs(path, [info for _, info in listed])
        depth = _common_depth([parts for parts, _ in listed])
        below = [(parts[depth:], info) for parts, info in listed]
        ordered = sorted(below, key=lambda entry: class_sort_key(entry[0]))
        self._entries = [info for _, info in ordered]
        super().__init__(name or path.stem, *classes_by_folder([parts for parts, _ in ordered]))

    def _picture(self, index: int, near: int) -> Image.Image:
        entry = self._entries[index]
        where = f"{self._path}/{entry.filename}"
        try:
            with self._file.open(entry) as file:
                packed = file.read(entry.file_size)  # at most as many bytes as declared, which were checked
        except Exception as error:  # damaged, encrypted, compressed by an unknown method …
            raise InputError(f"picture {where}: can't be unpacked ({short_reason(error)})") from error
        return open_picture(where, io.BytesIO(packed), near)

    def _title(self, index: int) -> str:
        return _parts(self._entries[index].filename)[-1]


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return open_zip(open_file(path))
    except Exception as error:  # a hostile table of contents may raise anything
        reason = short_reason(error)
        raise InputError(f"archive {path}: not a .zip, or a damaged one ({reason})") from error


def _refuse_bombs(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    largest = max(entries, key=lambda entry: entry.file_size)
    if largest.file_size > MAX_UNPACKED:
        size = f"{largest.file_size >> 20:,} MiB unpacked, at most {MAX_UNPACKED >> 20} MiB are read"
        raise InputError(f"archive {path}: {largest.filename} is {size}")


def _parts(name: str) -> PathParts:
    return tuple(name.split("/"))


def _common_depth(paths: list[PathParts]) -> int:
    """Number of folders around all images and their class folders."""
    depth = 0
    while all(len(parts) > depth + 2 for parts in paths) and len({parts[depth] for parts in paths}) == 1:
        depth += 1
    return depth
