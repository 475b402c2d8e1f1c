"""A bridge as a child process, run by any Python that has torch. It ends when its parent process does."""

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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..recording.errors import BridgeError
from ..recording.files import parse_json
from ..recording.progress import Progress
from .answers import reported_error
from .frames import PROTOCOL

ROOT = Path(__file__).resolve().parents[2]
"""The folder that contains `torch_bridge`, whether installed or loaded as an extension of Blender."""
CODE = """
import runpy, sys
root = sys.argv.pop(1)
sys.path.insert(0, root)
import torch_bridge
sys.path.remove(root)  # otherwise modules beside torch_bridge would hide modules of the user with the same name
runpy.run_module("torch_bridge", run_name="__main__")
"""
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Flag that keeps Windows from opening a console."""
SHORT_SPINS = {"GOMP_SPINCOUNT": "1000"}
"""Environment that limits how long torch's idle threads spin; by default they leave Blender no free core."""
GRACE_SECONDS = 3.0
"""Seconds to wait for the process to end by itself, and for the rest of its standard error."""
BROKEN_CONNECTION_SECONDS = 0.5
"""Seconds to wait for the process to end after its connection has broken."""
KEPT_LINES = 20
"""Lines of standard error that are kept."""


def start_process(python: str, config: Mapping[str, Any], folder: Path | str | None = None) -> BridgeProcess:
    """Start `python` as a bridge that serves the config (see `server.config.ServeConfig`); returns at once.

    folder: where the user's own modules are found, for networks that name none. The process inherits the working
    directory and the environment without PYTHONHOME and PYTHONPATH, which may be meant for the Python that runs this
    one. Raises BridgeError when `python` can't be started.
    """
    token = secrets.token_urlsafe(32)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        process = subprocess.Popen(  # noqa: S603 - the person's own Python, without a shell
            [python, "-u", "-c", CODE, str(ROOT), "serve", "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=SHORT_SPINS | environment | {"PYTHONUNBUFFERED": "1"},
            creationflags=NO_WINDOW,
        )
    except (OSError, ValueError) as error:
        raise BridgeError(f"{python!r} can't be started ({error}); choose a Python that has torch") from None
    return BridgeProcess(process, python, token, {**config} if folder is None else {**config, "folder": str(folder)})


class BridgeProcess:
    """The child process. Daemon threads read its output, so that no method but `wait` and `end` blocks for long."""

    def __init__(self, process: subprocess.Popen[bytes], python: str, token: str, config: dict[str, Any]) -> None:
        self.process, self.python, self.token = process, python, token
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._error_lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._config_line = json.dumps(config | {"token": token}).encode() + b"\n"
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._error_reader.start()
        for target in (self._read_messages, self._send_config):
            threading.Thread(target=target, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def has_ended(self) -> bool:
        """Whether the process has ended, or ends within half a second, as it does when its connection has broken."""
        try:
            self.process.wait(BROKEN_CONNECTION_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def next_message(self) -> dict[str, Any] | None:
        """The next message of the process: {"told", "share"} while it starts, then {"port"}; None if there is none yet.

        Raises BridgeError, or the error that the process failed with.
        """
        try:
            message = self._messages.get_nowait()
        except queue.Empty:
            return None
        if "error" in message:
            raise reported_error(message["error"])
        if "port" in message and message.get("protocol") != PROTOCOL:
            raise BridgeError(f"the bridge speaks protocol {message.get('protocol')}, this side {PROTOCOL}")
        if "ended" in message:
            raise BridgeError(f"the bridge that {self.python} ran has ended: {self.last_error_line()}")
        return message

    def wait(self, progress: Progress | None = None) -> int:
        """Wait until the bridge is ready and return its port. Raises as `next_message`."""
        while True:
            message = self.next_message()
            if message is None:
                time.sleep(0.01)
            elif "port" in message:
                return int(message["port"])
            elif progress is not None:
                progress(message["told"], message["share"])

    def last_error_line(self) -> str:
        """The last line of standard error, and how the process ended if it has."""
        if not self.alive:
            self._error_reader.join(GRACE_SECONDS)
        last = next((line for line in reversed(self._error_lines) if line.strip()), "no error output")
        return last if self.alive else f"{last} ({_exit_text(self.process.returncode)})"

    def end(self) -> None:
        """Close standard input, which ends the process; kill it if it is still there after the grace period."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:  # the process is gone already
                self.process.kill()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _send_config(self) -> None:
        try:
            self.process.stdin.write(self._config_line)  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):  # it ended before it read its config; `_read_messages` reports that
            return

    def _read_messages(self) -> None:
        with self.process.stdout as lines:  # type: ignore[union-attr]
            for line in lines:
                self._messages.put(_parse_message(line))
        self._messages.put({"ended": self.process.wait()})

    def _read_errors(self) -> None:
        with self.process.stderr as lines:  # type: ignore[union-attr]
            for line in lines:
                self._error_lines.append(line.decode(errors="replace").rstrip()[:1000])


def _parse_message(line: bytes) -> dict[str, Any]:
    """The message in a line; anything else that a Python prints while it starts becomes a progress message."""
    try:
        message = parse_json(line)
    except ValueError:
        message = None
    if isinstance(message, dict) and (
        type(message.get("port")) is int or "error" in message or isinstance(message.get("told"), str)
    ):
        return {"told": "", "share": 0.0, **message}
    return {"told": line.decode(errors="replace").strip()[:200], "share": 0.0}


def _exit_text(status: int) -> str:
    """-9 -> "killed by SIGKILL", 3 -> "status 3"."""
    names = {number.value: number.name for number in signal.Signals}
    return f"killed by {names.get(-status, f'signal {-status}')}" if status < 0 else f"status {status}"
