"""Jobs: methods that run in the background, with progress, partial results in order, and cancellation at any step."""

from __future__ import annotations

import itertools
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ..capture.failures import one_line
from ..methods import Step
from ..recording import Maps
from ..recording.errors import BridgeError, InnerwalkError, UnknownName

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
MAX_RUNNING = 2
"""Jobs that run at a time."""
MAX_WAITING = 64
"""Jobs that have not ended, after which new ones are refused."""
MAX_REMEMBERED = 256
"""Jobs after which the oldest ended ones are forgotten."""
MAX_RESULT_BYTES = 512 << 20
"""Bytes of the results of all jobs; ended ones are kept up to it, for late readers and for the same request again."""
MAX_REQUEST_BYTES = 64 << 20
"""Bytes of all requests as JSON, after which the oldest ended jobs are forgotten."""
MAX_WAITING_BYTES = 512 << 20
"""Bytes of the inputs that waiting jobs are about, after which new jobs are refused."""


@dataclass
class Job:
    """One run of a method. All its fields change under the lock of its `Jobs`."""

    id: int
    request: dict[str, Any]
    """The request in plain values: network, method, layers, parameters."""
    state: State = "waiting"
    share: float = 0.0
    """The share that is done, 0..1."""
    message: str = "waiting for another job"
    error: str = ""
    error_kind: str = ""
    """Name of the class of `recording.errors` that the error has."""
    results: dict[tuple[str, str], tuple[int, Maps]] = field(default_factory=dict)
    """(layer, method) -> the number of the step that computed the maps, and the maps."""
    step: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    input_bytes: int = 0
    """Bytes of the inputs that it is about, which are kept until it ends."""

    @cached_property
    def request_bytes(self) -> int:
        """Bytes of the request as JSON."""
        return len(json.dumps(self.request))

    def describe(self) -> dict[str, Any]:
        """Everything but the results, as plain values."""
        return {
            "id": self.id,
            "state": self.state,
            "share": self.share,
            "told": self.message,
            "error": self.error,
            "error_kind": self.error_kind,
            "step": self.step,
            "what": self.request,
        }


class Jobs:
    """All jobs of a bridge."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._change = threading.Condition()
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._finished: dict[str, Job] = {}
        """Key of a request -> the job that has its results."""

    def start(
        self, request: dict[str, Any], key: str, steps: Callable[[], Iterator[Step]], input_bytes: int = 0
    ) -> Job:
        """Start a job; with the `key` of a finished job it is done at once, with the same results.

        input_bytes: size of the inputs that `steps` keeps. Raises BridgeError when too many jobs wait.
        """
        with self._change:
            waiting = [job for job in self._jobs.values() if job.state not in ENDED]
            if len(waiting) >= MAX_WAITING:
                raise BridgeError(f"{MAX_WAITING} jobs are waiting already; cancel some first")
            if waiting and sum(job.input_bytes for job in waiting) + input_bytes > MAX_WAITING_BYTES:
                mib = MAX_WAITING_BYTES >> 20
                raise BridgeError(f"{len(waiting)} jobs wait, with inputs of {mib} MiB already; cancel some first")
            job = Job(next(self._numbers), request, input_bytes=input_bytes)
            self._jobs[job.id] = job
            self._forget_old_jobs()
            if (same := self._finished.get(key)) and same.results:
                self._advance(job, Step(1.0, "as it was made before", [maps for _, maps in same.results.values()]))
                self._finished[key] = job
                self._end(job, "done")
                return job
        threading.Thread(target=self._work, args=(job, key, steps), name=f"job {job.id}", daemon=True).start()
        return job

    def describe(self, job: Job) -> dict[str, Any]:
        """Everything about a job but its results, as plain values."""
        with self._change:
            return job.describe()

    def get(self, number: int) -> Job:
        """The job of this number. Raises UnknownName."""
        with self._change:
            if number not in self._jobs:
                raise UnknownName("job", str(number), map(str, self._jobs))
            return self._jobs[number]

    def describe_all(self) -> list[dict[str, Any]]:
        """The descriptions of all jobs, oldest first."""
        with self._change:
            return [job.describe() for job in self._jobs.values()]

    def results_since(self, number: int, step: int, seconds: float) -> tuple[dict[str, Any], list[Maps]]:
        """The description of a job and its maps computed after `step`, oldest first.

        Waits up to `seconds` for a further step or the end. Raises UnknownName.
        """
        job = self.get(number)
        with self._change:
            self._change.wait_for(lambda: job.step > step or job.state in ENDED, seconds)
            new = [result for result in job.results.values() if result[0] > step]
            return job.describe(), [maps for _, maps in sorted(new, key=lambda result: result[0])]

    def cancel(self, number: int) -> Job:
        """End a job at its next step; one that has ended stays as it is. Raises UnknownName."""
        job = self.get(number)
        job.stop.set()
        with self._change:
            if job.state == "waiting":
                self._end(job, "cancelled")
        return job

    def close(self) -> None:
        """Cancel all jobs."""
        with self._change:
            running = [job.id for job in self._jobs.values() if job.state not in ENDED]
        for number in running:
            self.cancel(number)

    def _work(self, job: Job, key: str, steps: Callable[[], Iterator[Step]]) -> None:
        with self._change:
            self._change.wait_for(lambda: job.state != "waiting" or self._is_next(job))
            if job.state != "waiting":
                return
            job.state, job.message = "running", "starting"
        state: State = "failed"
        failure = kind = ""
        try:
            state = self._run(job, steps())
        except InnerwalkError as error:
            failure, kind = str(error), type(error).__name__
        except BaseException as error:  # noqa: BLE001 - a model may raise anything; the bridge goes on
            failure, kind = one_line(error), BridgeError.__name__
        with self._change:
            job.error, job.error_kind = failure, kind
            if state == "done":
                self._finished[key] = job
            self._end(job, state)

    def _is_next(self, job: Job) -> bool:
        """Whether a waiting job may run now: none waits longer, and fewer than MAX_RUNNING run."""
        running = sum(other.state == "running" for other in self._jobs.values())
        first = next((other for other in self._jobs.values() if other.state == "waiting"), None)
        return running < MAX_RUNNING and first is job

    def _run(self, job: Job, steps: Iterator[Step]) -> State:
        try:
            for step in steps:
                with self._change:
                    self._advance(job, step)
                if job.stop.is_set():
                    return "cancelled"
        finally:
            steps.close()  # type: ignore[attr-defined]  # steps are generators
        return "done"

    def _advance(self, job: Job, step: Step) -> None:
        job.step += 1
        job.share, job.message = step.share, step.message
        job.results.update({(maps.layer, maps.method): (job.step, maps) for maps in step.maps})
        self._change.notify_all()

    def _end(self, job: Job, state: State) -> None:
        job.state, job.message = state, job.message if state == "done" else state
        self._drop_old_results()
        self._change.notify_all()

    def _forget_old_jobs(self) -> None:
        """Forget the oldest ended jobs beyond MAX_REMEMBERED or MAX_REQUEST_BYTES, with their results."""
        size = sum(job.request_bytes for job in self._jobs.values())
        for job in [job for job in self._jobs.values() if job.state in ENDED]:
            if len(self._jobs) <= MAX_REMEMBERED and size <= MAX_REQUEST_BYTES:
                break
            size -= job.request_bytes
            del self._jobs[job.id]
        self._finished = {key: job for key, job in self._finished.items() if job.id in self._jobs}

    def _drop_old_results(self) -> None:
        """Drop the oldest results beyond MAX_RESULT_BYTES; the newest job keeps its own, however large."""
        left, counted = MAX_RESULT_BYTES, set[int]()
        for job in reversed(self._jobs.values()):
            new = {id(maps): maps for _, maps in job.results.values() if id(maps) not in counted}
            size = sum(map(_array_bytes, new.values()))
            if job.state in ENDED and size > left and left < MAX_RESULT_BYTES:
                job.results, job.message = {}, "its results have made room for newer ones"
                continue
            counted.update(new)
            left -= size
        self._finished = {key: job for key, job in self._finished.items() if job.results}


def _array_bytes(maps: Maps) -> int:
    """Bytes of all arrays of maps."""
    return maps.texels.nbytes + sum(array.nbytes for array in maps.extras.values())
