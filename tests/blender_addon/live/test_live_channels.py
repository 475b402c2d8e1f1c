"""Methods on one layer or one channel of a live hall: on panels, as texts, and laid over the input."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_SHOWN_LAYER  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.dressing import input_overlay  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.paint import pictures  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_metadata  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child, find_part  # noqa: E402
from innerwalk.blender_addon.ui.bridge import method_panel as form  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402

LAYER = "stage3.1.conv2"


@pytest.fixture(scope="module")
def bridge(torch_python, tmp_path_factory):
    with live.registered():
        live.start(torch_python, {"object": live.OBJECT}, {"objects": "concepts:object"}, tmp_path_factory.mktemp("b"))
        yield


@pytest.fixture
def hall(bridge):
    live.empty_file()
    current().error = ""
    return live.built("object")


def show_method(hall, *arguments, **keywords) -> dict[str, np.ndarray]:
    """Run a method until all its maps are shown; returns the texels by layer."""
    actions.ask_method(hall, *arguments, **keywords)
    actions.wait_for_bridge(hall)
    return live.texels(hall)


def test_a_layer_is_meant_by_its_panel_and_others_are_empty(hall):
    shown = show_method(hall, "saliency", layers=LAYER, channels="3,70")
    panel = panels.panel_of(hall, LAYER)
    own = panel[PANEL_SHOWN_LAYER]
    assert own == "stage3.1.norm2"
    job = current().job(hall["innerwalk_work"])
    assert (job["what"]["layers"], job["what"]["channels"]) == ([own], [3, 70])
    maps = store.read_maps(panel, own, "saliency")
    assert maps.frame == "input"
    assert maps.channel_numbers == (3, 70) and maps.data.any((1, 2)).all()
    assert (panels.channel_places(panel) >= 0).nonzero()[0].tolist() == [3, 70]
    assert not any(texels.any() for id, texels in shown.items() if id != own)


def test_a_wrong_channel_is_an_error(hall):
    actions.ask_method(hall, "saliency", layers=[LAYER], channels=[99])
    with pytest.raises(Exception, match="channels 0 to 71; there is no channel 99"):
        actions.wait_for_bridge(hall)


def test_one_map_of_a_class_stands_on_its_panel_and_over_the_input(hall):
    show_method(hall, "grad_cam", {"of_class": 4}, layers=[LAYER])
    panel = panels.panel_of(hall, LAYER)
    assert panels.channel_count(panel) == 1
    assert panel_metadata.read_metadata(panel).labels == ("ring",)
    actions.overlay(hall, LAYER, 5)
    holder = find_child(find_part(hall, "input"), "overlay")
    first = pictures.read_pixels(pictures.picture_image(holder))
    actions.place_input(hall, noise=3)
    actions.wait_for_bridge(hall)
    live.settled()
    actions.wait_for_bridge(hall)
    second = pictures.read_pixels(pictures.picture_image(holder))
    assert not np.array_equal(first, second) and not holder.hide_render
    actions.show_activations(hall)
    live.settled()
    assert panels.channel_count(panel) == 72 and holder.hide_render
    assert input_overlay.overlay_channel(hall) == (LAYER, 5)
    actions.overlay(hall)
    assert find_child(find_part(hall, "input"), "overlay") is None


def test_the_form_asks_about_what_is_selected(hall):
    assert form.method_target(hall, "panels") == ("panels", "", "")
    actions.select(hall, "")
    assert form.method_target(hall, "layer")[2] == "Click a panel first"
    actions.select(hall, LAYER)
    assert form.method_target(hall, "layer") == (LAYER, "", "")
    assert form.method_target(hall, "channel")[2] == "Click a tile first"
    actions.select(hall, LAYER, 7)
    assert form.method_target(hall, "channel") == (LAYER, "7", "")


def test_a_class_has_its_name_in_the_form(hall):
    assert form.class_name(hall, 4) == "ring"
    assert form.class_name(hall, -1) == "Predicted class"
    assert form.class_name(hall, 99) == "class 99"


def test_the_operator_takes_numbers_and_says_what_is_none(hall):
    operator_arguments = {"method": "saliency", "layers": LAYER}
    assert bpy.ops.innerwalk.ask_method(**operator_arguments, channels="1, 2") == {"FINISHED"}
    assert current().method_request(hall["innerwalk_work"]).arguments["channels"] == [1, 2]
    with pytest.raises(RuntimeError, match="'one' is not a list of channels; write it like 0,3,8-11"):
        bpy.ops.innerwalk.ask_method(**operator_arguments, channels="one")
    with pytest.raises(RuntimeError, match="parameters 'seed=1': not a JSON object"):
        bpy.ops.innerwalk.ask_method(**operator_arguments, parameters="seed=1")
    actions.wait_for_bridge(hall)
