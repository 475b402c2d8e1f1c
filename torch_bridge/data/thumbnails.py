"""Small pictures of a data set, all of one size, for the shelf."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..inputs.image_files import on_white
from ..recording.errors import InputError
from .base import DataSet

GROUND = (30, 30, 32)
"""sRGB: what lies beside a picture that isn't square."""
MARK = (112, 62, 58)
LEAST, MOST = 8, 1024


def thumbnails(data: DataSet, indices: Sequence[int], size: int) -> np.ndarray:
    """(n, size, size, 3) uint8 sRGB: each picture whole, in the middle of a dark ground, transparent ones on white.

    A picture that can't be read is a crossed tile. Raises InputError for a size or an index that isn't there.
    """
    if not LEAST <= size <= MOST:
        raise InputError(f"thumbnails of {size} pixels: {LEAST} to {MOST} are possible")
    tiles = np.zeros((len(indices), size, size, 3), np.uint8)
    for tile, index in zip(tiles, indices, strict=True):
        data.label(index)  # raises here for a wrong index: it is no damaged picture
        tile[:] = _tile(data, index, size)
    return tiles


def _tile(data: DataSet, index: int, size: int) -> Image.Image:
    try:
        return _framed(on_white(data.picture(index, near=size)).convert("RGB"), size)
    except InputError:
        return _crossed(size)


def _framed(picture: Image.Image, size: int) -> Image.Image:
    share = size / max(picture.size)
    width, height = (max(1, round(side * share)) for side in picture.size)
    tile = Image.new("RGB", (size, size), GROUND)
    tile.paste(picture.resize((width, height), reducing_gap=2.0), ((size - width) // 2, (size - height) // 2))
    return tile


def _crossed(size: int) -> Image.Image:
    """What stands for a damaged picture."""
    tile = Image.new("RGB", (size, size), GROUND)
    brush, low, high = ImageDraw.Draw(tile), size // 3, size - 1 - size // 3
    for ends in ((low, low, high, high), (low, high, high, low)):
        brush.line(ends, MARK, max(1, size // 24))
    return tile
