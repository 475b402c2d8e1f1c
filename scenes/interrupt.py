"""Ctrl-C, or a polite end, while Blender works: Python hears of it only inside Blender's own callbacks, where the
exception is lost.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPS = (signal.SIGINT, signal.SIGTERM)
GRACE = 1.0
"""Seconds in which KeyboardInterrupt may end the work in the ordinary way."""


@contextmanager
def stoppable(give_up: Callable[[], None]) -> Iterator[None]:
    """Work that Ctrl-C or SIGTERM ends: by KeyboardInterrupt where Python runs, else by `give_up` in another thread.

    `give_up` is to clean up and end the process. Only the main thread hears signals; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hearing, telling = socket.socketpair()
    telling.setblocking(False)
    ended = threading.Event()
    usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(hearing, ended, give_up), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        signal.signal(signal.SIGTERM, usual)
        signal.set_wakeup_fd(before)
        telling.close()
        watcher.join()
        hearing.close()


@contextmanager
def unheard() -> Iterator[None]:
    """Signals that would stop the work wait until the end: for C code that can't bear an exception."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _: heard.append(number)) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if heard:
        raise KeyboardInterrupt


def _watch(hearing: socket.socket, ended: threading.Event, give_up: Callable[[], None]) -> None:
    """Read the numbers of the signals that arrive until the other end is closed."""
    while number := hearing.recv(1):
        if number[0] in STOPS and not ended.wait(GRACE):
            give_up()
            return
