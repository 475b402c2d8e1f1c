"""A hostile client: whatever it sends, the bridge answers with an error, writes nothing, and serves other clients."""

import http.client
import json
import socket
import struct
import threading
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support import SUPPORT, bridges  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.client import frames  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError  # noqa: E402
from innerwalk.torch_bridge.server.http import Limits  # noqa: E402

LIMITS = Limits(connections=12, idle=30.0, slow=0.5, linger=0.3, body=1 << 20)
PLACES = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bridge")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SUPPORT))
        patch.chdir(folder)
        with bridges.serving_here({"names": bridges.model("Names")}, limits=LIMITS) as server:
            yield server
        assert list(folder.iterdir()) == []


@pytest.fixture(autouse=True)
def goes_on(server):
    """After each attack another client gets its answer, and all connection threads end soon."""
    yield
    with bridges.joined(server) as honest:
        assert honest.record("names", [client.noise(1)]).all_maps


def head(server, **changes) -> bytes:
    """The head of a request; `changes` replace headers, None removes them. `_` stands for `-`."""
    fields = {
        "Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {bridges.TOKEN}", "Content-Length": "0",
    }  # fmt: skip
    start = changes.pop("start", "POST /v2/describe HTTP/1.1")
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [start, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def sent(server, *pieces: bytes, end: bool = False) -> tuple[int, dict]:
    """The status of the answer, 0 for none, and its values."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except (http.client.HTTPException, ConnectionError):
            return 0, {}
        if answer.headers.get("Content-Type") == frames.CONTENT_TYPE:
            return answer.status, frames.read(answer, "answer")[0]
        body = answer.read()
        return answer.status, json.loads(body) if body.startswith(b"{") else {}


@pytest.mark.parametrize(
    ("changes", "status", "line"),
    [
        ({"Authorization": None}, 401, "wrong token"),
        ({"Authorization": ""}, 401, "wrong token"),
        ({"Authorization": "Bearer wrong"}, 401, "wrong token"),
        ({"Authorization": f"Bearer {bridges.TOKEN}x"}, 401, "wrong token"),
        ({"Authorization": "Bearer \xff\xfe"}, 401, "wrong token"),
        ({"Authorization": f"Basic {bridges.TOKEN}"}, 401, "wrong token"),
        ({"Host": None}, 403, "loopback"),
        ({"Host": "evil.example"}, 403, "loopback"),
        ({"Host": "evil.example:80"}, 403, "loopback"),
        ({"Host": "127.0.0.1.evil.example:80"}, 403, "loopback"),
        ({"Origin": "http://evil.example"}, 403, "browser"),
        ({"Origin": "null"}, 403, "browser"),
        ({"Transfer_Encoding": "chunked"}, 411, "Content-Length"),
        ({"Transfer_Encoding": "chunked", "Content_Length": None}, 411, "Content-Length"),
        ({"Content-Length": None}, 411, "Content-Length"),
        ({"Content-Length": ""}, 411, "Content-Length"),
        ({"Content-Length": "-1"}, 411, "Content-Length"),
        ({"Content-Length": "+5"}, 411, "Content-Length"),
        ({"Content-Length": "0x10"}, 411, "Content-Length"),
        ({"Content-Length": "1e3"}, 411, "Content-Length"),
        ({"Content-Length": "\xb2"}, 411, "Content-Length"),
        ({"Content-Length": str((1 << 20) + 1)}, 413, "at most 1,048,576"),
        ({"Content-Length": "9" * 5000}, 413, "at most"),
        ({"start": "POST /v2/erase HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST /v3/describe HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST /v2/../describe HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST /v2/%64escribe HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST /etc/passwd HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST /v2/__class__ HTTP/1.1"}, 404, "no such call"),
        ({"start": "POST http://evil.example/v2/describe HTTP/1.1"}, 404, "no such call"),
    ],
)
def test_a_bad_head_is_refused(server, changes, status, line):
    found, reply = sent(server, head(server, **changes))
    assert found == status
    assert reply["error"]["kind"] == "BridgeError" and line in reply["error"]["text"]
    assert "\n" not in reply["error"]["text"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:1", "[::1]:7"])
def test_loopback_by_any_name_is_served(server, host):
    assert sent(server, head(server, Host=host))[0] == 200


@pytest.mark.parametrize(
    "start",
    ["GET /v2/describe HTTP/1.1", "OPTIONS /v2/describe HTTP/1.1", "DELETE / HTTP/1.1", "POST", "\x16\x03\x01\x02",
     "A B C D E", "POST /v2/describe HTTP/9.9", "POST " + "/" * 70_000 + " HTTP/1.1"],
)  # fmt: skip
def test_other_methods_and_other_protocols_are_refused_in_a_line(server, start):
    """Python's own server answers with a page of HTML, which quotes the whole request."""
    status, reply = sent(server, head(server, start=start), end=True)
    assert status in (0, 400, 411, 414, 501, 505)
    if status:
        assert reply["error"]["kind"] == "BridgeError" and reply["error"]["text"].endswith("<call> is needed")
        assert len(reply["error"]["text"]) <= 1000 and "\n" not in reply["error"]["text"]


def test_too_many_headers(server):
    assert sent(server, head(server, **{f"X{k}": "x" for k in range(200)}))[0] == 431
    assert sent(server, head(server, X="x" * 70_000))[0] == 431


def body_of(header: object, data: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


U8 = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}
BODIES = {
    "noise": np.random.default_rng(0).bytes(400),
    "empty header": body_of(b""),
    "short": b"\x01\x02",
    "long header": body_of({}, size=1 << 40),
    "header beyond the body": body_of({}, size=100),
    "no object": body_of([1, 2]),
    "deep": body_of(b"[" * 100_000),
    "deep values": body_of({"__metadata__": {"json": "[" * 100_000}}),
    "values that are no object": body_of({"__metadata__": {"json": "[1]"}}),
    "values that are no JSON": body_of({"__metadata__": {"json": "{"}}),
    "metadata that is no text": body_of({"__metadata__": {"json": 3}}),
    "huge number": body_of({"__metadata__": {"json": '{"seconds": ' + "9" * 10_000 + "}"}}),
    "lying shape": body_of({"x": {**U8, "shape": [400]}}, b"1234"),
    "lying offsets": body_of({"x": {**U8, "data_offsets": [0, 400]}}, b"1234"),
    "negative": body_of({"x": {**U8, "shape": [-4]}}, b"1234"),
    "overflow": body_of({"x": {**U8, "shape": [1 << 40, 1 << 40, 0]}}, b""),
    "overlap": body_of({"x": U8, "y": U8}, b"1234"),
    "surplus": body_of({"x": U8}, b"12345"),
    "unknown dtype": body_of({"x": {**U8, "dtype": "O"}}, b"1234"),
    "not utf-8": body_of(b'{"\xff": 1}'),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused(server, name):
    status, reply = sent(server, head(server, **{"Content-Length": len(BODIES[name])}), BODIES[name])
    assert status == 400
    assert reply["error"]["text"].startswith("request: not a frame of innerwalk")


def test_a_body_that_ends_early(server):
    status, reply = sent(server, head(server, **{"Content-Length": 100}), b"x" * 40, end=True)
    assert (status, reply["error"]["text"]) == (400, "request: ended early")


def test_a_large_body_is_refused_in_words(server):
    """The answer comes although most of the body was never read."""
    status, reply = sent(server, head(server, **{"Content-Length": 2 << 20}), b"x" * (2 << 20))
    assert status == 413 and "1,048,576" in reply["error"]["text"]
    with pytest.raises(InputError, match="a bridge takes at most"):
        with bridges.joined(server) as bridge:
            bridge.record(
                "names",
                [client.BridgeInput({"kind": "upload", "name": "x"}, np.zeros(frames.MAX_REQUEST_BYTES, np.uint8))],
            )


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ("record", {"network": ["names"]}),
        ("record", {"network": "names", "layers": [1]}),
        ("record", {"network": "names", "layers": {"a": 1}}),
        ("record", {"network": "names", "inputs": "noise"}),
        ("record", {"network": "names", "inputs": [{"kind": "upload", "name": "../../x.png", "array": "0"}]}),
        ("record", {"network": "names", "inputs": [{"kind": "noise", "seed": 1e308}]}),
        ("record", {"network": "names", "inputs": [{"kind": "noise", "seed": "1"}]}),
        ("record", {"network": "names", "inputs": [{"kind": "noise", "seed": 1.5}]}),
        ("record", {"network": "names", "inputs": [{"kind": "noise", "seed": True}]}),
        ("record", {"network": "names", "inputs": [{"kind": ["noise"], "seed": 1}]}),
        ("record", {"network": "names", "graph": {}}),
        ("record", {"network": 3}),
        ("record", {"network": "names", "layers": ["x" * 2_000_000]}),
        ("start", {"network": "names", "method": "occlusion", "data": 3}),
        ("start", {"network": "names", "method": "occlusion", "data": ["x"]}),
        ("start", {"network": "names", "method": ["occlusion"]}),
        ("start", {"network": "names", "method": "maximisation", "parameters": {"seed": "1"}}),
        ("start", {"network": "names", "method": "maximisation", "parameters": {"seed": 1.5}}),
        ("start", {"network": "names", "method": "maximisation", "parameters": {"seed": "1" * 2_000_000}}),
        ("pictures", {"set": None}),
        ("film", {"name": 1, "open": "x"}),
        ("film", {"name": "x", "open": {"a": 1}}),
        ("start", {"network": "names", "method": "../average"}),
        ("start", {"network": "names", "method": "average", "parameters": [1]}),
        ("start", {"network": "names", "method": "average", "parameters": {"count": 10**400}}),
        ("start", {"network": "names", "method": "occlusion", "parameters": {"size": float("nan")}}),
        ("start", {"network": "names", "method": "occlusion", "parameters": {"__class__": 1}}),
        ("start", {"network": "names", "method": "average", "data": "/etc"}),
        ("start", {"network": "names", "method": "saliency"}),
        ("start", {"network": "names", "method": "saliency", "run": ""}),
        ("start", {"network": "names", "method": "saliency", "run": "x" * 1_000_000}),
        ("start", {"network": "names", "method": "saliency", "run": ["0" * 32]}),
        ("start", {"network": "names", "method": "saliency", "run": {"__class__": 1}}),
        ("start", {"network": "names", "method": "saliency", "run": 0}),
        ("start", {"network": "names", "method": "saliency", "run": "0" * 32, "inputs": []}),
        ("start", {"network": "names", "method": "saliency", "run": "0" * 32, "ablate": {}}),
        ("start", {"network": "names", "method": "saliency", "inputs": "noise"}),
        ("start", {"network": "names", "method": "saliency", "inputs": [{"kind": "channel"}]}),
        ("start", {"network": "names", "method": "average", "ablate": [1]}),
        ("start", {"network": "names", "method": "saliency", "run": "0" * 32, "positions": {}}),
        ("record", {"network": "names", "inputs": [], "positions": [1]}),
        ("record", {"network": "names", "inputs": [], "positions": {"none": 1}}),
        ("record", {"network": "names", "inputs": [], "positions": {"none": "1"}}),
        ("job", {"id": "1", "step": 0}),
        ("job", {"id": 1, "step": -1}),
        ("job", {"id": 1 << 60, "step": 0}),
        ("job", {"id": 1, "step": 0, "seconds": float("inf")}),
        ("cancel", {"id": None}),
        ("pictures", {"set": "../../etc"}),
        ("film", {"name": "x", "open": "/etc/passwd"}),
        ("film", {"name": "x", "open": "http://127.0.0.1:1/x.mp4"}),
        ("film", {"name": "x", "open": "concat:/etc/passwd|/etc/hosts"}),
        ("film", {"name": "x", "open": "a\0b"}),
        ("film", {"name": "x", "open": "camera:/etc/passwd"}),
        ("statistics", {"network": "names", "layers": "x" * 100_000}),
    ],
)
def test_odd_values_are_an_expected_error(server, call, values):
    """With the token: the error is one line about the request, not an internal error."""
    with bridges.joined(server) as bridge:
        try:
            answer = list(bridge.call(call, values))
        except InnerwalkError as error:
            assert "Error:" not in str(error) and "\n" not in str(error)
        else:
            assert call == "statistics" and answer == [({"layers": {}}, {})]


def test_strangers_cannot_keep_the_honest_out(server):
    """More silent connections than the limit: the oldest are closed for clients with the token."""
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(PLACES + 8)]
    try:
        for _ in range(3):
            with bridges.joined(server) as honest:
                assert honest.describe()["device"] == "cpu"
    finally:
        for connection in silent:
            connection.close()


def test_one_more_than_all_places_is_turned_away(server):
    """Authenticated connections are not closed."""
    held = [bridges.joined(server) for _ in range(PLACES)]
    try:
        for bridge in held:
            assert bridge.describe()["device"] == "cpu"
        with pytest.raises(BridgeError), bridges.joined(server) as late:
            late.describe()
        for bridge in held:
            assert bridge.describe()["device"] == "cpu"
    finally:
        for bridge in held:
            bridge.close()
    wait_until(lambda: not server._connections)


def wait_until(true) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("where", ["nothing", "start", "head", "body"])
def test_a_drip_ends_in_time(server, where):
    """Single bytes, each in time: the whole request has a deadline."""
    whole = head(server, **{"Content-Length": 1000}) + b"x" * 1000
    begin = {"nothing": 0, "start": 0, "head": 60, "body": len(whole) - 900}[where]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(whole[:begin])
        gone = threading.Event()

        def drip():
            for byte in whole[begin:] if where != "nothing" else b"":
                if gone.wait(0.02):
                    return
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            answer = connection.recv(1000)
        except ConnectionError:
            answer = b""
        gone.set()
        thread.join()
    assert not answer.startswith(b"HTTP/1.1 200")
    wait_until(lambda: not server._connections)


def test_a_half_closed_socket_still_gets_its_answer(server):
    assert sent(server, head(server), end=True)[0] == 200


def test_requests_in_a_row_are_answered_in_a_row(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head(server) * 3)
        answer = b""
        while answer.count(b"HTTP/1.1 200 OK") < 3 or not answer.endswith(b"0\r\n\r\n"):
            answer += connection.recv(1 << 16)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_a_second_request_cannot_hide_in_a_refused_body(server):
    """Everything after a refusal is discarded."""
    hidden = head(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head(server, Authorization="Bearer x", **{"Content-Length": len(hidden)}) + hidden)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(1 << 16):
            answer += more
    assert answer.count(b"HTTP/1.1") == 1 and answer.startswith(b"HTTP/1.1 401")


def test_clients_that_vanish(server):
    """In the middle of the head, of the body and of the answer, with and without a reset."""
    request = frames.encode({"network": "names", "inputs": [{"kind": "noise", "seed": 3}]}, {})[1:]
    body = b"".join(request)
    whole = head(server, start="POST /v2/record HTTP/1.1", **{"Content-Length": len(body)}) + body
    for reset in (False, True):
        for size in (0, 30, len(whole) - 10, len(whole)):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(whole[:size])
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    wait_until(lambda: not server._connections)


def test_a_reader_that_stalls_does_not_hold_the_bridge(server, monkeypatch):
    def much(values, arrays):
        for _ in range(64):
            yield {}, {"x": np.zeros(1 << 20, np.uint8)}

    monkeypatch.setitem(server.calls, "cancel", much)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head(server, start="POST /v2/cancel HTTP/1.1"))
        with bridges.joined(server) as honest:
            assert honest.record("names").all_maps
        wait_until(lambda: len(server._connections) == 0)
        connection.settimeout(5)
        try:
            while connection.recv(1 << 20):
                pass
        except ConnectionError:
            return


def test_an_error_has_no_traceback_and_no_token(server):
    for changes in ({"Authorization": "Bearer x"}, {"start": "POST /v2/x HTTP/1.1"}):
        _, reply = sent(server, head(server, **changes))
        assert bridges.TOKEN not in json.dumps(reply) and "Traceback" not in json.dumps(reply)


def test_only_loopback_is_listened_to(server):
    assert server.server_address[0] == "127.0.0.1"
