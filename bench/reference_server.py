"""A server process for comparison, with the network, threads and allocator of the bridge's child process.

It times the plain forward pass and each stage of a recording, and sends maps as DeepVisionVR's server does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import torch

from ..torch_bridge.client.process import SHORT_SPINS
from ..torch_bridge.inputs.sources import NamedContent, to_image
from ..torch_bridge.models.device import leave_one_core_free
from ..torch_bridge.server.allocator import keep_memory
from ..torch_bridge.server.loaded_model import LoadedModel, flush_denormals
from ..torch_bridge.server.priority_lock import PriorityLock
from ..torch_bridge.subject import RecordSpec
from . import pngs
from .pngs import layer_as_json, panels_of
from .stages import forward, stages

CODE = "import sys; from innerwalk.bench.reference_server import serve; serve(sys.argv[1])"
SIDE = 224


class ReferenceServer:
    """The server's process and a connection to it: `with ReferenceServer("resnet50") as server: …`."""

    def __init__(self, network: str) -> None:
        command = [sys.executable, "-c", CODE, network]
        environment = SHORT_SPINS | os.environ
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self._http = HTTPConnection("127.0.0.1", int(self._process.stdout.readline()))  # type: ignore[union-attr]

    def __enter__(self) -> ReferenceServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def forward(self, picture: np.ndarray) -> dict[str, float]:
        """Returns seconds of the plain forward pass of a picture (224, 224, 3) uint8: wall, CPU, wall on every core."""
        return json.loads(self._request("PUT", "/forward", picture.tobytes()))

    def stages(self, picture: np.ndarray) -> dict[str, float]:
        """Returns CPU seconds of each stage of a recording of a picture (224, 224, 3) uint8."""
        return json.loads(self._request("PUT", "/stages", picture.tobytes()))

    def serve(self, picture: np.ndarray, on_layer: Callable[[str, bytes], None], encoder: str = "png") -> None:
        """Sends a picture (224, 224, 3) uint8; calls `on_layer(id, JSON)` per layer. encoder: "png" or "pillow"."""
        for id in json.loads(self._request("PUT", "/input", picture.tobytes())):
            on_layer(id, self._request("GET", f"/{encoder}/{id}"))

    def _request(self, verb: str, path: str, body: bytes | None = None) -> bytes:
        self._http.request(verb, path, body)
        return self._http.getresponse().read()


def serve(network: str) -> None:
    """Serves until the process is killed; prints the port as the first line of standard output."""
    keep_memory()
    default_threads = torch.get_num_threads()
    leave_one_core_free()
    flush_denormals()
    live = LoadedModel(network, RecordSpec(network), torch.device("cpu"), PriorityLock())
    server = HTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"live": live, "default_threads": default_threads}))
    print(server.server_address[1], flush=True)
    server.serve_forever()


class Handler(BaseHTTPRequestHandler):
    """Requests of one connection."""

    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, 1 << 16
    live: LoadedModel
    default_threads: int
    """torch's default number of threads."""
    held: dict[str, np.ndarray]

    def do_PUT(self) -> None:
        """Runs a picture: PUT /input, /forward or /stages."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        picture = np.frombuffer(body, np.uint8).reshape(SIDE, SIDE, 3)
        if self.path == "/stages":
            self._reply(json.dumps(stages(self.live, picture)).encode())
            return
        arguments = self.live.subject.adapter.arguments(self.live.read([NamedContent("picture", to_image(picture))]))
        if self.path == "/forward":
            reply: Any = self._forward(arguments)
        else:
            self.held = panels_of(self.live.model, arguments)
            reply = list(self.held)
        self._reply(json.dumps(reply).encode())

    def _forward(self, arguments: tuple[Any, ...]) -> dict[str, float]:
        reply = forward(self.live.model, arguments)
        threads = torch.get_num_threads()
        torch.set_num_threads(self.default_threads)
        forward(self.live.model, arguments)  # wakes the other threads
        reply["on every core s"] = forward(self.live.model, arguments)["s"]
        torch.set_num_threads(threads)
        return reply

    def do_GET(self) -> None:
        """Sends a layer of the last input as JSON: GET /ENCODER/ID."""
        _, encoder, id = self.path.split("/")
        self._reply(layer_as_json(self.held[id], getattr(pngs, encoder)))

    def _reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Prints nothing."""
