"""A bridge in the process of the tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from innerwalk.torch_bridge.client import Bridge
from innerwalk.torch_bridge.recording import Maps
from innerwalk.torch_bridge.server import start
from innerwalk.torch_bridge.server.config import ServeConfig
from innerwalk.torch_bridge.server.http import Limits, Server

TOKEN = "the token of the tests"


def model(name: str, size: int = 16, **fields) -> dict:
    """A network of `live_models` for the networks of a config."""
    return {"model": f"live_models:{name}", "size": [size, size], **fields}


@contextmanager
def serving_here(networks: dict, data: dict | None = None, limits: Limits | None = None) -> Iterator[Server]:
    """A server in a thread of this process."""
    config = ServeConfig.parse({"networks": networks, "data": data or {}, "token": TOKEN, "device": "cpu"})
    with mock.patch.object(start, "keep_memory"):  # it would hold for all tests of this process
        server = start.open_bridge(config, limits=limits)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def joined(server: Server, token: str = TOKEN) -> Bridge:
    """A client of the server."""
    return Bridge(server.port, token)


def followed(bridge: Bridge, job: dict) -> tuple[list[dict], dict[tuple[str, str], Maps]]:
    """All states of a job until it ends, and its newest maps by (layer, method)."""
    states, newest, step = [job], {}, 0  # from step 0 on: what was made before the job's first state counts too
    while len(states) == 1 or states[-1]["state"] not in ("done", "failed", "cancelled"):
        state, new_maps = bridge.job(job["id"], step, 5.0)
        newest.update({(maps.layer, maps.method): maps for maps in new_maps})
        states.append(state)
        step = state["step"]
    return states, newest
