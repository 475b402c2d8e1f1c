"""The type of progress callbacks, and the words for what long work will take, for both sides."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

Progress = Callable[[str, float], None]
"""Called with a line of text that says what is being done, and the share of the whole that is done, 0..1."""
Repeats = Literal["", "channel", "channel unless class"]
"""Whether a method's work is done once, for each selected channel, or for each unless it explains a class."""
COUNTS = ("count", "steps", "tested", "stages")
"""Parameters of methods that say how often the network is run, at least once for each."""
MANY_RUNS = 100
"""Runs of a network that are said where nothing is known of their time."""
LEAST_SECONDS = 3.0
"""Seconds that a job takes at least if they are said."""


def ignore_progress(message: str, share: float) -> None:
    """The Progress callback that does nothing."""


def run_count(parameters: Mapping[str, Any], repeats: str = "", channels: int = 1) -> int:
    """Returns how often a method runs a network with these parameters, as far as they say it.

    Occlusion covers a place for each step of its patch. repeats: see Repeats. channels: how many are selected, of all
    layers together.
    """
    count = math.prod(max(1, value) for name, value in parameters.items() if name in COUNTS and type(value) is int)
    size, stride = (parameters.get(name) for name in ("size", "stride"))
    if isinstance(size, float) and isinstance(stride, float) and size > 0 and stride > 0:
        count *= math.ceil(1 / (size * stride)) ** 2
    is_repeated = repeats == "channel" or (repeats == "channel unless class" and parameters.get("of") != "class")
    return count * max(1, channels) if is_repeated else count


def expected_time(count: int, run_seconds: float) -> str:
    """Returns what so many runs of a network will take, such as "Up to 9 min: 4,000 runs of the network".

    It is a bound: a run that is measured also copies all its maps. run_seconds: infinity where unknown. Returns "" for
    a short job, and where nothing is known.
    """
    if math.isinf(run_seconds):
        return f"{count:,} runs of the network" if count >= MANY_RUNS else ""
    if count < 2 or run_seconds * count < LEAST_SECONDS:
        return ""
    return f"Up to {duration_text(run_seconds * count)}: {count:,} runs of the network"


def duration_text(seconds: float) -> str:
    """Returns a duration as "20 s", "3 min" or "2 h", rounded as an estimate is."""
    if seconds < 90:
        return f"{max(1, round(seconds, -1) if seconds >= 20 else round(seconds)):g} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
