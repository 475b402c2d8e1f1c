"""How long runs of networks and jobs of methods have taken, to say before a job what it will take. No bpy here."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from .request_types import MethodRequest

COUNTS = ("count", "steps", "tested", "stages")
"""Parameters of methods that say how often the network is run, at least once for each."""
MANY_RUNS = 100
"""Runs of a network that are said where nothing is known of their time."""
LEAST_SECONDS = 3.0
"""Seconds that a job takes at least if they are said."""
MOST_WAITING = 256
"""Requests whose beginning is kept: one that fails or is replaced, as by a video's next frame, never ends."""


def run_count(parameters: Mapping[str, Any]) -> int:
    """Returns how often a method runs a network with these parameters, as far as they say it.

    Occlusion covers a place for each step of its patch.
    """
    count = math.prod(max(1, value) for name, value in parameters.items() if name in COUNTS and type(value) is int)
    size, stride = (parameters.get(name) for name in ("size", "stride"))
    if isinstance(size, float) and isinstance(stride, float) and size > 0 and stride > 0:
        count *= math.ceil(1 / (size * stride)) ** 2
    return count


def scope_of(arguments: Mapping[str, Any]) -> str:
    """Returns what a method is run on: "panels", "layer" or "channel"."""
    return "channel" if arguments["channels"] else "panels" if list(arguments["layers"]) == ["panels"] else "layer"


def duration_text(seconds: float) -> str:
    """Returns a duration as "20 s", "3 min" or "2 h", rounded as an estimate is."""
    if seconds < 90:
        return f"{max(1, round(seconds, -1) if seconds >= 20 else round(seconds)):g} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class JobTimes:
    """What was measured in this run of Blender."""

    def __init__(self) -> None:
        self._runs: dict[str, float] = {}
        """Seconds from request to answer of the fastest run, by network: more than a run in a job takes."""
        self._jobs: dict[tuple[str, str, str], tuple[float, int]] = {}
        """Seconds and number of runs of the last job, by network, method and what it was run on."""
        self._begun: dict[str, float] = {}
        """When requests were sent, by tag."""

    def begin(self, tag: str) -> None:
        """Notes that a request is sent now."""
        self._begun[tag] = time.monotonic()
        if len(self._begun) > MOST_WAITING:
            del self._begun[next(iter(self._begun))]

    def end_run(self, tag: str, network: str) -> None:
        """Notes that a network has answered now."""
        if tag in self._begun:
            seconds = time.monotonic() - self._begun.pop(tag)
            # Of a network's first run nothing is known: it also loads what all later ones use.
            self._runs[network] = min(seconds, self._runs[network]) if network in self._runs else math.inf

    def end_job(self, tag: str, network: str, request: MethodRequest) -> None:
        """Notes that a job has ended with all its results now."""
        if tag in self._begun:
            key = network, request.method, scope_of(request.arguments)
            seconds = time.monotonic() - self._begun.pop(tag)
            self._jobs[key] = seconds, run_count(request.arguments["parameters"])

    def estimate(self, network: str, method: str, scope: str, parameters: Mapping[str, Any]) -> str:
        """Returns what a job will take, such as "About 40 s, as the last time"; "" for a short one or where unknown.

        Before the first job it is a bound: a run that is shown also sends all its maps.
        """
        count, measured = run_count(parameters), self._jobs.get((network, method, scope))
        if measured is not None:
            seconds = measured[0] * count / measured[1]
            return f"About {duration_text(seconds)}, as the last time" if seconds >= LEAST_SECONDS else ""
        seconds = self._runs.get(network, math.inf) * count
        if math.isinf(seconds):
            return f"{count:,} runs of the network" if count >= MANY_RUNS else ""
        if count < 2 or seconds < LEAST_SECONDS:
            return ""
        return f"Up to {duration_text(seconds)}: {count:,} runs of the network"
