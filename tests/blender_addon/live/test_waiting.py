"""`wait_for_bridge`: for everything that was requested, with what depends on it, and each error once."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import timer  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InnerwalkError  # noqa: E402

NETWORKS = {name: live.own("Slow", seed=seed) for name, seed in {"one": 1, "two": 2}.items()}


@pytest.fixture
def pair(torch_python, tmp_path):
    """Halls of two networks, and everything shown."""
    live.empty_file()
    live.start(torch_python, NETWORKS, {"objects": "concepts:object"}, tmp_path)
    yield live.built("one"), live.built("two")
    actions.leave_bridge()


@pytest.fixture
def records(pair):
    with live.bridge() as bridge:
        yield lambda network, seed: bridge.record(network, [client.noise(seed)])


def is_difference(hall, first, second) -> bool:
    first, second, found = live.maps_of(first), live.maps_of(second), live.texels(hall)
    return all(np.array_equal(found[id], first[id] - second[id]) for id in found)


def test_without_a_hall_it_waits_for_all(pair, records):
    for hall, seed in zip(pair, (1, 2), strict=True):
        actions.place_input(hall, noise=seed)
    actions.wait_for_bridge()
    live.assert_shows(pair[0], records("one", 1))
    live.assert_shows(pair[1], records("two", 2))


def test_it_waits_for_the_hall_that_shares_inputs(pair, records):
    actions.stand_beside(pair[0], pair[1].name, share=True)
    actions.place_input(pair[0], noise=3)
    actions.wait_for_bridge(pair[0])
    live.assert_shows(pair[1], records("two", 3))


def method_maps(network: str, method: str, seed: int) -> dict[str, np.ndarray]:
    with live.bridge() as bridge:
        return live.job_maps(bridge, bridge.start(network, method, inputs=[client.noise(seed)]))


def test_it_waits_for_the_methods_of_halls_that_share_inputs(pair):
    """They are asked again about the new input, only once that is shown."""
    actions.stand_beside(pair[0], pair[1].name, share=True)
    for hall, method in zip(pair, ("saliency", "occlusion"), strict=True):
        actions.ask_method(hall, method)
    actions.wait_for_bridge()
    for seed, waits_for in ((3, pair[0]), (4, pair[1]), (5, None)):
        actions.place_input(pair[0], noise=seed)
        actions.wait_for_bridge(waits_for)
        for hall, network, method in ((pair[0], "one", "saliency"), (pair[1], "two", "occlusion")):
            wanted = method_maps(network, method, seed)
            assert wanted["a"].any() and live.equal(live.texels(hall), wanted)


@pytest.mark.parametrize("waits_for", [0, 1])
def test_it_waits_for_a_difference_to_another_hall(pair, records, waits_for):
    actions.place_input(pair[0], noise=4)
    actions.wait_for_bridge(pair[0])
    actions.show_difference(pair[0], pair[1].name)
    actions.place_input(pair[1], noise=5)
    actions.wait_for_bridge(pair[waits_for])
    assert is_difference(pair[0], records("one", 4), records("two", 5))


def test_an_error_is_raised_once_and_for_its_own_hall(pair, records):
    actions.place_input(pair[0], data="objets")
    live.until(lambda: bool(current().error))
    actions.place_input(pair[1], noise=6)
    actions.wait_for_bridge(pair[1])
    live.assert_shows(pair[1], records("two", 6))
    with pytest.raises(InnerwalkError, match="no data set 'objets'"):
        actions.wait_for_bridge(pair[0])
    actions.wait_for_bridge(pair[0])
    actions.wait_for_bridge()


def test_an_error_of_a_method_is_raised_once_and_for_its_own_hall(pair):
    actions.ask_method(pair[0], "occlusion", {"size": -1.0})
    live.until(lambda: bool(current().error))
    actions.wait_for_bridge(pair[1])
    with pytest.raises(InnerwalkError, match="occlusion: "):
        actions.wait_for_bridge(pair[0])
    actions.wait_for_bridge(pair[0])


def test_what_needs_no_bridge_is_waited_for_without_one(pair, records, monkeypatch):
    first, second = records("one", 7), records("two", 8)
    for hall, seed in zip(pair, (7, 8), strict=True):
        actions.place_input(hall, noise=seed)
    actions.wait_for_bridge()
    actions.leave_bridge()
    monkeypatch.setattr(timer, "show_queued", timer.start)  # as in a window
    actions.show_difference(pair[0], pair[1].name)
    actions.wait_for_bridge(pair[0])
    assert is_difference(pair[0], first, second)
    actions.show_activations(pair[0])
    actions.wait_for_bridge()
    live.assert_shows(pair[0], first)
    with pytest.raises(BridgeError, match="there is no bridge"):
        actions.wait_for_bridge()
