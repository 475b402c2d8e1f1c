"""A video file on its own clock: the frame that is due, the next one, or any by its number."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..recording.errors import InputError
from .decoder import FrameDecoder
from .frame import Frame, pixels

if TYPE_CHECKING:
    from av import VideoFrame

MICROSECOND = 1e-6
"""A frame is due that much early: times are sums of rounded shares."""


class VideoFile:
    """The `Film` of a file."""

    def __init__(self, path: Path, loop: bool = True) -> None:
        """Decode the first frame, which also shows that it can be done. Raises InputError."""
        self._path, self.loop = path, loop
        self._lock, self._closed = threading.Lock(), False
        self._reel = FrameDecoder(path)
        first, last, self.frames = self._reel.stamps[0], self._reel.stamps[-1], len(self._reel.stamps)
        self._seconds = (np.array(self._reel.stamps) - first) * float(self._reel.unit)
        self.rate = float((self.frames - 1) / ((last - first) * self._reel.unit)) if self.frames > 1 else 1.0
        self._number = -1  # of the frame that was given last
        if not (found := self._reel.advance()):
            raise InputError(f"film {path}: no frame of it can be decoded")
        self._shown = self._frame(found)
        self.size = self._shown.size

    def frame_at(self, at: float) -> Frame:
        """The frame that is due `at` seconds after the start; what lies between is skipped. Raises InputError."""
        due = max(at, 0.0) + MICROSECOND
        if self.loop:
            due %= float(self._seconds[-1]) + 1 / self.rate
        with self._lock:
            return self._give(max(int(np.searchsorted(self._seconds, due, "right")) - 1, 0))

    def step(self, n: int = 1) -> Frame:
        """The n-th frame after the one that was given last, the first after opening; back for n < 0. Raises InputError.

        At the end it begins again, or stays where `loop` isn't set.
        """
        with self._lock:
            number = self._number + n
            return self._give(number % self.frames if self.loop else min(max(number, 0), self.frames - 1))

    def seek(self, number: int) -> Frame:
        """The frame of this number. Raises InputError."""
        if not 0 <= number < self.frames:
            raise InputError(f"film {self._path}: there is no frame {number}; they are 0 to {self.frames - 1}")
        with self._lock:
            return self._give(number)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._closed = True
            self._reel.close()

    def _give(self, number: int) -> Frame:
        if self._closed:
            raise InputError(f"film {self._path}: is closed")
        if number not in (self._number, self._shown.number) and (found := self._reel.reach(number)):
            self._shown = self._frame(found)
        self._number = number
        return self._shown

    def _frame(self, found: VideoFrame) -> Frame:
        return Frame(pixels(found), self._reel.here, float(self._seconds[self._reel.here]))
