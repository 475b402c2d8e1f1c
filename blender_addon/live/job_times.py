"""How long runs of networks and jobs of methods have taken, to say before a job what it will take. No bpy here."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from ...torch_bridge.recording.progress import LEAST_SECONDS, duration_text, expected_time, run_count
from .request_types import MethodRequest

MOST_WAITING = 256
"""Requests whose beginning is kept: one that fails or is replaced, as by a video's next frame, never ends."""


def scope_of(arguments: Mapping[str, Any]) -> str:
    """Returns what a method is run on: "panels", "layer" or "channel"."""
    return "channel" if arguments["channels"] else "panels" if list(arguments["layers"]) == ["panels"] else "layer"


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

    def estimate(
        self,
        network: str,
        method: str,
        scope: str,
        parameters: Mapping[str, Any],
        repeats: str = "",
        channels: int = 1,
    ) -> str:
        """Returns what a job will take, such as "About 40 s, as the last time"; "" for a short one or where unknown.

        repeats and channels: as in `run_count`. Before the first job the time is that of as many runs.
        """
        measured = self._jobs.get((network, method, scope))
        if measured is not None:
            seconds = measured[0] * run_count(parameters) / measured[1]
            return f"About {duration_text(seconds)}, as the last time" if seconds >= LEAST_SECONDS else ""
        return expected_time(run_count(parameters, repeats, channels), self._runs.get(network, math.inf))
