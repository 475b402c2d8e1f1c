"""Properties of .blend files that strangers have changed: a hall is read, or refused in one line."""

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import InnerwalkError, SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.bench import fuzz_blends  # noqa: E402
from innerwalk.blender_addon import properties  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall, rebuild_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_metadata, panels  # noqa: E402


@pytest.fixture
def hall(empty_scene, recorded):
    return create_hall(rec.load(recorded))


WRONG = {
    "gain": (lambda hall: hall, properties.COLOUR_GAIN, "seven", "a number above 0"),
    "no gain": (lambda hall: hall, properties.COLOUR_GAIN, None, "a number above 0"),
    "row": (lambda hall: hall, properties.COLOUR_MAP, [9.0, 1.0, 0.0], "a row 0..1"),
    "weights": (lambda hall: hall, properties.PEAK_WEIGHTS, [1.0, 1.0, 0.0], "1 for one of three"),
    "grid": (lambda hall: panels(hall)["a"], properties.PANEL_GRID, [0.0, 2.0, 1.0, 1.0], "columns, rows"),
    "place": (lambda hall: panels(hall)["a"], properties.PANEL_PLANNED_PLACE, [1.0] * 15, "16 finite numbers"),
    "id": (lambda hall: panels(hall)["a"], properties.PANEL_LAYER_ID, 3, "a text"),
    "channels": (lambda hall: panels(hall)["a"], properties.PANEL_CHOSEN_CHANNELS, [1 << 30], "are of other channels"),
    "maps": (lambda hall: panels(hall)["a"], properties.PANEL_MAP_COUNT, 6, "5 points, fewer than maps"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_property_of_another_kind_is_named(hall, name):
    find, key, value, words = WRONG[name]
    block = find(hall)
    if value is None:
        del block[key]
    else:
        block[key] = value
    with pytest.raises(SceneError, match=words):
        rebuild_hall(hall)


@pytest.mark.parametrize("key", [properties.HALL_RECORDING, properties.HALL_NETWORK_GRAPH])
@pytest.mark.parametrize("text", ["", "[1]", "{", "7", '{"dress": []}', '{"layers": 3}', "[" * 100_000])
def test_a_text_of_another_kind_is_refused(hall, key, text):
    hall[key].clear()
    hall[key].write(text)
    with pytest.raises(InnerwalkError) as caught:
        rebuild_hall(hall)
    assert "\n" not in str(caught.value)


def test_an_image_of_another_size_is_refused(hall):
    image = panels(hall)["a"].data.materials[0].node_tree
    shown = next(node.image for node in image.nodes if getattr(node, "image", None))
    for node in image.nodes:
        if getattr(node, "image", None):
            node.image = bpy.data.images.new("odd", 7, 1, float_buffer=True)
    assert shown.size[0] != 7
    with pytest.raises(SceneError, match="its image doesn't hold its maps"):
        store.read_recording(hall)


def test_a_number_of_a_method_never_replaces_the_points_own(hall):
    """An extra named like an attribute that the tiles are made from would move or renumber them."""
    panel, maps = panels(hall)["a"], store.read_recording(hall).maps("a")
    names = ("channel", "place", "layer", "position", ".hidden", "fine")
    numbers = {name: np.float32([9, 8, 7, 6, 5]) for name in names}
    panel_metadata.write_metadata(panel, rec.Maps("a", "odd", maps.texels, 5, extras=numbers))
    assert list(panel_metadata.read_numbers(panel)) == ["fine"]
    found = np.zeros(5, np.int32)
    panel.data.attributes["channel"].data.foreach_get("value", found)
    assert found.tolist() == [0, 1, 2, 3, 4]


def test_a_stored_text_has_short_lines_and_reads_back(hall, recorded):
    recording = rec.load(recorded)
    recording.provenance["note"] = 'a "quote" \\ and 日本 ' * 1000
    store.write_recording(hall, recording, store.Appearance())
    assert max(len(line.body) for line in hall[properties.HALL_RECORDING].lines) <= 120
    assert store.read_description(hall).provenance == recording.provenance


def test_mutants_of_properties(empty_scene):
    counts = fuzz_blends.try_mutants(50, seed=1)
    assert counts.tried == 50 and counts.wrong == [] and counts.refused > 5
