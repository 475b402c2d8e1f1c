"""A hall of ResNet-50 that follows for a while: a film, a hundred other inputs, and a job meanwhile.

Background Blender draws nothing: drawing is in none of these numbers, making the tiles (evaluation) where it says so.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_addon.actions import bridge, methods, video
from ..blender_addon.live import hall_requests, timer
from ..blender_addon.live.requests import MethodRequest
from ..blender_addon.live.session import current
from ..blender_addon.properties import INPUT_TAG, METHOD_TAG, VIDEO_FRAME
from ..torch_bridge.client import BridgeInput, noise, pixels
from .rig import Rig, processor, resident

NETWORK, SECONDS, SWAPS, FULL = "resnet50", 20.0, 100, 40
"""FULL: inputs after which the memory for undo (session.MEMORY_BYTES) is full, and each new one takes an old one's."""
RATE, FRAMES, SIZE = 25, 100, (480, 640)
JOB: dict[str, Any] = {"parameters": {"size": 0.06}, "data": "", "layers": ["panels"]}
IDLE = 0.1
"""Milliseconds below which a call had nothing to do."""
KINDS = ("images", "meshes", "objects", "materials", "node_groups", "texts")


def measure() -> dict[str, Any]:
    """Updates a second and delay of a film, memory over swaps, longest call of the timer."""
    with Rig(NETWORK) as rig, tempfile.TemporaryDirectory() as folder:
        swaps = _swaps(rig)
        film = _film(Path(folder) / "film.mp4")
        return {
            f"film of {SIZE[1]} × {SIZE[0]}, shown": _watched(rig, film, evaluate=False) | {"budget": 5.0},
            "and its tiles made": _watched(rig, film, evaluate=True),
            **swaps,
            "a call of the timer, a job beside": _beside(rig) | {"budget ms": 50},
            "a call of the timer, a job shown": _shown(rig) | {"budget ms": 50},
        }


def _swaps(rig: Rig) -> dict[str, Any]:
    """What a hundred inputs leave behind, once as many are remembered as may be."""
    for picture in _pictures(FULL):
        rig.look(picture)
        rig.evaluate()
    before, counts = (resident(), resident(rig.child)), _counts()
    for picture in _pictures(SWAPS):
        rig.look(picture)
        rig.evaluate()
    after = resident(), resident(rig.child)
    return {
        f"memory of Blender over {SWAPS} inputs": {"MiB": before[0], "more MiB": after[0] - before[0]},
        f"memory of the child over {SWAPS} inputs": {"MiB": before[1], "more MiB": after[1] - before[1]},
        "data-blocks more": {kind: _counts()[kind] - counts[kind] for kind in KINDS},
    }


def _pictures(count: int) -> Iterator[BridgeInput]:
    random = np.random.default_rng(1)
    return (pixels(random.integers(0, 255, (224, 224, 3)).astype(np.uint8), "picture") for _ in range(count))


def _counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def _film(path: Path) -> Path:
    """A square that wanders over noise."""
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


def _watched(rig: Rig, film: Path, *, evaluate: bool) -> dict[str, float]:
    """Updates a second, and seconds from the moment that a frame is due until it is on all panels."""
    delays: list[float] = []

    def heard(tag: str, recording: Any) -> None:
        playing = current().video_of(rig.scene.session_uid)
        if playing is not None and tag == rig.scene.get(INPUT_TAG):
            delays.append(time.monotonic() - playing.started - rig.scene[VIDEO_FRAME] / playing.rate)

    hall_requests.LISTENERS.append(heard)
    video.play_video(rig.scene, str(film))
    timer.wait(lambda: len(delays) > 1, 60)
    delays.clear()
    start, spent, seen = time.perf_counter(), processor(rig.child), 0
    while time.perf_counter() - start < SECONDS:
        timer.wait(lambda: len(delays) > seen, 60)  # noqa: B023 - called at once
        seen = len(delays)
        if evaluate:
            rig.evaluate()
    wall = time.perf_counter() - start
    hall_requests.LISTENERS.remove(heard)
    video.stop_video(rig.scene)
    bridge.wait_for_bridge(rig.scene)  # the last frame is shown again, which is none of the next film's
    late = np.array(delays) % (FRAMES / RATE)  # the film begins again at its end
    found = {"a second": seen / wall, "delay s": float(np.median(late)), "longest s": float(late.max())}
    return found | {"child's processor": (processor(rig.child) - spent) / wall}


def _beside(rig: Rig) -> dict[str, float]:
    """The hall shows one input after the other, as fast as it can, while a job of its network runs."""
    work = current().request_method(NETWORK, MethodRequest("occlusion", JOB, str(rig.scene[INPUT_TAG])))
    found = _ticks(rig, lambda tag: not tag or tag in rig.shown)
    current().link.cancel(work)  # type: ignore[union-attr]
    return found


def _shown(rig: Rig) -> dict[str, float]:
    """The hall shows what the job makes, of another input whenever that has shown something."""
    methods.ask_method(rig.scene, "occlusion", {"size": 0.5}, layers=["panels"])

    def is_shown(tag: str) -> bool:
        return not tag or (tag in rig.shown and not current().is_running(str(rig.scene[METHOD_TAG])))

    return _ticks(rig, is_shown)


def _ticks(rig: Rig, next_input: Callable[[str], bool]) -> dict[str, float]:
    """Milliseconds of the timer's calls, for a while; a new input when it is time for one."""
    spent, tag, inputs, end = [], "", 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        if next_input(tag):
            tag, inputs = rig.ask(noise(inputs)), inputs + 1
        start = time.perf_counter()
        timer.tick()
        spent.append(time.perf_counter() - start)
        time.sleep(timer.BUSY_INTERVAL)
    found = np.array(spent) * 1000
    found = found[found > IDLE]
    summary = {"longest ms": found.max(), "99 % ms": np.quantile(found, 0.99), "median ms": np.median(found)}
    return {name: float(value) for name, value in summary.items()} | {"calls": len(found), "inputs": inputs}
