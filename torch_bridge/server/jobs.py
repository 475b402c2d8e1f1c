"""Jobs: methods that run in the background, with progress, partial results in order, and cancellation at any step."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
"""Bytes of results of ended jobs that are kept, for late readers and for the same request again."""


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
        self._slots = threading.Semaphore(MAX_RUNNING)

    def start(self, request: dict[str, Any], key: str, steps: Callable[[], Iterator[Step]]) -> Job:
        """Start a job; with the `key` of a finished job it is done at once, with the same results.

        Raises BridgeError when too many jobs wait.
        """
        with self._change:
            if sum(job.state not in ENDED for job in self._jobs.values()) >= MAX_WAITING:
                raise BridgeError(f"{MAX_WAITING} jobs are waiting already; cancel some first")
            job = Job(next(self._numbers), request)
            self._jobs[job.id] = job
            while len(self._jobs) > MAX_REMEMBERED and next(iter(self._jobs.values())).state in ENDED:
                self._jobs.popitem(last=False)
            if (same := self._finished.get(key)) and same.results:
                self._advance(job, Step(1.0, "as it was made before", [maps for _, maps in same.results.values()]))
                self._end(job, "done")
                self._finished[key] = job
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
        with self._slots:
            with self._change:
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
                self._end(job, state)
                if state == "done":
                    self._finished[key] = job

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

    def _drop_old_results(self) -> None:
        """Drop the oldest results beyond MAX_RESULT_BYTES; the newest job keeps its own, however large."""
        left = MAX_RESULT_BYTES
        for job in reversed(self._jobs.values()):
            size = sum(maps.texels.nbytes for _, maps in job.results.values()) if job.state in ENDED else 0
            if size > left and left < MAX_RESULT_BYTES:
                job.results, job.message = {}, "its results have made room for newer ones"
            left -= size
        self._finished = {key: job for key, job in self._finished.items() if job.results}
