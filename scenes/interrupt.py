"""Stops the command line on Ctrl-C or SIGTERM while Blender works.

Python's own handler runs only inside Blender's callbacks then, and Blender drops the KeyboardInterrupt.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

STOPS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""Signals that end the command line; a terminal that closes sends SIGHUP."""
GRACE = 1.0
"""Seconds to wait for KeyboardInterrupt to end the work before the process is stopped."""


@contextmanager
def stoppable(give_up: Callable[[], None]) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end the block: by KeyboardInterrupt, or by `give_up` when that takes longer than GRACE.

    `give_up` runs in another thread; it must clean up and end the process. Does nothing outside the main thread, which
    alone receives signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    ended = threading.Event()
    endings = [number for number in STOPS if signal.getsignal(number) == signal.SIG_DFL]  # nohup ignores SIGHUP
    previous = {number: signal.signal(number, signal.default_int_handler) for number in endings}
    previous_fd = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(receiver, ended, give_up), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_fd)
        sender.close()
        watcher.join()
        receiver.close()


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Holds back Ctrl-C and SIGTERM until the end of the block, for C code that crashes on a Python exception."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    heard = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, lambda number, _: received.append(number)) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if received:
        raise KeyboardInterrupt


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Lets a KeyboardInterrupt say that the same command goes on with what is in this folder."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command goes on with {folder}") from None


def start_blender() -> None:
    """Loads Blender with signals held back: a Python exception during its start crashes it."""
    with signals_deferred():
        import bpy  # noqa: F401


def _watch(receiver: socket.socket, ended: threading.Event, give_up: Callable[[], None]) -> None:
    """Reads signal numbers from the wake-up socket until its other end is closed."""
    while number := receiver.recv(1):
        if number[0] in STOPS and not ended.wait(GRACE):
            give_up()
            return
