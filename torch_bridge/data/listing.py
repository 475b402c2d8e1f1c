"""Image files in folders and archives, and the classes that their folders stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

PathParts = tuple[str, ...]
"""The parts of a path, relative to the folder or archive."""


def is_displayable(name: str) -> bool:
    """Whether a name can be shown: not hidden, `..`, empty, unprintable, or a metadata folder of macOS."""
    return bool(name) and name.isprintable() and "\\" not in name and not name.startswith((".", "__MACOSX"))


def is_picture(name: str) -> bool:
    """Whether a file name has the suffix of an image."""
    return is_displayable(name) and name.lower().endswith(SUFFIXES)


def class_sort_key(parts: PathParts) -> tuple[str, PathParts]:
    """Sort key: by class, images without one first, then by path."""
    return (parts[0] if len(parts) > 1 else "", parts)


def classes_by_folder(paths: Sequence[PathParts]) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names in order, and (n,) int32 labels: the first folder is the class, -1 for images outside of any."""
    classes = tuple(sorted({parts[0] for parts in paths if len(parts) > 1}))
    numbers = {name: index for index, name in enumerate(classes)}
    labels: Iterable[int] = (numbers[parts[0]] if len(parts) > 1 else -1 for parts in paths)
    return classes, np.fromiter(labels, np.int32, len(paths))
