"""Main function of a bridge that runs as a child process and never outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Any, BinaryIO

from ..client.frames import PROTOCOL
from ..recording.errors import InnerwalkError


def serve_child() -> int:
    """Read the config as a line from standard input, write messages to standard output, serve; the exit status.

    The process ends when its standard input does, however the parent has ended. See `client.process.BridgeProcess`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    source, out = os.dup(0), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what a model reads or prints must not mix with the messages
    os.dup2(2, 1)
    line = _read_line(source)
    threading.Thread(target=_exit_with_parent, args=(source,), daemon=True).start()
    try:
        from ..models.device import leave_one_core_free
        from .config import ServeConfig
        from .start import open_bridge

        leave_one_core_free()
        config = ServeConfig.parse(json.loads(line))
        server = open_bridge(config, lambda message, share: _send(out, told=message, share=share))
    except InnerwalkError as error:
        _send(out, error={"kind": type(error).__name__, "text": str(error)})
        return 2
    except Exception as error:  # noqa: BLE001 - the parent reports whatever keeps the bridge from starting
        reason = " ".join(str(error).split())[:400]
        text = f"the bridge can't start ({type(error).__name__}: {reason})"
        _send(out, error={"kind": "BridgeError", "text": text})
        return 2
    _send(out, port=server.port, protocol=PROTOCOL, process=os.getpid())
    server.serve_forever()
    return 0


def _read_line(source: int) -> bytes:
    """The first line of a file descriptor."""
    content = b""
    while b"\n" not in content and (more := os.read(source, 1 << 16)):
        content += more
    return content.partition(b"\n")[0]


def _send(out: BinaryIO, **message: Any) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _exit_with_parent(source: int) -> None:
    while os.read(source, 1 << 10):
        pass
    os._exit(0)
