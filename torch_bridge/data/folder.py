"""A folder of picture files: sub-folders are classes, as in torchvision's ImageFolder, or there are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..inputs.image_files import open_picture
from ..recording.errors import InputError
from .base import DataSet
from .listing import SUFFIXES, Parts, by_folder, class_order, is_picture, is_plain


class FolderData(DataSet):
    """Files are listed at once and opened when asked for."""

    def __init__(self, folder: Path, name: str = "") -> None:
        """List the pictures. Raises InputError when the folder can't be read or holds none."""
        self._folder = folder.resolve()
        try:
            self._paths = sorted(_pictures(self._folder), key=class_order)
        except OSError as error:
            raise InputError(f"folder {folder}: {error.filename} can't be read ({error.strerror})") from None
        if not self._paths:
            raise InputError(f"folder {folder}: no picture in it; {', '.join(SUFFIXES)} are read")
        super().__init__(name or self._folder.name, *by_folder(self._paths))

    def _picture(self, index: int, near: int) -> Image.Image:
        path = self._folder.joinpath(*self._paths[index])
        if not path.resolve().is_relative_to(self._folder):  # again: it may have changed since it was listed
            raise InputError(f"picture {path}: a link that leads out of {self._folder}")
        return open_picture(path, near=near)

    def _title(self, index: int) -> str:
        return self._paths[index][-1]


def _pictures(root: Path) -> Iterator[Parts]:
    """Picture files below a resolved folder. Links to folders are not followed, nor links to files elsewhere."""
    waiting: list[Parts] = [()]
    while waiting:
        above = waiting.pop()
        with os.scandir(root.joinpath(*above)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting += [(*above, entry.name)] if is_plain(entry.name) else []
                elif is_picture(entry.name) and entry.is_file() and _stays(entry, root):
                    yield (*above, entry.name)


def _stays(entry: os.DirEntry[str], root: Path) -> bool:
    return not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(root)
