"""What is known of the bridge in this run of Blender, and lost with it: link, recent results, jobs, what went wrong.

What must outlive it, be saved or undone is in the scenes: which network a hall shows, and under which tag it asked for
what it shows. No bpy here.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...torch_bridge.client import Bridge, Given
from ...torch_bridge.errors import BridgeError
from ...torch_bridge.recording import Maps, Recording
from .link import Heard, Link

REMEMBERED = 1 << 30
"""Bytes of maps that are kept, so that undo can show them again."""
ASKED = 64
"""Inputs that can be asked for again when their maps are forgotten."""


@dataclass
class Playing:
    """A film that a hall looks at. Frames that come faster than the network are left out, so it never lags behind."""

    name: str
    """On the bridge."""
    started: float
    """When its second 0 was, by `time.monotonic`."""
    running: bool = True
    kept: bool = False
    """Whether what is seen is written on the time axis."""
    first: int = 0
    """Frame of the scene at which keeping began."""


class Session:
    """One for each run of Blender; `current` gives it."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.error = ""
        """The last thing that went wrong, for a person; "" when something has gone right since."""
        self.jobs: OrderedDict[str, dict[str, Any]] = OrderedDict()
        """What the bridge tells of each job, by tag."""
        self.films: dict[str, Playing] = {}
        """By the name of a scene: the film that its network looks at."""
        self.asked: dict[str, tuple[str, dict[str, Any]]] = {}
        """By the tag of a job: the method, and how it was asked."""
        self.looked: dict[str, tuple[str, Sequence[Given]]] = {}
        """By tag: the network and the inputs that were asked for."""
        self._numbers = itertools.count(1)
        self._memory: OrderedDict[str, Recording | dict[str, Maps]] = OrderedDict()
        self._then: dict[str, Callable[[Any], None]] = {}
        self._again: deque[Heard] = deque()

    @property
    def state(self) -> str:
        """off, starting, ready or ended."""
        return self.link.state if self.link is not None else "off"

    def joined(self, link: Link) -> None:
        """Talk to this bridge from now on."""
        self.leave()
        self.link, self.error = link, ""

    def leave(self) -> None:
        """End the link; halls stay as they are."""
        if self.link is not None:
            self.link.close()
        self.link = None
        self.jobs.clear()
        self.films.clear()
        self._then.clear()

    def ready(self) -> Link:
        """The link, when it can be asked. Raises BridgeError."""
        if self.link is None:
            raise BridgeError("no bridge; start one or join one in the Innerwalk tab")
        if self.link.state != "ready":
            raise BridgeError(f"the bridge isn't ready ({self.link.told})")
        return self.link

    def tag(self, what: str) -> str:
        """A name for something that is asked."""
        return f"{what} {next(self._numbers)}"

    def look(self, who: str, network: str, inputs: Sequence[Given], tag: str = "") -> str:
        """Let a network look at inputs for `who`, a scene; the tag of the answer. Raises BridgeError."""
        link, tag = self.ready(), tag or self.tag("look")
        self.looked[tag] = network, inputs
        while len(self.looked) > ASKED:
            self.looked.pop(next(iter(self.looked)))
        link.look(tag, who, network, inputs)
        return tag

    def ask(self, question: Callable[[Bridge], Any], then: Callable[[Any], None]) -> None:
        """Ask anything; `then` gets the answer when it is there. Raises BridgeError."""
        tag = self.tag("ask")
        self._then[tag] = then
        self.ready().ask(tag, question)

    def work(self, network: str, method: str, **asked: Any) -> str:
        """Ask a method; the tag of its job. Raises BridgeError."""
        link, tag = self.ready(), self.tag("work")
        self.jobs[tag] = {"id": 0, "state": "waiting", "share": 0.0, "told": "asking", "error": ""}
        self.jobs[tag]["what"] = {"network": network, "method": method}
        while len(self.jobs) > ASKED:
            self.asked.pop(self.jobs.popitem(last=False)[0], None)
        link.work(tag, network, method, **asked)
        return tag

    def answer(self, heard: Heard) -> None:
        """Give an answer to whoever asked."""
        then = self._then.pop(heard.tag, None)
        if then is not None:
            then(heard.content)

    def heard(self) -> Heard | None:
        """What is to be shown next: things that are shown again, then what the bridge has said."""
        if self._again:
            return self._again.popleft()
        return self.link.heard() if self.link is not None else None

    def remember(self, tag: str, made: Recording | Mapping[str, Maps]) -> None:
        """Keep what was made under a tag; the oldest is forgotten."""
        known = self._memory.get(tag)
        if isinstance(made, Mapping):
            made = {**(known if isinstance(known, dict) else {}), **made}
        self._memory[tag] = made
        self._memory.move_to_end(tag)
        while len(self._memory) > 1 and sum(map(_size, self._memory.values())) > REMEMBERED:
            self._memory.popitem(last=False)

    def recalled(self, tag: str) -> Recording | dict[str, Maps] | None:
        """What was made under a tag, if it is still known."""
        return self._memory.get(tag)

    def later(self, tag: str, pieces: Iterable[Callable[[], None]]) -> None:
        """Do these one after the other, as if they had been heard under a tag."""
        self._again.extend(Heard("piece", tag, piece) for piece in pieces)

    @property
    def pending(self) -> bool:
        """Whether something is to be shown that the bridge need not be asked for."""
        return bool(self._again)

    def show_again(self, tag: str) -> bool:
        """Put what was made under a tag before everything else that is to be shown; False where it is forgotten."""
        made = self._memory.get(tag)
        if isinstance(made, Recording):
            self._again.extend(Heard("maps", tag, maps) for maps in made.all_maps.values())
            self._again.append(Heard("recording", tag, made))
        elif made is not None:
            self._again.extend(Heard("maps", tag, maps) for maps in made.values())
        return made is not None


def _size(made: Recording | dict[str, Maps]) -> int:
    every = made.all_maps if isinstance(made, Recording) else made
    return sum(maps.texels.nbytes for maps in every.values())


_current = Session()


def current() -> Session:
    """The session of this run of Blender."""
    return _current
