"""Time from a new input to every panel of a ResNet-50 hall, compared with the plain forward pass and PNGs in JSON.

The three alternate in one run with the same network, picture, threads and layers (70 panels, 42,664 channels).
Seconds depend on the load of the machine; ratios and CPU seconds do so less.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..blender_addon.live import bridge_events
from ..blender_addon.scene import panels
from ..blender_addon.scene.hall import store
from ..torch_bridge.client import bridge as client_bridge
from ..torch_bridge.client import frames, pixels
from ..torch_bridge.recording import ACTIVATIONS, Maps, pack
from .live_hall import LiveHall, cpu_seconds, time_functions
from .pngs import layer_from_json
from .reference_server import SIDE, ReferenceServer

NETWORK, ROUNDS, WARM, PILLOW = "resnet50", 9, 24, 3
"""WARM: inputs that fill the memory for undo (session.MEMORY_BYTES); PILLOW: rounds with Pillow, which is slowest."""
PARTS = {
    "read": (frames, "fill"),
    "parse": (frames, "parse"),
    "restore": (client_bridge, "_restore_maps"),
    "find panels": (store, "panels_by_layer"),
    "upload": (panels, "show_maps"),
    "input, answer": (bridge_events, "show_recording"),
    "refresh": (panels, "update_network_peak"),
}
"""Timed functions of the add-on, by their task."""


def measure() -> dict[str, Any]:
    """Returns medians of seconds, CPU seconds by stage, and the ratios with their budgets."""
    with ReferenceServer(NETWORK) as server, LiveHall(NETWORK) as hall:
        rounds = [_round(server, hall, picture) for picture in _pictures(WARM + ROUNDS)][WARM:]
        pillow = float(np.median([_pillow(server, picture) for picture in _pictures(PILLOW)]))
    found = {name: _median([measured[name] for measured in rounds]) for name in rounds[0]}
    ours, in_json, plain = (found[name]["s"] for name in ("input to panels", "PNGs in JSON, server", "plain forward"))
    found["panels, channels"] = {"panels": 70, "channels": 42_664}
    found["server beside ours"] = {"times": in_json / ours, "with Pillow": pillow / ours, "budget": 7.0}
    found["PNGs in JSON, server, by Pillow"] = {"s": pillow}
    found["ours beside plain forward"] = {"times": ours / plain, "budget": 2.0}
    return found | {"input to panels": found["input to panels"] | {"budget": 0.2}}


def _pictures(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8) for _ in range(count)]


def _round(server: ReferenceServer, hall: LiveHall, picture: np.ndarray) -> dict[str, dict[str, float]]:
    plain = server.forward(picture)
    ours, parts = _ours(hall, picture)
    received: list[tuple[str, bytes]] = []
    start = time.perf_counter()
    server.serve(picture, lambda id, text: received.append((id, text)))
    encoded = time.perf_counter()
    layers = [(id, layer_from_json(text)) for id, text in received]
    decoded = time.perf_counter()
    _upload(hall, layers)
    end = time.perf_counter()
    return {
        "plain forward": plain,
        "input to panels": ours,
        "PNGs in JSON, server": {"s": encoded - start, "MB": sum(len(text) for _, text in received) / 1e6},
        "and decoded": {"s": decoded - start},
        "and shown": {"s": end - start},
        "child's stages, CPU s": server.stages(picture),
        "Blender's stages, CPU s": parts,
    }


def _pillow(server: ReferenceServer, picture: np.ndarray) -> float:
    start = time.perf_counter()
    server.serve(picture, lambda id, text: None, "pillow")
    return time.perf_counter() - start


def _ours(hall: LiveHall, picture: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Returns the seconds of an input, and the CPU seconds of each part in Blender's process."""
    child, own = cpu_seconds(hall.child), time.process_time()
    with time_functions(PARTS) as parts:
        shown = hall.show(pixels(picture, "picture"))
    before = time.process_time()
    evaluated = hall.evaluate()
    parts["evaluation"] = time.process_time() - before
    spent = {"child's CPU s": cpu_seconds(hall.child) - child, "Blender's CPU s": time.process_time() - own}
    return {"s": shown, "with evaluation": shown + evaluated, **spent}, parts


def _upload(hall: LiveHall, layers: list[tuple[str, np.ndarray]]) -> None:
    """Shows grey maps (C, H, W) uint8 by layer id on the panels, as the add-on does."""
    targets = store.panels_by_layer(hall.scene)
    for id, grey in layers:
        texels = pack(grey / np.float32(255))
        panels.show_maps(
            targets[id], Maps(id, ACTIVATIONS, texels, len(grey), extras={"peak": np.ones(len(grey), np.float32)})
        )
    panels.update_network_peak(hall.scene)


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.median([measured[name] for measured in rounds])) for name in rounds[0]}
