"""A bridge that is talked to by threads, so that nobody waits for it. No bpy here.

What is asked for is put down and answered later: `heard` gives the answers, one at a time, to whoever shows them. Of
inputs only the newest of each hall is run: those that come faster than the network are dropped, never queued.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

from ...torch_bridge.client import Ablate, Bridge, Child, Given, start_child
from ...torch_bridge.errors import BridgeError, InnerwalkError
from ...torch_bridge.recording import Maps

State = Literal["starting", "ready", "ended"]
RUNNING = ("waiting", "running")
"""States of a job that goes on."""
LOOKERS = 2
"""Looks under way at once: one, and the one that was asked for ahead."""
NEARLY = 0.85
"""Share of its maps after which the next may be asked for ahead: the bridge reads that while this one ends."""
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


@dataclass
class Look:
    """One input that a network looks at."""

    tag: str
    network: str
    inputs: Sequence[Given]
    ahead: bool
    ablate: Ablate | None = None
    said: queue.SimpleQueue[Heard] = field(default_factory=queue.SimpleQueue)
    maps: int = 0
    """How many have been said."""
    ended: bool = False


class Link:
    """One bridge. `state`, `told` and `share` say how it is; `close` ends it."""

    def __init__(self, bridge: Bridge | None = None, child: Child | None = None) -> None:
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
        self._looks: deque[Look] = deque()
        """Begun, in that order, and not heard of to the end."""
        self._usual: dict[str, int] = {}
        """By network: how many maps its last look has said."""
        self._news = threading.Condition()
        self._jobs: set[str] = set()
        self._cancelled: set[str] = set()
        self._closed = False
        self._thread("link", lambda: self._begin(bridge))

    @classmethod
    def start(cls, python: str, order: Mapping[str, Any], folder: str | None = None) -> Link:
        """Start a bridge as a child; returns at once. Raises BridgeError when there is no such Python."""
        return cls(child=start_child(python, order, folder))

    def look(
        self, tag: str, who: str, network: str, inputs: Sequence[Given], *, ahead: bool = False,
        ablate: Ablate | None = None,
    ) -> None:  # fmt: skip
        """Let a network look at inputs; what the same `who` has asked for before and still waits is dropped.

        ahead: this may begin before all of the last one is there; it is heard after it. ablate: by layer, channels that
        are taken away.
        """
        with self._news:
            self._wanted[who] = Look(tag, network, inputs, ahead, ablate)
            self._news.notify_all()

    def overlook(self, tag: str) -> None:
        """What was asked under a tag needn't be looked at, if it still waits."""
        with self._news:
            self._wanted = {who: wanted for who, wanted in self._wanted.items() if wanted.tag != tag}

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
        if (one := self._of_looks()) is not None:
            return one
        while not self._of_jobs.empty():
            one = self._of_jobs.get_nowait()
            if isinstance(one, Heard):
                return one
            one.set()
        return None

    def _of_looks(self) -> Heard | None:
        """What looks have said: all of the first, then of the next."""
        with self._news:
            while self._looks and self._looks[0].ended and self._looks[0].said.empty():
                self._looks.popleft()
            return self._looks[0].said.get_nowait() if self._looks and not self._looks[0].said.empty() else None

    @property
    def busy(self) -> bool:
        """Whether an input waits or is looked at."""
        with self._news:
            return bool(self._wanted) or any(not one.ended for one in self._looks)

    @property
    def may_go_ahead(self) -> bool:
        """Whether no input waits, and most of what is looked at is there."""
        with self._news:
            under_way = [one for one in self._looks if not one.ended]
            ends = all(one.maps >= NEARLY * self._usual.get(one.network, one.maps + 1) for one in under_way)
            return ends and not self._wanted and len(under_way) < LOOKERS

    def close(self) -> None:
        """End the threads, and the child if there is one."""
        self._closed, self.state = True, "ended"
        with self._news:
            self._news.notify_all()
        self._questions.put(None)
        if self.child is not None:
            threading.Thread(target=self.child.end, name="innerwalk end", daemon=True).start()

    def _say(self, kind: Any, tag: str, content: Any) -> None:
        if not self._closed:
            held = self._of_jobs if tag in self._jobs else self._heard
            held.put(Heard(kind, tag, content))

    def _say_of(self, look: Look, kind: Any, content: Any) -> None:
        """A look's own saying; its last one ends it."""
        with self._news:
            if not self._closed:
                look.said.put(Heard(kind, look.tag, content))
            if kind == "maps":
                look.maps += 1
                return
            look.ended = True
            if kind == "recording":
                self._usual[look.network] = look.maps
            self._news.notify_all()

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        """Work in a thread of its own; what goes wrong is heard under its name."""
        run = threading.Thread(target=self._try, args=(name, work), name=f"innerwalk {name}", daemon=True)
        run.start()

    def _try(self, tag: str, work: Callable[[], None]) -> None:
        """Do some work; whatever goes wrong is heard, so that nobody waits for it for ever."""
        if (error := _wrong(work)) is not None:
            self._say("error", tag, error)

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
        for k in range(LOOKERS):
            self._thread(f"looks {k}", self._look_on)
        self._thread("questions", self._answer_on)
        if self.child is not None:
            self.child.process.wait()
            self._end(f"the bridge has ended: {self.child.last_words()}")

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
        return self._bridge.twin()

    def _end(self, told: str) -> None:
        if self.state != "ended":
            self.state, self.told = "ended", told
            self._say("ended", "", told)

    def _look_on(self) -> None:
        """Run the newest input of each hall in turn."""
        with self._twin() as bridge:
            while (look := self._next_look()) is not None:
                error = _wrong(partial(self._look, bridge, look))
                if error is not None:
                    self._say_of(look, "error", error)

    def _next_look(self) -> Look | None:
        """Waits for one that may begin; None once the link is closed."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._next_who() is not None)
            who = self._next_who()
            if self._closed or who is None:
                return None
            self._looks.append(look := self._wanted.pop(who))
            return look

    def _next_who(self) -> str | None:
        """Whose turn it is: one look is under way at a time, but for those that go ahead."""
        one_runs = any(not (look.ended or look.ahead) for look in self._looks)
        return next((who for who, look in self._wanted.items() if look.ahead or not one_runs), None)

    def _look(self, bridge: Bridge, look: Look) -> None:
        heard = partial(self._say_of, look, "maps")
        made = bridge.record(look.network, look.inputs, heard=heard, ablate=look.ablate)
        self._say_of(look, "recording", made)

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


def _wrong(work: Callable[[], None]) -> Exception | None:
    """Do some work; what went wrong, None for nothing."""
    try:
        work()
    except InnerwalkError as error:
        return error
    except Exception as error:  # noqa: BLE001 - an answer that makes no sense; the next one may
        return BridgeError(f"the bridge's answer makes no sense ({type(error).__name__}: {error})")
    return None
