"""MNIST's idx files, plain or .gz: (n, H, W) grey pictures, and their labels beside them."""

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
from .base import DataSet

NAME = re.compile(r"(?P<stem>.*)images(?P<dot>[-.])idx3-ubyte(\.gz)?")
MOST_BYTES = 1 << 30


class IdxData(DataSet):
    """The whole file is held: MNIST's largest is 47 MB."""

    def __init__(self, images: Path, name: str = "") -> None:
        """Read `…images-idx3-ubyte` and, where it is there, `…labels-idx1-ubyte`. Raises InputError."""
        self._values = _read(images, 3)
        labels = np.full(len(self._values), -1)
        if found := _labels_beside(images):
            labels = _read(found, 1)
        if len(labels) != len(self._values):
            raise InputError(f"idx file {found}: {len(labels)} labels for the {len(self._values)} pictures of {images}")
        classes = tuple(str(number) for number in range(int(labels.max()) + 1))
        super().__init__(name or images.resolve().parent.name, classes, labels)

    def _picture(self, index: int, near: int) -> Image.Image:
        return Image.fromarray(self._values[index])


def image_files(folder: Path) -> list[Path]:
    """The idx files of pictures in a folder, in order; where one lies there twice, the one that isn't packed."""
    found = {path.name.removesuffix(".gz"): path for path in sorted(folder.iterdir(), reverse=True) if is_idx(path)}
    return [found[name] for name in sorted(found)]


def is_idx(path: Path) -> bool:
    """Whether a file is called as idx files of pictures are."""
    return NAME.fullmatch(path.name) is not None


def _labels_beside(images: Path) -> Path | None:
    called = NAME.fullmatch(images.name)
    stem, dot = (called["stem"], called["dot"]) if called else ("", "-")
    beside = [images.with_name(f"{stem}labels{dot}idx1-ubyte{end}") for end in ("", ".gz")]
    return next((path for path in beside if path.is_file()), None)


def _read(path: Path, axes: int) -> np.ndarray:
    """The bytes of an idx file by its own sizes, which are checked before anything is made of them."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            head = file.read(4 + 4 * axes)
            sizes = _sizes(head, axes, path)
            values = file.read(math.prod(sizes) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"idx file {path}: damaged or can't be read ({error})") from None
    if len(values) != math.prod(sizes):
        found = f"{len(values):,} bytes" if len(values) < math.prod(sizes) else "more bytes"
        raise InputError(f"idx file {path}: its head says {'×'.join(map(str, sizes))} bytes, it holds {found}")
    return np.frombuffer(values, np.uint8).reshape(sizes)


def _sizes(head: bytes, axes: int, path: Path) -> tuple[int, ...]:
    if len(head) < 4 + 4 * axes or head[:4] != bytes((0, 0, 8, axes)):
        raise InputError(f"idx file {path}: not an idx file of bytes with {axes} axes")
    sizes = struct.unpack(f">{axes}I", head[4:])
    if not 0 < math.prod(sizes) <= MOST_BYTES:
        raise InputError(f"idx file {path}: its head says {'×'.join(map(str, sizes))} bytes; 1 to 1 GiB are read")
    return sizes
