"""Start of a bridge: load the networks, open the server, write the connection file."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..client.connection_file import MAX_BYTES
from ..client.frames import PROTOCOL
from ..data import open_data
from ..models.device import choose_device
from ..recording.errors import BridgeError
from ..recording.files import parse_json, read_file
from ..recording.part_files import is_running, process_start
from ..recording.progress import Progress, ignore_progress
from .allocator import keep_memory
from .config import ServeConfig
from .http import LOOPBACK, Limits, Server
from .loaded_model import LoadedModel
from .priority_lock import PriorityLock
from .service import Service


def open_bridge(config: ServeConfig, progress: Progress = ignore_progress, limits: Limits | None = None) -> Server:
    """Opens a server that is bound to its port but not serving yet.

    Raises ModelError, InputError, UnknownName or BridgeError.
    """
    keep_memory()
    np.finfo(np.float32), np.finfo(np.float64)  # cached now: they warn once denormal numbers are flushed to zero
    device, lock = choose_device(config.device), PriorityLock()
    networks: dict[str, LoadedModel] = {}
    for done, (name, spec) in enumerate(config.networks.items()):
        progress(f"loading {name}", done / len(config.networks))
        networks[name] = LoadedModel(name, spec, device, lock)
        networks[name].served_models = networks
    data = {name: open_data(where, name) for name, where in config.data.items()}
    service = Service(networks, data, str(device))
    server = Server(service.calls, config.token or secrets.token_urlsafe(32), config.port, limits, service.close)
    progress("ready", 1.0)
    return server


@contextmanager
def open_with_connection_file(
    config: ServeConfig, connection: Path, progress: Progress = ignore_progress
) -> Iterator[Server]:
    """Opens a bridge with a connection file, which is removed at the end. Raises as `open_bridge`."""
    _remove_stale(connection)
    if connection.exists():
        raise BridgeError(_exists_text(connection))
    server = open_bridge(config, progress)
    try:
        write_connection(connection, server)
        try:
            yield server
        finally:
            connection.unlink(missing_ok=True)
    finally:
        server.server_close()


def write_connection(path: Path, server: Server) -> None:
    """Write port and token to a file that only its owner can read. Raises BridgeError, also where the file exists."""
    content = {"port": server.port, "token": server.token, "protocol": PROTOCOL, "process": os.getpid()}
    content["started"] = process_start(os.getpid())
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise BridgeError(_exists_text(path)) from None
    except OSError as error:
        raise BridgeError(f"{path}: can't be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise BridgeError(f"{path}: can't be written ({error.strerror})") from None


def _remove_stale(path: Path) -> None:
    """Remove the connection file of a bridge that was killed; another file, or one of a bridge that runs, stays."""
    try:
        content = parse_json(read_file(path, MAX_BYTES))
    except (OSError, ValueError):
        return
    fields = content if isinstance(content, dict) else {}
    process, started = fields.get("process"), fields.get("started")
    if type(process) is int and isinstance(started, str) and "token" in fields and not is_running(process, started):
        path.unlink(missing_ok=True)


def _exists_text(path: Path) -> str:
    return f"{path}: the file exists; another bridge may use it. Otherwise remove it, or choose another --connection"


def join_instructions(config: ServeConfig, server: Server, connection: Path) -> str:
    """Returns lines that explain how to join the bridge; they don't contain the token."""
    lines = {
        "serving": ", ".join(config.networks),
        "pictures": ", ".join(config.data) or "none; add some with --data NAME=FOLDER",
        "listening": f"{LOOPBACK}:{server.port}, this machine only",
        "join": f"with {connection}, in Blender's Innerwalk tab or by client.join_bridge in Python",
        "remote": f"ssh -L {server.port}:{LOOPBACK}:{server.port} THIS-MACHINE, and a copy of that file",
        "end": "Ctrl-C",
    }
    return "\n".join(f"{name:<10} {text}" for name, text in lines.items())
