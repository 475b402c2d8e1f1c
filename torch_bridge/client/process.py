"""A bridge as a child process: any Python that has torch, which ends when this process does."""

from __future__ import annotations

import collections
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..recording.errors import BridgeError, error_from_wire
from .frames import PROTOCOL

ROOT = Path(__file__).resolve().parents[2]
"""The folder that `torch_bridge` is in, installed or as an extension of Blender."""
CODE = """
import runpy, sys
root = sys.argv.pop(1)
sys.path.insert(0, root)
import torch_bridge
sys.path.remove(root)  # what lies beside it would be taken for modules of the user's own
runpy.run_module("torch_bridge", run_name="__main__")
"""
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows a console would open."""
PATIENT = {"GOMP_SPINCOUNT": "1000"}
"""How long torch's threads spin while they wait for each other: by default so long that Blender finds no core free."""
GRACE = 3.0
"""Seconds that a child has to end by itself, and that its last words are waited for."""
MOMENT = 0.5
LAST = 20
"""Lines of what it wrote to standard error that are kept."""


def start_process(python: str, order: Mapping[str, Any], folder: Path | str | None = None) -> BridgeProcess:
    """Start `python` as a bridge that serves the order, see `orders.Order`; returns at once.

    folder: where the user's own modules are found. Raises BridgeError when there is no such program.
    """
    token = secrets.token_urlsafe(32)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environment = PATIENT | environment | {"PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(
            [python, "-u", "-c", CODE, str(ROOT), "serve", "--child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=folder, env=environment, creationflags=NO_WINDOW,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise BridgeError(f"{python!r} can't be started ({error}); name a Python that has torch") from None
    return BridgeProcess(process, python, token, dict(order))


class BridgeProcess:
    """The process. What it says is heard by threads that touch nothing else, so nobody has to wait for it."""

    def __init__(self, process: subprocess.Popen[bytes], python: str, token: str, order: dict[str, Any]) -> None:
        self.process, self.python, self.token = process, python, token
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._words: collections.deque[str] = collections.deque(maxlen=LAST)
        self._order = json.dumps(order | {"token": token}).encode() + b"\n"
        self._listening = [threading.Thread(target=work, daemon=True) for work in (self._overhear, self._hear)]
        for thread in (*self._listening, threading.Thread(target=self._tell, daemon=True)):
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def has_ended(self) -> bool:
        """Whether it has ended, or does within a moment, as when its connection has just broken."""
        try:
            self.process.wait(MOMENT)
        except subprocess.TimeoutExpired:
            return False
        return True

    def next_message(self) -> dict[str, Any] | None:
        """The next thing it says, if it has said anything: {"told", "share"}, then {"port"}; None so far.

        Raises BridgeError or what it failed with.
        """
        try:
            said = self._news.get_nowait()
        except queue.Empty:
            return None
        if "error" in said:
            raise error_from_wire(**said["error"])
        if "port" in said and said.get("protocol") != PROTOCOL:
            raise BridgeError(f"the bridge speaks protocol {said.get('protocol')}, this side {PROTOCOL}")
        if "ended" in said:
            raise BridgeError(f"the bridge that {self.python} ran has ended: {self.last_error_line()}")
        return said

    def wait(self, tell: Callable[[str, float], None] | None = None) -> int:
        """Wait until it is ready; its port. Raises as `news`."""
        while True:
            said = self.next_message()
            if said is None:
                time.sleep(0.01)
            elif "port" in said:
                return int(said["port"])
            elif tell is not None:
                tell(said["told"], said["share"])

    def last_error_line(self) -> str:
        """The last line it wrote to standard error, and how it ended where it has."""
        if not self.alive:
            self._listening[0].join(GRACE)
        last = next((line for line in reversed(self._words) if line.strip()), "it said nothing")
        return last if self.alive else f"{last} ({_how(self.process.returncode)})"

    def end(self) -> None:
        """Close its input, which ends it; kill it if that doesn't."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:  # it is gone already
                self.process.kill()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _tell(self) -> None:
        try:
            self.process.stdin.write(self._order)  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):  # it ended before it could be told anything: `_hear` says so
            return

    def _hear(self) -> None:
        with self.process.stdout as lines:  # type: ignore[union-attr]
            for line in lines:
                self._news.put(_news(line))
        self._news.put({"ended": self.process.wait()})

    def _overhear(self) -> None:
        with self.process.stderr as lines:  # type: ignore[union-attr]
            for line in lines:
                self._words.append(line.decode(errors="replace").rstrip()[:1000])


def _news(line: bytes) -> dict[str, Any]:
    """What a line says; a Python may print other things while it starts."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.keys() & {"port", "error", "told"}:
        return {"share": 0.0, **said}
    return {"told": line.decode(errors="replace").strip()[:200], "share": 0.0}


def _how(status: int) -> str:
    """-9 -> "killed by SIGKILL"."""
    known = {one.value: one.name for one in signal.Signals}
    return f"killed by {known.get(-status, f'signal {-status}')}" if status < 0 else f"status {status}"
