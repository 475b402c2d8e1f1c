"""A connection to a bridge whose calls run in threads, so that Blender never waits for them. No bpy here.

Answers are queued as events; `next_event` returns them one at a time. Of the inputs of a hall only the newest is run:
an older one that still waits is dropped.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from ...torch_bridge.client import Ablate, Bridge, BridgeInput, BridgeProcess, Strokes, start_process
from ...torch_bridge.recording import Maps
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError, UnknownRun

State = Literal["starting", "ready", "ended"]
RUNNING = ("waiting", "running")
"""States of a job that hasn't ended."""
POLL_SECONDS = 0.1
"""Seconds that the bridge may take to answer a query about a job."""


class Event(NamedTuple):
    """An answer of the bridge, or something else that is to be shown in Blender."""

    kind: Literal[
        "starting",
        "described",
        "maps",
        "recording",
        "complete",
        "rebuild",
        "shown",
        "job",
        "answer",
        "call",
        "error",
        "ended",
    ]
    tag: str
    """The tag of the request that it answers; "" for none."""
    content: Any


class RunOptions(NamedTuple):
    """What a hall changes in the runs of its network; None leaves it as the bridge's network has it."""

    ablate: Ablate | None = None
    """Channels that are set to 0, by layer."""
    positions: Mapping[str, int] | None = None
    """Which frame, window or other position of the input is shown, by layer."""
    strokes: Strokes | None = None
    """What a brush has changed in the maps of layers."""


NO_OPTIONS = RunOptions()


class InputRequest(NamedTuple):
    """Inputs that a network is to be run on."""

    tag: str
    network: str
    inputs: Sequence[BridgeInput]
    options: RunOptions


class BridgeConnection:
    """A connection to one bridge; `close` ends it.

    `status` and `progress` (0 to 1) describe how far the start is, or why the connection ended; `description` is the
    answer of `Bridge.describe`.
    """

    def __init__(
        self,
        bridge: Bridge | None = None,
        child: BridgeProcess | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.in_process = bridge is not None and bridge.in_process
        """Whether the bridge is in this process: its networks end with it, and their names mean nothing elsewhere."""
        self.child, self.config = child, config
        """The process of a bridge that this Blender has started, and what it was started with; else None."""
        self.state: State = "starting"
        self.status, self.progress = "starting the bridge", 0.0
        self.description: dict[str, Any] = {}
        self.bridge: Bridge | None = None
        """A connection to the bridge, once it is ready; each thread opens another."""
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._job_events: queue.SimpleQueue[Event | threading.Event] = queue.SimpleQueue()
        """Events of jobs, taken while `_events` is empty. A threading.Event is set once all before it were taken."""
        self._queries: queue.SimpleQueue[tuple[str, Callable[[Bridge], Any]] | None] = queue.SimpleQueue()
        self._waiting: dict[Hashable, InputRequest] = {}
        self._runs_input = False
        self._changed = threading.Condition()
        self._job_tags: set[str] = set()
        self._cancelled: set[str] = set()
        self._closed = False
        self._start_thread("link", lambda: self._connect(bridge))

    @classmethod
    def start(cls, python: str, config: Mapping[str, Any]) -> BridgeConnection:
        """Starts a bridge as a child process; returns at once. Raises BridgeError if there is no such Python."""
        return cls(child=start_process(python, config), config=config)

    def run_input(
        self, tag: str, owner: Hashable, network: str, inputs: Sequence[BridgeInput], options: RunOptions = NO_OPTIONS
    ) -> None:
        """Runs a network on inputs; its maps arrive as "maps" events, then a "recording" event.

        owner: key of the requester, such as a hall; a request of the same owner that still waits is dropped.
        """
        with self._changed:
            self._waiting[owner] = InputRequest(tag, network, inputs, options)
            self._changed.notify()

    def ask(self, tag: str, query: Callable[[Bridge], Any]) -> None:
        """Calls a function with the bridge; its result arrives as an "answer" event."""
        self._queries.put((tag, query))

    def ask_apart(self, tag: str, query: Callable[[Bridge], Any]) -> None:
        """As `ask`, for what takes long: in a thread of its own, so that other queries don't wait for it."""

        def answer() -> None:
            with self._new_connection() as bridge:
                self._put("answer", tag, query(bridge))

        self._start_thread(tag, answer)

    def run_method(self, tag: str, network: str, method: str, **arguments: Any) -> None:
        """Starts a method's job, with the arguments of `Bridge.start`; `inputs` and `options` may back up a `run`.

        Its maps arrive as "maps" events and its state as "job" events, until it ends.
        """
        self._job_tags.add(tag)
        self._start_thread(tag, lambda: self._follow_job(tag, network, method, arguments))

    def cancel(self, tag: str) -> None:
        """Ends the job of a tag at its next step, also if the job hasn't started yet."""
        self._cancelled.add(tag)

    def next_event(self) -> Event | None:
        """Returns the next event, those of jobs after all others; None if there is none."""
        if not self._events.empty():
            return self._events.get_nowait()
        while not self._job_events.empty():
            event = self._job_events.get_nowait()
            if isinstance(event, Event):
                return event
            event.set()
        return None

    @property
    def busy(self) -> bool:
        """Whether an input is being run or waits."""
        with self._changed:
            return self._runs_input or bool(self._waiting)

    def close(self) -> None:
        """Ends the threads, and the child process if there is one. Queries that were made before are still sent."""
        self._closed, self.state = True, "ended"
        with self._changed:
            self._changed.notify()
        self._queries.put(None)
        end = self.child.end if self.child is not None else self.bridge.end if self.in_process and self.bridge else None
        if end is not None:
            threading.Thread(target=end, name="innerwalk end", daemon=True).start()

    def _put(self, kind: Any, tag: str, content: Any) -> None:
        if not self._closed:
            events = self._job_events if tag in self._job_tags else self._events
            events.put(Event(kind, tag, content))

    def _start_thread(self, name: str, work: Callable[[], None]) -> None:
        """Runs some work in a thread of its own; an error becomes an "error" event tagged with the name."""
        thread = threading.Thread(target=self._try, args=(name, work), name=f"innerwalk {name}", daemon=True)
        thread.start()

    def _try(self, tag: str, work: Callable[[], None]) -> None:
        """Runs some work; any error becomes an "error" event, so that no request stays without an answer."""
        try:
            work()
        except InnerwalkError as error:
            self._put("error", tag, error)
        except Exception as error:  # noqa: BLE001 - an answer that can't be read; the next one may be all right
            line = " ".join(f"{type(error).__name__}: {error}".split())
            self._put("error", tag, BridgeError(f"the bridge's answer can't be understood ({line})"))

    def _connect(self, bridge: Bridge | None) -> None:
        """Connects to the bridge, starts the threads that serve requests and waits for the child's end."""
        try:
            bridge = bridge or self._join_child()
            self.description = bridge.describe()
            bridge.close()  # each thread has a connection of its own
        except InnerwalkError as error:
            self._end(str(error))
            return
        self.bridge, self.state, self.status, self.progress = bridge, "ready", "ready", 1.0
        self._put("described", "", self.description)
        self._start_thread("inputs", self._run_inputs)
        self._start_thread("queries", self._run_queries)
        if self.child is not None:
            self.child.process.wait()
            self._end(f"the bridge has ended: {self.child.last_error_line()}")

    def _join_child(self) -> Bridge:
        assert self.child is not None
        return Bridge(self.child.wait(self._report_start), self.child.token, child=self.child)

    def _report_start(self, status: str, progress: float) -> None:
        self.status, self.progress = status, progress
        self._put("starting", "", status)

    def _new_connection(self) -> Bridge:
        """Returns a connection for one thread. Raises BridgeError."""
        if self.bridge is None:
            raise BridgeError(f"the bridge isn't ready yet ({self.status})")
        return self.bridge.new_connection()

    def _end(self, reason: str) -> None:
        if self.state != "ended":
            self.state, self.status = "ended", reason
            self._put("ended", "", reason)

    def _run_inputs(self) -> None:
        """Runs the newest input of each owner in turn."""
        with self._new_connection() as bridge:
            while (request := self._next_input()) is not None:
                self._try(request.tag, lambda: self._record(bridge, request))

    def _next_input(self) -> InputRequest | None:
        """Waits for an input; None once the connection is closed."""
        with self._changed:
            self._runs_input = False
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._runs_input = not self._closed
            return self._waiting.pop(next(iter(self._waiting))) if self._runs_input else None

    def _record(self, bridge: Bridge, request: InputRequest) -> None:
        def put_maps(maps: Maps) -> None:
            self._put("maps", request.tag, maps)

        recording = bridge.record(request.network, request.inputs, on_maps=put_maps, **request.options._asdict())
        self._put("recording", request.tag, recording)

    def _run_queries(self) -> None:
        with self._new_connection() as bridge:
            while (item := self._queries.get()) is not None:
                tag, query = item
                self._try(tag, lambda: self._put("answer", tag, query(bridge)))  # noqa: B023 - called at once

    def _follow_job(self, tag: str, network: str, method: str, arguments: Mapping[str, Any]) -> None:
        with self._new_connection() as bridge:
            # "waiting" from step 0 on, so that results which are there already are fetched too
            job = _start_job(bridge, network, method, **arguments) | {"state": "waiting", "step": 0}
            self._put("job", tag, job)
            while job["state"] in RUNNING:
                if self._closed or tag in self._cancelled:
                    bridge.cancel(job["id"])
                job, new_maps = bridge.job(job["id"], job["step"], POLL_SECONDS)
                self._put_job(tag, job, new_maps)

    def _put_job(self, tag: str, job: dict[str, Any], new_maps: Sequence[Maps]) -> None:
        """Queues a job's new maps and its state, and waits until they were taken; steps made meanwhile are skipped."""
        for maps in new_maps:
            self._put("maps", tag, maps)
        self._put("job", tag, job)
        self._job_events.put(taken := threading.Event())
        while not (taken.wait(POLL_SECONDS) or self._closed or tag in self._cancelled):
            continue


def _start_job(
    bridge: Bridge,
    network: str,
    method: str,
    *,
    run: str = "",
    inputs: Sequence[BridgeInput] | None = None,
    options: RunOptions = NO_OPTIONS,
    **arguments: Any,
) -> dict[str, Any]:
    """Starts a job about a run, else about inputs."""
    if run:
        with suppress(UnknownRun):  # the bridge no longer keeps it
            return bridge.start(network, method, run=run, **arguments)
    return bridge.start(network, method, inputs=inputs, **options._asdict(), **arguments)
