"""The bridge that a script's halls use: started, joined, and asked to run a network whose hall is then built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.client import BridgeInput, read_connection
from ...torch_bridge.recording.errors import BridgeError
from .. import actions
from ..actions.bridge import request_hall
from ..live import timer
from ..live.session import current
from ..python_finder import find_python

START_SECONDS = 600.0
"""Longest time that a bridge may take to start, and a network to run on its first input."""


def serve_in_child(name: str, spec: Mapping[str, Any], python: str, device: str) -> str:
    """Makes sure that a bridge of this Blender serves a network; returns the network's name.

    A bridge's networks are named when it starts, so that one which lacks this network is started again with it; halls
    keep what they show and follow the new one. Raises BridgeError, also for a bridge that another program has started.
    """
    session = current()
    link = session.link if session.state in ("ready", "starting") else None
    if link is not None and link.config is None:
        raise BridgeError("another bridge is joined; call Hall.leave_bridge() first, or Hall.join for its networks")
    config = dict(link.config) if link is not None else {"networks": {}, "data": {}, "device": ""}
    folder, networks = str(spec.get("folder") or ""), dict(config["networks"])
    if networks.get(name) != dict(spec):
        networks[name] = dict(spec)
        program = python or find_python()
        if not program:
            raise BridgeError("no Python with PyTorch was found; name one: Hall.of(..., python='/path/to/python')")
        actions.start_bridge(program, networks, config["data"], folder, device or config["device"])
        actions.wait_for_bridge()
    return name


def join(bridge: Path | str, token: str) -> None:
    """Joins a bridge, unless it is joined already; "" for the one that is. Raises BridgeError."""
    session = current()
    if session.state in ("off", "ended"):
        if not str(bridge):
            raise BridgeError("no bridge is joined; name its connection file or its address")
        is_address = not Path(bridge).exists() and ":" in str(bridge)
        actions.join_bridge(**{"address": str(bridge), "token": token} if is_address else {"connection": bridge})
        actions.wait_for_bridge()
    elif str(bridge) and not _is_joined(bridge, token):
        raise BridgeError(f"another bridge is joined; call Hall.leave_bridge() before joining {bridge}")


def _is_joined(bridge: Path | str, token: str) -> bool:
    """Returns whether the session's bridge is the one of this connection file or address."""
    connected = current().link.bridge
    if Path(bridge).exists():
        port, token = read_connection(bridge)
        return connected is not None and (connected.port, connected.token) == (port, token)
    return connected is not None and f"{connected.host}:{connected.port}" == str(bridge)


def build(network: str, inputs: Sequence[BridgeInput]) -> bpy.types.Scene:
    """Runs a network of the bridge and builds its hall; waits for it. Raises what goes wrong."""
    built: list[bpy.types.Scene] = []
    request_hall(network, inputs, built.append)

    def is_done() -> bool:
        if error := current().take_error(()):
            raise error
        return bool(built)

    timer.wait(is_done, START_SECONDS)
    return built[0]
