"""A process like the bridge's own child, for what is measured beside it: the same network, threads and allocator.

It answers with the plain forward pass, with the stages of a recording alone, and with maps as DeepVisionVR's server
sends them.
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

CODE = "import sys; from innerwalk.bench.peer import serve; serve(sys.argv[1])"
SIDE = 224


class Peer:
    """The process, and a connection to it. `with Peer("resnet50") as peer: …`"""

    def __init__(self, network: str) -> None:
        command = [sys.executable, "-c", CODE, network]
        environment = SHORT_SPINS | os.environ
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self._http = HTTPConnection("127.0.0.1", int(self._process.stdout.readline()))  # type: ignore[union-attr]

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def forward(self, picture: np.ndarray) -> dict[str, float]:
        """Seconds of the plain forward pass of a picture (224, 224, 3) uint8: wall, processor, wall on every core."""
        return json.loads(self._ask("PUT", "/forward", picture.tobytes()))

    def stages(self, picture: np.ndarray) -> dict[str, float]:
        """Processor seconds of each stage of a recording, one after another."""
        return json.loads(self._ask("PUT", "/stages", picture.tobytes()))

    def serve(self, picture: np.ndarray, heard: Callable[[str, bytes], None], encoder: str = "png") -> None:
        """Put a picture, get every layer; `heard` is given its id and the JSON. encoder: "png" or "pillow"."""
        for id in json.loads(self._ask("PUT", "/input", picture.tobytes())):
            heard(id, self._ask("GET", f"/{encoder}/{id}"))

    def _ask(self, verb: str, path: str, body: bytes | None = None) -> bytes:
        self._http.request(verb, path, body)
        return self._http.getresponse().read()


def serve(network: str) -> None:
    """Serve until it is killed; the port is the first line of standard output."""
    keep_memory()
    every = torch.get_num_threads()
    leave_one_core_free()
    flush_denormals()
    live = LoadedModel(network, RecordSpec(network), torch.device("cpu"), PriorityLock())
    server = HTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"live": live, "every": every}))
    print(server.server_address[1], flush=True)
    server.serve_forever()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, 1 << 16
    live: LoadedModel
    every: int
    """Threads that torch takes of itself."""
    held: dict[str, np.ndarray]

    def do_PUT(self) -> None:
        """A picture for the server's way, for the forward pass, or for the stages."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        picture = np.frombuffer(body, np.uint8).reshape(SIDE, SIDE, 3)
        if self.path == "/stages":
            self._tell(json.dumps(stages(self.live, picture)).encode())
            return
        arguments = self.live.subject.adapter.arguments(self.live.read([NamedContent("picture", to_image(picture))]))
        if self.path == "/forward":
            reply: Any = self._forward(arguments)
        else:
            self.held = panels_of(self.live.model, arguments)
            reply = list(self.held)
        self._tell(json.dumps(reply).encode())

    def _forward(self, arguments: tuple[Any, ...]) -> dict[str, float]:
        reply = forward(self.live.model, arguments)
        own = torch.get_num_threads()
        torch.set_num_threads(self.every)
        forward(self.live.model, arguments)  # to wake the others
        reply["on every core s"] = forward(self.live.model, arguments)["s"]
        torch.set_num_threads(own)
        return reply

    def do_GET(self) -> None:
        """A layer."""
        _, encoder, id = self.path.split("/")
        self._tell(layer_as_json(self.held[id], getattr(pngs, encoder)))

    def _tell(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
