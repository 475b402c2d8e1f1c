"""Runs numbered pictures in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..recording.errors import ModelError


def run_batches(count: int, copies: int, run: Callable[[range], None]) -> Iterator[int]:
    """Calls `run` with the numbers 0 … count - 1, at most `copies` at a time; yields how many are done after each.

    Takes fewer at a time if memory runs out or the network can't take so many, so `run` must change nothing when it
    fails. Raises what it raises for a single number.
    """
    done = 0
    while done < count:
        numbers = range(done, min(done + copies, count))
        try:
            run(numbers)
        except (RuntimeError, ModelError):
            if copies == 1:
                raise
            copies //= 2
            continue
        done = numbers.stop
        yield done
