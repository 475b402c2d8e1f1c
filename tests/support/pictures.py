"""Reads PNG files that were rendered."""

import struct
import zlib
from pathlib import Path

import bpy
import numpy as np

from innerwalk.blender_addon.output import png_text


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3 or 4) uint8 of a PNG of 8 bits a channel."""
    parts = list(png_text.chunks(path.read_bytes()))
    width, height, depth, kind = struct.unpack(">IIBB", parts[0][1][:10])
    channels = {2: 3, 6: 4}[kind]
    raw = np.frombuffer(zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT")), np.uint8)
    rows = raw.reshape(height, 1 + width * channels)
    image = bpy.data.images.load(str(path))
    flat = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    bpy.data.images.remove(image)
    assert depth == 8 and len(rows) == height
    return np.rint(flat.reshape(height, width, 4)[::-1, :, :channels] * 255).astype(np.uint8)
