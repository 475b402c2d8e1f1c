"""Renders frames, or does pieces of other work, by several processes of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from queue import Empty, SimpleQueue

from ...torch_bridge.recording.errors import InnerwalkError
from .child_process import ATTEMPTS, ChildProcess, gave_up

Outcome = tuple[int, bytes | InnerwalkError]
"""A frame, and its PNG file or why there is none."""


def threads_for(workers: int) -> int:
    """Returns how many threads each of so many processes should use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def run_by_children(
    frames: Sequence[int], workers: int, start: Callable[[], ChildProcess]
) -> Generator[tuple[int, bytes], None, None]:
    """Yields frames and their PNG files, or pieces of other work, as they are ready; processes end with the iterator.

    A process that ends early costs its frame, which another one renders, up to ATTEMPTS. Raises InnerwalkError.
    """
    waiting, outcomes = SimpleQueue[int](), SimpleQueue[Outcome]()
    for frame in frames:
        waiting.put(frame)
    farm: list[_Renderer] = []
    try:
        for _ in range(min(workers, len(frames))):
            farm.append(_Renderer(start, waiting, outcomes))
        for _ in frames:
            frame, result = outcomes.get()
            if isinstance(result, InnerwalkError):
                raise result
            yield frame, result
    finally:
        for renderer in farm:
            renderer.end()


class _Renderer:
    """A thread that hands frames to a process, and starts another one when it has ended."""

    def __init__(
        self, start: Callable[[], ChildProcess], waiting: SimpleQueue[int], outcomes: SimpleQueue[Outcome]
    ) -> None:
        self._start, self._waiting, self._outcomes = start, waiting, outcomes
        self._lock, self._ended = threading.Lock(), False
        self._child: ChildProcess | None = start()
        self._work = self._child.work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends the process and waits for the thread."""
        with self._lock:
            self._ended = True
            if self._child:
                self._child.end()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            try:
                frame = self._waiting.get_nowait()
            except Empty:
                return
            try:
                self._outcomes.put((frame, self._render(frame)))
            except InnerwalkError as error:
                self._outcomes.put((frame, error))
                return

    def _render(self, frame: int) -> bytes:
        for _ in range(ATTEMPTS):
            with self._lock:
                if self._ended:
                    break
                self._child = self._child or self._start()
            if png := self._child.render(frame):
                return png
            with self._lock:
                self._child.end()
                self._child = None
        raise gave_up(self._work, frame)
