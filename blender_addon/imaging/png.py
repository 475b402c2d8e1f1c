"""Writes PNG files with zlib and numpy alone: 8 or 16 bits, grey or colour, some rows at a time."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2
"""Colour types of the PNG format."""


def chunk(kind: bytes, body: bytes) -> bytes:
    """Builds a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode(width: int, height: int, bands: Iterable[np.ndarray]) -> Iterator[bytes]:
    """Yields the pieces of a PNG file, one for each band and one for the end.

    bands: (rows, width) or (rows, width, 3), uint8 or uint16, all of one kind, `height` rows in total, top row first.
    """
    packer, started = zlib.compressobj(6), False
    for band in bands:
        head = b"" if started else SIGNATURE + chunk(b"IHDR", _header(width, height, band))
        started = True
        packed = packer.compress(_filtered(band))
        yield head + (chunk(b"IDAT", packed) if packed else b"")
    yield chunk(b"IDAT", packer.flush()) + chunk(b"IEND", b"")


def encode_8bit(pixels: np.ndarray) -> bytes:
    """Encodes pixels (H, W, 3) sRGB 0..1, top row first, as an 8-bit PNG file."""
    height, width, _ = pixels.shape
    return b"".join(encode(width, height, [np.rint(255 * pixels).astype(np.uint8)]))


def _header(width: int, height: int, band: np.ndarray) -> bytes:
    return struct.pack(">IIBBBBB", width, height, 8 * band.dtype.itemsize, COLOUR if band.ndim == 3 else GREY, 0, 0, 0)


def _filtered(band: np.ndarray) -> bytes:
    """Returns rows in PNG form: big-endian, each preceded by the filter byte 0 (none)."""
    rows = np.ascontiguousarray(band, band.dtype.newbyteorder(">")).reshape(len(band), -1).view(np.uint8)
    return np.pad(rows, ((0, 0), (1, 0))).tobytes()
