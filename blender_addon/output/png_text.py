"""Text chunks of PNG files: writes and reads the provenance of a figure. Standard library only."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from ..imaging.png import SIGNATURE, chunk

KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"iCCP"}
"""Chunks that are copied: they define how the picture looks. Times and host names that Blender adds are dropped."""


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """Returns the PNG file with `texts` as its only text chunks; keywords have 1 to 79 characters of Latin-1."""
    pieces = [SIGNATURE]
    for kind, body in chunks(png):
        if kind == b"IDAT" and texts:
            pieces += [chunk(b"iTXt", _international(keyword, text)) for keyword, text in texts.items()]
            texts = {}
        if kind in KEPT:
            pieces.append(chunk(kind, body))
    return b"".join(pieces)


def read_texts(png: bytes) -> dict[str, str]:
    """Reads the text chunks of a PNG file, by keyword. Raises ValueError when it is truncated or no PNG file."""
    texts = {}
    for kind, body in chunks(png):
        if kind == b"iTXt":
            keyword, _, rest = body.partition(b"\0")
            texts[keyword.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode()
    return texts


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields (type, data) of every chunk. Raises ValueError when the file is truncated or no PNG file."""
    if not png.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    offset, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if offset + 12 > len(png):
            raise ValueError("a PNG file that ends too early")
        length, kind = struct.unpack_from(">I4s", png, offset)
        yield kind, png[offset + 8 : offset + 8 + length]
        offset += 12 + length


def _international(keyword: str, text: str) -> bytes:
    return keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
