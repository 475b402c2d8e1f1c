"""Runs work on many pictures in chunks that fit in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from ..recording.errors import ModelError

T = TypeVar("T")


class Chunks:
    """Slices of a batch of pictures. Their size is halved, for good, whenever memory runs out."""

    def __init__(self, count: int) -> None:
        self.count, self.size = count, count

    def run(self, function: Callable[[slice], T]) -> list[T]:
        """Returns the function's results for all chunks in order. Raises ModelError if one picture is too much."""
        while True:
            try:
                return [function(slice(start, start + self.size)) for start in range(0, self.count, self.size)]
            except (RuntimeError, MemoryError, ModelError) as problem:
                if not is_out_of_memory(problem):
                    raise
                if self.size == 1:
                    raise ModelError("no memory for a single picture; a smaller size needs less") from problem
            self.size = -(-self.size // 2)


def is_out_of_memory(problem: BaseException) -> bool:
    """Returns whether an error, or the network's error that caused it, says that memory has run out."""
    cause = problem.__cause__ or problem
    return isinstance(cause, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(cause)
