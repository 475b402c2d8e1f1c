"""Many pictures in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from ..recording.errors import ModelError

T = TypeVar("T")


class Pieces:
    """As large as they may be: halved for good when memory ends."""

    def __init__(self, count: int) -> None:
        self.count, self.size = count, count

    def run(self, of: Callable[[slice], T]) -> list[T]:
        """The results of all pieces in order. Raises ModelError where one picture is too much."""
        while True:
            try:
                return [of(slice(k, k + self.size)) for k in range(0, self.count, self.size)]
            except (RuntimeError, MemoryError, ModelError) as problem:
                if not short_of_memory(problem):
                    raise
                if self.size == 1:
                    raise ModelError("no memory for a single picture; smaller ones need less") from problem
            self.size = -(-self.size // 2)


def short_of_memory(problem: BaseException) -> bool:
    """Whether an error, or what a network's error came from, says that memory has ended."""
    cause = problem.__cause__ or problem
    return isinstance(cause, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(cause)
