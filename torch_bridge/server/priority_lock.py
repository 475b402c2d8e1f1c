"""A lock with two priorities: runs of new inputs go before the steps of jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PriorityLock:
    """A mutex for running networks. While an urgent caller waits, no background caller gets it."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._busy = self._closed = False
        self._urgent_waiting = 0

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Hold the lock, before all background callers that wait."""
        with self._change:
            self._urgent_waiting += 1
            try:
                self._change.wait_for(lambda: not self._busy)
                self._busy = True
            finally:
                self._urgent_waiting -= 1
        yield from self._held()

    @contextmanager
    def background(self) -> Iterator[None]:
        """Hold the lock once no urgent caller waits."""
        with self._change:
            self._change.wait_for(lambda: not self._busy and not self._urgent_waiting)
            self._busy = True
        yield from self._held()

    def close(self) -> None:
        """Wait until the lock is free, then refuse all later callers."""
        with self._change:
            self._urgent_waiting += 1
            self._change.wait_for(lambda: not self._busy or self._closed)
            self._busy = self._closed = True

    def _held(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._change:
                self._busy = False
                self._change.notify_all()
