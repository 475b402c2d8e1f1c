"""What a bridge keeps: its memory after 1,000 requests that fill its caches, and after 10,000 more."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from ..torch_bridge.client import Bridge, noise, start_bridge
from ..torch_bridge.server.runs import IDLE_SECONDS

NETWORK, WARM_UP, REQUESTS = "object", 1_000, 10_000


def measure() -> dict[str, Any]:
    """Returns MiB in use; budget: within 20 MB of each other."""
    before, after = memory_before_and_after(WARM_UP, REQUESTS)
    return {
        f"after {WARM_UP:,} requests, MiB": before,
        f"after {REQUESTS:,} more, MiB": after,
        "difference MiB": after - before,
    }


def memory_before_and_after(warm_up: int, requests: int) -> tuple[float, float]:
    """Returns the MiB that a bridge has in use after so many requests, and after further ones."""
    with start_bridge(sys.executable, {"networks": {NETWORK: {"model": NETWORK}}, "device": "cpu"}) as bridge:
        assert bridge.child is not None
        process = bridge.child.process.pid
        _send(bridge, 0, warm_up)
        before = _resting_mib(process)
        _send(bridge, warm_up, warm_up + requests)
        return before, _resting_mib(process)


def _send(bridge: Bridge, first: int, last: int) -> None:
    """Sends runs on new inputs, new jobs with all their results, and descriptions, in turn."""
    for number in range(first, last):
        if number % 2:
            channels = [channel for channel in range(16) if number >> channel & 1]  # no two jobs are alike
            bridge.start(NETWORK, "weights", ["stage*.conv*"], channels=channels, inputs=[noise(number)])
        elif number % 4:
            bridge.record(NETWORK, [noise(number)], layers=["stage3.1:add"])
        elif number % 8:
            bridge.job(bridge.describe()["jobs"][-1]["id"], 0, 20.0)
        else:
            bridge.statistics(NETWORK, ["stem.conv"])
    while unfinished := [job for job in bridge.describe()["jobs"] if job["state"] in ("waiting", "running")]:
        bridge.job(unfinished[-1]["id"], unfinished[-1]["step"], 20.0)  # what they hold isn't kept


def _resting_mib(process: int) -> float:
    """Returns the memory that a bridge has in use when it has given unused memory back, MiB. Needs Linux."""
    time.sleep(IDLE_SECONDS + 2)
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
