"""The connection to a bridge and the session, without Blender: requests run in threads, and answers come as events."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from innerwalk.blender_addon.live import session as sessions
from innerwalk.blender_addon.live.bridge_connection import BridgeConnection, Event, RunOptions
from innerwalk.blender_addon.live.hall_state import VideoPlayback
from innerwalk.blender_addon.live.request_types import MethodRequest
from innerwalk.blender_addon.live.session import Session
from innerwalk.tests.support import ROOT
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, UnknownRun

PATIENCE = 20.0


def maps(layer: str = "a", value: float = 1.0, method: str = rec.ACTIVATIONS) -> rec.Maps:
    return rec.Maps(layer, method, np.full((1, 2, 2, 4), value, np.float32), 4)


def recording(name: str = "x", value: float = 1.0, side: int = 2) -> rec.Recording:
    network = rec.Network("tiny", (rec.Layer("a", "Conv2d", "panel", (4, 2, 2), (4, 2, 2), "a"),), ())
    result = rec.Recording(network, name, np.zeros((1, 1, 3), np.uint8), rec.Prediction())
    result.add([rec.Maps("a", rec.ACTIVATIONS, np.full((1, side, side, 4), value, np.float32), 4)])
    return result


NO_INPUT = {"inputs": None, "ablate": None, "positions": None, "strokes": None}


class Known:
    """A bridge that answers at once, or once `gate` is opened, and records its requests."""

    in_process = False

    def __init__(self) -> None:
        self.requests: list[tuple] = []
        self.gate = threading.Event()
        self.gate.set()
        self.open = 0
        self.jobs: list[list[tuple[dict, list]]] = []
        self.fails: dict[str, Exception] = {}

    def new_connection(self) -> "Known":
        return self

    def close(self) -> None:
        pass

    def __enter__(self) -> "Known":
        self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.open -= 1

    def describe(self) -> dict:
        return {"networks": [{"name": "tiny"}]}

    def record(self, network, inputs, on_maps, ablate=None, positions=None, strokes=None):
        self.requests.append((network, inputs))
        assert self.gate.wait(PATIENCE)
        if inputs and inputs[0] in self.fails:
            raise self.fails[inputs[0]]
        result = recording(str(inputs))
        for maps in result.all_maps.values():
            on_maps(maps)
        return result

    def start(self, network, method, **arguments):
        self.requests.append((network, method, arguments))
        if method in self.fails:
            raise self.fails[method]
        return {"id": 7, "state": "done", "step": 3}

    def job(self, number, step, seconds):
        self.requests.append(("job", step))
        assert self.gate.wait(PATIENCE)
        return self.jobs[0].pop(0)

    def close_video(self, name):
        self.requests.append(("close", name))

    def cancel(self, number):
        self.requests.append(("cancel", number))


@pytest.fixture
def bridge():
    return Known()


@pytest.fixture
def link(bridge):
    link = BridgeConnection(bridge)
    assert next_event(link).kind == "described"
    yield link
    bridge.gate.set()
    link.close()
    until(lambda: not ours())


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("innerwalk")]


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def next_event(link: BridgeConnection) -> Event:
    found = []
    until(lambda: found.append(link.next_event()) or found[-1] is not None)
    return found[-1]


def all_events(link: BridgeConnection, last: str) -> list[Event]:
    found = [next_event(link)]
    while found[-1].kind != last:
        found.append(next_event(link))
    return found


def test_it_is_ready_once_the_bridge_is_described(bridge):
    link = BridgeConnection(bridge)
    assert next_event(link) == Event("described", "", {"networks": [{"name": "tiny"}]})
    assert (link.state, link.progress, link.busy) == ("ready", 1.0, False)
    link.close()
    until(lambda: not ours() and not bridge.open)
    assert link.state == "ended" and link.next_event() is None


def test_maps_arrive_before_the_recording(link):
    link.run_input("t", "hall", "tiny", ("p",))
    first, second = all_events(link, "recording")
    assert (first.kind, first.tag, first.content.layer) == ("maps", "t", "a")
    assert (second.kind, second.tag, second.content.input_name) == ("recording", "t", "('p',)")


def test_of_inputs_only_the_newest_of_each_hall_is_run(link, bridge):
    bridge.gate.clear()
    link.run_input("1", "one", "tiny", ("first",))
    until(lambda: bridge.requests)
    for k in range(2, 50):
        link.run_input(str(k), "one", "tiny", (k,))
        link.run_input(f"other {k}", "other", "tiny", (-k,))
    assert link.busy
    bridge.gate.set()
    tags = [all_events(link, "recording")[-1].tag for _ in range(3)]
    assert tags == ["1", "49", "other 49"]
    assert [inputs for _, inputs in bridge.requests] == [("first",), (49,), (-49,)]
    assert link.next_event() is None
    until(lambda: not link.busy)


def test_it_is_busy_while_it_runs_an_input(link, bridge):
    until(lambda: link.state == "ready" and not link.busy)
    bridge.gate.clear()
    link.run_input("1", "one", "tiny", ("first",))
    until(lambda: bridge.requests)
    assert link.busy and link.next_event() is None
    bridge.gate.set()
    all_events(link, "recording")
    until(lambda: not link.busy)


def test_an_error_is_an_event_and_the_next_input_is_run(link, bridge):
    bridge.fails = {"bad": InputError("not a picture"), "worse": KeyError("recording"), "worst": RecursionError()}
    for tag in bridge.fails:
        link.run_input(tag, tag, "tiny", (tag,))
    link.run_input("good", "good", "tiny", ("good",))
    found = all_events(link, "recording")
    assert [(event.kind, event.tag) for event in found[:3]] == [("error", tag) for tag in bridge.fails]
    assert str(found[0].content) == "not a picture" and isinstance(found[0].content, InputError)
    assert isinstance(found[1].content, BridgeError) and "can't be understood (KeyError" in str(found[1].content)
    assert found[-1].tag == "good"


def test_questions_are_answered_in_order(link):
    def wrong(bridge):
        raise BridgeError("no")

    for tag, question in (("1", lambda bridge: 1), ("2", wrong), ("3", lambda bridge: bridge.describe())):
        link.ask(tag, question)
    found = [next_event(link) for _ in range(3)]
    assert [(event.kind, event.tag) for event in found] == [("answer", "1"), ("error", "2"), ("answer", "3")]
    assert found[2].content == {"networks": [{"name": "tiny"}]}


def step(state: str, number: int, *every: rec.Maps) -> tuple[dict, list]:
    return {"id": 7, "state": state, "step": number}, list(every)


def test_a_jobs_maps_arrive_one_by_one_before_its_state(link, bridge):
    bridge.jobs = [[step("running", 1, maps("a"), maps("b")), step("running", 2), step("done", 4, maps("a", 2.0))]]
    link.run_method("w", "tiny", "occlusion", parameters={"size": 0.5})
    found = [next_event(link) for _ in range(7)]
    assert all(event.tag == "w" for event in found)
    assert [event.kind for event in found] == ["job", "maps", "maps", "job", "job", "maps", "job"]
    assert [event.content["state"] for event in found if event.kind == "job"] == [
        "waiting",
        "running",
        "running",
        "done",
    ]
    assert [event.content.layer for event in found if event.kind == "maps"] == ["a", "b", "a"]
    assert bridge.requests[0] == ("tiny", "occlusion", NO_INPUT | {"parameters": {"size": 0.5}})
    assert [step for kind, step in bridge.requests[1:]] == [0, 1, 2], "also what was there before it could be asked"


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_job_is_cancelled(link, bridge, when):
    bridge.jobs = [[step("running", 1), step("cancelled", 2)]]
    if when == "before":
        link.cancel("w")
    bridge.gate.clear()
    link.run_method("w", "tiny", "occlusion")
    until(lambda: len(bridge.requests) > (2 if when == "before" else 1))
    link.cancel("w")
    bridge.gate.set()
    assert all_events(link, "job")[-1].content["state"] == "waiting"
    assert [next_event(link).content["state"] for _ in range(2)] == ["running", "cancelled"]
    assert ("cancel", 7) in bridge.requests


def test_a_job_is_cancelled_when_the_bridge_is_left(bridge):
    link = BridgeConnection(bridge)
    bridge.jobs = [[step("running", 1), step("cancelled", 2)]]
    bridge.gate.clear()
    next_event(link), link.run_method("w", "tiny", "occlusion")
    until(lambda: ("job", 0) in bridge.requests)
    link.close()
    bridge.gate.set()
    until(lambda: not ours())
    assert ("cancel", 7) in bridge.requests


def test_a_method_that_is_refused(link, bridge):
    bridge.fails = {"dreams": InputError("no such thing")}
    link.run_method("w", "tiny", "dreams")
    assert next_event(link) == Event("error", "w", bridge.fails["dreams"])


def test_a_bridge_that_does_not_answer(bridge):
    bridge.describe = lambda: (_ for _ in ()).throw(BridgeError("gone"))
    link = BridgeConnection(bridge)
    assert next_event(link) == Event("ended", "", "gone")
    assert (link.state, link.status) == ("ended", "gone")
    link.run_method("w", "tiny", "x")
    assert "isn't ready yet" in str(next_event(link).content)
    until(lambda: not ours())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_child_that_ends_before_it_is_ready(tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nread order\necho \'{"told": "loading", "share": 0.5}\'\necho broken >&2\nexit 3\n')
    python.chmod(0o755)
    link = BridgeConnection.start(str(python), {})
    assert next_event(link) == Event("starting", "", "loading") and link.progress == 0.5
    assert "broken (status 3)" in next_event(link).content and link.state == "ended"
    link.close()
    until(lambda: not ours())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_child_that_never_gets_ready_is_ended(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\ncat > /dev/null\n")
    python.chmod(0o755)
    link = BridgeConnection.start(str(python), {})
    assert link.state == "starting" and link.child.alive
    link.close()
    until(lambda: not ours() and not link.child.alive)
    assert link.next_event() is None


def test_no_such_python():
    with pytest.raises(BridgeError, match="can't be started"):
        BridgeConnection.start("/nowhere/python", {})


# The session


@pytest.fixture
def session(link):
    session = Session()
    session.join(link)
    return session


def test_nothing_can_be_requested_without_a_bridge():
    session = Session()
    assert session.state == "off"
    for ask in (
        lambda: session.request_input("hall", "tiny", ()),
        lambda: session.ask(lambda bridge: 1, lambda answer: None),
        lambda: session.request_method("tiny", MethodRequest("x", {}, "")),
    ):
        with pytest.raises(BridgeError, match="no bridge; start one or join one"):
            ask()
    assert not session.has_callbacks and not session.requests


def test_a_callback_is_called_once(session):
    found = []
    session.ask(lambda bridge: 5, found.append)
    session.request_input("hall", "tiny", (), then=found.append)
    assert session.has_callbacks and session.awaited_networks == ["tiny"]
    while len(found) < 2:
        event = next_event(session)
        if event.kind in ("answer", "recording"):
            session.deliver(event.tag, event.content)
            session.deliver(event.tag, event.content)
    assert 5 in found and len(found) == 2 and not session.has_callbacks and session.awaited_networks == []


def test_tags_differ_in_a_run_and_between_runs(session):
    tags = {session.new_tag("look") for _ in range(99)} | {Session().new_tag("look") for _ in range(99)}
    assert len(tags) == 198


def test_the_oldest_is_forgotten_but_not_what_halls_show(session, monkeypatch):
    monkeypatch.setattr(sessions, "MEMORY_BYTES", 3 * recording(side=10).maps("a").texels.nbytes)
    session.hall(1).shown, session.hall(2).initial = "shown", "held"
    for tag in ("held", "shown", "1", "2", "3"):
        session.store_results(tag, recording(tag, side=10))
    assert [tag for tag in ("held", "shown", "1", "2", "3") if session.results_of(tag)] == ["held", "shown", "3"]
    session.store_results("job", {"a": maps("a")})
    session.store_results("job", {"b": maps("b")})
    assert session.results_of("job").keys() == {"a", "b"} and session.results_of("3") is None


def test_a_limited_number_of_requests_is_kept(session, monkeypatch):
    monkeypatch.setattr(sessions, "MOST_REQUESTS", 3)
    first = session.request_input("hall", "tiny", ("kept",))
    session.hall(1).shown = first
    tags = [session.request_input("hall", "tiny", (k,)) for k in range(9)]
    assert [tag for tag in session.requests if session.input_request(tag)] == [first, *tags[-2:]]
    jobs = [session.request_method("tiny", MethodRequest("x", {}, first)) for _ in range(9)]
    assert [tag for tag in session.requests if session.job(tag)] == jobs[-3:]
    assert [tag for tag in session.requests if session.method_request(tag)] == jobs[-3:]


def test_a_method_is_asked_about_the_halls_own_input(session, bridge):
    bridge.fails = {"x": InputError("enough")}
    options = RunOptions({"a": [1]}, {"b": 3})
    tag = session.request_input("hall", "tiny", ("mine",), options=options)
    until(lambda: bridge.requests)
    session.request_method("tiny", MethodRequest("x", {"data": "d"}, tag, options))
    until(lambda: len(bridge.requests) == 2)
    assert bridge.requests[1] == ("tiny", "x", {"inputs": ("mine",), **options._asdict(), "data": "d"})
    found = recording()
    found.run = "run 1"
    session.store_results(tag, found)
    session.request_method("tiny", MethodRequest("x", {"data": "d"}, tag, options))
    until(lambda: len(bridge.requests) == 3)
    assert bridge.requests[2] == ("tiny", "x", {"run": "run 1", "data": "d"})
    session.request_method("other", MethodRequest("x", {}, tag))
    until(lambda: len(bridge.requests) == 4)
    assert bridge.requests[3] == ("other", "x", NO_INPUT | {"inputs": ("mine",)}), "the run is of another network"


def test_inputs_are_sent_again_where_the_run_is_no_longer_kept(link, bridge):
    bridge.fails = {"x": UnknownRun("place it again")}
    link.run_method("kept", "tiny", "x", run="old", inputs=("mine",), options=RunOptions({"a": [1]}))
    until(lambda: len(bridge.requests) == 2)
    again = {"inputs": ("mine",), "ablate": {"a": [1]}, "positions": None, "strokes": None}
    assert bridge.requests == [("tiny", "x", {"run": "old"}), ("tiny", "x", again)]


def test_queued_events_come_before_those_of_the_bridge(session):
    session.store_results("old", recording())
    session.link.ask("q", lambda bridge: 1)
    until(lambda: not session.link._events.empty())
    assert session.queue_results("old") and not session.queue_results("never")
    done = []
    session.queue_calls([lambda: done.append(1)])
    kinds = [session.next_event() for _ in range(4)]
    assert [event.kind for event in kinds] == ["maps", "complete", "call", "answer"]
    assert not session.has_queued and session.next_event() is None
    session.queue_results("old"), session.clear_queue()
    assert session.next_event() is None


def test_opening_a_file_forgets_all_requests(session):
    session.store_results("old", recording())
    session.request_input("hall", "tiny", (), then=pytest.fail)
    session.queue_results("old"), session.forget()
    assert not session.has_queued and not session.has_callbacks and not session.requests
    assert session.state == "ready"


def test_leaving_closes_the_videos_on_the_bridge(session, bridge):
    """A bridge that was joined goes on running, and a bridge opens a limited number of videos."""
    session.hall(1).video = VideoPlayback("clip.mp4")
    session.leave()
    until(lambda: ("close", "clip.mp4") in bridge.requests)
    assert session.video_of(1) is None and not session.has_callbacks


def test_an_old_error_does_not_outlive_the_next_question(session):
    session.error = "old"
    session.ask(lambda bridge: 1, lambda answer: None)
    assert session.error == "old"
    session.request_input("hall", "tiny", ())
    assert session.error == ""


def test_it_needs_neither_blender_nor_torch():
    code = """
import sys
sys.modules.update(dict.fromkeys(["bpy", "mathutils", "torch", "torchvision", "av"]))
from innerwalk.blender_addon.live import bridge_connection, session
assert session.current().state == "off"
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
