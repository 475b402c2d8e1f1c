"""Decodes frames of a video file by their numbers, and no more frames than necessary.

The times of all frames are read first, without decoding, so that numbers are exact also where the frame rate varies.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.errors import InputError
from .frame import error_text, import_pyav

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

KEYS_BACK = (0, 1, 2, 4, 8)
"""Key frames before the right one to try: in some files a seek ends after the requested key frame."""


class FrameDecoder:
    """Decodes the frames of a file."""

    position: int
    """Number of the frame that was decoded last; -1 at the start."""

    def __init__(self, path: Path) -> None:
        """Read the times of all frames. Raises InputError."""
        self._path, self._av = path, import_pyav()
        self._open()
        self.stamps, self._keys = self._read_stamps()
        """Times of all frames in the stream's `unit`, in order, and numbers of the key frames."""
        self.unit = self._stream.time_base or Fraction(1)
        self.rewind()

    def rewind(self) -> None:
        """Open the file again; unlike a seek, that works for every kind of file. Raises InputError."""
        previous = self._container
        self._open()
        previous.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def advance(self) -> VideoFrame | None:
        """Decode the next frame; None at the end. Raises InputError."""
        frame = next(self._frames, None)
        if frame is not None:
            stamp = frame.pts
            self.position = self.position + 1 if stamp is None else max(bisect_right(self.stamps, stamp) - 1, 0)
        return frame

    def decode(self, number: int) -> VideoFrame | None:
        """Decode a frame, or the one in its place if it is damaged; None if there is none. Raises InputError."""
        key = self._keys[bisect_right(self._keys, number) - 1]
        frame = self.advance() if key - 1 <= self.position < number else self._jump(number)
        last = frame
        while frame is not None and self.position < number:
            last, frame = frame, self.advance()
        return frame or last

    def _jump(self, number: int) -> VideoFrame | None:
        """Decode the key frame before a frame, in some files an earlier one."""
        key = bisect_right(self._keys, number) - 1
        for back in (back for back in KEYS_BACK if back <= key):
            frame = self._seek(self.stamps[self._keys[key - back]])
            if frame is not None and self.position <= number:
                return frame
        self.rewind()
        return self.advance()

    def _seek(self, stamp: int) -> VideoFrame | None:
        try:
            self._container.seek(stamp, stream=self._stream)
        except self._av.FFmpegError:
            return None
        self._frames = self._decode_packets()
        return self.advance()

    def _open(self) -> None:
        """Open the file at its start."""
        try:
            # the whitelist keeps playlists from opening network addresses
            self._container = self._av.open(f"file:{self._path}", options={"protocol_whitelist": "file"})
        except (self._av.FFmpegError, ValueError) as error:
            raise InputError(f"video {self._path}: not a video file, or a damaged one ({error_text(error)})") from error
        self._stream = self._find_stream()
        self._frames = self._decode_packets()
        self.position = -1

    def _find_stream(self) -> VideoStream:
        """The video stream, which a cover image is not; all other streams are discarded."""
        covers = self._av.stream.Disposition.attached_pic
        videos = [stream for stream in self._container.streams.video if not stream.disposition & covers]
        if not videos:
            raise InputError(f"video {self._path}: no video stream in it")
        for stream in self._container.streams:
            if stream is not videos[0]:
                stream.discard = self._av.stream.Discard.all
        return videos[0]

    def _read_stamps(self) -> tuple[list[int], list[int]]:
        """The times of all frames in the stream's unit, in order, and the numbers of the key frames."""
        keys, stamps = set(), set()
        try:
            for packet in self._container.demux(self._stream):
                stamp = packet.dts if packet.pts is None else packet.pts
                if packet.size and stamp is not None and not packet.is_discard:
                    stamps.add(stamp)
                    keys |= {stamp} if packet.is_keyframe else set()
        except self._av.FFmpegError as error:
            raise InputError(f"video {self._path}: damaged ({error_text(error)})") from error
        if not stamps:
            raise InputError(f"video {self._path}: no frame has a timestamp")
        ordered = sorted(stamps)
        return ordered, sorted({0} | {bisect_left(ordered, stamp) for stamp in keys})

    def _decode_packets(self) -> Iterator[VideoFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except self._av.error.InvalidDataError:
                    continue  # a damaged packet: its frame is skipped
        except self._av.FFmpegError as error:
            raise InputError(f"video {self._path}: reading failed ({error_text(error)})") from error
