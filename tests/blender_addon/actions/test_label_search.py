"""Labels are found in all panels: by the action, by scripts and in the list of layers."""

from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.scene.hall import build, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.panels.label_search import label_names, labelled_channels  # noqa: E402
from innerwalk.blender_addon.scripting.hall import Hall  # noqa: E402
from innerwalk.blender_addon.ui.hall.layer_list import INNERWALK_UL_layers  # noqa: E402
from innerwalk.tests.support import endpoint_recordings  # noqa: E402
from innerwalk.torch_bridge.recording import Maps  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402


@pytest.fixture
def hall():
    """Channels of all layers are labelled ring, blue and nothing in turn; of the first layer only 1 and 3 have maps."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    recording = endpoint_recordings.lstm()
    for place, layer in enumerate(recording.network.folded()[0]):
        count = layer.map_shape[0]
        numbers = tuple(range(count)) if place else (1, 3)
        labels = tuple(("ring .31", "Blue .12", "")[k % 3] for k in numbers)
        texels = np.ones((len(numbers), 2, 2, 4), np.float32)
        maps = Maps(layer.shows or layer.id, "dissection", texels, len(numbers), True, "input", labels)
        recording.add([Maps(**(vars(maps) | {"channel_numbers": () if place else numbers}))])
    return build.create_hall(recording, Appearance(method="dissection"))


def expected(hall, rest: int) -> list[tuple[str, int]]:
    layers = [layer for layer in store.read_description(hall).network.folded()[0]]
    numbers = [(1, 3) if not place else range(layer.map_shape[0]) for place, layer in enumerate(layers)]
    return [(layer.id, k) for layer, own in zip(layers, numbers, strict=True) for k in own if k % 3 == rest]


def test_channels_are_found_by_their_labels_in_the_networks_order(hall):
    assert [own[:2] for own in labelled_channels(hall, "RING")] == expected(hall, 0)
    assert [own[:2] for own in labelled_channels(hall, "blue")] == expected(hall, 1)
    assert label_names(hall) == ["Blue", "ring"]


def test_the_next_one_is_selected_and_after_the_last_the_first(hall):
    wanted = expected(hall, 0)
    for step, own in enumerate([*wanted, wanted[0]]):
        line = actions.find_label(hall, "ring")
        assert tuple(actions.selected(hall)) == own
        assert line == f"{own[0]}, channel {own[1]}: ring .31 ({step % len(wanted) + 1} of {len(wanted)})"
    actions.select(hall, wanted[0][0], 1)
    actions.find_label(hall, "ring")
    assert tuple(actions.selected(hall)) == wanted[0]  # the selected one has another label


@pytest.mark.parametrize(
    ("text", "said"), [("rong", "did you mean ring"), ("", "channel with the label"), ("x" * 9, "x")]
)
def test_a_label_that_no_channel_has_is_one_line(hall, text, said):
    with pytest.raises(UnknownName) as raised:
        actions.find_label(hall, text)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_scripts_get_all_of_them(hall):
    found = Hall(hall).find_label("ring")
    assert [(own.panel.layer, own.number) for own in found] == expected(hall, 0)
    assert Hall(hall).selected == found[0] or Hall(hall).selected.number == found[0].number


def test_the_list_of_layers_is_searched_by_labels_too(hall):
    shown, panels = [], store.panels_by_layer(hall).values()
    for text in ("blue", "nothing"):
        row = SimpleNamespace(filter_name=text, bitflag_filter_item=7, bitflag_item_never_show=1)
        shown.append([INNERWALK_UL_layers._flag(row, panel) for panel in panels])
    layers = {layer for layer, _ in expected(hall, 1)}
    assert [flag == 7 for flag in shown[0]] == [panel["innerwalk_id"] in layers for panel in panels]
    assert not any(shown[1])
