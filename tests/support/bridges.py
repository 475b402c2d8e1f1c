"""A bridge in the process of the tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from innerwalk.torch_bridge.client import Bridge
from innerwalk.torch_bridge.server import start
from innerwalk.torch_bridge.server.config import ServeConfig
from innerwalk.torch_bridge.server.http import Limits, Server

TOKEN = "the token of the tests"


def model(name: str, size: int = 16, **fields) -> dict:
    """A network of `live_models`, as an order names it."""
    return {"model": f"live_models:{name}", "size": [size, size], **fields}


@contextmanager
def serving_here(networks: dict, data: dict | None = None, limits: Limits | None = None) -> Iterator[Server]:
    order = ServeConfig.parse({"networks": networks, "data": data or {}, "token": TOKEN, "device": "cpu"})
    with mock.patch.object(start, "keep_memory"):  # it would hold for all tests of this process
        server = start.open_bridge(order, limits=limits)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def joined(server: Server, token: str = TOKEN) -> Bridge:
    return Bridge(server.port, token)


def followed(bridge: Bridge, job: dict) -> tuple[list[dict], dict]:
    """What a job tells until it ends, and by (layer, method) the newest maps."""
    told, every = [job], {}
    while told[-1]["state"] not in ("done", "failed", "cancelled"):
        said, maps = bridge.job(job["id"], told[-1]["step"], 5.0)
        every.update({(one.layer, one.method): one for one in maps})
        told.append(said)
    return told, every if len(told) > 1 else {(m.layer, m.method): m for m in bridge.job(job["id"])[1]}
