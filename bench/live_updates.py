"""Live updates of a ResNet-50 hall: a video, 100 inputs, and inputs while a job runs.

Blender runs in the background and draws nothing; evaluation (which makes the tiles) is included only where stated.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import bpy
import numpy as np

from ..blender_addon.actions import bridge, methods, video
from ..blender_addon.live import hall_requests, timer
from ..blender_addon.live.request_types import MethodRequest
from ..blender_addon.live.session import current
from ..blender_addon.properties import INPUT_TAG, METHOD_TAG, VIDEO_FRAME
from ..blender_addon.scene import panels
from ..torch_bridge.client import BridgeInput, noise, pixels
from .live_hall import LiveHall, cpu_seconds, memory_mib

NETWORK, SECONDS, SWAPS, FULL = "resnet50", 20.0, 100, 40
"""FULL: inputs that fill the memory for undo (session.MEMORY_BYTES); each further input replaces an old one."""
RATE, FRAMES, SIZE = 25, 100, (480, 640)
JOB: dict[str, Any] = {"parameters": {"size": 0.06}, "data": "", "layers": ["panels"]}
IDLE = 0.1
"""Milliseconds; shorter calls of the timer had nothing to do and are left out."""
KINDS = ("images", "meshes", "objects", "materials", "node_groups", "texts")


def measure() -> dict[str, Any]:
    """Returns updates a second and delay of a video, memory over many inputs, and the longest call of the timer."""
    with LiveHall(NETWORK) as hall, tempfile.TemporaryDirectory() as folder:
        memory = _measure_memory(hall)
        video_file = _write_video(Path(folder) / "video.mp4")
        return {
            f"video of {SIZE[1]} × {SIZE[0]}, shown": _play_video(hall, video_file, evaluate=False) | {"budget": 5.0},
            "and evaluated": _play_video(hall, video_file, evaluate=True),
            **memory,
            "a call of the timer, a job running": _time_beside_job(hall) | {"budget ms": 50},
            "a call of the timer, showing the job": _time_shown_job(hall) | {"budget ms": 50},
        }


def _measure_memory(hall: LiveHall) -> dict[str, Any]:
    """Returns the growth of memory and data-blocks over SWAPS inputs, after the memory for undo is full."""
    for picture in _pictures(FULL):
        hall.show(picture)
        hall.evaluate()
    before, counts = (memory_mib(), memory_mib(hall.child)), _count_data_blocks()
    for picture in _pictures(SWAPS):
        hall.show(picture)
        hall.evaluate()
    after = memory_mib(), memory_mib(hall.child)
    return {
        f"memory of Blender over {SWAPS} inputs": {"MiB": before[0], "more MiB": after[0] - before[0]},
        f"memory of the child over {SWAPS} inputs": {"MiB": before[1], "more MiB": after[1] - before[1]},
        "data-blocks more": {kind: _count_data_blocks()[kind] - counts[kind] for kind in KINDS},
    }


def _pictures(count: int) -> Iterator[BridgeInput]:
    random = np.random.default_rng(1)
    return (pixels(random.integers(0, 255, (224, 224, 3)).astype(np.uint8), "picture") for _ in range(count))


def _count_data_blocks() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def _write_video(path: Path) -> Path:
    """Writes a video of a white square that moves over noise; returns its path."""
    import av

    ground = np.random.default_rng(2).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=RATE, width=SIZE[1], height=SIZE[0], pix_fmt="yuv420p")
        for k in range(FRAMES):
            picture = ground.copy()
            picture[3 * k : 3 * k + 100, 4 * k : 4 * k + 100] = 255
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def _play_video(hall: LiveHall, video_file: Path, *, evaluate: bool) -> dict[str, float]:
    """Returns updates a second, and seconds from the time at which a frame is due until all panels show it."""
    delays: list[float] = []

    def add_delay(tag: str, recording: Any) -> None:
        playing = current().video_of(hall.scene.session_uid)
        if playing is not None and tag == hall.scene.get(INPUT_TAG):
            delays.append(time.monotonic() - playing.started - hall.scene[VIDEO_FRAME] / playing.rate)

    hall_requests.LISTENERS.append(add_delay)
    with mock.patch.object(timer, "in_background", return_value=False):  # where it would stay at its first frame
        video.play_video(hall.scene, str(video_file))
    timer.wait(lambda: len(delays) > 1, 60)
    delays.clear()
    start, spent, seen = time.perf_counter(), cpu_seconds(hall.child), 0
    while time.perf_counter() - start < SECONDS:
        timer.wait(lambda: len(delays) > seen, 60)  # noqa: B023 - called at once
        seen = len(delays)
        if evaluate:
            hall.evaluate()
    wall = time.perf_counter() - start
    hall_requests.LISTENERS.remove(add_delay)
    video.stop_video(hall.scene)
    bridge.wait_for_bridge(hall.scene)  # the last frame is shown again: don't count it in the next run
    late = np.array(delays) % (FRAMES / RATE)  # the video starts again at its end
    found = {"a second": seen / wall, "delay s": float(np.median(late)), "longest s": float(late.max())}
    return found | {"child's CPU": (cpu_seconds(hall.child) - spent) / wall}


def _time_beside_job(hall: LiveHall) -> dict[str, float]:
    """Times the timer while the hall shows inputs as fast as it can and a job of its network runs."""
    work = current().request_method(NETWORK, MethodRequest("occlusion", JOB, str(hall.scene[INPUT_TAG])))
    found = _time_ticks(hall, lambda tag: not tag or tag in hall.shown)
    current().link.cancel(work)  # type: ignore[union-attr]
    return found


def _time_shown_job(hall: LiveHall) -> dict[str, float]:
    """Times the timer while the hall shows a job's maps, with a new input after each result."""
    methods.ask_method(hall.scene, "occlusion", {"size": 0.5}, layers=["panels"])

    def is_shown(tag: str) -> bool:
        return not tag or (tag in hall.shown and not current().is_running(str(hall.scene[METHOD_TAG])))

    return _time_ticks(hall, is_shown)


@mock.patch.object(panels, "update_point_values", new=lambda _scene: None)
def _time_ticks(hall: LiveHall, next_input: Callable[[str], bool]) -> dict[str, float]:
    """Returns milliseconds of the timer's calls over SECONDS; sends a new input when `next_input(tag)` is true.

    As in a window, where the points' values aren't updated with the maps.
    """
    calls, tag, inputs, end = list[tuple[float, float]](), "", 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        if next_input(tag):
            tag, inputs = hall.request(noise(inputs)), inputs + 1
        start, own = time.perf_counter(), time.thread_time()
        timer.tick()
        calls.append((time.perf_counter() - start, time.thread_time() - own))
        time.sleep(timer.BUSY_INTERVAL)
    walls, owns = np.array(calls).T * 1000
    found = walls[walls > IDLE]
    summary = {"longest ms": found.max(), "of its own CPU": owns.max(), "99 % ms": np.quantile(found, 0.99)}
    summary["median ms"] = np.median(found)
    return {name: float(value) for name, value in summary.items()} | {"calls": len(found), "inputs": inputs}
