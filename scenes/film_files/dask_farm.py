"""Renders frames, or does pieces of other work, by the workers of a Dask scheduler.

Workers of films render only: networks have run at the sender.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...torch_bridge.recording.errors import InputError, SceneError, error_from_wire
from .child_process import FRAMES, FarmWork
from .film_bundle import FilmBundle
from .film_job import check_scheduler

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT = 30.0
"""Seconds to wait for the scheduler, and for its first worker."""
WAITING = 2
"""Frames that each worker has before it: one to render, one more that it needn't wait for."""
ATTEMPTS = 3
"""Times that Dask may lose a frame with its worker before the film is given up."""


def run_by_dask(
    frames: Sequence[int], bundle: FilmBundle, address: str, work: FarmWork = FRAMES
) -> Generator[tuple[int, bytes], None, None]:
    """Yields frames and their PNG files, or pieces of other work, as they are ready.

    A worker that ends costs what it was at. Raises InputError, and SceneError where the scheduler or its workers fail.
    """
    check_scheduler(address)
    distributed = import_distributed()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it tells of each lost connection, in many lines
    try:
        _check_certificates(distributed, address)
        with distributed.Client(address, timeout=TIMEOUT, set_as_default=False) as client:
            yield from _DaskWork(client, bundle, work).render(frames)
    except (OSError, TimeoutError) as error:
        raise SceneError(f"scheduler {address}: not reached, or no worker there ({_line(error)})") from None


def _check_certificates(distributed: ModuleType, address: str) -> None:
    """Raises InputError for a scheduler that is reached by TLS where Dask knows no certificates."""
    certified = distributed.Security().get_connection_args("client")["ssl_context"] is not None
    if address.startswith("tls://") and not certified:
        raise InputError(f"scheduler {address}: tls:// needs certificates; docs/farm.md says how to make them")


def import_distributed() -> ModuleType:
    """Imports Dask. Raises InputError that says what to install."""
    try:
        import distributed
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'innerwalk[farm]', here and on the workers") from None
    return distributed


class _DaskWork:
    """A film on a farm: which frames are under way, and which files are at which worker."""

    def __init__(self, client: Client, bundle: FilmBundle, work: FarmWork) -> None:
        from .dask_worker import FilmWorker

        self._client, self._bundle, self._work = client, bundle, work
        client.wait_for_workers(1, timeout=TIMEOUT)
        self._plugin = FilmWorker(bundle.recipe, dict(bundle.hashes), bundle.film, work)
        self._call(client.register_plugin, self._plugin)

    def _call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Calls something that runs on workers, whose exceptions of any class come back. Raises SceneError."""
        try:
            return function(*arguments, **options)
        except Exception as error:  # noqa: BLE001 - whatever a worker raises, or fails to load
            raise SceneError(
                f"the workers need this version of innerwalk, and {self._work.needs} ({_line(error)})"
            ) from None

    def render(self, frames: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yields each frame and its file."""
        from distributed import as_completed

        from .dask_worker import render_on_worker

        waiting, lost = list(reversed(frames)), dict.fromkeys(frames, 0)
        under_way = as_completed(loop=self._client.loop)
        numbers: dict[Any, int] = {}
        try:
            while waiting or numbers:
                while waiting and len(numbers) < WAITING * max(1, len(self._client.nthreads())):
                    frame = waiting.pop()
                    future = self._client.submit(render_on_worker, self._plugin.name, frame, pure=False)
                    numbers[future] = frame
                    under_way.add(future)
                future = next(under_way)
                frame = numbers.pop(future)
                if png := self._result(future, frame, lost):
                    yield frame, png
                else:
                    waiting.append(frame)
        finally:
            self._client.cancel(list(numbers))
            self._client.unregister_worker_plugin(self._plugin.name)

    def _result(self, future: Any, frame: int, lost: dict[int, int]) -> bytes:
        """Returns a frame's file; empty if it has to be asked for once more. Raises InnerwalkError."""
        if future.status != "finished":
            lost[frame] += 1
            if lost[frame] >= ATTEMPTS:
                raise SceneError(
                    f"{self._work.piece} {frame}: {ATTEMPTS} workers were lost with it; the last: "
                    f"{_line(future.exception())}"
                )
            return b""
        answer = future.result()
        for digest in answer.missing:
            self._ship(digest, answer.worker)
        if answer.error:
            raise error_from_wire(*answer.error)
        return answer.png

    def _ship(self, digest: str, worker: str) -> None:
        """Sends a file to a worker; one that is lost meanwhile takes no more frames."""
        from .dask_worker import store_file

        name = next(name for name, found in self._bundle.hashes.items() if found == digest)
        try:
            content = self._bundle.files[name].read_bytes()
        except OSError as error:
            raise SceneError(f"{self._bundle.files[name]}: can't be read ({error.strerror})") from None
        if worker in self._client.nthreads():
            self._call(self._client.run, store_file, digest, content, workers=[worker])


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
