"""What a job will take, from what was measured and from its parameters."""

import pytest

from innerwalk.blender_addon.live import job_times
from innerwalk.blender_addon.live.job_times import JobTimes, scope_of
from innerwalk.blender_addon.live.request_types import MethodRequest
from innerwalk.torch_bridge.recording.progress import duration_text, run_count


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(job_times.time, "monotonic", lambda: now[0])
    return now


def request(count: int, layers=("panels",), channels=()) -> MethodRequest:
    arguments = {"parameters": {"count": count}, "layers": list(layers), "channels": list(channels)}
    return MethodRequest("rise", arguments, "")


@pytest.mark.parametrize(
    ("parameters", "runs"),
    [
        ({}, 1),
        ({"seed": 7, "of_class": 3}, 1),
        ({"count": 2000}, 2000),
        ({"count": 50, "steps": 4}, 200),
        ({"steps": 0}, 1),
        ({"size": 0.25, "stride": 0.5}, 64),
    ],
)
def test_runs_of_the_network(parameters, runs):
    assert run_count(parameters) == runs


@pytest.mark.parametrize(
    ("parameters", "repeats", "runs"),
    [
        ({"of": "maximum"}, "", 1),
        ({"of": "class"}, "channel", 64),
        ({"of": "class", "count": 50}, "channel unless class", 50),
        ({"of": "mean", "count": 50}, "channel unless class", 3200),
    ],
)
def test_some_methods_run_for_each_channel(parameters, repeats, runs):
    assert run_count(parameters, repeats, 64) == runs


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (43, "40 s"), (89, "90 s"), (120, "2 min"), (5400, "1.5 h")]
)
def test_durations_are_rounded(seconds, text):
    assert duration_text(seconds) == text


def test_the_first_estimate_is_of_the_runs(clock):
    times = JobTimes()
    assert times.estimate("net", "rise", "panels", {"count": 2000}) == "2,000 runs of the network"
    assert times.estimate("net", "rise", "panels", {"count": 20}) == "", "nothing is known, and it may be short"
    for number, seconds in enumerate((9.0, 0.02, 3.0)):  # the first run also loads the network
        times.begin(f"look {number}")
        clock[0] += seconds
        times.end_run(f"look {number}", "net")
    assert times.estimate("net", "rise", "panels", {"count": 2000}) == "Up to 40 s: 2,000 runs of the network"
    assert times.estimate("net", "rise", "panels", {"count": 20}) == "", "a short job needs no words"


def test_requests_that_never_end_are_forgotten(clock):
    times = JobTimes()
    for number in range(2 * job_times.MOST_WAITING):
        times.begin(f"look {number}")
    assert len(times._begun) == job_times.MOST_WAITING


def test_later_ones_are_of_the_last_job_on_the_same(clock):
    times, asked = JobTimes(), request(100)
    times.begin("work 1")
    clock[0] = 10.0
    times.end_job("work 1", "net", asked)
    times.end_job("work 1", "net", asked)  # its state may come twice
    assert times.estimate("net", "rise", scope_of(asked.arguments), {"count": 300}) == "About 30 s, as the last time"
    assert times.estimate("net", "rise", "channel", {"count": 300}) == "300 runs of the network"
    assert scope_of(request(1, ["a"]).arguments) == "layer" and scope_of(request(1, ["a"], [3]).arguments) == "channel"
