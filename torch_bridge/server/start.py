"""Start a bridge: load what it serves, open its door, tell who may join, and end when it should."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..client.frames import PROTOCOL
from ..data import open_data
from ..models.device import choose_device
from ..recording.errors import BridgeError
from .allocator import keep_memory
from .config import ServeConfig
from .http import LOOPBACK, Limits, Server
from .loaded_model import LoadedModel
from .priority_lock import PriorityLock
from .service import Service

Progress = Callable[[str, float], None]


def open_bridge(order: ServeConfig, progress: Progress | None = None, limits: Limits | None = None) -> Server:
    """A Server that is bound and not yet serving. Raises ModelError, InputError, UnknownName or BridgeError."""
    tell = progress or (lambda what, share: None)
    keep_memory()
    np.finfo(np.float32), np.finfo(np.float64)  # they warn once denormal numbers are zero
    device, turns, networks = choose_device(order.device), PriorityLock(), {}
    for done, (name, spec) in enumerate(order.networks.items()):
        tell(f"loading {name}", done / len(order.networks))
        networks[name] = LoadedModel(name, spec, device, turns)
        networks[name].served_models = networks
    data = {name: open_data(text, name) for name, text in order.data.items()}
    service = Service(networks, data, str(device))
    server = Server(service.calls, order.token or secrets.token_urlsafe(32), order.port, limits, service.close)
    tell("ready", 1.0)
    return server


@contextmanager
def joinable(order: ServeConfig, connection: Path, progress: Progress | None = None) -> Iterator[Server]:
    """A bridge for whoever can read its connection file, which goes when it ends. Raises as `open_bridge`."""
    if connection.exists():
        raise BridgeError(_taken(connection))
    server = open_bridge(order, progress)
    try:
        write_connection(connection, server)
        try:
            yield server
        finally:
            connection.unlink(missing_ok=True)
    finally:
        server.server_close()


def write_connection(path: Path, server: Server) -> None:
    """Port and token for who may join, in a file that only its owner reads. Raises BridgeError where one is there."""
    told = {"port": server.port, "token": server.token, "protocol": PROTOCOL, "process": os.getpid()}
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise BridgeError(_taken(path)) from None
    except OSError as error:
        raise BridgeError(f"{path}: can't be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(told, file)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise BridgeError(f"{path}: can't be written ({error.strerror})") from None


def _taken(path: Path) -> str:
    return f"{path}: there is such a file; another bridge may use it, else remove it, or choose another --connection"


def welcome(order: ServeConfig, server: Server, connection: Path) -> str:
    """What a person must know to join, in a few lines; the token is not among it."""
    lines = {
        "serving": ", ".join(order.networks),
        "pictures": ", ".join(order.data) or "none; --data NAME=FOLDER offers some",
        "listening": f"{LOOPBACK}:{server.port}, this machine only",
        "join": f"with {connection}, in Blender's Innerwalk tab or by client.join_bridge in Python",
        "from afar": f"ssh -L {server.port}:{LOOPBACK}:{server.port} THIS-MACHINE, and a copy of that file",
        "end": "Ctrl-C",
    }
    return "\n".join(f"{name:<10} {text}" for name, text in lines.items())
