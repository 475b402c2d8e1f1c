"""A bridge that is talked to by threads, so that nobody waits for it. No bpy here.

What is asked for is put down and answered later: `heard` gives the answers, one at a time, to whoever shows them. Of
inputs only the newest of each hall is run: those that come faster than the network are dropped, never queued.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...torch_bridge.client import Ablate, Bridge, BridgeProcess, BridgeInput, start_process
from ...torch_bridge.recording import Maps
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError

State = Literal["starting", "ready", "ended"]
RUNNING = ("waiting", "running")
"""States of a job that goes on."""
WAIT = 0.1
"""Seconds that a question about a job may take."""


class Heard(NamedTuple):
    """One answer."""

    kind: Literal[
        "starting", "described", "maps", "recording", "again", "renew", "shown", "job", "answer", "piece", "error",
        "ended",
    ]  # fmt: skip
    tag: str
    """What it was asked under."""
    content: Any


class Look(NamedTuple):
    """One input that a network looks at."""

    tag: str
    network: str
    inputs: Sequence[BridgeInput]
    ablate: Ablate | None


class Link:
    """One bridge. `state`, `told` and `share` say how it is; `close` ends it."""

    def __init__(self, bridge: Bridge | None = None, child: BridgeProcess | None = None) -> None:
        self.child = child
        self.state: State = "starting"
        self.told, self.share = "starting the bridge", 0.0
        self.described: dict[str, Any] = {}
        self._bridge: Bridge | None = None
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._of_jobs: queue.SimpleQueue[Heard | threading.Event] = queue.SimpleQueue()
        """Heard when nothing else is. An event is set once all before it was heard."""
        self._questions: queue.SimpleQueue[tuple[str, Callable[[Bridge], Any]] | None] = queue.SimpleQueue()
        self._wanted: dict[str, Look] = {}
        self._looks = False
        self._news = threading.Condition()
        self._jobs: set[str] = set()
        self._cancelled: set[str] = set()
        self._closed = False
        self._thread("link", lambda: self._begin(bridge))

    @classmethod
    def start(cls, python: str, order: Mapping[str, Any], folder: str | None = None) -> Link:
        """Start a bridge as a child; returns at once. Raises BridgeError when there is no such Python."""
        return cls(child=start_process(python, order, folder))

    def look(self, tag: str, who: str, network: str, inputs: Sequence[BridgeInput], ablate: Ablate | None = None) -> None:
        """Let a network look at inputs; what the same `who` has asked for before and still waits is dropped.

        ablate: by layer, channels that are taken away.
        """
        with self._news:
            self._wanted[who] = Look(tag, network, inputs, ablate)
            self._news.notify()

    def ask(self, tag: str, question: Callable[[Bridge], Any]) -> None:
        """Ask anything else; its answer is heard as "answer"."""
        self._questions.put((tag, question))

    def work(self, tag: str, network: str, method: str, **asked: Any) -> None:
        """Ask a method: its maps are heard as "maps", then what its job tells as "job", until it ends."""
        self._jobs.add(tag)
        self._thread(tag, lambda: self._follow(tag, network, method, asked))

    def cancel(self, tag: str) -> None:
        """End the job of a tag at its next step, or as soon as there is one."""
        self._cancelled.add(tag)

    def heard(self) -> Heard | None:
        """The next answer, those of jobs after all others; None while there is none."""
        if not self._heard.empty():
            return self._heard.get_nowait()
        while not self._of_jobs.empty():
            one = self._of_jobs.get_nowait()
            if isinstance(one, Heard):
                return one
            one.set()
        return None

    @property
    def busy(self) -> bool:
        """Whether an input waits or is looked at."""
        with self._news:
            return self._looks or bool(self._wanted)

    def close(self) -> None:
        """End the threads, and the child if there is one."""
        self._closed, self.state = True, "ended"
        with self._news:
            self._news.notify()
        self._questions.put(None)
        if self.child is not None:
            threading.Thread(target=self.child.end, name="innerwalk end", daemon=True).start()

    def _say(self, kind: Any, tag: str, content: Any) -> None:
        if not self._closed:
            held = self._of_jobs if tag in self._jobs else self._heard
            held.put(Heard(kind, tag, content))

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        """Work in a thread of its own; what goes wrong is heard under its name."""
        run = threading.Thread(target=self._try, args=(name, work), name=f"innerwalk {name}", daemon=True)
        run.start()

    def _try(self, tag: str, work: Callable[[], None]) -> None:
        """Do some work; whatever goes wrong is heard, so that nobody waits for it for ever."""
        try:
            work()
        except InnerwalkError as error:
            self._say("error", tag, error)
        except Exception as error:  # noqa: BLE001 - an answer that makes no sense; the next one may
            told = f"the bridge's answer makes no sense ({type(error).__name__}: {error})"
            self._say("error", tag, BridgeError(told))

    def _begin(self, bridge: Bridge | None) -> None:
        """Wait for a child, describe the bridge and listen to what is wanted; then wait for the child's end."""
        try:
            bridge = bridge or self._reach()
            self.described = bridge.describe()
            bridge.close()  # each thread has a connection of its own
        except InnerwalkError as error:
            self._end(str(error))
            return
        self._bridge, self.state, self.told, self.share = bridge, "ready", "ready", 1.0
        self._say("described", "", self.described)
        self._thread("looks", self._look_on)
        self._thread("questions", self._answer_on)
        if self.child is not None:
            self.child.process.wait()
            self._end(f"the bridge has ended: {self.child.last_error_line()}")

    def _reach(self) -> Bridge:
        assert self.child is not None
        return Bridge(self.child.wait(self._starting), self.child.token, child=self.child)

    def _starting(self, told: str, share: float) -> None:
        self.told, self.share = told, share
        self._say("starting", "", told)

    def _twin(self) -> Bridge:
        """A connection for one thread. Raises BridgeError."""
        if self._bridge is None:
            raise BridgeError(f"the bridge isn't ready yet ({self.told})")
        return self._bridge.new_connection()

    def _end(self, told: str) -> None:
        if self.state != "ended":
            self.state, self.told = "ended", told
            self._say("ended", "", told)

    def _look_on(self) -> None:
        """Run the newest input of each hall in turn."""
        with self._twin() as bridge:
            while (look := self._next_look()) is not None:
                self._try(look.tag, lambda: self._look(bridge, look))

    def _next_look(self) -> Look | None:
        """Waits for one; None once the link is closed."""
        with self._news:
            self._looks = False
            self._news.wait_for(lambda: self._wanted or self._closed)
            self._looks = not self._closed
            return self._wanted.pop(next(iter(self._wanted))) if self._looks else None

    def _look(self, bridge: Bridge, look: Look) -> None:
        def heard(maps: Maps) -> None:
            self._say("maps", look.tag, maps)

        self._say("recording", look.tag, bridge.record(look.network, look.inputs, on_maps=heard, ablate=look.ablate))

    def _answer_on(self) -> None:
        with self._twin() as bridge:
            while (asked := self._questions.get()) is not None:
                tag, question = asked
                self._try(tag, lambda: self._say("answer", tag, question(bridge)))  # noqa: B023 - called at once

    def _follow(self, tag: str, network: str, method: str, asked: Mapping[str, Any]) -> None:
        with self._twin() as bridge:
            job = bridge.start(network, method, **asked) | {"state": "waiting", "step": 0}  # its results may be there
            self._say("job", tag, job)
            while job["state"] in RUNNING:
                if self._closed or tag in self._cancelled:
                    bridge.cancel(job["id"])
                job, every = bridge.job(job["id"], job["step"], WAIT)
                self._told(tag, job, every)

    def _told(self, tag: str, job: dict[str, Any], every: Sequence[Maps]) -> None:
        """What a job has made, and how it is doing. Waits until that was heard: what comes meanwhile is left out."""
        for maps in every:
            self._say("maps", tag, maps)
        self._say("job", tag, job)
        self._of_jobs.put(heard := threading.Event())
        while not (heard.wait(WAIT) or self._closed or tag in self._cancelled):
            continue
