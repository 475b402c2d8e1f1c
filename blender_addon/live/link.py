"""A bridge that is talked to by threads, so that nobody waits for it. No bpy here.

What is asked for is put down and answered later: `heard` gives the answers, one at a time, to whoever shows them. Of
inputs only the newest of each hall is run: those that come faster than the network are dropped, never queued.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...torch_bridge.client import Bridge, Child, Given, start_child
from ...torch_bridge.errors import BridgeError, InnerwalkError

State = Literal["starting", "ready", "ended"]
PAUSE, WAIT = 0.05, 2.0
"""Seconds between two looks at a child that starts; that a question about a job may take."""


class Heard(NamedTuple):
    """One answer."""

    kind: Literal["described", "maps", "recording", "job", "answer", "piece", "error", "ended"]
    tag: str
    """What it was asked under."""
    content: Any


class Link:
    """One bridge. `state`, `told` and `share` say how it is; `close` ends it."""

    def __init__(self, bridge: Bridge | None = None, child: Child | None = None) -> None:
        self.child = child
        self.state: State = "starting"
        self.told, self.share = "starting the bridge", 0.0
        self.described: dict[str, Any] = {}
        self._bridge = bridge
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._questions: queue.SimpleQueue[tuple[str, Callable[[Bridge], Any]] | None] = queue.SimpleQueue()
        self._wanted: dict[str, tuple[str, str, Sequence[Given]]] = {}
        self._news = threading.Condition()
        self._closed = False
        threading.Thread(target=self._begin, name="innerwalk link", daemon=True).start()

    @classmethod
    def start(cls, python: str, order: Mapping[str, Any], folder: str | None = None) -> Link:
        """Start a bridge as a child; returns at once. Raises BridgeError when there is no such Python."""
        return cls(child=start_child(python, order, folder))

    def look(self, tag: str, who: str, network: str, inputs: Sequence[Given]) -> None:
        """Let a network look at inputs; what the same `who` has asked for before and still waits is dropped."""
        with self._news:
            self._wanted[who] = tag, network, inputs
            self._news.notify()

    def ask(self, tag: str, question: Callable[[Bridge], Any]) -> None:
        """Ask anything else; its answer is heard as "answer"."""
        self._questions.put((tag, question))

    def work(self, tag: str, network: str, method: str, **asked: Any) -> None:
        """Ask a method; what its job tells is heard as "job" (told, maps) until it ends."""
        self._thread(lambda bridge: self._follow(bridge, tag, network, method, asked), tag)

    def heard(self) -> Heard | None:
        """The next answer, None while there is none."""
        try:
            return self._heard.get_nowait()
        except queue.Empty:
            return None

    @property
    def busy(self) -> bool:
        """Whether an input waits."""
        return bool(self._wanted)

    def close(self) -> None:
        """End the threads, and the child if there is one."""
        self._closed, self.state = True, "ended"
        with self._news:
            self._news.notify()
        self._questions.put(None)
        if self.child is not None:
            threading.Thread(target=self.child.end, daemon=True).start()

    def _say(self, kind: Any, tag: str, content: Any) -> None:
        if not self._closed:
            self._heard.put(Heard(kind, tag, content))

    def _begin(self) -> None:
        """Wait for a child, then describe the bridge and start listening to what is wanted."""
        try:
            if self._bridge is None:
                assert self.child is not None
                self._bridge = Bridge(self.child.wait(self._starting), self.child.token, child=self.child)
            self.described = self._bridge.describe()
        except InnerwalkError as error:
            self._end(str(error))
            return
        self.state, self.told, self.share = "ready", "ready", 1.0
        self._say("described", "", self.described)
        self._thread(self._look_on)
        self._answer_on(self._bridge)

    def _starting(self, told: str, share: float) -> None:
        self.told, self.share = told, share

    def _thread(self, work: Callable[[Bridge], None], tag: str = "") -> None:
        """Work with a connection of its own, in a thread; what goes wrong is heard."""

        def run() -> None:
            try:
                with self._twin() as bridge:
                    work(bridge)
            except InnerwalkError as error:
                self._wrong(tag, error)

        threading.Thread(target=run, name=f"innerwalk {tag}", daemon=True).start()

    def _twin(self) -> Bridge:
        if self._bridge is None:
            raise BridgeError(f"the bridge isn't ready yet ({self.told})")
        return self._bridge.twin()

    def _wrong(self, tag: str, error: InnerwalkError) -> None:
        self._say("error", tag, error)
        if isinstance(error, BridgeError) and self.child is not None and not self.child.alive:
            self._end(f"the bridge has ended: {self.child.last_words()}")

    def _end(self, told: str) -> None:
        if self.state != "ended":
            self.state, self.told = "ended", told
            self._say("ended", "", told)

    def _look_on(self, bridge: Bridge) -> None:
        """Run the newest input of each network in turn."""
        while not self._closed:
            with self._news:
                self._news.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                tag, network, inputs = self._wanted.pop(next(iter(self._wanted)))
            try:
                self._look(bridge, tag, network, inputs)
            except InnerwalkError as error:
                self._wrong(tag, error)

    def _look(self, bridge: Bridge, tag: str, network: str, inputs: Sequence[Given]) -> None:
        made = bridge.record(network, inputs, heard=lambda maps: self._say("maps", tag, maps))
        self._say("recording", tag, made)

    def _answer_on(self, bridge: Bridge) -> None:
        while (asked := self._questions.get()) is not None:
            tag, question = asked
            try:
                self._say("answer", tag, question(bridge))
            except InnerwalkError as error:
                self._wrong(tag, error)

    def _follow(self, bridge: Bridge, tag: str, network: str, method: str, asked: Mapping[str, Any]) -> None:
        job = bridge.start(network, method, **asked)
        self._say("job", tag, (job, []))
        while not self._closed and job["state"] in ("waiting", "running"):
            job, maps = bridge.job(job["id"], job["step"], WAIT)
            self._say("job", tag, (job, maps))
