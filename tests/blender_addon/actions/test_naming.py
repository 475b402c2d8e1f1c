"""People name units in a hall: names stay with it, are drawn, searched and exchanged, and marked pictures count."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import naming  # noqa: E402
from innerwalk.blender_addon.live.hall_requests import set_method  # noqa: E402
from innerwalk.blender_addon.naming.unit_names import read_names  # noqa: E402
from innerwalk.blender_addon.properties import ANNOTATION_ATTRIBUTE, MISFIT_MARKS, PANEL_NAMES  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of  # noqa: E402
from innerwalk.blender_addon.scene.panels.label_search import label_names, names_by_category  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402


@pytest.fixture
def hall(recorded):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(rec.load(recorded))
    bpy.context.window.scene = scene
    actions.select(scene, "a", 1)
    return scene


def drawn_faces(scene) -> int:
    """Number of faces that are drawn on the frame of layer a."""
    mesh = find_child(panel_of(scene, "a"), "frame").data
    attribute = mesh.attributes.get(ANNOTATION_ATTRIBUTE)
    return int(np.sum([item.value for item in attribute.data])) if attribute is not None else 0


def test_a_name_is_kept_drawn_searched_and_stated(hall, tmp_path):
    before = drawn_faces(hall)
    assert actions.name_unit(hall, "lamp", "object", rater="Ann B") == "a, channel 1: lamp (object) by Ann B"
    after = drawn_faces(hall)
    assert after > before
    actions.name_unit(hall, "desk lamp", "object part", rater="Ben")
    facts = dict(actions.inspect_channel(hall, "a", 1).facts)
    assert facts["Named"] == "lamp (object) by Ann B · desk lamp (object part) by Ben"
    assert label_names(hall) == ["desk lamp", "lamp"]
    assert names_by_category(hall) == {"object": {"lamp": 1}, "object part": {"desk lamp": 1}}
    assert actions.find_label(hall, "lamp").startswith("a, channel 1: lamp")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    [scene] = store.halls()
    assert [name.word for name in naming.given_names(scene)] == ["lamp", "desk lamp"]
    actions.remove_name(scene, "a", 1, "Ann B")
    actions.remove_name(scene, "a", 1, "Ben")
    assert PANEL_NAMES not in panel_of(scene, "a") and drawn_faces(scene) == before


def test_a_persons_second_name_replaces_the_first(hall):
    for word in ("lamp", "candle"):
        actions.name_unit(hall, word, "object", rater="Ann")
    assert [(name.word, name.rater) for name in naming.given_names(hall)] == [("candle", "Ann")]
    assert naming.words_used(hall) == ["candle"]


def test_marked_pictures_are_those_of_the_selected_channel(hall):
    with pytest.raises(InputError, match="there is no picture 1; show top images first"):
        actions.mark_misfit(hall, 1)
    set_method(hall, "top_images")
    for picture in (3, 9, 1, 3):
        actions.mark_misfit(hall, picture)
    assert naming.marked_misfits(hall, "a", 1) == (1, 9)
    with pytest.raises(InputError, match="there is no picture 10; 1 to 9"):
        actions.mark_misfit(hall, 10)
    actions.name_unit(hall, "lamp", "object")
    [name] = naming.given_names(hall)
    assert (name.shown, name.misfits) == (9, (1, 9)) and MISFIT_MARKS not in hall
    actions.mark_misfit(hall, 2)
    actions.select(hall, "a", 2)
    assert naming.marked_misfits(hall, "a", 2) == ()
    hall[MISFIT_MARKS] = '{"layer": 7}'
    with pytest.raises(SceneError, match="damaged|innerwalk_misfits"):
        naming.marked_misfits(hall, "a", 2)


def test_names_are_exchanged_by_files(hall, recorded, tmp_path):
    with pytest.raises(SceneError, match="no unit of this hall has a name yet"):
        actions.export_names(hall, tmp_path / "ann.jsonl")
    actions.name_unit(hall, "lamp", "object", rater="Ann")
    actions.export_names(hall, tmp_path / "ann.jsonl")
    other = create_hall(rec.load(recorded))
    assert actions.import_names(other, tmp_path / "ann.jsonl") == "imported 1 name by Ann"
    assert naming.given_names(other) == naming.given_names(hall) == read_names(tmp_path / "ann.jsonl")
    assert drawn_faces(other) == drawn_faces(hall) > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network": "f00"}, "names of another network (f00); this hall's is "),
        ({"layer": "zz"}, "the hall has no channel 1 of zz"),
        ({"unit": 4000}, "the hall has no channel 4000 of a"),
    ],
)
def test_a_file_about_something_else_changes_nothing(hall, tmp_path, change, said):
    actions.name_unit(hall, "lamp", "object", rater="Ann")
    actions.export_names(hall, tmp_path / "ann.jsonl")
    line = (tmp_path / "ann.jsonl").read_text("utf-8")
    (tmp_path / "two.jsonl").write_text(line.replace("lamp", "dog") + json.dumps(json.loads(line) | change), "utf-8")
    with pytest.raises(InputError) as caught:
        actions.import_names(hall, tmp_path / "two.jsonl")
    assert said in str(caught.value)
    assert [name.word for name in naming.given_names(hall)] == ["lamp"]


def test_wrong_names_are_refused_in_one_line(hall):
    with pytest.raises(InputError, match="category 'thing' isn't one of"):
        actions.name_unit(hall, "lamp", "thing")
    with pytest.raises(InputError, match="word is missing"):
        actions.name_unit(hall, " ", "object")
    with pytest.raises(InputError, match="there is no channel 99"):
        actions.name_unit(hall, "lamp", "object", "a", 99)
    with pytest.raises(UnknownName):
        actions.name_unit(hall, "lamp", "object", "nowhere", 0)
    with pytest.raises(InputError, match="misfits must be numbers of pictures, 1 to the 0 shown"):
        actions.name_unit(hall, "lamp", "object", misfits=[2, 7])
    with pytest.raises(InputError, match="has no name by Cy"):
        actions.remove_name(hall, rater="Cy")
    actions.select(hall, "")
    with pytest.raises(SceneError, match="no channel is selected"):
        actions.name_unit(hall, "lamp", "object")
    assert naming.given_names(hall) == []


def test_a_hall_holds_names_by_fifty_people(hall):
    for number in range(50):
        actions.name_unit(hall, "lamp", "object", misfits=[1], shown=4, rater=f"rater {number}")
    with pytest.raises(InputError, match="names by 51 people; at most 50"):
        actions.name_unit(hall, "lamp", "object", rater="one more")
    assert {name.precision for name in naming.given_names(hall)} == {0.75}


@pytest.mark.parametrize("text", ["[", "5", '{"network": 1}', "\0"])
def test_a_strangers_file_can_be_shown(hall, text):
    panel_of(hall, "a")[PANEL_NAMES] = text
    assert naming.given_names(hall) == []
    actions.name_unit(hall, "lamp", "object")
    assert len(naming.given_names(hall)) == 1
