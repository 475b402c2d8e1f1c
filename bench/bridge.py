"""From a new input to every panel of ResNet-50's hall, beside the plain forward pass and beside PNGs in JSON.

All three take turns in one run, on the same machine, network, picture, number of threads and layers: 70 panels, 42,664
channels. Seconds depend on what else the machine does; ratios and processor seconds less so.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..blender_addon.live import event_handlers, hall_requests
from ..blender_addon.scene import panels
from ..torch_bridge.client import bridge as client_bridge
from ..torch_bridge.client import frames, pixels
from ..torch_bridge.recording import ACTIVATIONS, Maps, pack
from .peer import SIDE, Peer
from .pngs import layer_of_json
from .rig import Rig, clocked, processor

NETWORK, ROUNDS, WARM, PILLOW = "resnet50", 9, 24, 3
"""WARM: inputs until the memory for undo (session.MEMORY_BYTES) is full; PILLOW: rounds of what is slowest."""
PARTS = {
    "read": (frames, "fill"),
    "parse": (frames, "parse"),
    "restore": (client_bridge, "_restore_maps"),
    "find panels": (event_handlers, "panels_by_layer"),
    "upload": (panels, "show_maps"),
    "input, answer": (event_handlers, "show_recording"),
    "refresh": (panels, "update_network_peak"),
}
"""Functions of Blender's side that are timed, by what they do."""


def measure() -> dict[str, Any]:
    """Medians of seconds, processor seconds by stage, and the ratios beside their budgets."""
    with Peer(NETWORK) as peer, Rig(NETWORK) as rig:
        rounds = [_round(peer, rig, picture) for picture in _pictures(WARM + ROUNDS)][WARM:]
        pillow = float(np.median([_pillow(peer, picture) for picture in _pictures(PILLOW)]))
    found = {name: _median([measured[name] for measured in rounds]) for name in rounds[0]}
    ours, server, plain = (found[name]["s"] for name in ("input to panels", "PNGs in JSON, server", "plain forward"))
    found["panels, channels"] = {"panels": 70, "channels": 42_664}
    found["server beside ours"] = {"times": server / ours, "with Pillow": pillow / ours, "budget": 7.0}
    found["PNGs in JSON, server, by Pillow"] = {"s": pillow}
    found["ours beside plain forward"] = {"times": ours / plain, "budget": 2.0}
    return found | {"input to panels": found["input to panels"] | {"budget": 0.2}}


def _pictures(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8) for _ in range(count)]


def _round(peer: Peer, rig: Rig, picture: np.ndarray) -> dict[str, dict[str, float]]:
    plain = peer.forward(picture)
    ours, parts = _ours(rig, picture)
    received: list[tuple[str, bytes]] = []
    start = time.perf_counter()
    peer.serve(picture, lambda id, body: received.append((id, body)))
    server = time.perf_counter()
    every = [(id, layer_of_json(body)) for id, body in received]
    decoded = time.perf_counter()
    _upload(rig, every)
    end = time.perf_counter()
    return {
        "plain forward": plain,
        "input to panels": ours,
        "PNGs in JSON, server": {"s": server - start, "MB": sum(len(body) for _, body in received) / 1e6},
        "and decoded": {"s": decoded - start},
        "and shown": {"s": end - start},
        "child's stages, processor s": peer.stages(picture),
        "Blender's stages, processor s": parts,
    }


def _pillow(peer: Peer, picture: np.ndarray) -> float:
    start = time.perf_counter()
    peer.serve(picture, lambda id, body: None, "pillow")
    return time.perf_counter() - start


def _ours(rig: Rig, picture: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of ours, and where Blender's process spends them."""
    child, own = processor(rig.child), time.process_time()
    with clocked(PARTS) as parts:
        shown = rig.look(pixels(picture, "picture"))
    before = time.process_time()
    evaluated = rig.evaluate()
    parts["evaluation"] = time.process_time() - before
    spent = {"child's processor s": processor(rig.child) - child, "Blender's processor s": time.process_time() - own}
    return {"s": shown, "with evaluation": shown + evaluated, **spent}, parts


def _upload(rig: Rig, every: list[tuple[str, np.ndarray]]) -> None:
    """The same as ours does with maps: four channels a texel, into the panels' images."""
    targets = hall_requests.panels_by_layer(rig.scene)
    for id, grey in every:
        texels = pack(grey / np.float32(255))
        panels.show_maps(
            targets[id], Maps(id, ACTIVATIONS, texels, len(grey), extras={"peak": np.ones(len(grey), np.float32)})
        )
    panels.update_network_peak(rig.scene)


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.median([measured[name] for measured in rounds])) for name in rounds[0]}
