"""What is known of the bridge in this run of Blender, and lost with it: link, recent results, jobs, what went wrong.

What must outlive it, be saved or undone is in the scenes: which network a hall shows, and under which tag it asked for
what it shows. No bpy here.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...torch_bridge.client import Ablate, Bridge, BridgeInput
from ...torch_bridge.recording import Maps, Recording
from ...torch_bridge.recording.errors import BridgeError
from .link import RUNNING, Heard, Link

REMEMBERED = 256 << 20
"""Bytes of maps that are kept, so that undo can show them again."""
ASKED = 64
"""Inputs that can be asked for again when their maps are forgotten."""


@dataclass
class Playing:
    """A film that a hall looks at. Frames that come faster than the network are left out, so it never lags behind."""

    name: str
    """On the bridge."""
    running: bool = True
    tag: str = ""
    """Under which the bridge was asked to open it."""
    rate: float = 0.0
    """Frames a second; 0 until it is open."""
    frames: int = 0
    """How many; 0 of a camera."""
    started: float = 0.0
    """When its second 0 was, by `time.monotonic`."""
    due: float = 0.0
    """Second of the film that was asked for last."""
    seen: float = 0.0
    """Second of the film that is shown."""
    asked: str = ""
    """Tag of the frame that was asked for last, until it is shown."""
    kept: bool = False
    """Whether what is seen is written on the time axis."""
    first: int = 0
    """Frame of the scene at which keeping began."""
    began: float = 0.0
    """Second of the film at which it did."""


class Asked(NamedTuple):
    """How a method was asked."""

    method: str
    given: dict[str, Any]
    look: str
    """Tag of the input that it was asked about."""


class Session:
    """One for each run of Blender; `current` gives it."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.error = ""
        """The last thing that went wrong, for a person; "" when something has gone right since."""
        self.jobs: OrderedDict[str, dict[str, Any]] = OrderedDict()
        """What the bridge tells of each job, by tag."""
        self.weighed: dict[tuple[str, str], Any] = {}
        """By (network, layer): the histogram of its weights; None while it is asked for."""
        self.films: dict[str, Playing] = {}
        """By the name of a scene: the film that its network looks at."""
        self.asked: dict[str, Asked] = {}
        """By the tag of a job."""
        self.looked: dict[str, tuple[str, Sequence[BridgeInput]]] = {}
        """By tag: the network and the inputs that were asked for."""
        self.ablated: dict[str, Ablate] = {}
        """And by tag: the channels that were taken away for it, where there are any."""
        self.shown: dict[int, str] = {}
        """By the session_uid of a scene: the tag of the input that its hall has shown whole. Undo leaves it alone."""
        self.renders = False
        """Whether pictures are rendered: each waits for what it shows."""
        self.held: dict[int, str] = {}
        """And the tag of what its hall held before anything was asked, which is never forgotten."""
        self.names: dict[int, dict[str, str]] = {}
        """And by layer, where its panel was found the last time: the name of an object, which may be another's now."""
        self.laid: dict[int, str] = {}
        """And what the pictures on its shelf are of."""
        self._run, self._numbers = secrets.token_hex(4), itertools.count(1)
        self._memory: OrderedDict[str, Recording | dict[str, Maps]] = OrderedDict()
        self._then: dict[str, Callable[[Any], None]] = {}
        self._again: deque[Heard] = deque()
        self._due: deque[tuple[float, Callable[[], None]]] = deque()
        self._idle: deque[Callable[[], None]] = deque()

    @property
    def state(self) -> str:
        """off, starting, ready or ended."""
        return self.link.state if self.link is not None else "off"

    def join(self, link: Link) -> None:
        """Talk to this bridge from now on."""
        self.link, self.error = link, ""

    def leave(self) -> None:
        """End the link; halls stay as they are."""
        if self.link is not None:
            self.link.close()
        self.link = None
        for told in (self.jobs, self.films, self.weighed, self._then, self._due):
            told.clear()

    def forget(self) -> None:
        """Another file is open: nothing that was asked for in the last one is shown in it."""
        asked = (self.jobs, self.films, self.asked, self.looked, self.ablated)
        for known in (*asked, self.shown, self.held, self.laid):
            known.clear()
        for waiting in (self._memory, self._then, self._due, self._again):
            waiting.clear()

    def ready(self) -> Link:
        """The link, when it can be asked. Raises BridgeError."""
        if self.link is None:
            raise BridgeError("no bridge; start one or join one in the Innerwalk tab")
        if self.link.state != "ready":
            raise BridgeError(f"the bridge isn't ready ({self.link.told})")
        return self.link

    def tag(self, what: str) -> str:
        """A name for something that is asked, unlike those of other runs, which may be in files."""
        return f"{what} {next(self._numbers)} {self._run}"

    def look(
        self, who: str, network: str, inputs: Sequence[BridgeInput], tag: str = "",
        then: Callable[[Recording], None] | None = None, *, ablate: Ablate | None = None,
    ) -> str:  # fmt: skip
        """Let a network look at inputs for `who`, a scene; the tag of the answer. `then` gets it when it is there.

        ablate: channels that are taken away; by default those that were for this tag. Raises BridgeError.
        """
        link, tag, self.error = self.ready(), tag or self.tag("look"), ""
        self.looked[tag] = network, inputs
        if ablate:
            self.ablated[tag] = ablate
        self._trim(self.looked, lambda: len(self.looked) > ASKED)
        self.ablated = {one: away for one, away in self.ablated.items() if one in self.looked}
        if then is not None:
            self._then[tag] = then
        link.look(tag, who, network, inputs, ablate=self.ablated.get(tag))
        return tag

    def ask(self, question: Callable[[Bridge], Any], then: Callable[[Any], None]) -> str:
        """Ask anything; `then` gets the answer when it is there. Its tag. Raises BridgeError."""
        link, tag = self.ready(), self.tag("ask")
        self._then[tag] = then
        link.ask(tag, question)
        return tag

    def work(self, network: str, asked: Asked) -> str:
        """Ask a method; the tag of its job. Raises BridgeError."""
        link, tag, self.error = self.ready(), self.tag("work"), ""
        what = {"network": network, "method": asked.method}
        self.jobs[tag] = {"id": 0, "state": "waiting", "share": 0.0, "told": "asking", "error": "", "what": what}
        self.asked[tag] = asked
        while len(self.jobs) > ASKED:
            self.asked.pop(self.jobs.popitem(last=False)[0], None)
        inputs = self.looked[asked.look][1] if asked.look in self.looked else ()
        link.work(tag, network, asked.method, inputs=inputs, ablate=self.ablated.get(asked.look), **asked.given)
        return tag

    def runs(self, tag: str) -> bool:
        """Whether the job of a tag goes on."""
        return tag in self.jobs and self.jobs[tag]["state"] in RUNNING

    @property
    def awaited(self) -> list[str]:
        """Networks that look at something which a hall is built for."""
        return [self.looked[tag][0] for tag in self._then if tag in self.looked]

    @property
    def waits(self) -> bool:
        """Whether something will be done once an answer is there."""
        return bool(self._then)

    def answer(self, tag: str, content: Any) -> None:
        """Do what was to be done with an answer."""
        then = self._then.pop(tag, None)
        if then is not None:
            then(content)

    def lost(self, tag: str) -> None:
        """No answer will come."""
        self._then.pop(tag, None)

    def heard(self) -> Heard | None:
        """What is to be shown next: things that are shown again, then what the bridge has said."""
        if self._again:
            return self._again.popleft()
        if self._due and self._due[0][0] <= time.monotonic():
            return Heard("piece", "", self._due.popleft()[1])
        return self.link.heard() if self.link is not None else None

    def next(self, *pieces: Heard) -> None:
        """Hear these one after the other, before all others."""
        self._again.extendleft(reversed(pieces))

    def awaits(self, tag: str) -> bool:
        """Whether something will be done once this answer is there."""
        return tag in self._then

    def remember(self, tag: str, made: Recording | Mapping[str, Maps]) -> None:
        """Keep what was made under a tag; the oldest is forgotten."""
        known = self._memory.get(tag)
        if isinstance(made, Mapping):
            made = {**(known if isinstance(known, dict) else {}), **made}
        self._memory[tag] = made
        self._memory.move_to_end(tag)
        self._trim(self._memory, lambda: sum(map(_size, self._memory.values())) > REMEMBERED)

    def _trim(self, known: dict[str, Any], full: Callable[[], bool]) -> None:
        """Forget the oldest while there is too much; what halls show now is kept, and what is newest."""
        kept = {*self.shown.values(), *self.held.values(), *list(known)[-1:]}
        for tag in [tag for tag in known if tag not in kept]:
            if not full():
                return
            del known[tag]

    def recalled(self, tag: str) -> Recording | dict[str, Maps] | None:
        """What was made under a tag, if it is still known."""
        return self._memory.get(tag)

    def later(self, pieces: Iterable[Callable[[], None]]) -> None:
        """Do these one after the other, as if they had been heard."""
        self._again.extend(Heard("piece", "", piece) for piece in pieces)

    def at(self, when: float, piece: Callable[[], None]) -> None:
        """Do this at a time, by `time.monotonic`."""
        self._due = deque(sorted([*self._due, (when, piece)], key=lambda one: one[0]))

    @property
    def expects(self) -> bool:
        """Whether something is to be done at a time."""
        return bool(self._due)

    @property
    def pending(self) -> bool:
        """Whether something is to be shown that the bridge need not be asked for."""
        return bool(self._again)

    def show_again(self, tag: str) -> bool:
        """Put what was made under a tag before everything else that is to be shown; False where it is forgotten."""
        made = self._memory.get(tag)
        if made is None:
            return False
        every = made.all_maps if isinstance(made, Recording) else made
        self._again.extend(Heard("maps", tag, maps) for maps in every.values())
        self._again.append(Heard("again", tag, made))
        return True

    def show_nothing_else(self) -> None:
        """What was to be shown again needn't be."""
        self._again.clear()


def _size(made: Recording | dict[str, Maps]) -> int:
    every = made.all_maps if isinstance(made, Recording) else made
    return sum(maps.texels.nbytes for maps in every.values())


_current = Session()


def current() -> Session:
    """The session of this run of Blender."""
    return _current
