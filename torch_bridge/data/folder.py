"""Data sets from a folder of image files: sub-folders, if any, are classes, as in torchvision's ImageFolder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..inputs.image_files import open_picture
from ..recording.errors import InputError
from .base import DataSet
from .listing import SUFFIXES, PathParts, class_sort_key, classes_by_folder, is_displayable, is_picture


class FolderData(DataSet):
    """Lists the files at once and opens them on access."""

    def __init__(self, folder: Path, name: str = "") -> None:
        """List the images. Raises InputError when the folder can't be read or has none."""
        self._folder = folder.resolve()
        try:
            self._paths = sorted(_find_pictures(self._folder), key=class_sort_key)
        except OSError as error:
            raise InputError(f"folder {folder}: {error.filename} can't be read ({error.strerror})") from None
        if not self._paths:
            raise InputError(f"folder {folder}: no picture in it; {', '.join(SUFFIXES)} are read")
        super().__init__(name or self._folder.name, *classes_by_folder(self._paths))

    def _picture(self, index: int, near: int) -> Image.Image:
        path = self._folder.joinpath(*self._paths[index])
        if not path.resolve().is_relative_to(self._folder):  # checked again: it may have changed since it was listed
            raise InputError(f"picture {path}: a link that leads out of {self._folder}")
        return open_picture(path, near=near)

    def _title(self, index: int) -> str:
        return self._paths[index][-1]


def _find_pictures(root: Path) -> Iterator[PathParts]:
    """Find image files below a resolved folder. Links to folders, and to files outside of it, are not followed."""
    pending: list[PathParts] = [()]
    while pending:
        parent = pending.pop()
        with os.scandir(root.joinpath(*parent)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending += [(*parent, entry.name)] if is_displayable(entry.name) else []
                elif is_picture(entry.name) and _is_inside(entry, root):
                    yield (*parent, entry.name)


def _is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether an entry is a file, or a link to one below the root; a link that leads in a circle isn't."""
    try:
        return entry.is_file() and (not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(root))
    except (OSError, RuntimeError):
        return False
