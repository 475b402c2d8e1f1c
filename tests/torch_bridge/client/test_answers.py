"""A server that is no bridge: whatever it answers, the client raises its own errors, on one line."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from innerwalk.torch_bridge.client import Bridge, frames
from innerwalk.torch_bridge.client.answers import reported_error
from innerwalk.torch_bridge.recording.errors import BridgeError, InnerwalkError, UnknownName

JOB = {"id": 1, "state": "done", "share": 1.0, "told": "", "error": "", "error_kind": "", "step": 1, "what": {}}
RGB = np.zeros((2, 2, 3), np.uint8)


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[Bridge]:
    """A client of a server that answers every request with the same bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    bridge = Bridge(server.server_address[1], "token")
    try:
        yield bridge
    finally:
        bridge.close()
        server.shutdown()
        server.server_close()


CALLS: dict[str, Callable[[Bridge], object]] = {
    "describe": Bridge.describe,
    "record": lambda bridge: bridge.record("object"),
    "start": lambda bridge: bridge.start("object", "saliency"),
    "job": lambda bridge: bridge.job(1),
    "cancel": lambda bridge: bridge.cancel(1),
    "pictures": lambda bridge: bridge.pictures("objects", 2, page={"start": 0, "count": 1}),
    "classes": lambda bridge: bridge.classes("objects"),
    "statistics": lambda bridge: bridge.statistics("object", "a"),
    "open_video": lambda bridge: bridge.open_video("x", "x.mp4"),
}
FRAMES: dict[str, list[frames.Frame]] = {
    "nothing": [],
    "empty values": [({}, {})],
    "an error that is a text": [({"error": "no"}, {})],
    "an error without a text": [({"error": {"kind": "InputError"}}, {})],
    "an error with more": [({"error": {"kind": "InputError", "text": "no", "more": 1}}, {})],
    "numbers": [(dict.fromkeys(["job", "recording", "graph", "run", "maps", "classes", "layers", "films"], 3), {})],
    "lists": [(dict.fromkeys(["job", "recording", "networks", "jobs", "classes", "layers", "films"], [[1]]), {})],
    "a job that is none": [({"job": JOB | {"state": "asleep"}}, {})],
    "a share that is a text": [({"job": JOB | {"share": "half"}}, {})],
    "maps that are none": [({"job": JOB}, {}), ({"maps": {"layer": 3}}, {})],
    "a recording without pictures": [({"recording": {}, "graph": "", "run": ""}, {})],
    "a recording of another kind": [({"recording": [], "graph": "", "run": ""}, {"input": RGB})],
    "pictures of another shape": [({"indices": [0], "films": 1, "classes": [["a"]]}, {"pictures": RGB})],
    "pictures without titles": [
        ({"indices": [0], "titles": [], "classes": ["a"], "films": 1}, {"pictures": np.zeros((1, 2, 2, 3), np.uint8)})
    ],
    "another protocol": [({"protocol": 1}, {})],
    "networks that are texts": [({"protocol": 2, "networks": ["a"]}, {})],
}


@pytest.mark.parametrize("name", FRAMES)
def test_wrong_frames_are_errors_of_the_client(name: str) -> None:
    body = b"".join(bytes(piece) for frame in FRAMES[name] for piece in frames.encode(*frame))
    with answering(body) as bridge:
        for call in CALLS.values():
            try:
                call(bridge)
            except InnerwalkError as error:
                assert "\n" not in str(error)
            else:
                assert name in ("maps that are none", "a job that is none") or "empty" in name


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"<html>", b'{"error": 3}', b'{"error": {"text": 3}}', b"[" * 10**5]
)
def test_a_refusal_of_another_program(body: bytes) -> None:
    with answering(body, 500) as bridge, pytest.raises(BridgeError):
        bridge.describe()


def test_a_report_of_an_error() -> None:
    assert isinstance(reported_error({"kind": "UnknownName", "text": "no layer"}), UnknownName)
    assert isinstance(reported_error({"kind": "Popen", "text": "no layer"}), BridgeError)
    assert "without a text" in str(reported_error(7))
