"""A thousand small questions to a bridge, one after the other, and from eight askers at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..torch_bridge.client import Bridge, noise, start_bridge
from ..torch_bridge.recording.errors import InnerwalkError

NETWORK, QUESTIONS, ASKERS = "object", 1000, 8


def measure() -> dict[str, Any]:
    """Milliseconds of a question, and how many failed."""
    with start_bridge(sys.executable, {"networks": {NETWORK: {"model": NETWORK}}}) as bridge:
        bridge.record(NETWORK)
        job = bridge.start(NETWORK, "weights")["id"]
        bridge.job(job, 0, 20.0)
        kinds: dict[str, Callable[[Bridge], Any]] = {
            "describe": Bridge.describe,
            "poll of a job": lambda bridge: bridge.job(job, 1 << 40),
            "an input of the shipped network": lambda bridge: bridge.record(NETWORK, [noise(1)]),
        }
        found = {
            f"{QUESTIONS:,} × {name}": _summary(_time_requests(bridge, ask, QUESTIONS)) for name, ask in kinds.items()
        }
        return found | {f"{ASKERS} askers at once, {name}": _together(bridge, ask) for name, ask in kinds.items()}


def _time_requests(bridge: Bridge, ask: Callable[[Bridge], Any], times: int) -> list[float]:
    """Returns the seconds of each request; NaN for a failed one."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        try:
            ask(bridge)
            spent.append(time.perf_counter() - start)
        except InnerwalkError:
            spent.append(float("nan"))
    return spent


def _together(bridge: Bridge, ask: Callable[[Bridge], Any]) -> dict[str, float]:
    def ask_often(_: int) -> list[float]:
        with bridge.new_connection() as twin:
            return _time_requests(twin, ask, QUESTIONS // ASKERS)

    start = time.perf_counter()
    with ThreadPoolExecutor(ASKERS) as pool:
        spent = [seconds for every in pool.map(ask_often, range(ASKERS)) for seconds in every]
    return _summary(spent) | {"a second": len(spent) / (time.perf_counter() - start)}


def _summary(spent: list[float]) -> dict[str, float]:
    found = np.array(spent) * 1000
    summary = {"median ms": float(np.nanmedian(found)), "longest ms": float(np.nanmax(found))}
    return summary | {"failures": int(np.isnan(found).sum())}
