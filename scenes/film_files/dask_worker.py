"""What runs on a Dask worker: it keeps files by their hashes and a process that renders, and answers with frames."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distributed import Worker, WorkerPlugin, get_worker

from ...torch_bridge.recording.errors import InnerwalkError
from .child_process import ATTEMPTS, ChildProcess, FarmWork, gave_up
from .film_bundle import FilmBundle, unpack

STORE = "innerwalk-files"
"""Folder in a worker's own, where files of films are kept until it ends."""


class WorkerAnswer(NamedTuple):
    """What a worker answers when it is asked for a frame."""

    worker: str
    """Its address."""
    png: bytes = b""
    """The frame's file."""
    missing: tuple[str, ...] = ()
    """Hashes of files that it needs first."""
    error: tuple[str, str] | None = None
    """Class and text of an error that rendering the frame has ended with."""


class FilmWorker(WorkerPlugin):
    """A worker's part in one film: one process, which renders one frame at a time."""

    def __init__(self, recipe: str, hashes: Mapping[str, str], film: str, work: FarmWork) -> None:
        """recipe, hashes: as of a `FilmBundle`. film: its hash."""
        self.name = f"innerwalk-{film}"
        self._bundle, self._film, self._work = FilmBundle(recipe, {}, hashes), film, work

    def setup(self, worker: Worker) -> None:
        """Prepares what can't be sent between machines; called on the worker."""
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._folder = Path(worker.local_directory)
        self._address, self._threads = worker.address, worker.state.nthreads

    def teardown(self, worker: Worker) -> None:
        """Ends the process when the film or the worker does."""
        if self._child is not None:
            self._child.end()

    def render(self, frame: int) -> WorkerAnswer:
        """Returns a frame, or what is missing for it. A process that ends early is replaced, up to ATTEMPTS."""
        with self._lock:
            stored = {digest: self._folder / STORE / digest for digest in self._bundle.hashes.values()}
            if missing := tuple(digest for digest, file in stored.items() if not file.is_file()):
                return WorkerAnswer(self._address, missing=missing)
            try:
                for _ in range(ATTEMPTS):
                    self._child = self._child or self._start(stored)
                    if png := self._child.render(frame):
                        return WorkerAnswer(self._address, png)
                    self._child.end()
                    self._child = None
                raise gave_up(self._work, frame)
            except InnerwalkError as error:
                return WorkerAnswer(self._address, error=(type(error).__name__, str(error)))

    def _start(self, stored: Mapping[str, Path]) -> ChildProcess:
        place = unpack(self._bundle, stored, self._folder / self.name, os.link)  # a data set takes no symbolic ones
        return ChildProcess(place, self._film, self._threads, self._work)


def render_on_worker(name: str, frame: int) -> WorkerAnswer:
    """Renders a frame on the worker that this runs on; name: that of its `FilmWorker`."""
    plugin: Any = get_worker().plugins[name]
    return plugin.render(frame)


def store_file(digest: str, content: bytes, dask_worker: Any = None) -> None:
    """Keeps a file on a worker under its hash, completely or not at all. Raises ValueError for other content."""
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"a file has not the hash {digest} that it was sent under")
    folder = Path(dask_worker.local_directory) / STORE
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{digest}"
    part.write_bytes(content)
    part.replace(folder / digest)
