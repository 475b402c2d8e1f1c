"""A live hall with its own bridge, and timers for its parts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..blender_addon.actions import bridge
from ..blender_addon.live import hall_requests, timer
from ..blender_addon.live.session import current
from ..blender_addon.properties import INPUT_TAG
from ..blender_addon.scene.hall import store
from ..torch_bridge.client import BridgeInput

TIMEOUT = 300.0
"""Seconds to wait for the bridge and for updates."""


class LiveHall:
    """A hall that shows a network of its own bridge: `with LiveHall("resnet50") as hall: hall.show(bridge_input)`."""

    def __init__(self, network: str) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bridge.start_bridge(sys.executable, {network: {"model": network}})
        timer.wait(lambda: current().state == "ready", TIMEOUT)
        self.shown: list[str] = []
        hall_requests.LISTENERS.append(lambda tag, recording: self.shown.append(tag))
        bridge.build_hall(network)
        timer.wait(lambda: bool(store.halls()), TIMEOUT)
        self.scene = store.halls()[0]
        self.child = current().link.child.process.pid  # type: ignore[union-attr]

    def __enter__(self) -> LiveHall:
        return self

    def __exit__(self, *_: object) -> None:
        bridge.leave_bridge()

    def request(self, bridge_input: BridgeInput) -> str:
        """Requests that the hall show an input; returns its tag, which is added to `shown` when it is shown."""
        bridge.show_input(self.scene, bridge_input)
        return str(self.scene[INPUT_TAG])

    def show(self, bridge_input: BridgeInput) -> float:
        """Shows an input; returns the seconds until every panel, the frame and the board show it."""
        start, tag = time.perf_counter(), self.request(bridge_input)
        timer.wait(lambda: tag in self.shown, TIMEOUT)
        return time.perf_counter() - start

    def evaluate(self) -> float:
        """Evaluates the scene, which makes the changed tiles; returns the seconds."""
        start = time.perf_counter()
        self.scene.view_layers[0].update()
        return time.perf_counter() - start


def cpu_seconds(process: int) -> float:
    """Returns the CPU seconds that a process has used, from Linux: in hundredths."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(process: int | str = "self") -> float:
    """Returns the MiB of resident memory of a process, from Linux."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@contextmanager
def time_functions(parts: Mapping[str, tuple[Any, str]]) -> Iterator[dict[str, float]]:
    """Times functions: yields CPU seconds of the calling thread by name, summed over all calls.

    parts: name -> (module, name of the function in it).
    """
    spent = dict.fromkeys(parts, 0.0)
    before = {name: getattr(module, function) for name, (module, function) in parts.items()}
    for name, (module, function) in parts.items():
        setattr(module, function, _timed(before[name], name, spent))
    try:
        yield spent
    finally:
        for name, (module, function) in parts.items():
            setattr(module, function, before[name])


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.thread_time() - start

    return timed
