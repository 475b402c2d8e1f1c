"""Latency of 1,000 bridge requests, sequential and from eight clients."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..torch_bridge.client import Bridge, noise, start_bridge
from ..torch_bridge.recording.errors import InnerwalkError

NETWORK, REQUESTS, CLIENTS = "object", 1000, 8


def measure() -> dict[str, Any]:
    """Returns milliseconds per request and the number of failures, by kind of request."""
    with start_bridge(sys.executable, {"networks": {NETWORK: {"model": NETWORK}}}) as bridge:
        bridge.record(NETWORK)
        job = bridge.start(NETWORK, "weights")["id"]
        bridge.job(job, 0, 20.0)
        calls: dict[str, Callable[[Bridge], Any]] = {
            "describe": Bridge.describe,
            "poll of a job": lambda bridge: bridge.job(job, 1 << 40),
            "an input of the shipped network": lambda bridge: bridge.record(NETWORK, [noise(1)]),
        }
        sequential = {
            f"{REQUESTS:,} × {name}": _summary(_time_requests(bridge, request, REQUESTS))
            for name, request in calls.items()
        }
        return sequential | {
            f"{CLIENTS} clients at once, {name}": _time_clients(bridge, request) for name, request in calls.items()
        }


def _time_requests(bridge: Bridge, request: Callable[[Bridge], Any], times: int) -> list[float]:
    """Returns the seconds of each request; NaN for a failed one."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        try:
            request(bridge)
            spent.append(time.perf_counter() - start)
        except InnerwalkError:
            spent.append(float("nan"))
    return spent


def _time_clients(bridge: Bridge, request: Callable[[Bridge], Any]) -> dict[str, float]:
    def send_many(_: int) -> list[float]:
        with bridge.new_connection() as connection:
            return _time_requests(connection, request, REQUESTS // CLIENTS)

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        spent = [seconds for times in pool.map(send_many, range(CLIENTS)) for seconds in times]
    return _summary(spent) | {"a second": len(spent) / (time.perf_counter() - start)}


def _summary(spent: list[float]) -> dict[str, float]:
    milliseconds = np.array(spent) * 1000
    summary = {"median ms": float(np.nanmedian(milliseconds)), "longest ms": float(np.nanmax(milliseconds))}
    return summary | {"failures": int(np.isnan(milliseconds).sum())}
