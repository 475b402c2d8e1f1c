"""Compares a picture that somebody made with one that was made now; the first may be any file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon.imaging.png import SIGNATURE
from ..torch_bridge.recording.files import failure_text, open_file

MOST_RMS = 3.0
"""Largest difference of pictures that count as the same, in 255ths: another graphics driver differs by less."""
HEADER = 24
"""Bytes of a PNG file up to its size."""


def difference_of(old: Path, new: Path) -> str:
    """Returns what differs between a file and a new one; "" if they are the same.

    PNG files are the same if their pixels differ by at most MOST_RMS (root mean square), others if all bytes are equal.
    """
    try:
        with open_file(old) as first, open_file(new) as second:
            if new.suffix != ".png":
                return "" if _size(old) == _size(new) and first.read() == second.read() else "another file"
            sizes = [_png_size(file.read(HEADER)) for file in (first, second)]
    except OSError as error:
        return f"not there ({failure_text(error)})"
    if sizes[0] != sizes[1]:
        return "another size" if sizes[0] else "no PNG file"
    pixels = [_pixels(path) for path in (old, new)]
    if pixels[0] is None or pixels[1] is None or pixels[0].shape != pixels[1].shape:
        return "no picture that can be read"
    rms = float(255 * np.sqrt(np.mean((pixels[0] - pixels[1]) ** 2)))
    return "" if rms <= MOST_RMS else f"another picture, rms {rms:.1f} of 255"


def _size(path: Path) -> int:
    return path.stat().st_size


def _png_size(header: bytes) -> tuple[int, int] | None:
    """Width and height that the header of a PNG file states; None if it is none."""
    if len(header) < HEADER or not header.startswith(SIGNATURE):
        return None
    width, height = struct.unpack(">2I", header[-8:])
    return width, height


def _pixels(path: Path) -> np.ndarray | None:
    """Returns a picture, (height, width, 4) float32 sRGB 0..1, or None if there is none that can be read."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError:
        return None
    try:
        width, height = image.size
        values = np.empty(4 * width * height, np.float32)
        if values.size:
            stored: Any = image.pixels
            stored.foreach_get(values)
        return values.reshape(height, width, 4)
    finally:
        bpy.data.images.remove(image)
