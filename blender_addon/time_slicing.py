"""Work that is done a step at a time, so that who waits for a frame doesn't notice: generators that end in a result."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def run_all(work: Generator[Any, None, T]) -> T:
    """Take all steps at once; the result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def run_for(work: Iterator[T], seconds: float) -> T:
    """As many steps as there is time for, at least one; what the last one said. Raises StopIteration at the end."""
    until = time.monotonic() + seconds
    told = next(work)
    while time.monotonic() < until:
        told = next(work)
    return told
