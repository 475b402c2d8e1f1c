"""A bridge that serves whoever started this process, and never outlives it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from ..client.frames import PROTOCOL
from ..recording.errors import InnerwalkError


def serve_child() -> int:
    """The order is a line on standard input, news are lines on standard output; see `child.Child`.

    The process ends when standard input does, however its parent has ended.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's Ctrl-C the parent thinks first
    told, out = os.dup(0), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what a model reads and prints must not meet the news
    os.dup2(2, 1)
    line = _line(told)
    threading.Thread(target=_end_with_parent, args=(told,), daemon=True).start()
    try:
        from ..models.device import leave_one_core_free
        from .config import ServeConfig
        from .start import open_bridge

        leave_one_core_free()
        server = open_bridge(ServeConfig.parse(json.loads(line)), lambda what, share: _say(out, told=what, share=share))
    except InnerwalkError as error:
        _say(out, error={"kind": type(error).__name__, "text": str(error)})
        return 2
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting, the parent is told
        reason = " ".join(str(error).split())[:400]
        _say(out, error={"kind": "BridgeError", "text": f"the bridge can't start ({type(error).__name__}: {reason})"})
        return 2
    _say(out, port=server.port, protocol=PROTOCOL, process=os.getpid())
    server.serve_forever()
    return 0


def _line(told: int) -> bytes:
    found = b""
    while b"\n" not in found and (more := os.read(told, 1 << 16)):
        found += more
    return found.partition(b"\n")[0]


def _say(out: BinaryIO, **news: Any) -> None:
    said: Mapping[str, Any] = news
    out.write(json.dumps(said).encode() + b"\n")
    out.flush()


def _end_with_parent(told: int) -> None:
    while os.read(told, 1 << 10):
        pass
    os._exit(0)
