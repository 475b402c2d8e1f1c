"""A hall in Blender that follows a bridge of its own, as a person has it, and what its parts cost."""

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

PATIENCE = 300.0


class Rig:
    """One bridge, one hall. `with Rig("resnet50") as rig: seconds = rig.look(bridge_input)`."""

    def __init__(self, network: str) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bridge.start_bridge(sys.executable, {network: {"model": network}})
        timer.wait(lambda: current().state == "ready", PATIENCE)
        self.shown: list[str] = []
        hall_requests.LISTENERS.append(lambda tag, recording: self.shown.append(tag))
        bridge.build_hall(network)
        timer.wait(lambda: bool(store.halls()), PATIENCE)
        self.scene = store.halls()[0]
        self.child = current().link.child.process.pid  # type: ignore[union-attr]

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        bridge.leave_bridge()

    def ask(self, bridge_input: BridgeInput) -> str:
        """Let the hall look at an input; the tag that `shown` will hold."""
        bridge.show_input(self.scene, bridge_input)
        return str(self.scene[INPUT_TAG])

    def look(self, bridge_input: BridgeInput) -> float:
        """Seconds until every panel, the frame and the board show an input."""
        start, tag = time.perf_counter(), self.ask(bridge_input)
        timer.wait(lambda: tag in self.shown, PATIENCE)
        return time.perf_counter() - start

    def evaluate(self) -> float:
        """Seconds that Blender takes to make the tiles of what has changed."""
        start = time.perf_counter()
        self.scene.view_layers[0].update()
        return time.perf_counter() - start


def processor(process: int) -> float:
    """Processor seconds that a process has used, as Linux counts them: in hundredths."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int | str = "self") -> float:
    """MiB of memory that a process has, as Linux counts them."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@contextmanager
def clocked(parts: Mapping[str, tuple[Any, str]]) -> Iterator[dict[str, float]]:
    """Processor seconds of functions by what they are called here, summed over all their calls.

    parts: name -> (module, function of it).
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
