"""Long work as generators, run in steps so that drawing a frame never waits for all of it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def run_all(work: Generator[Any, None, T]) -> T:
    """Runs all steps; returns the result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def run_for(work: Iterator[T], seconds: float) -> T:
    """Runs steps for a time, at least one; returns what the last one yielded. Raises StopIteration at the end."""
    end = time.monotonic() + seconds
    step = next(work)
    while time.monotonic() < end:
        step = next(work)
    return step
