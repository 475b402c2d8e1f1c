"""The HTTP/1.1 server of the bridge: on loopback only, for clients that have the token.

Every request is checked before its body is read: token, Host and Origin (against pages in a browser), size, time. A
wrong request gets an error and the server goes on. Answers are frames in a chunked body.
"""

from __future__ import annotations

import hmac
import io
import json
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from ..capture.failures import one_line
from ..client import frames
from ..client.frames import Frame
from ..recording.errors import BridgeError, InnerwalkError, as_line

LOOPBACK = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "[::1]")
PATH = f"/v{frames.PROTOCOL}/"
MIN_BYTES_PER_SECOND = 1 << 20
"""Rate at which a large body must arrive at least."""
MAX_LENGTH_DIGITS = 12
"""Digits of a Content-Length that are read."""


@dataclass(frozen=True)
class Limits:
    """Limits of connections, times and sizes."""

    connections: int = 64
    idle: float = 600.0
    """Seconds that a connection may be silent between two requests, after authentication."""
    slow: float = 30.0
    """Seconds in which a request must arrive (a large body gets more), and that a client may stall while it reads."""
    linger: float = 2.0
    """Seconds that the rest of a refused request is read, so that its sender receives the reason."""
    body: int = frames.MAX_REQUEST_BYTES


class Server(ThreadingHTTPServer):
    """Answers `calls` by name on loopback; calls `on_close` when it closes.

    Raises BridgeError when the port is taken.
    """

    daemon_threads, request_queue_size = True, 128
    allow_reuse_address = os.name == "posix"  # elsewhere it would let another program take the port

    def __init__(
        self,
        calls: Mapping[str, Callable[..., Iterator[Frame]]],
        token: str,
        port: int = 0,
        limits: Limits | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.calls, self.token, self.limits, self._on_close = calls, token, limits or Limits(), on_close
        self._slots = threading.BoundedSemaphore(self.limits.connections)
        self._connections: dict[socket.socket, bool] = {}
        """Open connections, oldest first -> whether they are authenticated."""
        self._change = threading.Lock()
        try:
            super().__init__((LOOPBACK, port), BridgeRequestHandler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BridgeError(f"port {port} can't be used ({reason}); 0 takes any free port") from None

    @property
    def port(self) -> int:
        return self.server_address[1]

    def server_bind(self) -> None:
        """Bind without a lookup of this machine's host name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.port

    def server_close(self) -> None:
        """Close the listening socket and every connection, then call `on_close`."""
        super().server_close()
        with self._change:
            for connection in self._connections:
                _shut_down(connection)
        self._on_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection; at the limit, close the oldest unauthenticated one or refuse this one."""
        if not (self._slots.acquire(blocking=False) or self._make_room()):
            self.shutdown_request(request)
            return
        with self._change:
            self._connections[request] = False
        super().process_request(request, client_address)

    def _make_room(self) -> bool:
        with self._change:
            connections = self._connections.items()
            oldest = next((connection for connection, authenticated in connections if not authenticated), None)
            if oldest is None:
                return False
            _shut_down(oldest)
        return self._slots.acquire(timeout=1.0)

    def mark_authenticated(self, request: Any) -> None:
        """Record that a connection has sent the token."""
        with self._change:
            self._connections[request] = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, in its own thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._change:
                self._connections.pop(request, None)
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a broken connection: no client is left to receive the error."""


def _shut_down(connection: socket.socket) -> None:
    """Shut a connection down; its thread then reads the end of the stream."""
    with suppress(OSError):  # closed already
        connection.shutdown(socket.SHUT_RDWR)


class BridgeRequestHandler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, 1 << 16
    server_version, sys_version = "innerwalk", ""
    server: Server

    def setup(self) -> None:
        """Replace the input stream by one with deadlines, so that slow bytes can't hold the connection open."""
        super().setup()
        self.rfile.close()
        self.limits, self.wait_seconds = self.server.limits, self.server.limits.slow
        self.deadline = DeadlineReader(self.connection, self.wait_seconds)
        self.rfile = self.buffered = io.BufferedReader(self.deadline, 1 << 16)

    def handle_one_request(self) -> None:
        """Wait for a request, then read and answer it."""
        self.deadline.allow(self.wait_seconds)
        try:
            self.buffered.peek(1)
            self.deadline.allow(self.limits.slow)
            super().handle_one_request()
        except (OSError, ValueError):  # closed by the client, or too slow
            self.close_connection = True

    def do_POST(self) -> None:
        """Answer a call."""
        refusal = self._refusal()
        if refusal is not None:
            self._refuse(*refusal)
            return
        self.server.mark_authenticated(self.connection)
        self.wait_seconds = self.limits.idle
        try:
            values, arrays = self._read_request(int(self.headers["Content-Length"]))
        except (BridgeError, MemoryError) as error:
            self._refuse(400, str(error) or "too large for the available memory")
            return
        self._answer(self.server.calls[self.path.removeprefix(PATH)](values, arrays))

    def _refusal(self) -> tuple[int, str] | None:
        """Status and reason if the request must be refused, by its headers."""
        length, token = self.headers.get("Content-Length", ""), f"Bearer {self.server.token}".encode()
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in HOSTS:
            return 403, "Host must be this machine's loopback address"
        if self.headers.get("Origin"):
            return 403, "requests from pages in a browser are refused"
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), token):
            return 401, "wrong token; it is in the bridge's connection file"
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            return 411, "Content-Length is needed"
        if len(length) > MAX_LENGTH_DIGITS or int(length) > self.limits.body:
            return 413, f"{length[:MAX_LENGTH_DIGITS]} bytes or more; at most {self.limits.body:,} are taken"
        if not self.path.startswith(PATH) or self.path.removeprefix(PATH) not in self.server.calls:
            return 404, f"no such call; of protocol {frames.PROTOCOL} there are {', '.join(self.server.calls)}"
        return None

    def _read_request(self, length: int) -> Frame:
        """Values and arrays of a request. Raises BridgeError or MemoryError."""
        self.deadline.allow(self.limits.slow + length / MIN_BYTES_PER_SECOND)
        body = np.empty(length, np.uint8)
        if frames.fill(self.rfile, body.data) < length:
            raise BridgeError("request: ended early")
        return frames.parse(body, "request") if length else ({}, {})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what isn't a request of HTTP/1.1 in the same form as any other, instead of by a page of HTML."""
        self._refuse(int(code), f"{message or 'no such request'}; POST {PATH}<call> is needed")

    def _refuse(self, status: int, text: str) -> None:
        self.close_connection = True  # its body has not been read
        body = json.dumps(_error("BridgeError", text)).encode()
        self._head(status, **{"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"})
        self.wfile.write(body)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.deadline.allow(self.limits.linger)
        while self.rfile.read1(1 << 16):  # closing with unread input would reset the connection and lose the answer
            pass

    def _answer(self, reply: Iterator[Frame]) -> None:
        """Send frames as they come, each in a chunk."""
        self._head(200, **{"Content-Type": frames.CONTENT_TYPE, "Transfer-Encoding": "chunked"})
        with closing(_encode(reply)) as encoded:
            for pieces in encoded:
                self.wfile.write(b"%x\r\n" % sum(map(len, pieces)))
                for piece in pieces:
                    self.wfile.write(piece)
                self.wfile.write(b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _head(self, status: int, **headers: Any) -> None:
        self.connection.settimeout(self.limits.slow)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Log nothing: the output of a child process carries messages."""


def _encode(reply: Iterator[Frame]) -> Generator[list[bytes | memoryview], None, None]:
    """The pieces of each frame; an error while the reply is computed becomes the last frame."""
    try:
        for values, arrays in reply:
            yield frames.encode(values, arrays)
    except InnerwalkError as error:
        yield frames.encode(_error(type(error).__name__, str(error)), {})
    except GeneratorExit:  # the client has gone
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a model raises, the bridge goes on
        yield frames.encode(_error("BridgeError", one_line(error)), {})
    finally:
        reply.close()  # type: ignore[attr-defined]  # calls are generators


def _error(kind: str, text: str) -> dict[str, dict[str, str]]:
    return {"error": {"kind": kind, "text": as_line(text)}}


class DeadlineReader(io.RawIOBase):
    """The input of a socket, with one deadline for all reads together."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """Set the deadline to so many seconds from now."""
        self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes. Raises TimeoutError after the deadline."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
