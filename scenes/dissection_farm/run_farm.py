"""Runs the missing parts of a dissection by processes of this machine, or by the workers of a Dask scheduler."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from ...torch_bridge.dissection.parts import KINDS, Kind, write_whole
from ...torch_bridge.dissection.run import Dissection
from ...torch_bridge.recording import Progress
from ...torch_bridge.recording.safetensors import encode
from ..film_files.child_process import ChildProcess
from ..film_files.dask_farm import run_by_dask
from ..film_files.film_job import FilmJob
from ..film_files.local_farm import run_by_children
from .part_tasks import PARTS, bundle_dissection, describe, missing_parts, task_number, task_of, thresholds_as_arrays

THREADS = 1
"""Of each process of this machine."""


class Farm:
    """What runs the parts of a dissection, if not this process alone.

    Processes of this machine are started at once, so that they load PyTorch while this one opens the dissection.
    """

    def __init__(self, options: argparse.Namespace, arguments: list[str]) -> None:
        """arguments: this command line's. Raises InputError for a farm that can't be."""
        workers = options.workers if options.workers > 1 else None
        FilmJob(workers=workers, scheduler=options.scheduler).check()
        self._options, self._arguments = options, arguments
        self._scratch, self._started = tempfile.TemporaryDirectory(), list[ChildProcess]()
        self._document = Path(self._scratch.name) / "dissection.json"
        for _ in range(workers or 0):
            self._started.append(self._start())

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, *error: object) -> None:
        for child in self._started:
            child.end()
        self._scratch.cleanup()

    def _start(self) -> ChildProcess:
        return ChildProcess(self._document, "", THREADS, PARTS)

    def _next_child(self) -> ChildProcess:
        try:
            return self._started.pop()
        except IndexError:
            return self._start()

    def run(self, dissection: Dissection, progress: Progress) -> None:
        """Runs what is missing of a shard, as far as other shards' results are there.

        A process or machine that ends costs the part that it was at. Raises InnerwalkError.
        """
        if self._options.scheduler:
            _run_by_dask(dissection, self._options, self._arguments, self._document.parent, progress)
        elif self._started:
            self._document.write_text(describe(dissection, self._arguments), encoding="utf-8")
            _run_by_children(dissection, self._options, self._next_child, progress)


def _run_by_children(
    dissection: Dissection, options: argparse.Namespace, start: Callable[[], ChildProcess], progress: Progress
) -> None:
    """Processes write into the dissection's folder; they live through both passes, since each takes long to start."""
    values = missing_parts(dissection, "values", options.shard)
    tasks = [task_number(dissection, "values", part) for part in values]
    if len(values) + dissection.folder.count("values") >= len(dissection.parts):
        tasks += [
            task_number(dissection, "counts", part) for part in missing_parts(dissection, "counts", options.shard)
        ]
    stream = run_by_children(tasks, options.workers, start)
    with closing(stream):
        for done, _ in enumerate(stream, 1):
            progress(f"{options.workers} workers", done / len(tasks))


def _run_by_dask(
    dissection: Dissection, options: argparse.Namespace, arguments: list[str], scratch: Path, progress: Progress
) -> None:
    for number, kind in enumerate(KINDS):
        missing = missing_parts(dissection, kind, options.shard)
        if not missing or (kind == "counts" and dissection.folder.count("values") < len(dissection.parts)):
            continue
        thresholds = scratch / "thresholds" if kind == "counts" else None
        if thresholds:
            write_whole(thresholds, encode(thresholds_as_arrays(dissection)))
        bundle = bundle_dissection(dissection, arguments, options, thresholds)
        tasks = [task_number(dissection, kind, part) for part in missing]
        progress(f"{kind} by {options.scheduler}", number / 2)
        with closing(run_by_dask(tasks, bundle, options.scheduler, PARTS)) as stream:
            for done, _ in enumerate(_written(dissection, stream), 1):
                progress(f"{kind} by {options.scheduler}", (number + done / len(tasks)) / 2)


def _written(dissection: Dissection, stream: Iterator[tuple[int, bytes]]) -> Iterator[tuple[Kind, int]]:
    for number, content in stream:
        kind, part = task_of(dissection, number)
        write_whole(dissection.folder.path(kind, part), [content])
        yield kind, part
