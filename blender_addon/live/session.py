"""State of the bridge connection in this Blender process: connection, requests and results, state of each hall.

All of it is lost when Blender ends. What must be saved or undone is in the scenes: the network that a hall shows, and
the tags of what it requested last. No bpy here.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...torch_bridge.client import Bridge, BridgeInput
from ...torch_bridge.recording import Maps, Recording
from ...torch_bridge.recording.errors import BridgeError, InnerwalkError, UnknownName
from .bridge_connection import NO_OPTIONS, BridgeConnection, Event, RunOptions
from .event_queue import EventQueue
from .hall_state import HallState, VideoPlayback
from .job_times import JobTimes
from .request_types import MethodRequest, Request

MEMORY_BYTES = 256 << 20
"""Bytes of maps that are kept, so that undo can show them again."""
MOST_REQUESTS = 64
"""Number of inputs, and of methods, that are kept to be requested again once their maps are forgotten."""


class Session(EventQueue):
    """The session of one run of Blender; `current` returns it."""

    def __init__(self) -> None:
        super().__init__()
        self.link: BridgeConnection | None = None
        self.error = ""
        """The last error as one line for people; "" once something has succeeded since."""
        self._dismissed: BridgeConnection | None = None
        """The connection that has ended and whose end isn't shown any more."""
        self._errors: dict[Hashable, InnerwalkError] = {}
        """Errors that no script has waited for yet: by the `session_uid` of their hall, None for those of no hall."""
        self.requests: dict[str, Request] = {}
        """By tag, oldest first."""
        self.halls: dict[int, HallState] = {}
        """By the `session_uid` of a hall's scene, which outlives renaming, undo and redo."""
        self.weight_histograms: dict[tuple[str, str], Any] = {}
        """By (network, layer): the histogram of the layer's weights; None while it is requested."""
        self.times = JobTimes()
        self._run, self._numbers, self._stored = secrets.token_hex(4), itertools.count(1), itertools.count(1)

    # Connection

    @property
    def state(self) -> str:
        """State of the connection: off, starting, ready or ended."""
        return self.link.state if self.link is not None else "off"

    def join(self, link: BridgeConnection) -> None:
        """Uses this connection from now on."""
        self.link, self.error = link, ""
        self._errors.clear()

    def leave(self) -> None:
        """Closes the videos on the bridge and the connection; halls keep what they show."""
        for uid in list(self.halls):
            self.close_video(uid)
            self.stop_series(uid)
        ended = self.link is not None and self.link.in_process
        if self.link is not None:
            self.link.close()
            self.link = None
        for request in self.requests.values():
            request.job = request.then = None
            if ended:  # another network may get the name of one that has ended
                request.inputs, request.options = None, NO_OPTIONS
        self._drop_empty()
        self.weight_histograms.clear()

    def forget(self) -> None:
        """Forgets all requests and halls, and closes their videos on the bridge, because another file was opened."""
        for uid in list(self.halls):
            self.close_video(uid)
            self.stop_series(uid)
        for known in (self.requests, self.halls, self._queue, self._errors):
            known.clear()

    def ready_link(self) -> BridgeConnection:
        """Returns the connection. Raises BridgeError unless it is ready."""
        if self.link is None:
            raise BridgeError("no bridge; start one or join one, in the Innerwalk tab or with Hall.of or Hall.join")
        if self.link.state != "ready":
            raise BridgeError(f"the bridge isn't ready ({self.link.status})")
        return self.link

    # Errors

    def report_error(self, error: InnerwalkError, uids: Collection[int] = ()) -> None:
        """Keeps an error of these halls, () for none, for the interface and for scripts that wait."""
        self.error = str(error)
        self._errors.update(dict.fromkeys(uids or (None,), error))

    @property
    def shown_error(self) -> str:
        """What the interface shows: how the connection has ended, or the last error; "" for nothing."""
        is_end = self.link is not None and self.state == "ended" and self.link is not self._dismissed
        return self.link.status if self.link is not None and is_end else self.error

    def dismiss_error(self) -> None:
        """Shows no error any more, because its cause is gone or a person has read it; scripts still receive it."""
        self.error, self._dismissed = "", self.link

    def take_error(self, owners: Collection[Hashable] | None = None) -> InnerwalkError | None:
        """Returns and forgets an error of these halls, None for all, or of no hall; None if there is none."""
        keys = [key for key in self._errors if key is None or owners is None or key in owners]
        errors = [self._errors.pop(key) for key in keys]
        if self.error in map(str, errors):
            self.error = ""
        return errors[0] if errors else None

    # Requests

    def new_tag(self, kind: str) -> str:
        """Returns a tag that is unique, also among tags in saved files."""
        return f"{kind} {next(self._numbers)} {self._run}"

    def request_input(
        self,
        owner: Hashable,
        network: str,
        inputs: Sequence[BridgeInput],
        tag: str = "",
        then: Callable[[Recording], None] | None = None,
        *,
        options: RunOptions | None = None,
    ) -> str:
        """Runs a network on inputs; returns the request's tag.

        owner: the hall that it is for (its `session_uid`); a request of the same owner that still waits is dropped.
        tag: of an earlier request that is repeated; "" for a new one. then: called with the recording.
        options: what is changed in the run; by default as in the earlier request. Raises BridgeError.
        """
        link, tag, self.error = self.ready_link(), tag or self.new_tag("look"), ""
        self._errors.pop(owner, None)
        request = self.requests.setdefault(tag, Request())
        request.network, request.inputs = network, inputs
        request.options = request.options if options is None else options
        request.then = then or request.then
        self._forget_inputs()
        if link.in_process:
            self.forget_weights(network)  # a script may have trained it
        self.times.begin(tag)
        link.run_input(tag, owner, network, inputs, request.options)
        return tag

    def ask(self, query: Callable[[Bridge], Any], then: Callable[[Any], None], apart: bool = False) -> str:
        """Calls `query` with the bridge in another thread, and `then` with its result; returns the request's tag.

        apart: in a thread of its own, for what takes long. Raises BridgeError.
        """
        link, tag = self.ready_link(), self.new_tag("ask")
        self.requests[tag] = Request(then=then)
        (link.ask_apart if apart else link.ask)(tag, query)
        return tag

    def request_method(self, network: str, method: MethodRequest, owner: Hashable = None) -> str:
        """Starts a method's job; returns the request's tag. owner: as in `request_input`. Raises BridgeError."""
        link, tag, self.error = self.ready_link(), self.new_tag("work"), ""
        self._errors.pop(owner, None)
        what = {"network": network, "method": method.method}
        job = {"id": 0, "state": "waiting", "share": 0.0, "told": "asking", "error": "", "error_kind": "", "what": what}
        self.requests[tag] = Request(network, method=method, job=job)
        self._forget_methods()
        about = self.requests.get(method.input_tag, Request())
        run = about.run if about.network == network else ""
        subject = {"run": run, "inputs": about.inputs, "options": method.options}
        self.times.begin(tag)
        link.run_method(tag, network, method.method, **subject, **method.arguments)
        return tag

    def input_request(self, tag: str) -> Request | None:
        """Returns the request of a tag if it is for inputs which can be run again."""
        request = self.requests.get(tag)
        return request if request is not None and request.inputs is not None else None

    def method_request(self, tag: str) -> MethodRequest | None:
        """Returns the method that was requested under a tag."""
        request = self.requests.get(tag)
        return request.method if request is not None else None

    def options_of(self, tag: str) -> RunOptions:
        """Returns what is changed in the run of the inputs of a tag."""
        return self.requests[tag].options if tag in self.requests else NO_OPTIONS

    def job(self, tag: str) -> dict[str, Any] | None:
        """Returns the state of a tag's job as the bridge last reported it; see `Request.job`."""
        request = self.requests.get(tag)
        return request.job if request is not None else None

    def is_running(self, tag: str) -> bool:
        """Whether the job of a tag hasn't ended."""
        return tag in self.requests and self.requests[tag].runs

    @property
    def awaited_networks(self) -> list[str]:
        """Networks that are run on an input which a hall will be built from."""
        return [request.network for request in self.requests.values() if request.then and request.inputs is not None]

    @property
    def has_callbacks(self) -> bool:
        """Whether a function is to be called with an answer that hasn't come."""
        return any(request.then for request in list(self.requests.values()))  # a copy: render threads ask too

    def has_callback(self, tag: str) -> bool:
        """Whether a function is to be called with the answer to this request."""
        return tag in self.requests and self.requests[tag].then is not None

    def deliver(self, tag: str, answer: Any) -> None:
        """Calls the function that waits for an answer, if there is one."""
        then = self.drop_callback(tag)
        if then is not None:
            then(answer)

    def drop_callback(self, tag: str) -> Callable[[Any], None] | None:
        """Forgets the function that waits for an answer; returns it."""
        request = self.requests.get(tag)
        if request is None:
            return None
        then, request.then = request.then, None
        self._drop_empty()
        return then

    # Results

    def store_results(self, tag: str, results: Recording | Mapping[str, Maps]) -> None:
        """Keeps the results of a request, adding maps to those it has; the oldest of other requests are forgotten."""
        request = self.requests.setdefault(tag, Request())
        if isinstance(results, Mapping):
            results = {**(request.results if isinstance(request.results, dict) else {}), **results}
        else:
            request.run = results.run
            self.times.end_run(tag, request.network)
        request.results, request.stored = results, next(self._stored)
        self._forget_results()

    def results_of(self, tag: str) -> Recording | dict[str, Maps] | None:
        """Returns the results of a request; None if there are none or they were forgotten."""
        request = self.requests.get(tag)
        return request.results if request is not None else None

    def _forget_results(self) -> None:
        stored = {tag: request for tag, request in self.requests.items() if request.results is not None}
        tags = sorted(stored, key=lambda tag: stored[tag].stored)
        size = sum(request.size for request in stored.values())
        for tag in self._expendable(tags):
            if size <= MEMORY_BYTES:
                break
            size -= stored[tag].size
            stored[tag].results = None
        self._drop_empty()

    def _forget_inputs(self) -> None:
        tags = [tag for tag in self.requests if self.input_request(tag)]
        for tag in self._expendable(tags)[: max(0, len(tags) - MOST_REQUESTS)]:
            self.requests[tag].inputs, self.requests[tag].options = None, NO_OPTIONS
        self._drop_empty()

    def _forget_methods(self) -> None:
        tags = [tag for tag in self.requests if self.method_request(tag)]
        for tag in tags[: max(0, len(tags) - MOST_REQUESTS)]:
            self.requests[tag].method = self.requests[tag].job = None
        self._drop_empty()

    def _expendable(self, tags: Sequence[str]) -> list[str]:
        """Those of the tags, oldest first, that may be forgotten: not the newest, and not what halls show."""
        kept = {tag for hall in self.halls.values() for tag in (hall.shown, hall.initial)}
        return [tag for tag in tags[:-1] if tag not in kept]

    def _drop_empty(self) -> None:
        self.requests = {tag: request for tag, request in self.requests.items() if not request.empty}

    # Halls

    def hall(self, uid: int) -> HallState:
        """Returns the state of the hall whose scene has this `session_uid`."""
        return self.halls.setdefault(uid, HallState())

    def video_of(self, uid: int) -> VideoPlayback | None:
        """Returns the video that a hall's network is run on."""
        return self.halls[uid].video if uid in self.halls else None

    def close_video(self, uid: int) -> VideoPlayback | None:
        """Closes a hall's video and one that is being opened, here and on the bridge; returns it, None for none."""
        hall = self.halls.get(uid, HallState())
        videos, hall.video, hall.opening = hall.videos, None, None
        self.drop_scheduled(uid)
        for video in videos:
            self.drop_callback(video.open_tag)
            self.close_on_bridge(video)
        return videos[0] if videos else None

    def stop_series(self, uid: int) -> None:
        """Ends the recording of a series for a hall; what is recorded stays in its folder and isn't opened."""
        hall = self.hall(uid)
        if hall.series is not None:
            hall.series.stopped = True
            self.drop_callback(hall.series.tag)
            hall.series = None

    def close_videos_except(self, uids: Collection[int]) -> None:
        """Closes the videos of halls that aren't among these scenes any more."""
        for uid in self.halls.keys() - set(uids):
            self.close_video(uid)

    def close_on_bridge(self, video: VideoPlayback) -> None:
        """Closes a video on the bridge only, unless it is closed already or was never opened."""

        def close(bridge: Bridge) -> None:
            with suppress(UnknownName):
                bridge.close_video(video.name)

        with suppress(BridgeError):  # the bridge isn't ready, or ends just now: its videos end with it
            self.ask(close, lambda _: None)

    def forget_weights(self, network: str) -> None:
        """Forgets the statistics of a network's weights, which may have changed."""
        for key in [key for key in self.weight_histograms if key[0] == network]:
            del self.weight_histograms[key]

    # Events

    def next_event(self) -> Event | None:
        """Returns the event to show next: those queued here, then calls that are due, then those of the bridge."""
        return self.next_queued() or (self.link.next_event() if self.link is not None else None)

    def queue_results(self, tag: str) -> bool:
        """Shows the stored results of a request again; returns False if they were forgotten."""
        request = self.requests.get(tag)
        if request is None or request.results is None:
            return False
        self.queue(*(Event("maps", tag, maps) for maps in request.maps), Event("complete", tag, request.results))
        return True


_current = Session()


def current() -> Session:
    """Returns the session of this run of Blender."""
    return _current
