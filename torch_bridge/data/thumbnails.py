"""Thumbnails of a data set, all of one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..inputs.image_files import on_white
from ..recording.errors import InputError
from .base import DataSet

BACKGROUND = (30, 30, 32)
"""sRGB colour beside an image that isn't square."""
CROSS = (112, 62, 58)
"""sRGB colour of the cross that stands for a damaged image."""
MIN_SIZE, MAX_SIZE = 8, 1024


def make_thumbnails(data: DataSet, indices: Sequence[int], size: int) -> np.ndarray:
    """Thumbnails, (n, size, size, 3) uint8 sRGB: whole images on a dark background, transparent ones on white.

    An image that can't be read becomes a cross. Raises InputError for a wrong size or index.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"thumbnails of {size} pixels: {MIN_SIZE} to {MAX_SIZE} are possible")
    tiles = np.zeros((len(indices), size, size, 3), np.uint8)
    for tile, index in zip(tiles, indices, strict=True):
        data.label(index)  # a wrong index raises here, so that it isn't taken for a damaged image
        tile[:] = _tile(data, index, size)
    return tiles


def _tile(data: DataSet, index: int, size: int) -> Image.Image:
    try:
        return _framed(on_white(data.picture(index, near=size)).convert("RGB"), size)
    except InputError:
        return _crossed(size)


def _framed(picture: Image.Image, size: int) -> Image.Image:
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    tile = Image.new("RGB", (size, size), BACKGROUND)
    tile.paste(picture.resize((width, height), reducing_gap=2.0), ((size - width) // 2, (size - height) // 2))
    return tile


def _crossed(size: int) -> Image.Image:
    """A cross, for a damaged image."""
    tile = Image.new("RGB", (size, size), BACKGROUND)
    brush, low, high = ImageDraw.Draw(tile), size // 3, size - 1 - size // 3
    for ends in ((low, low, high, high), (low, high, high, low)):
        brush.line(ends, CROSS, max(1, size // 24))
    return tile
