"""Adds to an MP4 file that its pictures are a full sphere for two eyes, which players of 360° video need to know.

The boxes st3d and sv3d of Google's Spherical Video V2 RFC (github.com/google/spatial-media), inside the sample entry of
the video track. Standard library only; the file is one that this program has written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

TOP_BOTTOM = 1
"""Stereo mode: the left eye's picture above the right eye's."""
SAMPLE_ENTRY = 8 + 78
"""Bytes of a video's sample entry before the boxes in it."""
WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")
"""Boxes, each in the one before, down to the sample entry."""
INNER = {b"stsd": 16, b"avc1": SAMPLE_ENTRY}
"""Bytes before the boxes inside of a box, where these are not the 8 of size and type."""


class Mp4Box(NamedTuple):
    """A box of an MP4 file."""

    kind: bytes
    start: int
    end: int
    """Byte positions in the file."""


def mark_spherical(video: bytes) -> bytes:
    """Returns an MP4 file that says: equirectangular, top-bottom stereo. Raises ValueError without an avc1 track."""
    way = _find_way(video)
    added = _box(b"st3d", b"\0\0\0\0" + bytes([TOP_BOTTOM])) + _spherical_box()
    place = way[-1].end
    marked = bytearray(video[:place] + added + video[place:])
    for box in way:  # each is larger now
        struct.pack_into(">I", marked, box.start, box.end - box.start + len(added))
    moov = way[0]
    if any(box.kind == b"mdat" and box.start > moov.start for box in boxes(video, 0, len(video))):
        _shift_chunks(marked, Mp4Box(moov.kind, moov.start, moov.end + len(added)), len(added))
    return bytes(marked)


def boxes(video: bytes | bytearray, start: int, end: int) -> Iterator[Mp4Box]:
    """Yields the boxes from one byte to another. Raises ValueError where they don't fill it."""
    while start < end:
        if end - start < 8:
            raise ValueError(f"no box of an MP4 file at byte {start}")
        size, kind = struct.unpack_from(">I4s", video, start)
        if size == 1 and end - start >= 16:
            size = struct.unpack_from(">Q", video, start + 8)[0]
        if not 8 <= size <= end - start:
            raise ValueError(f"box {kind!r} at byte {start} is longer than what it is in")
        yield Mp4Box(kind, start, start + size)
        start += size


def _find_way(video: bytes) -> Sequence[Mp4Box]:
    """Returns the boxes of WAY in the first track that has them all."""

    def search(start: int, end: int, kinds: Sequence[bytes]) -> list[Mp4Box] | None:
        if not kinds:
            return []
        for box in boxes(video, start, end):
            if box.kind == kinds[0]:
                rest = search(box.start + INNER.get(box.kind, 8), box.end, kinds[1:])
                if rest is not None:
                    return [box, *rest]
        return None

    found = search(0, len(video), WAY)
    if found is None:
        raise ValueError("no track of H.264 video in the MP4 file")
    return found


def _shift_chunks(video: bytearray, outer: Mp4Box, by: int) -> None:
    """Moves where the chunks of samples are said to be, which lie behind what was added."""
    for box in boxes(video, outer.start + 8, outer.end):
        if box.kind in (b"trak", b"mdia", b"minf", b"stbl"):
            _shift_chunks(video, box, by)
        elif box.kind in (b"stco", b"co64"):
            letter, width = (">I", 4) if box.kind == b"stco" else (">Q", 8)
            count = struct.unpack_from(">I", video, box.start + 12)[0]
            for k in range(count):
                place = box.start + 16 + k * width
                struct.pack_into(letter, video, place, struct.unpack_from(letter, video, place)[0] + by)


def _spherical_box() -> bytes:
    header = _box(b"svhd", b"\0\0\0\0innerwalk\0")
    pose = _box(b"prhd", b"\0\0\0\0" + struct.pack(">3i", 0, 0, 0))
    whole_sphere = _box(b"equi", b"\0\0\0\0" + struct.pack(">4I", 0, 0, 0, 0))
    return _box(b"sv3d", header + _box(b"proj", pose + whole_sphere))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
