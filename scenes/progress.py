"""Progress of the command line: the step, the share done and the time left, in one line of a terminal that is redrawn,
or in a new line now and then where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 24
MIN_ELAPSED = 1.0
"""Seconds after which an estimate of the time left is shown."""
INTERVAL = 10.0
"""Seconds from one line to the next where there is no terminal."""


def time_left(elapsed: float, done: float) -> str:
    """Estimates the time left, such as "2:05 left", from seconds spent and the share done, 0..1; "" when it can't."""
    if elapsed < MIN_ELAPSED or not 0.0 < done < 1.0:
        return ""
    minutes, seconds = divmod(round(elapsed * (1.0 - done) / done), 60)
    return f"{minutes}:{seconds:02d} left"


class ProgressBar:
    """Callable that shows the current step and the share done, 0..1: as a bar if `shown`, else in a line every INTERVAL
    seconds, so that a log says what long work is at.

    with ProgressBar(sys.stderr, shown=True) as progress:
        progress("recording", 0.25)
    """

    def __init__(self, stream: TextIO, shown: bool) -> None:
        self._stream, self._shown = stream, shown
        self._start = self._logged = time.perf_counter()
        self._last = ""

    def __call__(self, doing: str, done: float) -> None:
        now, done = time.perf_counter(), min(max(done, 0.0), 1.0)
        text = f"{done:4.0%}  {doing}  {time_left(now - self._start, done)}".rstrip()
        if self._shown:
            self._draw(f"{'█' * round(done * WIDTH):·<{WIDTH}} {text}")
        elif now - self._logged >= INTERVAL:
            self._logged = now
            self._stream.write(f"innerwalk: {text.lstrip()}\n")
            self._stream.flush()

    def say(self, text: str) -> None:
        """Writes a line that stays, above the bar."""
        self.close()
        self._stream.write(f"innerwalk: {text}\n")
        self._stream.flush()

    def part(self, start: float, end: float) -> Callable[[str, float], None]:
        """Returns a callback for a part of the work that takes the bar from share `start` to share `end`."""
        return lambda doing, done: self(doing, start + (end - start) * min(max(done, 0.0), 1.0))

    def _draw(self, line: str) -> None:
        if line != self._last:
            self._stream.write("\r" + line + "\033[K")
            self._stream.flush()
            self._last = line

    def close(self) -> None:
        """Clears the line."""
        if self._last:
            self._draw("")

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
