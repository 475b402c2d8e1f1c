"""Which files of a folder or an archive are pictures, and the classes that their folders make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

Parts = tuple[str, ...]
"""A path by its parts, from the folder or archive on."""


def is_plain(name: str) -> bool:
    """A name that can be shown: neither hidden nor `..`, empty, unprintable or of the notes that macOS leaves."""
    return bool(name) and name.isprintable() and "\\" not in name and not name.startswith((".", "__MACOSX"))


def is_picture(name: str) -> bool:
    """A file name that says it is a picture."""
    return is_plain(name) and name.lower().endswith(SUFFIXES)


def class_order(parts: Parts) -> tuple[str, Parts]:
    """Sort key: by class, loose pictures first, then by path."""
    return (parts[0] if len(parts) > 1 else "", parts)


def by_folder(paths: Sequence[Parts]) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names in order, and (n,) labels: the first folder is the class, a picture outside of any has none (-1)."""
    classes = tuple(sorted({parts[0] for parts in paths if len(parts) > 1}))
    number = {name: index for index, name in enumerate(classes)}
    labels: Iterable[int] = (number[parts[0]] if len(parts) > 1 else -1 for parts in paths)
    return classes, np.fromiter(labels, np.int32, len(paths))
