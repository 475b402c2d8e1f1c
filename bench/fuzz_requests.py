"""Mutants of HTTP requests to a bridge: answered, or refused in one line; afterwards the bridge still answers."""

from __future__ import annotations

import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..torch_bridge.client import Bridge, frames, noise, start_bridge
from ..torch_bridge.client.answers import reported_error
from ..torch_bridge.recording.errors import BridgeError
from .fuzzing import MAX_MIB, Counts, mutate_bytes, mutate_json

MUTANTS, NETWORK = 5000, "object"
REQUESTS: dict[str, dict[str, Any]] = {
    "describe": {},
    "record": {
        "network": NETWORK, "inputs": [{"kind": "noise", "seed": 1}], "layers": ["stem.conv"], "graph": "",
        "ablate": {"stem.conv": [0, 1]},
    },
    "start": {
        "network": NETWORK, "method": "weights", "layers": ["stem.conv"], "parameters": {}, "channels": [0], "data": "",
        "inputs": [{"kind": "upload", "name": "x.png", "array": "0"}],
    },
    "job": {"id": 1, "step": 0, "seconds": 0.0},
    "cancel": {"id": 1},
    "pictures": {"set": NETWORK, "size": 16, "draw": {"count": 2, "seed": 1}, "of_class": ""},
    "statistics": {"network": NETWORK, "layers": ["stem.conv"]},
    "film": {"name": "x", "open": "none.mp4"},
}  # fmt: skip
"""A request of each call."""


def measure() -> dict[str, Any]:
    """Returns the counts of mutants of requests."""
    config = {"networks": {NETWORK: {"model": NETWORK}}, "data": {NETWORK: f"concepts:{NETWORK}"}, "device": "cpu"}
    with start_bridge(sys.executable, config) as bridge:
        assert bridge.child is not None
        process = bridge.child.process.pid
        bridge.record(NETWORK, [noise(1)])
        before = _peak_mib(process)
        counts = try_requests(bridge, MUTANTS, seed=0)
        grown = _peak_mib(process) - before
        if grown > MAX_MIB:
            counts.wrong.append(f"the bridge has grown by {grown:.0f} MiB")
    return {"requests": counts.table() | {"the bridge grew by MiB": grown}}


def try_requests(bridge: Bridge, count: int, seed: int) -> Counts:
    """Sends requests with one value changed, or with changed bytes; the bridge must answer an honest one in between."""
    rng, counts = np.random.default_rng(seed), Counts()
    arrays = {"0": np.zeros((4, 4, 3), np.uint8)}
    for number in range(count):
        name = list(REQUESTS)[rng.integers(len(REQUESTS))]
        if rng.random() < 0.8:
            values, what = mutate_json(REQUESTS[name], rng) if REQUESTS[name] else ({"odd": 1}, "odd")
            send = partial(_call, bridge, name, values, arrays)
        else:
            raw, what = mutate_bytes(_request(bridge, name, arrays), rng, 2000), "bytes"
            send = partial(_send_bytes, bridge.port, raw)
        counts.attempt(f"{name}: {what}", send)
        if number % 100 == 99:
            bridge.describe()
    return counts


def _call(bridge: Bridge, name: str, values: Any, arrays: dict[str, np.ndarray]) -> None:
    try:
        list(bridge.call(name, values, arrays))
    except BridgeError as error:
        _refuse_unexpected(error)
        raise


def _send_bytes(port: int, raw: bytes) -> None:
    """Sends bytes and reads the answer, if there is one. Raises the error that it reports."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while more := connection.recv(1 << 16):
                answer += more
        except ConnectionError:
            return
    if b'"error"' in answer:
        error = reported_error({"kind": "BridgeError", "text": answer.partition(b'"text"')[2][:500].decode("latin-1")})
        _refuse_unexpected(error)
        raise error


def _refuse_unexpected(error: Exception) -> None:
    """Raises ValueError for an error that names a class of Python: the bridge has not expected it."""
    kinds = ("TypeError:", "KeyError:", "IndexError:", "AttributeError:", "AssertionError:", "ValueError:")
    found = [kind for kind in kinds if kind in str(error) and "not a frame" not in str(error)]
    if found:
        raise ValueError(f"the bridge answers {error}")


def _request(bridge: Bridge, name: str, arrays: dict[str, np.ndarray]) -> bytes:
    body = b"".join(bytes(piece) for piece in frames.encode(REQUESTS[name], arrays)[1:])
    lines = (
        f"POST /v{frames.PROTOCOL}/{name} HTTP/1.1",
        f"Host: 127.0.0.1:{bridge.port}",
        f"Authorization: Bearer {bridge.token}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def _peak_mib(process: int) -> float:
    """The most memory that a process has had, MiB; 0 where that can't be known."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
