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
            "poll of a job": lambda one: one.job(job, 1 << 40),
            "an input of the shipped network": lambda one: one.record(NETWORK, [noise(1)]),
        }
        found = {f"{QUESTIONS:,} × {name}": _told(_asked(bridge, ask, QUESTIONS)) for name, ask in kinds.items()}
        return found | {f"{ASKERS} askers at once, {name}": _together(bridge, ask) for name, ask in kinds.items()}


def _asked(bridge: Bridge, ask: Callable[[Bridge], Any], times: int) -> list[float]:
    """Seconds of each; NaN for one that failed."""
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
    def one(_: int) -> list[float]:
        with bridge.new_connection() as twin:
            return _asked(twin, ask, QUESTIONS // ASKERS)

    start = time.perf_counter()
    with ThreadPoolExecutor(ASKERS) as pool:
        spent = [seconds for every in pool.map(one, range(ASKERS)) for seconds in every]
    return _told(spent) | {"a second": len(spent) / (time.perf_counter() - start)}


def _told(spent: list[float]) -> dict[str, float]:
    found = np.array(spent) * 1000
    told = {"median ms": float(np.nanmedian(found)), "longest ms": float(np.nanmax(found))}
    return told | {"failures": int(np.isnan(found).sum())}
