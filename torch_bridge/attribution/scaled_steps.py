"""Steps of one part of a method's work as steps of the whole."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

from ..method_support.method import Step

Returned = TypeVar("Returned")


def scaled_steps(
    steps: Generator[Step, None, Returned], start: float, share: float, name: str
) -> Generator[Step, None, Returned]:
    """Yields the steps of a part that begins at the share `start` of the whole; returns what the part returns.

    Maps of the part are left out. name: what the messages begin with.
    """
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                returned: Returned = end.value
                return returned
            yield replace(step, share=start + share * step.share, message=f"{name}: {step.message}", maps=())
    finally:
        steps.close()
