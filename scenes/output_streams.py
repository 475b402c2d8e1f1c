"""Standard output and error that may be closed or full: the work goes on, and the exit status says so."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class OutputStream(io.TextIOBase):
    """A text stream that drops what can't be written. `error` is the first failure, None before."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        """Writes a text, or drops it if that is impossible."""
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flushes the stream unless it has failed."""
        self._attempt(lambda: self._stream.flush())

    def isatty(self) -> bool:
        """Returns whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Returns the file descriptor. Raises OSError without one."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return int(self._stream.fileno())

    def _attempt(self, write: Callable[[], Any]) -> None:
        if self._stream is None or self.error is not None:
            return
        try:
            write()
        except (OSError, ValueError) as error:  # closed, full, or a pipe that nobody reads
            self.error = error
            self._discard_rest()

    def _discard_rest(self) -> None:
        """Lets what is still buffered go nowhere, else Python fails again when it ends."""
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)


@contextmanager
def tolerant_output() -> Iterator[OutputStream]:
    """Makes standard output and error drop what can't be written; yields the former."""
    before = sys.stdout, sys.stderr
    output, errors = OutputStream(sys.stdout), OutputStream(sys.stderr)
    sys.stdout, sys.stderr = output, errors  # type: ignore[assignment]
    try:
        yield output
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before
