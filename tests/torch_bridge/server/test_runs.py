"""Runs: each client's methods are about its own input and ablation, and old runs make room."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support import bridges  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.methods import parse_parameters  # noqa: E402
from innerwalk.torch_bridge.recording import load, save  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError, InputError, UnknownName, UnknownRun  # noqa: E402
from innerwalk.torch_bridge.server import LoadedModel, PriorityLock, find_method, record_with_method, runs  # noqa: E402
from innerwalk.torch_bridge.server.config import parse_specs  # noqa: E402

LAYERS = ["stage2.0:add", "stage3.1:add"]
CUT = {"stem.conv": [0, 4, 7], "stage1.1:add": [2]}
SUBJECTS = ((1, {}), (2, {}), (1, CUT), (2, CUT))
"""Seeds of noise and ablations of the clients."""


@pytest.fixture(scope="module")
def server():
    networks = {name: {"model": "object"} for name in ("object", "twin")}
    with bridges.serving_here(networks, {"objects": "concepts:object"}) as server:
        yield server


@pytest.fixture
def bridge(server):
    with bridges.joined(server) as bridge:
        yield bridge


def asked_in_process(method: str, seed: int, ablate: dict) -> dict[str, np.ndarray]:
    spec = parse_specs({"object": {"model": "object", "ablate": ablate}})["object"]
    loaded = LoadedModel("object", spec, torch.device("cpu"), PriorityLock())
    chosen = find_method(method)
    inputs = loaded.read([f"noise:{seed}"])
    recording = record_with_method(loaded, inputs, chosen, LAYERS, (), parse_parameters(chosen, {}))
    return {layer: recording.maps(layer, method).texels for layer in LAYERS}


def maps_of(bridge, job) -> dict[str, np.ndarray]:
    states, found = bridges.followed(bridge, job)
    assert states[-1]["state"] == "done", states[-1]
    return {layer: maps.texels for (layer, _), maps in found.items()}


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[layer], second[layer]) for layer in first)


@pytest.mark.parametrize("method", ["grad_cam", "saliency"])
def test_each_client_is_answered_about_its_own_input_and_ablation(server, method):
    clients = [bridges.joined(server) for _ in SUBJECTS]
    wanted = [asked_in_process(method, *subject) for subject in SUBJECTS]
    assert not any(same(wanted[i], wanted[j]) for i in range(4) for j in range(i))
    named = [
        bridge.record("object", [client.noise(seed)], ablate=ablate).run
        for bridge, (seed, ablate) in zip(clients, SUBJECTS, strict=True)
    ]
    for k in (2, 0, 3, 1):  # in another order than they were run
        job = clients[k].start("object", method, LAYERS, run=named[k])
        assert job["what"]["input"] == f"noise:{SUBJECTS[k][0]}" and bool(job["what"]["ablate"]) == bool(SUBJECTS[k][1])
        assert same(maps_of(clients[k], job), wanted[k])
    for bridge in clients:
        bridge.close()


def test_clients_at_once_are_answered_about_their_own(server):
    wanted = [asked_in_process("saliency", *subject) for subject in SUBJECTS]

    def is_right(k: int) -> bool:
        (seed, ablate), right = SUBJECTS[k], True
        with bridges.joined(server) as bridge:
            for turn in range(6):
                inputs = [client.noise(seed)]
                run = {"run": bridge.record("object", inputs, ablate=ablate).run}
                subject = run if turn % 2 else {"inputs": inputs, "ablate": ablate}
                right &= same(maps_of(bridge, bridge.start("object", "saliency", LAYERS, **subject)), wanted[k])
        return right

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(is_right, range(4))) == [True] * 4


def test_equal_runs_have_equal_ids(server, bridge):
    with bridges.joined(server) as other:
        first = bridge.record("object", [client.noise(1)]).run
        assert first == other.record("object", [client.noise(1)], layers=["fc"]).run
        others = [
            other.record("object", [client.noise(2)]).run,
            other.record("object", [client.noise(1)], ablate=CUT).run,
            other.record("twin", [client.noise(1)]).run,
            other.record("object").run,
        ]
    assert len({first, *others}) == 5


def test_a_network_runs_on_its_first_input_where_none_is_named(bridge):
    """`inputs=()`, as in `record`."""
    run = bridge.record("object").run
    bridge.record("object", [client.noise(9)])
    wanted = maps_of(bridge, bridge.start("object", "saliency", LAYERS, run=run))
    assert same(maps_of(bridge, bridge.start("object", "saliency", LAYERS, inputs=())), wanted)


def test_a_method_about_input_and_data_is_computed_for_each_input(bridge):
    parameters = {"concept": "star", "count": 10, "tested": 12, "splits": 20, "steps": 0}
    request = {"layers": LAYERS[1:], "data": "objects", "parameters": parameters}
    recorded = [bridge.record("object", [client.noise(seed)], layers=[]).run for seed in (1, 2)]
    first, second = (
        maps_of(bridge, bridge.start("object", "concept_direction", **request, run=run)) for run in recorded
    )
    assert first.keys() == second.keys() and not same(first, second)
    with pytest.raises(InputError, match="concept_direction needs an input"):
        bridge.start("object", "concept_direction", **request)


def test_a_method_about_an_input_needs_one(bridge):
    bridge.record("object", [client.noise(1)])
    for subject in ({}, {"ablate": CUT}):
        with pytest.raises(InputError, match="object: saliency needs an input; place an input first"):
            bridge.start("object", "saliency", **subject)


def test_other_methods_need_none(bridge):
    request = {"layers": LAYERS, "data": "objects", "parameters": {"count": 3}}
    found = maps_of(bridge, bridge.start("object", "average", **request))
    run = bridge.record("object", [client.noise(5)]).run
    assert same(maps_of(bridge, bridge.start("object", "average", **request, run=run)), found)
    cut = bridge.record("object", [client.noise(5)], ablate=CUT).run
    found_cut = maps_of(bridge, bridge.start("object", "average", **request, run=cut))
    assert not same(found_cut, found)
    assert same(maps_of(bridge, bridge.start("object", "average", **request, ablate=CUT)), found_cut)
    assert maps_of(bridge, bridge.start("object", "weights", ["stem.conv"])).keys() == {"stem.conv"}


def test_a_run_is_named_alone(bridge):
    run = bridge.record("object", [client.noise(1)]).run
    for more in ({"inputs": [client.noise(1)]}, {"inputs": ()}, {"ablate": {}}):
        with pytest.raises(InputError, match="run: a text from the answer of record is needed, without inputs"):
            bridge.start("object", "saliency", run=run, **more)


def test_runs_that_are_not_kept(bridge):
    run = bridge.record("object", [client.noise(1)]).run
    for network, id in (("object", "0" * 32), ("twin", run), ("object", "x" * 100_000), ("object", run.upper())):
        with pytest.raises(UnknownRun, match=f"^{network}: the input of this run is no longer kept; place it again$"):
            bridge.start(network, "saliency", run=id)
    with pytest.raises(UnknownName, match="no network 'none'"):
        bridge.start("none", "saliency", run=run)


def kept(bridge, *all_runs: str) -> list[bool]:
    """Whether the bridge keeps each run; asking in this order makes the last one the newest."""

    def is_kept(run: str) -> bool:
        try:
            job = bridge.start("object", "saliency", ["fc"], run=run)
        except UnknownRun:
            return False
        maps_of(bridge, job)
        return True

    return [is_kept(run) for run in all_runs]


def record(bridge, *seeds: int) -> list[str]:
    return [bridge.record("object", [client.noise(seed)], layers=["fc"]).run for seed in seeds]


def test_the_least_recently_used_make_room(bridge, monkeypatch):
    monkeypatch.setattr(runs, "MAX_RUNS", 3)
    first, second, third = record(bridge, 21, 22, 23)
    assert kept(bridge, first) == [True]  # now the second is the oldest
    (fourth,) = record(bridge, 24)
    assert kept(bridge, second, third, first, fourth) == [False, True, True, True]
    assert record(bridge, 23, 25) == [third, *record(bridge, 25)]  # an equal run counts as a use
    assert kept(bridge, first, fourth, third) == [False, True, True]


def test_inputs_make_room_by_their_size(bridge, monkeypatch):
    size = (4 + 1) * 3 * 64 * 64  # float32 values, and the picture
    monkeypatch.setattr(runs, "MAX_INPUT_BYTES", 2 * size)
    found = record(bridge, 31, 32, 33)
    assert kept(bridge, *found) == [False, True, True]
    monkeypatch.setattr(runs, "MAX_INPUT_BYTES", size - 1)
    (large,) = record(bridge, 34)
    assert kept(bridge, *found, large) == [False, False, False, True], "the newest stays, however large"


def test_a_file_names_no_run(bridge, tmp_path):
    recording = bridge.record("object", [client.noise(1)])
    assert recording.run and load(save(recording, tmp_path / "saved")).run == ""


class Leaving(BaseException):
    """What a library may raise to end a program; no Exception."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Leaving("now")])
def test_whatever_a_network_raises_is_an_answer(server, monkeypatch, error):
    def leave(*_):
        raise error

    service = server.calls["record"].__self__
    with bridges.joined(server) as bridge:
        with monkeypatch.context() as patch:
            patch.setattr(service.networks["object"].model, "forward", leave)
            with pytest.raises(InnerwalkError, match=type(error).__name__):
                bridge.record("object", [client.noise(1)])
        assert bridge.record("object", [client.noise(1)]).all_maps


def test_pictures_of_inputs_count_too(server):
    service = server.calls["record"].__self__
    inputs = service.networks["object"].read(["noise:1"])
    context = service.networks["object"].run_context._replace(inputs=tuple(inputs))
    assert runs.input_bytes(context) == inputs[0].values.nbytes + inputs[0].picture.nbytes


def test_a_bridge_that_rests_returns_memory_once(bridge, monkeypatch):
    returned = []
    monkeypatch.setattr(runs, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(runs, "return_memory", lambda: returned.append(True))
    for rest in (1, 2):
        bridge.record("object", [client.noise(1)], layers=[])
        end = time.monotonic() + 20
        while len(returned) < rest and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        assert len(returned) == rest
