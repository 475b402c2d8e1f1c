"""What channels detect stays on their panel: it is read, searched and listed while other maps are shown."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_CONCEPTS  # noqa: E402
from innerwalk.blender_addon.scene.dressing.title_caption import shown_caption  # noqa: E402
from innerwalk.blender_addon.scene.hall import series, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, show_maps  # noqa: E402
from innerwalk.blender_addon.scene.panels.concepts import DetectedConcept, read_concepts  # noqa: E402
from innerwalk.blender_addon.scene.panels.label_search import (  # noqa: E402
    concept_channels,
    label_names,
    labelled_channels,
    names_by_category,
)
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, SeriesWriter  # noqa: E402
from innerwalk.torch_bridge.recording.charts import Chart  # noqa: E402

CATEGORIES = ("shape", "colour")
CHART = Chart("bars", "unique detectors", ("a",), CATEGORIES, ((1, 1),), "layer", "different concepts", "category")
RING, BLUE = DetectedConcept("ring", 0.31, "shape"), DetectedConcept("light blue", 0.125, "colour")


def dissected(layer: str, channels: int, known: dict[int, DetectedConcept], numbers: tuple[int, ...] = ()) -> Maps:
    """Maps of Network Dissection whose channels detect what is known."""
    shown = numbers or tuple(range(channels))
    extras = {
        "values": np.array([known[k].iou if k in known else 0.01 for k in shown], np.float32),
        "category": np.array([CATEGORIES.index(known[k].category) + 1 if k in known else 0 for k in shown], np.int32),
    }
    labels = tuple(known[k].label if k in known else "" for k in shown)
    texels = np.full((len(shown), 4, 4, 4), 0.5, np.float32)
    maps = Maps(layer, "dissection", texels, len(shown), True, "input", labels, extras, channel_numbers=numbers)
    return Maps(**(vars(maps) | {"charts": (CHART,)}))


@pytest.fixture
def hall(recorded):
    """A hall of activations: of layer a, channels 1 and 3 detect a ring, and 4 something blue; of b, 0 a ring."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(rec.load(recorded))
    for layer, known in (("a", {1: RING, 3: RING, 4: BLUE}), ("b", {0: RING})):
        panel = panel_of(scene, layer)
        before = store.read_maps(panel, layer, "activations")
        show_maps(panel, dissected(layer, len(panel.data.vertices), known))
        show_maps(panel, before)
    return scene


def test_concepts_stay_when_other_maps_are_shown(hall):
    found = read_concepts(panel_of(hall, "a"))
    assert [(k, own.name, own.category) for k, own in found.items()] == [
        (1, "ring", "shape"), (3, "ring", "shape"), (4, "light blue", "colour")
    ]  # fmt: skip
    assert found[4].iou == pytest.approx(0.125) and found[1].text == "ring .31 (shape)"
    assert read_concepts(panel_of(hall, "fc")) == {}


def test_a_later_dissection_of_some_channels_changes_only_these(hall):
    panel = panel_of(hall, "a")
    show_maps(panel, dissected("a", 5, {1: BLUE}, numbers=(1, 3)))
    assert {k: own.name for k, own in read_concepts(panel).items()} == {1: "light blue", 4: "light blue"}


def test_they_are_facts_of_the_channel_beside_its_values(hall):
    facts = dict(actions.inspect_channel(hall, "a", 1).facts)
    assert facts["Detects"] == "ring, IoU 0.31" and facts["Category"] == "shape" and "Range" in facts
    assert "Detects" not in dict(actions.inspect_channel(hall, "a", 0).facts)
    show_maps(panel_of(hall, "a"), dissected("a", 5, {1: RING}))
    facts = [name for name, _ in actions.inspect_channel(hall, "a", 1).facts]
    assert facts.count("Category") == 1 and "Stands for" not in facts


def test_the_value_under_the_cursor_names_them(hall):
    assert actions.probe(hall, "a", 1, 0, 0).startswith("a · channel 1 · ring .31 (shape) · (0, 0) = ")
    assert actions.probe(hall, "a", 0, 0, 0).startswith("a · channel 0 · (0, 0) = ")


def test_they_are_searched_and_listed(hall):
    assert [own[:2] for own in labelled_channels(hall, "RING")] == [("a", 1), ("a", 3), ("b", 0)]
    assert label_names(hall) == ["light blue", "ring"]
    assert concept_channels(hall) == {"ring": {"a": [1, 3], "b": [0]}, "light blue": {"a": [4]}}
    assert names_by_category(hall) == {"colour": {"light blue": 1}, "shape": {"ring": 3}}
    assert actions.find_label(hall, "blue") == "a, channel 4: light blue .12 (1 of 1)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[[1]]",
        '[["x", "ring", 0.3, "shape"]]',
        '[[1, "ring", "y", ""]]',
        '[[1e999, "ring", 0.3, "shape"]]',
    ],
)
def test_a_damaged_text_is_no_concepts(hall, text):
    panel = panel_of(hall, "a")
    panel[PANEL_CONCEPTS] = text
    assert read_concepts(panel) == {}
    assert "Detects" not in dict(actions.inspect_channel(hall, "a", 1).facts)


def written(folder, recording, axis: str, *own: dict[int, DetectedConcept] | None):
    """A series of the recording, whose entries detect what is given in layer a; None for no dissection."""
    with SeriesWriter(folder, axis) as writer:
        for k, known in enumerate(own):
            entry = rec.load(recording)
            if known is not None:
                entry.add([dissected("a", 5, known)])
            writer.add(f"{axis} {k}", entry)
    return folder


def test_entries_of_a_series_bring_their_own_concepts(hall, recorded, tmp_path):
    series.open_series(hall, written(tmp_path / "s", recorded, "epoch", {}, {2: BLUE}))
    assert concept_channels(hall) == {}
    actions.show_position(hall, 1)
    assert concept_channels(hall) == {"light blue": {"a": [2]}}


@pytest.mark.parametrize(("axis", "stay"), [("frame", True), ("epoch", False), ("checkpoint", False)])
def test_other_weights_detect_other_things(hall, recorded, tmp_path, axis, stay):
    before = concept_channels(hall)
    series.open_series(hall, written(tmp_path / "s", recorded, axis, None, None))
    assert concept_channels(hall) == (before if stay else {})


def test_an_entry_without_a_dissection_keeps_no_other_checkpoints_concepts(hall, recorded, tmp_path):
    series.open_series(hall, written(tmp_path / "s", recorded, "epoch", {2: BLUE}, None))
    assert concept_channels(hall) == {"light blue": {"a": [2]}}
    actions.show_position(hall, 1)
    assert concept_channels(hall) == {}


def test_the_slider_shows_the_nearest_entry_and_moves_the_timeline_where_it_is_keyed(hall, recorded, tmp_path):
    from innerwalk.blender_addon.ui.hall import series_panel

    series.open_series(hall, written(tmp_path / "s", recorded, "epoch", None, None, None))
    for share, position in ((100, 2), (60, 1), (0, 0), (24, 0), (26, 1)):
        series_panel._set_share(hall, share)
        assert series.position_at(hall, hall.frame_current_final) == position
        assert series_panel._get_share(hall) == pytest.approx(50 * position)
    actions.key_series(hall, first=10, step=4)
    series_panel._set_share(hall, 100)
    assert hall.frame_current == 18 and series_panel._get_share(hall) == 100
    assert actions.show_position(hall, 1) == "1: epoch 1" and hall.frame_current == 14
    actions.close_series(hall)
    assert series_panel._get_share(hall) == 0


def title_colours(scene) -> np.ndarray:
    """(points, 4) of the title board's mesh: its colours."""
    board = next(holder for holder in scene.objects if holder.get("innerwalk_role") == "title")
    colours = np.zeros(4 * len(board.data.vertices), np.float32)
    board.data.attributes["paint"].data.foreach_get("color", colours)
    return colours.reshape(-1, 4)


def test_the_title_says_which_checkpoint_is_shown(hall, recorded, tmp_path):
    plain = title_colours(hall)
    series.open_series(hall, written(tmp_path / "s", recorded, "epoch", None, None))
    first, text = title_colours(hall), sum(map(str.isalnum, "epoch 0"))
    assert len(first) > len(plain) + 4 * text
    assert np.array_equal(first[: len(plain)], plain)
    board = next(holder for holder in hall.objects if holder.get("innerwalk_role") == "title")
    name, label = board.data.name, lambda: series.hall_collection(hall).get("innerwalk_entry")
    assert label() == "epoch 0"
    actions.show_position(hall, 1)
    assert label() == "epoch 1" and board.data.name == name
    assert shown_caption(hall, "activations") == "Activations, epoch 1"
    actions.show_look(hall, theme="paper")
    assert label() == "epoch 1" and len(title_colours(hall)) > len(plain)
    series.close_series(hall)
    series.open_series(hall, written(tmp_path / "t", recorded, "frame", None, None))
    assert label() is None and len(title_colours(hall)) == len(plain)
