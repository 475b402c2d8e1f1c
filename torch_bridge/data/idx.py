"""Data sets from idx files, the format of MNIST, plain or .gz: (n, H, W) grey images, and labels in another file."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from ..recording.errors import InputError
from ..recording.files import open_file
from .base import DataSet

IMAGES_NAME = re.compile(r"(?P<stem>.*)images(?P<dot>[-.])idx3-ubyte(\.gz)?")
MAX_BYTES = 1 << 30
"""Largest unpacked file that is read."""


class IdxData(DataSet):
    """Keeps the whole file in memory; MNIST's largest has 47 MB."""

    def __init__(self, images: Path, name: str = "") -> None:
        """Read `…images-idx3-ubyte` and, if it exists, `…labels-idx1-ubyte`. Raises InputError."""
        self._values = _read(images, 3)
        labels = np.full(len(self._values), -1)
        if labels_path := _find_labels(images):
            labels = _read(labels_path, 1)
        if len(labels) != len(self._values):
            raise InputError(
                f"idx file {labels_path}: {len(labels)} labels for the {len(self._values)} pictures of {images}"
            )
        classes = tuple(str(number) for number in range(int(labels.max()) + 1))
        super().__init__(name or images.resolve().parent.name, classes, labels)

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(self._values[index])


def image_files(folder: Path) -> list[Path]:
    """The idx files of images in a folder, in order; of a file and its .gz, the file."""
    files = {path.name.removesuffix(".gz"): path for path in sorted(folder.iterdir(), reverse=True) if is_idx(path)}
    return [files[name] for name in sorted(files)]


def is_idx(path: Path) -> bool:
    """Whether a file has the name of an idx file of images."""
    return IMAGES_NAME.fullmatch(path.name) is not None


def _find_labels(images: Path) -> Path | None:
    match = IMAGES_NAME.fullmatch(images.name)
    stem, dot = (match["stem"], match["dot"]) if match else ("", "-")
    candidates = [images.with_name(f"{stem}labels{dot}idx1-ubyte{end}") for end in ("", ".gz")]
    return next((path for path in candidates if path.is_file()), None)


def _read(path: Path, axes: int) -> np.ndarray:
    """The values of an idx file, uint8 with so many axes; its sizes are checked before memory is allocated."""
    try:
        with open_file(path) as raw, gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw as file:
            head = file.read(4 + 4 * axes)
            sizes = _sizes(head, axes, path)
            values = file.read(math.prod(sizes) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"idx file {path}: damaged or can't be read ({getattr(error, 'strerror', None) or error})"
        ) from None
    if len(values) != math.prod(sizes):
        actual = f"{len(values):,} bytes" if len(values) < math.prod(sizes) else "more bytes"
        raise InputError(f"idx file {path}: its header says {'×'.join(map(str, sizes))} bytes, it has {actual}")
    return np.frombuffer(values, np.uint8).reshape(sizes)


def _sizes(head: bytes, axes: int, path: Path) -> tuple[int, ...]:
    if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, 8, axes)):
        raise InputError(f"idx file {path}: not an idx file of bytes with {axes} axes")
    sizes = struct.unpack(f">{axes}I", head[4:])
    if not 0 < math.prod(sizes) <= MAX_BYTES:
        raise InputError(
            f"idx file {path}: its header says {'×'.join(map(str, sizes))} bytes; files of 1 byte to 1 GiB are read"
        )
    return sizes
