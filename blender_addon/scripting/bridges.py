"""The bridge that a script's halls use: started, joined, and asked to run a network whose hall is then built."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.client import BridgeInput, read_connection
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError
from .. import actions
from ..actions.bridge import request_hall
from ..live import timer
from ..live.bridge_connection import BridgeConnection
from ..live.session import current
from ..properties import BRIDGE_SETTINGS
from ..python_finder import find_python

START_SECONDS = 600.0
"""Longest time that a bridge may take to start, and a network to run on its first input."""


def serve_in_child(title: str, spec: Mapping[str, Any], python: str, device: str) -> str:
    """Makes sure that a bridge of this Blender serves a network; returns the name that the network has there.

    title: the wished name, which gets a number where another network has it. spec: fields of a `RecordSpec`. python,
    device: "" for those of the bridge that runs, else for those of the preferences. A bridge's networks are named when
    it starts, so that one which lacks this network is started again with all of them: halls keep what they show and
    follow the new one. If that can't start, the former is started again. Raises BridgeError, also for a bridge that
    another program has started, or InputError.
    """
    former = _started_link()
    spec = {field: _plain_value(field, value) for field, value in spec.items()}
    program, config = (former.child.python, former.config) if former is not None else _preferred()
    names = (title if number == 1 else f"{title} {number}" for number in count(1))
    name = next(free for free in names if config["networks"].get(free, spec) == spec)
    networks = {**config["networks"], name: spec}
    wanted = {**config, "networks": networks, "device": device or config["device"]}
    if current().state != "ready" or former is None or (python or program, wanted) != (program, config):
        _start(python or program or find_python(), wanted, former)
    return name


def _started_link() -> BridgeConnection | None:
    """Returns the connection to the bridge that this Blender has started, also to one that has ended since; None if
    there was none that became ready. Waits for one that starts. Raises BridgeError if another bridge is joined.
    """
    session = current()
    link = session.link
    if link is not None and link.config is None and session.state != "ended":
        raise BridgeError("another bridge is joined; call Hall.leave_bridge() first, or Hall.join for its networks")
    if session.state in ("starting", "ready"):
        actions.wait_for_bridge()  # answers that halls still wait for would be lost when it is started again
    return link if link is not None and link.child is not None and link.description else None


def _preferred() -> tuple[str, dict[str, Any]]:
    """Returns the Python of the preferences, and their arguments for `actions.start_bridge` without networks."""
    config: dict[str, Any] = {"networks": {}, "data": {}, "folder": "", "device": ""}
    if not hasattr(bpy.types.WindowManager, BRIDGE_SETTINGS):  # a Python in which the extension isn't enabled
        return "", config
    from ..ui.bridge.settings import bridge_settings, data_sets
    from ..ui.common.paths import entered_folder, entered_python

    settings = bridge_settings(bpy.context)
    config |= {
        "data": data_sets(settings),
        "folder": entered_folder(settings.folder),
        "device": settings.device.strip(),
    }
    return entered_python(settings.python), config


def _start(python: str, config: dict[str, Any], former: BridgeConnection | None) -> None:
    """Starts a bridge and waits until it is ready; where that fails, starts the former one again and raises."""
    from ..ui.bridge.settings import with_shipped_data  # loads the interface

    if not python:
        raise BridgeError("no Python with PyTorch was found; name one: Hall.of(..., python='/path/to/python')")
    try:
        actions.start_bridge(python, **config | {"data": with_shipped_data(config["data"], config["networks"])})
        actions.wait_for_bridge()
    except InnerwalkError:
        if former is not None and current().link is not former:
            actions.start_bridge(former.child.python, **former.config)
            actions.wait_for_bridge()
        raise


def _plain_value(name: str, value: Any) -> Any:
    """Returns a field of a spec as JSON has it, with an absolute path. Raises InputError for what JSON doesn't have."""
    try:
        value = json.loads(json.dumps(value, default=os.fspath))
    except TypeError:
        kind = type(value).__name__
        raise InputError(f"{name} is of type {kind}; a bridge takes texts, numbers, lists and dicts") from None
    return bpy.path.abspath(value) if isinstance(value, str) else value


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
        raise BridgeError(
            f"another bridge, or this process, runs networks; call Hall.leave_bridge() before joining {bridge}"
        )


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
    tag = request_hall(network, inputs, built.append)

    def is_done() -> bool:
        if error := current().take_error(()):
            raise error
        return bool(built)

    try:
        timer.wait(is_done, START_SECONDS)
    except BaseException:
        current().drop_callback(tag)  # else a hall that nobody waits for would be built later
        raise
    return built[0]
