"""Taking turns at a network: who can't wait goes before who can."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PriorityLock:
    """One at a time. A new input waits for one step of a running job at the most; jobs wait while an input waits."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._busy = self._shut = False
        self._urgent = 0

    @contextmanager
    def now(self) -> Iterator[None]:
        """The next turn, before everybody who can wait."""
        with self._change:
            self._urgent += 1
            try:
                self._change.wait_for(lambda: not self._busy)
                self._busy = True
            finally:
                self._urgent -= 1
        yield from self._turn()

    @contextmanager
    def later(self) -> Iterator[None]:
        """A turn when nobody else wants one."""
        with self._change:
            self._change.wait_for(lambda: not self._busy and not self._urgent)
            self._busy = True
        yield from self._turn()

    def shut(self) -> None:
        """Wait for the turn that runs, and give no further ones."""
        with self._change:
            self._urgent += 1
            self._change.wait_for(lambda: not self._busy or self._shut)
            self._busy = self._shut = True

    def _turn(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._change:
                self._busy = False
                self._change.notify_all()
