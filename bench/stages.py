"""CPU time of each stage of a recording in the bridge, run one after another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ..torch_bridge.client import frames
from ..torch_bridge.inputs.sources import NamedContent, to_image
from ..torch_bridge.recording import Maps, describe_maps
from ..torch_bridge.server.loaded_model import PANELS, LoadedModel


def forward(model: nn.Module, arguments: tuple[Any, ...]) -> dict[str, float]:
    """Returns seconds of the plain forward pass: wall, CPU."""
    start, spent = time.perf_counter(), time.process_time()
    with torch.no_grad():
        model(*arguments)
    return {"s": time.perf_counter() - start, "CPU s": time.process_time() - spent}


def stages(live: LoadedModel, picture: np.ndarray) -> dict[str, float]:
    """Returns CPU seconds of each stage, from pixels (H, W, 3) uint8 to the last byte sent."""
    read, inputs = _spent(lambda: live.read([NamedContent("picture", to_image(picture))]))
    plain = forward(live.model, live.subject.adapter.arguments(inputs))["CPU s"]
    graph, _ = _spent(lambda: live.record(inputs, [], lambda maps: None))
    layers: list[Maps] = []
    copied, _ = _spent(lambda: live.record(inputs, [PANELS], layers.append))
    peaks, _ = _spent(lambda: [maps.peak for maps in layers])
    return {
        "decode, preprocess": read,
        "plain forward": plain,
        "recorder": graph - plain,
        "copies": copied - graph,
        "peaks": peaks,
        "encode, send": _sending(layers),
    }


def _spent(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _sending(layers: list[Maps]) -> float:
    """Returns the CPU seconds of the sending thread."""
    sender, receiver = socket.socketpair()
    threading.Thread(target=_drain, args=(receiver,), daemon=True).start()
    start = time.thread_time()
    for maps in layers:
        entry, held = describe_maps(maps)
        for piece in frames.encode({"maps": entry}, held):
            sender.sendall(piece)
    spent = time.thread_time() - start
    sender.close()
    return spent


def _drain(receiver: socket.socket) -> None:
    buffer = bytearray(1 << 20)
    while receiver.recv_into(buffer):
        pass
