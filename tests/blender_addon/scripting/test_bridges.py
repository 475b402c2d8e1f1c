"""`Hall.of` in a bridge of Blender's own: which Python it runs in, and what a second network changes for the first."""

import shutil

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.live import hall_requests, timer  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.scripting import Hall, bridges  # noqa: E402
from innerwalk.blender_addon.ui.bridge.settings import bridge_settings  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError  # noqa: E402

NETWORK = live.own("Gated")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the own networks, beside an empty file; there is no bridge, and no Python is found."""
    live.empty_file()
    shutil.copy(live.OWN, tmp_path)
    monkeypatch.setattr(bridges, "find_python", lambda: "")
    yield tmp_path
    Hall.leave_bridge()


@pytest.fixture
def make(folder, torch_python):
    """make("name", seed) -> the hall of a network of this name and seed."""

    def make(name: str, seed: int, **fields) -> Hall:
        spec = NETWORK | {"name": name, "folder": folder, "seed": seed, "python": torch_python, "device": "cpu"}
        return Hall.of(**spec | fields)

    return make


def process() -> int:
    return current().link.child.process.pid


def networks() -> list[str]:
    return [network["name"] for network in current().link.description["networks"]]


def assert_shows(hall: Hall, network: str, seed: int, **ablate: list[int]) -> None:
    """The hall shows what another client of the bridge receives for the noise of this seed."""
    with live.bridge() as bridge:
        live.assert_shows(hall.scene, bridge.record(network, [client.noise(seed)], ablate=ablate or None))


def test_the_preferences_name_python_folder_device_and_data_sets(folder, torch_python):
    with live.registered():
        form = bridge_settings(bpy.context)
        form.python, form.folder, form.device = torch_python, str(folder), "cpu"
        data = form.data.add()
        data.name, data.where = "shapes", "concepts:pair"
        hall = Hall.of(**NETWORK)
        assert (current().link.child.python, current().link.description["device"]) == (torch_python, "cpu")
        assert [data["name"] for data in current().link.description["data"]] == ["shapes"]
        assert_shows(hall.place("noise:3"), "own_networks:Gated", 3)


def test_without_preferences_the_first_python_that_is_found(folder, torch_python, monkeypatch):
    with pytest.raises(BridgeError, match="no Python with PyTorch was found; name one"):
        Hall.of("object")
    monkeypatch.setattr(bridges, "find_python", lambda: torch_python)
    hall = Hall.of("object")
    assert (current().link.child.python, len(hall.panels)) == (torch_python, 23)
    with live.bridge() as bridge:  # a shipped network brings its pictures
        live.assert_shows(hall.place(data="object", index=7).scene, bridge.record("object", [client.item("object", 7)]))


def test_a_first_hall_follows_the_bridge_that_a_second_network_starts(make):
    first = make("first", 1).place("noise:1").ask("saliency", layers="b")
    first["a"].ablate(0)
    shown, started = live.texels(first.scene), process()
    second = make("second", 2)
    assert process() != started and networks() == ["first", "second"]
    assert live.equal(live.texels(first.scene), shown) and first.appearance.method == "saliency"
    first.place("noise:2")
    assert first.appearance.method == "saliency" and not np.array_equal(live.texels(first.scene)["b"], shown["b"])
    assert_shows(first.show_activations(), "first", 2, a=[0])
    first.restore_channels()
    first["a"].ablate(1, 2)
    assert_shows(first, "first", 2, a=[1, 2])
    assert_shows(second.place("noise:2"), "second", 2)
    second.stand_beside(first, share=True)
    second.place("noise:5")
    assert_shows(first, "first", 5, a=[1, 2])


def test_a_network_that_is_served_is_not_started_again(make):
    first = make("first", 1)
    started = process()
    again = make("first", 1)
    assert (process(), networks()) == (started, ["first"])
    assert_shows(again.place("noise:4"), "first", 4)
    other = make("first", 2)
    assert networks() == ["first", "first 2"]
    assert_shows(other.place("noise:4"), "first 2", 4)
    assert_shows(first.place("noise:6"), "first", 6)


def test_a_network_that_cannot_start_leaves_the_first_hall_its_bridge(make):
    first = make("first", 1)
    for error, match, fields in (
        (BridgeError, "own_networks.*Nothing", {"model": "own_networks:Nothing"}),
        (BridgeError, "/nowhere/python.*choose a Python that has torch", {"python": "/nowhere/python"}),
        (InputError, "arguments is of type dict; a bridge takes texts", {"arguments": {"x": object()}}),
    ):
        with pytest.raises(error, match=match) as caught:
            make("second", 2, **fields)
        assert "\n" not in str(caught.value)
        assert networks() == ["first"]
    assert_shows(first.place("noise:8"), "first", 8)


def test_a_bridge_that_has_ended_is_started_again_with_all_networks(make):
    first = make("first", 1)
    current().link.child.process.kill()
    live.until(lambda: current().state == "ended")
    make("second", 2)
    assert networks() == ["first", "second"]
    assert_shows(first.place("noise:9"), "first", 9)


def test_inputs_that_are_on_their_way_arrive_before_the_bridge_is_started_again(make, monkeypatch):
    """In a window, where `wait=False` returns at once; in the background it waits."""
    first = make("first", 1)
    assert_shows(first.place("noise:6", wait=False), "first", 6)
    monkeypatch.setattr(timer, "in_background", lambda: False)
    first.place("noise:7", wait=False)
    assert not hall_requests.is_shown(current(), first.scene)
    make("second", 2)
    assert_shows(first, "first", 7)


def test_a_bridge_of_another_program_is_left_alone(folder, torch_python):
    other = client.start_process(torch_python, {"networks": {"object": {"model": "object"}}, "device": "cpu"})
    Hall.join(f"127.0.0.1:{other.wait()}", "object", token=other.token)
    with pytest.raises(BridgeError, match="another bridge is joined; call Hall.leave_bridge"):
        Hall.of(**NETWORK, python=torch_python)
    assert networks() == ["object"] and other.alive
    Hall.leave_bridge()
    other.end()
