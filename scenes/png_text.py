"""Words inside a PNG file: provenance written and read with nothing but the standard library."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from ..blender_addon.imaging.png import SIGNATURE, chunk

KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"iCCP"}
"""What says how a picture looks; times and machine names that Blender adds are left out."""


def with_words(png: bytes, words: Mapping[str, str]) -> bytes:
    """The same picture with these keywords (1 to 79 characters of Latin-1) and texts, and no others."""
    pieces = [SIGNATURE]
    for kind, body in chunks(png):
        if kind == b"IDAT" and words:
            pieces += [chunk(b"iTXt", _international(keyword, text)) for keyword, text in words.items()]
            words = {}
        if kind in KEPT:
            pieces.append(chunk(kind, body))
    return b"".join(pieces)


def words(png: bytes) -> dict[str, str]:
    """The texts of a picture by keyword."""
    found = {}
    for kind, body in chunks(png):
        if kind == b"iTXt":
            keyword, _, rest = body.partition(b"\0")
            found[keyword.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode()
    return found


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of every chunk. Raises ValueError where this is no whole PNG."""
    if not png.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if at + 12 > len(png):
            raise ValueError("a PNG file that ends too early")
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += 12 + length


def _international(keyword: str, text: str) -> bytes:
    return keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
