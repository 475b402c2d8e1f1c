"""Long work: methods that run while inputs go on, with progress, partial results in order, and an end at any step."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ..capture.guard import one_line
from ..methods import Step
from ..recording import Maps
from ..recording.errors import BridgeError, InnerwalkError, UnknownName

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
AT_ONCE, MOST_WAITING, REMEMBERED = 2, 64, 256
"""Jobs that run at a time, that may wait, and that have ended but can still be asked about."""
KEPT = 512 << 20
"""Bytes of results of ended jobs that are kept, for who asks late or asks the same again."""


@dataclass
class Job:
    """One piece of long work. Everything changes under the lock of its `Jobs`."""

    id: int
    what: dict[str, Any]
    """What was asked for: network, method, layers, parameters."""
    state: State = "waiting"
    share: float = 0.0
    told: str = "waiting for another job"
    error: str = ""
    results: dict[tuple[str, str], tuple[int, Maps]] = field(default_factory=dict)
    """By (layer, method): the number of the step that made them, and the maps."""
    step: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def tell(self) -> dict[str, Any]:
        """Everything but results, as plain values."""
        told = {"id": self.id, "state": self.state, "share": self.share, "told": self.told, "error": self.error}
        return {**told, "step": self.step, "what": self.what}


class Jobs:
    """All jobs of a bridge. `shut` ends them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._change = threading.Condition()
        self._jobs: OrderedDict[int, Job] = OrderedDict()
        self._finished: dict[str, Job] = {}
        """By what it was about: the job that has its results."""
        self._room = threading.Semaphore(AT_ONCE)

    def start(self, what: dict[str, Any], key: str, steps: Callable[[], Iterator[Step]]) -> Job:
        """Begin; the same `key` as a finished job gives its results at once. Raises BridgeError when too many wait."""
        with self._change:
            if sum(job.state not in ENDED for job in self._jobs.values()) >= MOST_WAITING:
                raise BridgeError(f"{MOST_WAITING} jobs are waiting already; cancel some first")
            job = Job(next(self._numbers), what)
            self._jobs[job.id] = job
            while len(self._jobs) > REMEMBERED and next(iter(self._jobs.values())).state in ENDED:
                self._jobs.popitem(last=False)
            if (same := self._finished.get(key)) and same.results:
                self._advance(job, Step(1.0, "as it was made before", [maps for _, maps in same.results.values()]))
                self._end(job, "done")
                self._finished[key] = job
                return job
        threading.Thread(target=self._work, args=(job, key, steps), name=f"job {job.id}", daemon=True).start()
        return job

    def tell(self, job: Job) -> dict[str, Any]:
        """Everything but results, as plain values."""
        with self._change:
            return job.tell()

    def get(self, number: int) -> Job:
        """Raises UnknownName."""
        with self._change:
            if number not in self._jobs:
                raise UnknownName("job", str(number), map(str, self._jobs))
            return self._jobs[number]

    def all(self) -> list[dict[str, Any]]:
        """What there is to tell of every job, oldest first."""
        with self._change:
            return [job.tell() for job in self._jobs.values()]

    def since(self, number: int, step: int, seconds: float) -> tuple[dict[str, Any], list[Maps]]:
        """What a job says, and its maps made after `step`, oldest first; waits until there is news, or so long."""
        job = self.get(number)
        with self._change:
            self._change.wait_for(lambda: job.step > step or job.state in ENDED, seconds)
            new = [found for found in job.results.values() if found[0] > step]
            return job.tell(), [maps for _, maps in sorted(new, key=lambda found: found[0])]

    def cancel(self, number: int) -> Job:
        """End a job at its next step; one that has ended stays as it is. Raises UnknownName."""
        job = self.get(number)
        job.stop.set()
        with self._change:
            if job.state == "waiting":
                self._end(job, "cancelled")
        return job

    def shut(self) -> None:
        """End all of them."""
        with self._change:
            running = [job.id for job in self._jobs.values() if job.state not in ENDED]
        for number in running:
            self.cancel(number)

    def _work(self, job: Job, key: str, steps: Callable[[], Iterator[Step]]) -> None:
        with self._room:
            with self._change:
                if job.state != "waiting":
                    return
                job.state, job.told = "running", "starting"
            state: State = "failed"
            wrong = ""
            try:
                state = self._run(job, steps())
            except InnerwalkError as error:
                wrong = str(error)
            except BaseException as error:  # noqa: BLE001 - a model may raise anything; the bridge goes on
                wrong = one_line(error)
            with self._change:
                job.error = wrong
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
        job.share, job.told = step.share, step.told
        job.results.update({(maps.layer, maps.method): (job.step, maps) for maps in step.maps})
        self._change.notify_all()

    def _end(self, job: Job, state: State) -> None:
        job.state, job.told = state, job.told if state == "done" else state
        self._make_room()
        self._change.notify_all()

    def _make_room(self) -> None:
        """Let go of the oldest results where there are too many."""
        left = KEPT
        for job in reversed(self._jobs.values()):
            size = sum(maps.texels.nbytes for _, maps in job.results.values()) if job.state in ENDED else 0
            if size > left and left < KEPT:
                job.results, job.told = {}, "its results have made room for newer ones"
            left -= size
        self._finished = {key: job for key, job in self._finished.items() if job.results}
