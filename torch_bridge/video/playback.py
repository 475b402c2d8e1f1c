"""Plays a video file: gives the frame that is due at a time, the next one, or any by its number."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..recording.errors import InputError
from .decoder import FrameDecoder
from .frame import Frame, frame_pixels

if TYPE_CHECKING:
    from av import VideoFrame

TOLERANCE = 1e-6
"""Seconds that a frame may be early, because times are sums of rounded numbers."""


class VideoFile:
    """The `Video` of a file."""

    def __init__(self, path: Path, loop: bool = True) -> None:
        """Decode the first frame, which also checks the file. Raises InputError."""
        self._path, self.loop = path, loop
        self._lock, self._closed = threading.Lock(), False
        self._decoder = FrameDecoder(path)
        first, last, self.frames = self._decoder.stamps[0], self._decoder.stamps[-1], len(self._decoder.stamps)
        self._seconds = (np.array(self._decoder.stamps) - first) * float(self._decoder.unit)
        self.rate = float((self.frames - 1) / ((last - first) * self._decoder.unit)) if self.frames > 1 else 1.0
        self._number = -1
        """Number of the frame that was returned last."""
        if not (decoded := self._decoder.advance()):
            raise InputError(f"video {path}: no frame of it can be decoded")
        self._last_decoded = self._frame(decoded)
        self.size = self._last_decoded.size

    def frame_at(self, seconds: float) -> Frame:
        """The frame that is due so many seconds after the start; those in between are skipped. Raises InputError."""
        due = max(seconds, 0.0) + TOLERANCE
        if self.loop:
            due %= float(self._seconds[-1]) + 1 / self.rate
        with self._lock:
            return self._show(max(int(np.searchsorted(self._seconds, due, "right")) - 1, 0))

    def step(self, n: int = 1) -> Frame:
        """The n-th frame after the last one, before it for n < 0; after opening, the first. Raises InputError.

        At the end the video starts again, or stays there without `loop`.
        """
        with self._lock:
            number = self._number + n
            return self._show(number % self.frames if self.loop else min(max(number, 0), self.frames - 1))

    def seek(self, number: int) -> Frame:
        """The frame of this number. Raises InputError."""
        if not 0 <= number < self.frames:
            raise InputError(f"video {self._path}: there is no frame {number}; they are 0 to {self.frames - 1}")
        with self._lock:
            return self._show(number)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            self._decoder.close()

    def _show(self, number: int) -> Frame:
        if self._closed:
            raise InputError(f"video {self._path} is closed")
        if number not in (self._number, self._last_decoded.number) and (decoded := self._decoder.decode(number)):
            self._last_decoded = self._frame(decoded)
        self._number = number
        return self._last_decoded

    def _frame(self, decoded: VideoFrame) -> Frame:
        number = self._decoder.position
        return Frame(frame_pixels(decoded), number, float(self._seconds[number]))
