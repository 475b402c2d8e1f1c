"""Progress of a training script, as one line on the terminal."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN_UPDATES = 1.0


class TrainingProgress:
    """One line on stderr with the work done and the time left."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._start = self._shown = time.monotonic()

    def step(self) -> None:
        """Counts one step and updates the line, at most once a second; ends the line after the last step."""
        self._done += 1
        now = time.monotonic()
        if self._done == self._total or now - self._shown > SECONDS_BETWEEN_UPDATES:
            left = (now - self._start) / self._done * (self._total - self._done)
            sys.stderr.write(f"\r{self._label}: {self._done} of {self._total}, {left:.0f} s left \033[K")
            self._shown = now
        if self._done == self._total:
            sys.stderr.write("\n")
