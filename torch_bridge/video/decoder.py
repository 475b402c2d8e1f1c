"""A video file as numbered frames, decoding no more than is needed to reach one.

The times of all frames are read first, without decoding: they make numbers exact, also where the rate varies.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.errors import InputError
from .frame import pyav, said

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

KEYS_BACK = (0, 1, 2, 4, 8)
"""Some files land behind the key frame that was asked for: try earlier ones before the start of the file."""


class FrameDecoder:
    """`reach(number)`, and `here` is the number of what was decoded."""

    here: int
    """-1: nothing yet."""

    def __init__(self, path: Path) -> None:
        """Read the table of contents. Raises InputError."""
        self._path, self._av = path, pyav()
        self._open()
        self.stamps, self._keys = self._contents()
        self.unit = self._stream.time_base or Fraction(1)
        self.rewind()

    def rewind(self) -> None:
        """Open the file anew, which every kind of file allows. Raises InputError."""
        before = self._container
        self._open()
        before.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def advance(self) -> VideoFrame | None:
        """Decode one frame; None at the end. Raises InputError."""
        frame = next(self._packets, None)
        if frame is not None:
            stamp = frame.pts
            self.here = self.here + 1 if stamp is None else max(bisect_right(self.stamps, stamp) - 1, 0)
        return frame

    def reach(self, number: int) -> VideoFrame | None:
        """Decode up to a frame, or to what comes in its place where it is damaged; None: nothing comes."""
        key = self._keys[bisect_right(self._keys, number) - 1]
        frame = self.advance() if key - 1 <= self.here < number else self._jump(number)
        found = frame
        while frame is not None and self.here < number:
            found, frame = frame, self.advance()
        return frame or found

    def _jump(self, number: int) -> VideoFrame | None:
        """Land at or before a frame: at the key frame before it, in some files at an earlier one."""
        place = bisect_right(self._keys, number) - 1
        for back in (back for back in KEYS_BACK if back <= place):
            frame = self._land(self.stamps[self._keys[place - back]])
            if frame is not None and self.here <= number:
                return frame
        self.rewind()
        return self.advance()

    def _land(self, stamp: int) -> VideoFrame | None:
        try:
            self._container.seek(stamp, stream=self._stream)
        except self._av.FFmpegError:
            return None
        self._packets = self._decoded()
        return self.advance()

    def _open(self) -> None:
        """Stand at the start of the file."""
        try:
            # only files: a playlist must not reach into the network
            self._container = self._av.open(f"file:{self._path}", options={"protocol_whitelist": "file"})
        except (self._av.FFmpegError, ValueError) as error:
            raise InputError(f"film {self._path}: not a video file, or a damaged one ({said(error)})") from error
        self._stream = self._moving()
        self._packets = self._decoded()
        self.here = -1

    def _moving(self) -> VideoStream:
        """The stream of pictures; a song's cover is none. The others are not even read."""
        covers = self._av.stream.Disposition.attached_pic
        videos = [one for one in self._container.streams.video if not one.disposition & covers]
        if not videos:
            raise InputError(f"film {self._path}: no moving picture in it")
        for other in (one for one in self._container.streams if one is not videos[0]):
            other.discard = self._av.stream.Discard.all
        return videos[0]

    def _contents(self) -> tuple[list[int], list[int]]:
        """The times of all frames in order, in the stream's unit, and the numbers of those that need no other."""
        keys, stamps = set(), set()
        try:
            for packet in self._container.demux(self._stream):
                stamp = packet.dts if packet.pts is None else packet.pts
                if packet.size and stamp is not None and not packet.is_discard:
                    stamps.add(stamp)
                    keys |= {stamp} if packet.is_keyframe else set()
        except self._av.FFmpegError as error:
            raise InputError(f"film {self._path}: damaged ({said(error)})") from error
        if not stamps:
            raise InputError(f"film {self._path}: no frame with a time in it")
        ordered = sorted(stamps)
        return ordered, sorted({0} | {bisect_left(ordered, stamp) for stamp in keys})

    def _decoded(self) -> Iterator[VideoFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except self._av.error.InvalidDataError:
                    continue  # a damaged packet: its frame is left out
        except self._av.FFmpegError as error:
            raise InputError(f"film {self._path}: can't be read on ({said(error)})") from error
