"""The bridge's door: HTTP/1.1 on loopback, for whoever has the token, and nobody else.

Every request is checked before its body is read: token, Host (a page that a browser was lured to can't ask), size,
time. Whatever a request does wrong, it gets an error and the server goes on. Answers are frames in a chunked body.
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

from ..capture.guard import one_line
from ..client import frames
from ..recording.errors import BridgeError, InnerwalkError

LOOPBACK = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "[::1]")
PATH = f"/v{frames.PROTOCOL}/"
SLOWEST = 1 << 20
"""Bytes a second that a large body may take."""
LONGEST_LENGTH = 12
"""Digits of a Content-Length."""

Told = Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Limits:
    """How much a bridge bears."""

    connections: int = 64
    idle: float = 600.0
    """Seconds that a connection may be silent between two requests, once one has had the token."""
    slow: float = 30.0
    """Seconds that a request may take to arrive, without what a large body needs, and that a reader may stall."""
    linger: float = 2.0
    """Seconds that the rest of a refused request is read, so that its sender hears why."""
    body: int = frames.MAX_REQUEST_BYTES


class Server(ThreadingHTTPServer):
    """Answers `calls` by name on loopback; `ended` is called when it closes.

    Raises BridgeError when the port is taken.
    """

    daemon_threads, request_queue_size = True, 128
    allow_reuse_address = os.name == "posix"  # elsewhere it would let another program take the port

    def __init__(
        self, calls: Mapping[str, Callable[..., Told]], token: str, port: int = 0, limits: Limits | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.calls, self.token, self.limits, self._ended = calls, token, limits or Limits(), ended
        self._places = threading.BoundedSemaphore(self.limits.connections)
        self._open: dict[socket.socket, bool] = {}
        """Whether it has shown the token, oldest first."""
        self._change = threading.Lock()
        try:
            super().__init__((LOOPBACK, port), Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise BridgeError(f"port {port} can't be used ({why}); 0 takes any that is free") from None

    @property
    def port(self) -> int:
        return self.server_address[1]

    def server_bind(self) -> None:
        """Without asking the network what this machine is called, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.port

    def server_close(self) -> None:
        """Close the door and every connection, then what stands behind it."""
        super().server_close()
        with self._change:
            for request in self._open:
                _hang_up(request)
        self._ended()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread a connection, up to so many; then whoever came first and has shown no token must go."""
        if not (self._places.acquire(blocking=False) or self._make_room()):
            self.shutdown_request(request)
            return
        with self._change:
            self._open[request] = False
        super().process_request(request, client_address)

    def _make_room(self) -> bool:
        with self._change:
            stranger = next((request for request, known in self._open.items() if not known), None)
            if stranger is None:
                return False
            _hang_up(stranger)
        return self._places.acquire(timeout=1.0)

    def greet(self, request: Any) -> None:
        """A connection has shown the token."""
        with self._change:
            self._open[request] = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._change:
                self._open.pop(request, None)
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke has nobody left to be told."""


def _hang_up(request: socket.socket) -> None:
    """Its thread reads an end."""
    with suppress(OSError):  # it has gone by itself
        request.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, 1 << 16
    server_version, sys_version = "innerwalk", ""
    server: Server

    def setup(self) -> None:
        """Reads end in time, however slowly bytes drip."""
        super().setup()
        self.rfile.close()
        self.limits, self.patience = self.server.limits, self.server.limits.slow
        self.clock = Clock(self.connection, self.patience)
        self.rfile = self.arriving = io.BufferedReader(self.clock, 1 << 16)

    def handle_one_request(self) -> None:
        """Wait for a request, then read and answer it."""
        self.clock.allow(self.patience)
        try:
            self.arriving.peek(1)
            self.clock.allow(self.limits.slow)
            super().handle_one_request()
        except (OSError, ValueError):  # gone, or too slow
            self.close_connection = True

    def do_POST(self) -> None:
        """Every call."""
        refusal = self._refusal()
        if refusal is not None:
            self._refuse(*refusal)
            return
        self.server.greet(self.connection)
        self.patience = self.limits.idle
        try:
            asked, arrays = self._asked(int(self.headers["Content-Length"]))
        except (BridgeError, MemoryError) as error:
            self._refuse(400, str(error) or "too large for the memory there is")
            return
        self._answer(self.server.calls[self.path.removeprefix(PATH)](asked, arrays))

    def _refusal(self) -> tuple[int, str] | None:
        """Status and reason for a request that isn't read any further."""
        length, token = self.headers.get("Content-Length", ""), f"Bearer {self.server.token}".encode()
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in HOSTS:
            return 403, "Host must be this machine's loopback address"
        if self.headers.get("Origin"):
            return 403, "pages in a browser may not ask"
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), token):
            return 401, "wrong token; it is in the bridge's connection file"
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            return 411, "Content-Length is needed"
        if len(length) > LONGEST_LENGTH or int(length) > self.limits.body:
            return 413, f"{length[:LONGEST_LENGTH]} bytes or more; at most {self.limits.body:,} are taken"
        if not self.path.startswith(PATH) or self.path.removeprefix(PATH) not in self.server.calls:
            return 404, f"no such call; of protocol {frames.PROTOCOL} there are {', '.join(self.server.calls)}"
        return None

    def _asked(self, length: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The values and arrays of a request. Raises BridgeError or MemoryError."""
        self.clock.allow(self.limits.slow + length / SLOWEST)
        body = np.empty(length, np.uint8)
        if frames.fill(self.rfile, body.data) < length:
            raise BridgeError("request: ended early")
        return frames.parse(body, "request") if length else ({}, {})

    def _refuse(self, status: int, text: str) -> None:
        self.close_connection = True  # its body is unread
        body = json.dumps(_error("BridgeError", text)).encode()
        self._head(status, **{"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"})
        self.wfile.write(body)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.clock.allow(self.limits.linger)
        while self.rfile.read1(1 << 16):  # to close with something unread would take the answer back
            pass

    def _answer(self, told: Told) -> None:
        """Frames as they come, each in a chunk."""
        self._head(200, **{"Content-Type": frames.CONTENT_TYPE, "Transfer-Encoding": "chunked"})
        with closing(_encoded(told)) as answer:
            for pieces in answer:
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
        """Say nothing: standard output may be a protocol."""


def _encoded(told: Told) -> Generator[list[bytes | memoryview], None, None]:
    """The pieces of each frame; what goes wrong while they are made is the last one."""
    try:
        for values, arrays in told:
            yield frames.encode(values, arrays)
    except InnerwalkError as error:
        yield frames.encode(_error(type(error).__name__, str(error)), {})
    except Exception as error:  # noqa: BLE001 - whatever a model raises, the bridge goes on
        yield frames.encode(_error("BridgeError", one_line(error)), {})
    finally:
        told.close()  # type: ignore[attr-defined]  # calls are generators


def _error(kind: str, text: str) -> dict[str, dict[str, str]]:
    return {"error": {"kind": kind, "text": text}}


class Clock(io.RawIOBase):
    """A socket whose reads end when the time allowed for all of them together is over."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """From now on."""
        self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
