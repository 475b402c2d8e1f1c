"""Transcript of a fixed conversation with a bridge: each answer goes to a file of its own."""

from __future__ import annotations

import http.client
import json
import signal
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blend_dump import write_json
from .checkout import Checkout
from .commands import PARROT
from .differences import describe_tensors

SERVE = "serve object pair --data shapes=concepts:object --device cpu --connection bridge/connection"
INTERRUPTED, ABORTED = 130, -6
"""Statuses of a bridge after Ctrl-C: PyTorch's threads sometimes abort the process after it has cleaned up."""
NO_ARRAY: tuple[list[int], bytes] = ([0], b"")
TIMEOUT = 120
"""Seconds to wait for an answer and for the end of the bridge."""


def encode_frame(values: Mapping[str, Any], array: tuple[list[int], bytes] = NO_ARRAY) -> bytes:
    """Returns a request's body: JSON values and the array `a`, given as its shape and its uint8 bytes."""
    shape, content = array
    tensor = {"dtype": "U8", "shape": shape, "data_offsets": [0, len(content)]}
    header = json.dumps({"__metadata__": {"json": json.dumps(values)}, "a": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + content


def decode_frames(content: bytes) -> list[dict[str, Any]]:
    """Returns the descriptions of the frames of an answer, each of which follows its length."""
    frames, start = [], 0
    while start < len(content):
        (size,) = struct.unpack_from("<Q", content, start)
        frames.append(describe_tensors(content[start + 8 : start + 8 + size]))
        start += 8 + size
    return frames


@dataclass(frozen=True)
class RawClient:
    """An HTTP client of a running bridge that can also send wrong requests."""

    port: int
    token: str
    protocol: int

    def send(self, call: str, body: bytes = b"", verb: str = "POST", **headers: str | None) -> dict[str, Any]:
        """Sends a request and returns the status, type and content of the answer.

        `headers` replace the correct ones, with `_` for `-`; None leaves a header out.
        """
        correct = {"Host": "127.0.0.1", "Authorization": f"Bearer {self.token}", "Content-Length": str(len(body))}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.putrequest(verb, f"/v{self.protocol}/{call}", skip_host=True, skip_accept_encoding=True)
        for name, value in (correct | {key.replace("_", "-"): value for key, value in headers.items()}).items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        content, kind = reply.read(), reply.getheader("Content-Type", "")
        connection.close()
        frames = decode_frames(content) if "frames" in kind else []
        return {"status": reply.status, "type": kind, "answer": frames or content.decode()}

    def call(self, call: str, array: tuple[list[int], bytes] = NO_ARRAY, **values: Any) -> dict[str, Any]:
        """Sends a well-formed request."""
        return self.send(call, encode_frame(values, array))

    def run_job(self, cancel: bool = False, **request: Any) -> dict[str, Any]:
        """Starts a job and waits for its end, or cancels it; returns the last answer without the progress before it."""
        start = self.call("start", **request)
        if "job" not in start["answer"][0]["json"]:
            return start
        job, step = start["answer"][0]["json"]["job"], 0
        number, what = job["id"], job["what"]
        if cancel:
            self.call("cancel", id=number)
        while job["state"] not in ("done", "failed", "cancelled"):
            job = self.call("job", id=number, step=step, seconds=10)["answer"][0]["json"]["job"]
            step = job["step"]
        return {"id": number, "what": what, "end": job["state"] if cancel else self.call("job", id=number, step=0)}


def converse(client: RawClient) -> Iterator[tuple[str, Any]]:
    """Sends correct requests to a bridge, then wrong ones; yields (name, answer) of each."""
    yield "describe", client.call("describe")
    noise: dict[str, Any] = {"network": "object", "inputs": [{"kind": "noise", "seed": 1}]}
    first = client.call("record", **noise)
    yield "record_noise", first
    graph = first["answer"][-1]["json"].get("graph", "")
    yield "record_known", client.call("record", **noise, graph=graph, layers=["stem.conv", "stage3.1:add"])
    yield "record_ablated", client.call("record", **noise, ablate={"stage3.1:add": [0, 2]})
    yield from record_inputs(client)
    yield "statistics", client.call("statistics", network="object", layers=["stem.conv", "fc"])
    for choice in ({"draw": {"count": 5, "seed": 1}}, {"page": {"start": 3, "count": 4}}, {"text": "r"}):
        yield f"pictures_{next(iter(choice))}", client.call("pictures", set="shapes", size=32, **choice)
    run = client.call("record", **noise)["answer"][-1]["json"].get("run")  # an older bridge takes the last run
    request: dict[str, Any] = {"network": "object", "layers": ["stage3.1:add"], "channels": [0, 1], "run": run}
    yield "job_saliency", client.run_job(**request, method="saliency")
    yield "job_average", client.run_job(**request, method="average", data="shapes", parameters={"count": 8})
    yield "job_failed", client.run_job(**request, method="cam")
    yield "job_cancelled", client.run_job(cancel=True, **request, method="inversion")
    yield from send_wrong_values(client, noise)
    yield from send_wrong_http(client)


def record_inputs(client: RawClient) -> Iterator[tuple[str, Any]]:
    """Records an input of each kind that comes with an array or from a data set."""
    pixels = ([40, 30, 3], bytes(k * k % 251 for k in range(3600)))
    photo = ([PARROT.stat().st_size], PARROT.read_bytes()) if PARROT.exists() else ([4], b"none")
    for array, source in (
        (photo, {"kind": "upload", "name": "parrot.jpg", "array": "a"}),
        (pixels, {"kind": "pixels", "name": "p", "array": "a"}),
        (pixels, {"kind": "data", "set": "shapes", "index": 7}),
    ):
        yield f"record_{source['kind']}", client.call("record", array, network="object", inputs=[source])


def send_wrong_values(client: RawClient, correct: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Sends well-formed requests with wrong values in place of those of `correct`."""
    wrong: list[dict[str, Any]] = [{"network": "none"}, {"inputs": "noise"}, {"inputs": [{"kind": "smell"}]}]
    wrong += [{"layers": [3]}, {"layers": ["none"]}, {"ablate": {"none": [0]}}]
    yield "refused_record", [client.call("record", **(correct | values)) for values in wrong]
    wrong = [{"method": "none"}, {"method": "average", "data": "none"}]
    wrong += [{"method": "saliency", "parameters": {"of": "all"}}]
    yield "refused_start", [client.call("start", **(correct | values)) for values in wrong]
    jobs = [client.call("job", id=number, step=0) for number in (999, "x")]
    yield "refused_job", [*jobs, client.call("cancel", id=-1)]
    yield "refused_pictures", [client.call("pictures", set=name, size=32) for name in ("none", "shapes")]
    yield "refused_film", client.call("film", name="none", seek=1)


def send_wrong_http(client: RawClient) -> Iterator[tuple[str, Any]]:
    """Sends requests that are malformed or not allowed; their names end with the expected status."""
    malformed = (b"no frame at all", encode_frame({})[:-9], b"\xff" * 64)
    yield "http_400", [client.send("record", body) for body in malformed]
    yield "http_401", [client.send("describe", Authorization=text) for text in (None, "Bearer x")]
    yield "http_403", [client.send("describe", Host="example.com"), client.send("describe", Origin="http://x")]
    yield "http_404", client.send("nothing")
    yield "http_411", [client.send("describe", Content_Length=text) for text in (None, "x")]
    yield "http_413", client.send("describe", Content_Length=str(1 << 40))
    yield "http_501", client.send("describe", verb="GET")


def write_transcript(checkout: Checkout) -> None:
    """Starts a bridge, writes the answers of a conversation to `bridge/NAME.json`, and interrupts it."""
    folder = checkout.results / "bridge"
    connection, port, problem = folder / "connection", "none", ""
    with (folder / "serve.stderr").open("w", encoding="utf-8") as errors:
        command = checkout.command_line(SERVE)
        bridge = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, **checkout.process_options)
        try:
            info = wait_for_connection(bridge, connection)
            port = str(info["port"])
            write_json(folder / "joined.json", info | {"port": 0, "process": 0, "token": len(info["token"])})
            for name, answer in converse(RawClient(info["port"], info["token"], info["protocol"])):
                write_json(folder / f"{name}.json", answer)
        except (OSError, LookupError, ValueError, TypeError, struct.error, http.client.HTTPException) as error:
            problem = f"the conversation broke off: {error!r}\n"
        finally:
            output = interrupt(bridge)
    status = INTERRUPTED if bridge.returncode == ABORTED else bridge.returncode
    summary = f"status {status}\nconnection file left: {connection.exists()}\n{problem}{output.replace(port, 'PORT')}"
    (folder / "serve.txt").write_text(summary, encoding="utf-8")


def wait_for_connection(bridge: subprocess.Popen[str], connection: Path) -> dict[str, Any]:
    """Returns the content of the connection file as soon as the bridge has written it; FileNotFoundError if it ends."""
    while not (connection.exists() and connection.read_text().endswith("}")) and bridge.poll() is None:
        time.sleep(0.1)
    return json.loads(connection.read_text())


def interrupt(bridge: subprocess.Popen[str]) -> str:
    """Ends a bridge as Ctrl-C does, or kills it if that takes too long; returns its output."""
    bridge.send_signal(signal.SIGINT)
    try:
        return bridge.communicate(timeout=TIMEOUT)[0]
    except subprocess.TimeoutExpired:
        bridge.kill()
        return bridge.communicate()[0]
