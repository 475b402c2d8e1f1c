"""The type of progress callbacks, for both sides."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with a line of text that says what is being done, and the share of the whole that is done, 0..1."""


def ignore_progress(message: str, share: float) -> None:
    """The Progress callback that does nothing."""
