"""Jobs: progress in order, partial results, an end at any step, a cache by content, and inputs that don't wait."""

import gc
import threading
import time
import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support import SUPPORT, bridges  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.method_support.method import parameter  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, Method, Step  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, pack  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.server import jobs  # noqa: E402


def maps(value: float, layer: str = "a", method: str = "stepwise", side: int = 2) -> Maps:
    return Maps(layer, method, pack(np.full((3, side, side), value, np.float32)), 3)


@dataclass(frozen=True)
class Steps:
    count: int = parameter(3, "steps", 1, 100)
    fail_at: int = parameter(0, "the step that fails", 0, 100)
    how: str = parameter("", "how it fails")


class Stepwise:
    """A method whose steps wait for a semaphore."""

    def __init__(self) -> None:
        self.let, self.begun = threading.Semaphore(0), threading.Semaphore(0)
        self.runs, self.closed, self.denormal = 0, 0, []

    def method(self, needs: str = "input") -> Method:
        return Method("stepwise", "Stepwise", "Waits.", self.run, Steps, needs)

    def run(self, work, parameters):
        self.runs += 1
        self.denormal.append(float(torch.tensor([1e-39]) * 1.0))
        try:
            for number in range(1, parameters.count + 1):
                self.begun.release()
                assert self.let.acquire(timeout=20)
                if number == parameters.fail_at:
                    raise {"": ValueError("seven"), "leaves": SystemExit(3), "expected": InputError("no such thing")}[
                        parameters.how
                    ]
                yield Step(number / parameters.count, f"step {number}", (maps(number),))
        finally:
            self.closed += 1


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SUPPORT))
        networks = {
            "names": bridges.model("Names"), "twin": bridges.model("Names"), "other": bridges.model("Names", seed=5),
            "gated": bridges.model("Gated"),
        }  # fmt: skip
        with bridges.serving_here(networks, {"objects": "concepts:object", "pairs": "concepts:pair"}) as server:
            yield server


@pytest.fixture
def bridge(server):
    with bridges.joined(server) as bridge:
        yield bridge


@pytest.fixture
def start(bridge):
    """Starts a job about a run on noise."""
    run = bridge.record("names", [client.noise(1)]).run
    return lambda method="stepwise", **request: bridge.start("names", method, **({"run": run} | request))


@pytest.fixture
def stepwise(server, monkeypatch):
    method = Stepwise()
    monkeypatch.setitem(METHODS, "stepwise", method.method())
    monkeypatch.setattr(server.calls["job"].__self__, "jobs", jobs.Jobs())
    yield method
    for _ in range(300):
        method.let.release()


def after(bridge, job, step):
    return bridge.job(job["id"], step, 10.0)


def test_progress_comes_in_order_with_partial_results(bridge, start, stepwise):
    job = start()
    assert job["what"]["input"] == "noise:1"
    for number in (1, 2, 3):
        stepwise.let.release()
        state, found = after(bridge, job, number - 1)
        assert (state["step"], state["told"]) == (number, f"step {number}")
        assert state["share"] == pytest.approx(number / 3)
        assert [entry.data[0, 0, 0] for entry in found] == [number]
    states, all_maps = bridges.followed(bridge, job)
    assert states[-1]["state"] == "done" and all_maps["a", "stepwise"].data[0, 0, 0] == 3
    assert stepwise.closed == 1
    assert bridge.job(job["id"], 3)[1] == []
    assert bridge.describe()["jobs"][-1]["state"] == "done"


def test_several_maps_of_one_step_keep_their_order(bridge, start, server, monkeypatch):
    entries = [maps(1, "b"), maps(2, "a"), maps(3, "a", "other"), maps(4, "a", "third")]
    run = lambda work, parameters: iter(step for step in [Step(1.0, "all", entries)])  # noqa: E731
    monkeypatch.setitem(METHODS, "stepwise", Method("stepwise", "", "", lambda w, p: (s for s in run(w, p)), None))
    _, found = bridges.followed(bridge, start())
    assert list(found) == [(entry.layer, entry.method) for entry in entries]


def test_denormal_numbers_are_zero_in_a_job(bridge, start, stepwise):
    stepwise.let.release(3)
    bridges.followed(bridge, start())
    assert stepwise.denormal == [0.0]
    assert float(torch.tensor([1e-39]) * 1.0) != 0.0  # here nothing has changed


def test_cancel_ends_it_at_the_next_step(bridge, start, stepwise):
    job = start(parameters={"count": 50})
    stepwise.let.release()
    after(bridge, job, 0)
    bridge.cancel(job["id"])
    stepwise.let.release()
    states, all_maps = bridges.followed(bridge, job)
    assert (states[-1]["state"], states[-1]["told"], states[-1]["step"]) == ("cancelled", "cancelled", 2)
    assert stepwise.closed == 1 and all_maps["a", "stepwise"].data[0, 0, 0] == 2
    assert bridge.cancel(job["id"])["state"] == "cancelled"
    assert start(parameters={"count": 50})["state"] in ("waiting", "running")  # anew


def test_only_so_many_run_at_a_time(bridge, start, stepwise, server):
    started = [start(parameters={"count": 1 + k}) for k in range(5)]
    assert stepwise.begun.acquire(timeout=10)
    service = server.calls["job"].__self__
    running = lambda: [entry["state"] for entry in service.jobs.describe_all()].count("running")  # noqa: E731
    assert running() <= 2
    assert bridge.cancel(started[4]["id"])["state"] == "cancelled"  # it hadn't begun
    most = 0
    for _ in range(20):
        stepwise.let.release()
        most = max(most, running())
    for job in started:
        assert bridges.followed(bridge, job)[0][-1]["state"] in ("done", "cancelled")
    assert most <= 2 and stepwise.runs == 4


def test_too_many_waiting_are_refused(bridge, start, stepwise, server, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_WAITING", 3)
    started = [start(parameters={"count": 1 + k}) for k in range(3)]
    with pytest.raises(BridgeError, match="3 jobs are waiting already"):
        start()
    for job in started:
        bridge.cancel(job["id"])


@pytest.mark.parametrize(
    ("how", "error", "kind"),
    [
        ("", "ValueError: seven", "BridgeError"),
        ("leaves", "SystemExit: 3", "BridgeError"),
        ("expected", "no such thing", "InputError"),
    ],
)
def test_a_method_that_fails(bridge, start, stepwise, how, error, kind):
    stepwise.let.release(9)
    request = {"parameters": {"fail_at": 2, "how": how}}
    states, all_maps = bridges.followed(bridge, start(**request))
    assert (states[-1]["state"], states[-1]["error"], states[-1]["error_kind"]) == ("failed", error, kind)
    assert all_maps["a", "stepwise"].data[0, 0, 0] == 1  # what there was stays
    assert stepwise.closed == 1
    bridges.followed(bridge, start(**request))
    assert stepwise.runs == 2  # a failure is not remembered
    assert bridge.record("names").all_maps


def test_what_was_made_is_not_made_again(bridge, stepwise):
    stepwise.let.release(100)

    def computes(network="names", seed=1, **request):
        run = {} if "inputs" in request else {"run": bridge.record(network, [client.noise(seed)]).run}
        before = stepwise.runs
        states, all_maps = bridges.followed(bridge, bridge.start(network, "stepwise", **run, **request))
        assert states[-1]["state"] == "done" and all_maps["a", "stepwise"].data[0, 0, 0] == 3
        return stepwise.runs > before

    assert computes()
    assert not computes()
    assert not computes(parameters={"count": 3})  # as it is by default
    assert not computes(layers=["a", "b"])  # the panels by name
    assert computes(seed=2)
    assert not computes(seed=1)
    assert computes(layers=["a"])
    assert computes("other")
    assert computes("twin")
    assert computes(data="objects")
    assert computes(data="pairs")
    assert not computes(inputs=[client.noise(2)])
    assert computes(inputs=[client.noise(3)])


def test_what_depends_on_the_network_alone_is_kept_for_other_inputs(bridge, start, stepwise, monkeypatch):
    monkeypatch.setitem(METHODS, "stepwise", stepwise.method("network"))
    stepwise.let.release(9)
    for seed in (1, 2):
        run = bridge.record("names", [client.noise(seed)]).run
        bridges.followed(bridge, start(run=run))
    assert stepwise.runs == 1


def test_a_job_is_about_the_input_there_was_when_it_was_asked(bridge, start, stepwise, server, monkeypatch):
    """A later input must not be used: the result would be cached under the wrong input."""
    inputs_seen = []

    def look(work, parameters):
        inputs_seen.append(work.arguments[0])
        yield Step(1.0, "seen", (maps(float(work.arguments[0].sum()), method="look"),))

    monkeypatch.setitem(METHODS, "look", Method("look", "", "", look))
    run = bridge.record("names", [client.noise(11)]).run
    busy = [start(parameters={"count": 1 + k}) for k in range(2)]
    waiting_job = start("look", run=run)
    for _ in busy:
        stepwise.begun.acquire(timeout=10)
        stepwise.let.release(3)
    bridge.record("names", [client.noise(12)])
    for job in busy:
        bridges.followed(bridge, job)
    bridges.followed(bridge, waiting_job)
    service = server.calls["job"].__self__
    wanted = service.networks["names"].read(["noise:11"])[0].values
    assert torch.equal(inputs_seen[0], wanted)


def test_old_results_make_room(monkeypatch):
    monkeypatch.setattr(jobs, "MAX_RESULT_BYTES", 3 * maps(0, side=8).texels.nbytes)
    held = jobs.Jobs()

    def finished(key):
        job = held.start({}, key, lambda: (step for step in [Step(1.0, "made", (maps(1, side=8),))]))
        return held.results_since(job.id, 0, 10.0), job

    finished_jobs = [finished(str(k))[1] for k in range(5)]
    for job in finished_jobs:
        held.results_since(job.id, 1, 10.0)
    assert [len(held.results_since(job.id, 0, 0)[1]) for job in finished_jobs] == [0, 0, 1, 1, 1]
    assert held.results_since(finished_jobs[0].id, 0, 0)[0]["told"] == "its results have made room for newer ones"
    again = held.start({}, "4", lambda: pytest.fail("it is known"))
    assert again.state == "done"
    big = held.start({}, "big", lambda: (step for step in [Step(1.0, "made", (maps(1, side=99),))]))
    held.results_since(big.id, 1, 10.0)
    assert len(held.results_since(big.id, 0, 0)[1]) == 1  # the newest stays, however large
    assert len(held.results_since(finished_jobs[4].id, 0, 0)[1]) == 0


def finished(held, key, entry):
    """A job of one step that gives maps, followed to its end."""
    job = held.start({"key": key}, key, lambda: (step for step in [Step(1.0, "made", (entry,))]))
    held.results_since(job.id, 1, 10.0)
    return job


def test_results_of_forgotten_jobs_are_released():
    """1,500 jobs of 1 MiB held 1,500 MiB, because those beyond the remembered 256 were never released."""
    held, alive = jobs.Jobs(), []
    for k in range(jobs.MAX_REMEMBERED + 40):
        entry = maps(1, side=16)
        alive.append(weakref.ref(entry.texels))
        finished(held, str(k), entry)
        del entry
    gc.collect()
    assert sum(texels() is not None for texels in alive) == jobs.MAX_REMEMBERED
    assert len(held._finished) <= jobs.MAX_REMEMBERED


def test_equal_requests_share_their_results_and_their_size(monkeypatch):
    monkeypatch.setattr(jobs, "MAX_RESULT_BYTES", 3 * maps(0, side=8).texels.nbytes)
    held = jobs.Jobs()
    first = finished(held, "other", maps(2, side=8))
    for _ in range(9):
        finished(held, "same", maps(1, side=8))
    assert len(held.results_since(first.id, 0, 0)[1]) == 1


def test_extras_of_results_are_counted(monkeypatch):
    monkeypatch.setattr(jobs, "MAX_RESULT_BYTES", 1 << 20)
    held = jobs.Jobs()
    curve = {"curve": np.zeros((3, 60_000), np.float32)}
    first, second = (finished(held, key, replace(maps(1), extras=curve | {key: np.ones(3)})) for key in "ab")
    assert [len(held.results_since(job.id, 0, 0)[1]) for job in (first, second)] == [0, 1]


def test_long_requests_are_forgotten(monkeypatch):
    monkeypatch.setattr(jobs, "MAX_REQUEST_BYTES", 3000)
    held = jobs.Jobs()
    for k in range(5):
        job = held.start({"layers": "x" * 1000}, str(k), lambda: (step for step in [Step(1.0, "made")]))
        held.results_since(job.id, 1, 10.0)
    assert [entry["id"] for entry in held.describe_all()] == [4, 5]


def test_cancelled_jobs_leave_no_thread_and_inputs_have_a_limit(monkeypatch):
    """Jobs cancelled while they waited kept a thread with their inputs until another job ended."""
    go, held = threading.Event(), jobs.Jobs()

    def waiting():
        go.wait(20)
        yield Step(1.0, "made")

    running = [held.start({}, str(k), waiting) for k in range(jobs.MAX_RUNNING)]
    before = threading.active_count()
    for k in range(100):
        held.cancel(held.start({}, f"cancelled {k}", waiting).id)
    until = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before
    monkeypatch.setattr(jobs, "MAX_WAITING_BYTES", 1000)
    held.start({}, "fits", waiting, 900)
    with pytest.raises(BridgeError, match="cancel some first"):
        held.start({}, "does not", waiting, 200)
    go.set()
    for job in running:
        held.results_since(job.id, 1, 10.0)


def test_old_jobs_are_forgotten(monkeypatch):
    monkeypatch.setattr(jobs, "MAX_REMEMBERED", 4)
    held = jobs.Jobs()
    for k in range(7):
        job = held.start({}, str(k), lambda: (step for step in [Step(1.0, "made")]))
        held.results_since(job.id, 1, 10.0)
    assert [entry["id"] for entry in held.describe_all()] == [4, 5, 6, 7]
    with pytest.raises(UnknownName, match="no job '1'"):
        held.results_since(1, 0, 0)


def test_a_question_waits_for_news_no_longer_than_asked(bridge, start, stepwise):
    job = start()
    assert after_nothing(bridge, job)["step"] == 0
    bridge.cancel(job["id"])


def after_nothing(bridge, job):
    return bridge.job(job["id"], 0, 0.05)[0]


def test_what_cannot_be_started(bridge, start, stepwise):
    with pytest.raises(UnknownName, match="no method 'stepwize'; did you mean stepwise"):
        start("stepwize")
    with pytest.raises(UnknownName, match="no parameter of stepwise 'cuont'"):
        start(parameters={"cuont": 1})
    with pytest.raises(InputError, match="stepwise: count is 0; it must be 1 to 100"):
        start(parameters={"count": 0})
    with pytest.raises(UnknownName, match="no layer 'z'"):
        start(layers=["z"])
    with pytest.raises(UnknownName, match="no data set 'birds'"):
        start(data="birds")
    states, _ = bridges.followed(bridge, start("average"))
    assert states[-1]["state"] == "failed" and "average needs a data set" in states[-1]["error"]


def test_a_new_input_waits_for_one_step_at_most(bridge, start, stepwise, server):
    """The input waits while a step runs, then runs before the next step."""
    job = start(parameters={"count": 40})
    assert stepwise.begun.acquire(timeout=10)  # its first step is running
    done = []

    def look(k):
        with bridges.joined(server) as other:
            other.record("other", [client.noise(k)])
            done.append(k)

    inputs = [threading.Thread(target=look, args=(k,)) for k in range(3)]
    for thread in inputs:
        thread.start()
    lock = server.calls["job"].__self__.networks["other"].lock
    for _ in range(1000):
        with lock._change:
            if lock._urgent_waiting == 3:
                break
        threading.Event().wait(0.01)
    assert done == []
    stepwise.let.release()  # the one step they wait for
    for thread in inputs:
        thread.join(20)
    assert sorted(done) == [0, 1, 2]
    assert bridge.job(job["id"])[0]["step"] == 1
    stepwise.let.release(100)
    ended = bridges.followed(bridge, job)[0][-1]
    assert ended["state"] == "done", ended  # it was paused, not ended


def test_the_end_of_a_bridge_ends_its_jobs(stepwise):
    def let():
        for _ in range(300):
            stepwise.let.release()
            threading.Event().wait(0.02)

    with bridges.serving_here({"names": bridges.model("Names")}) as server:
        with bridges.joined(server) as bridge:
            bridge.start("names", "stepwise", inputs=(), parameters={"count": 100})
            assert stepwise.begun.acquire(timeout=10)
            threading.Thread(target=let, daemon=True).start()
    (state,) = server.calls["job"].__self__.jobs.describe_all()
    assert state["step"] < 100
    lock = server.calls["job"].__self__.networks["names"].lock
    assert lock._busy and lock._closed
