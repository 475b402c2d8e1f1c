"""Methods of several halls of one network: each is about its own hall's input and ablation."""

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import hall_requests  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import ABLATED_CHANNELS, INPUT_TAG, METHOD_TAG  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import build, store  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

NETWORKS = {"object": live.OBJECT, "one": live.own("Slow", seed=1), "two": live.own("Slow", seed=2)}
CUT = {"stem.conv": [1, 4, 7]}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bridge")
    with live.registered():
        live.start(torch_python, NETWORKS, {"objects": "concepts:object"}, folder)
        yield folder


@pytest.fixture
def file(folder):
    live.empty_file()
    current().error = ""


def opened(*inputs, **options) -> bpy.types.Scene:
    """A hall of a recording that only follows the network."""
    with live.bridge() as bridge:
        scene = build.create_hall(bridge.record("object", inputs, **options))
    actions.follow(scene, "object")
    return scene


def maps_about(method: str, *inputs, network: str = "object", **arguments) -> dict[str, np.ndarray]:
    """What another client gets for a method about inputs that it sends."""
    with live.bridge() as bridge:
        return live.job_maps(bridge, bridge.start(network, method, inputs=inputs, **arguments))


def asked(hall, method: str, **arguments) -> dict[str, np.ndarray]:
    actions.ask_method(hall, method, **arguments)
    actions.wait_for_bridge(hall)
    return live.texels(hall)


def shows(hall, wanted: dict[str, np.ndarray]) -> bool:
    """Whether the panels show these maps; those of other layers are empty."""
    return all(np.array_equal(found, wanted.get(id, found * 0)) for id, found in live.texels(hall).items())


def properties(hall) -> dict:
    """Those of the hall's scene that say what it has requested and shows."""
    return {key: value for key, value in hall.items() if isinstance(value, str)}


def differ(*found: dict) -> bool:
    return not any(live.equal(found[i], found[j]) for i in range(len(found)) for j in range(i))


@pytest.mark.parametrize("method", ["saliency", "grad_cam"])
def test_each_hall_is_asked_about_its_own_input_and_ablation(file, method):
    first, ablated, placed = live.built("object"), live.built("object"), opened(client.noise(7))
    actions.place_input(placed, noise=2)
    actions.place_input(ablated, noise=1)
    actions.ablate(ablated, "stem.conv", CUT["stem.conv"])
    actions.wait_for_bridge()
    wanted = [
        maps_about(method),
        maps_about(method, client.noise(1), ablate=CUT),
        maps_about(method, client.noise(2)),
    ]
    assert differ(*wanted)
    for hall in (first, ablated, placed):
        actions.ask_method(hall, method)
    actions.wait_for_bridge()
    for hall, expected in zip((first, ablated, placed), wanted, strict=True):
        assert shows(hall, expected)
    asked(first, method)
    assert shows(first, wanted[0])


def test_an_input_that_is_not_on_the_bridge(file):
    """The refused request changes nothing of the hall."""
    hall = opened(client.noise(7))
    before, known = live.texels(hall), properties(hall)
    for method in ("saliency", "grad_cam", "occlusion"):
        with pytest.raises(InputError, match=f"^{hall.name}: this hall's input isn't on the bridge; place an input"):
            actions.ask_method(hall, method)
    assert properties(hall) == known and INPUT_TAG not in hall and not current().has_queued
    assert live.equal(live.texels(hall), before) and hall_requests.method_of(hall) == "activations"
    averaged = asked(hall, "average", data="objects", parameters={"count": 3})
    assert live.equal(averaged, maps_about("average", data="objects", parameters={"count": 3}))
    known = properties(hall)
    with pytest.raises(InputError, match="place an input first"):
        actions.ask_method(hall, "saliency")
    assert properties(hall) == known and METHOD_TAG in hall and store.read_appearance(hall).method == "average"
    actions.wait_for_bridge(hall)
    assert live.equal(live.texels(hall), averaged)
    actions.place_input(hall, noise=3)
    actions.wait_for_bridge(hall)
    assert live.equal(asked(hall, "saliency"), maps_about("saliency", client.noise(3)))


def test_the_ablation_of_a_reopened_file_is_kept_without_its_input(file, tmp_path):
    hall = live.built("object")
    actions.ablate(hall, "stem.conv", CUT["stem.conv"])
    actions.wait_for_bridge()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    (hall,) = store.halls()
    with pytest.raises(InputError, match="place an input first"):
        actions.ask_method(hall, "saliency")
    request = {"data": "objects", "parameters": {"count": 3}}
    found = asked(hall, "average", **request)
    with live.bridge() as bridge:
        wanted = live.job_maps(bridge, bridge.start("object", "average", ablate=CUT, **request))
    assert live.equal(found, wanted) and differ(wanted, maps_about("average", **request))


def test_inputs_are_sent_again_once_the_bridge_has_forgotten_the_run(file):
    hall, ablated = live.built("object"), live.built("object")
    actions.place_input(ablated, noise=1)
    actions.ablate(ablated, "stem.conv", CUT["stem.conv"])
    actions.wait_for_bridge()
    with live.bridge() as bridge:
        for seed in range(256):
            bridge.record("one", [client.noise(seed)], layers=["a"])
    assert live.equal(asked(hall, "saliency"), maps_about("saliency"))
    assert live.equal(asked(ablated, "saliency"), maps_about("saliency", client.noise(1), ablate=CUT))


def test_a_method_is_about_what_undo_has_brought_back(file):
    hall = live.built("object")
    bpy.context.window.scene = hall
    bpy.ops.ed.undo_push(message="start")
    assert bpy.ops.innerwalk.place_input("EXEC_DEFAULT", True, noise=1) == {"FINISHED"}
    actions.wait_for_bridge(hall)
    assert bpy.ops.innerwalk.ablate("EXEC_DEFAULT", True, layer="stem.conv", channels="1,4,7") == {"FINISHED"}
    actions.wait_for_bridge(hall)
    assert bpy.ops.ed.undo() == {"FINISHED"}
    (hall,) = store.halls()
    actions.wait_for_bridge(hall)
    assert ABLATED_CHANNELS not in hall
    assert live.equal(asked(hall, "saliency"), maps_about("saliency", client.noise(1)))


@pytest.mark.parametrize("content", ["Texels", "Peaks"])
def test_panels_whose_images_are_of_another_method_are_cleared(file, content):
    """In a window, undo restores a panel of one Grad-CAM tile, but leaves its images, which hold 24 activations."""
    hall = live.built("object")
    stale = panels.find_panel(hall, "stage1.0.conv1")
    assert panels.holds_maps(stale)
    panels.image_of(stale, content).scale(1, 1)
    assert not panels.holds_maps(stale)
    hall_requests.clear_stale_panels(hall)
    assert panels.holds_maps(stale) and not panels.map_of(stale, 3).any()
    assert panels.map_of(panels.find_panel(hall, "stem.conv"), 3).any()


def test_a_hall_that_follows_another_network_keeps_its_input(file):
    hall = live.built("one")
    actions.place_input(hall, noise=4)
    actions.wait_for_bridge()
    first = asked(hall, "saliency")
    actions.follow(hall, "two")
    wanted = maps_about("saliency", client.noise(4), network="two")
    assert live.equal(asked(hall, "saliency"), wanted) and differ(first, wanted)


def test_a_method_without_input_is_repeated_for_another_network(file):
    hall = live.built("one")
    request = {"data": "objects", "parameters": {"count": 3}}
    first = asked(hall, "average", **request)
    actions.follow(hall, "two")
    actions.place_input(hall, noise=4)
    actions.wait_for_bridge()
    wanted = maps_about("average", network="two", **request)
    assert live.equal(live.texels(hall), wanted) and differ(first, wanted)
