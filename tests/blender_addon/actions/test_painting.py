"""A brush on the maps of a generator: its picture and the panels behind the layer change where it paints, undoably."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import clicking  # noqa: E402
from innerwalk.blender_addon.actions.ablating import paint_along  # noqa: E402
from innerwalk.blender_addon.imaging.brush_cells import brush_cells  # noqa: E402
from innerwalk.blender_addon.live import stored_choices  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import ARTEFACT_VOTES, BRUSH, STROKES  # noqa: E402
from innerwalk.blender_addon.scene.hall import ray_hits  # noqa: E402
from innerwalk.blender_addon.scene.hall.ray_hits import Hit  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of  # noqa: E402
from innerwalk.blender_addon.scene.panels.concepts import read_concepts  # noqa: E402
from innerwalk.blender_addon.scripting import Hall  # noqa: E402
from innerwalk.blender_addon.time_slicing import run_all  # noqa: E402
from innerwalk.blender_addon.vr import outlines, walk_drawing  # noqa: E402
from innerwalk.blender_addon.vr.display import card_content  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402

NETWORKS = {
    "painter": {"model": "own_networks:Painter", "inputs": ["noise:1"]},
    "flawed": {"model": "own_networks:FlawedPainter", "inputs": ["noise:1"]},
}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bridge")
    with live.registered():
        live.start(torch_python, NETWORKS, {}, folder)
        yield folder


@pytest.fixture
def hall(folder):
    live.empty_file()
    current().error = ""
    return live.built("painter")


def shown(scene, layer: str) -> np.ndarray:
    """(C, H, W) of the maps that a panel holds."""
    texels = live.texels(scene)[layer]
    cells, height, width, _ = texels.shape
    return texels.transpose(0, 3, 1, 2).reshape(4 * cells, height, width)[:3]


def act(name: str, **arguments) -> None:
    assert getattr(bpy.ops.innerwalk, name)("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
    actions.wait_for_bridge(bpy.context.scene)


def test_ablation_removes_a_units_bar_where_the_brush_is(hall):
    before = shown(hall, "units")
    rows, columns = np.nonzero(before[1])
    assert len(rows) == 12
    picture = live.picture(hall, "answer")
    spot = (columns.mean() + 0.5) / 12, (rows.mean() + 0.5) / 12
    assert actions.take_brush(hall, "units", [1], size=0.5).startswith("brush: ablate channel 1 of units")
    assert actions.paint_at(hall, *spot) == "ablate channel 1 of units: 26 places"
    actions.wait_for_bridge(hall)
    after = shown(hall, "units")
    assert not after[1].any() and np.array_equal(after[[0, 2]], before[[0, 2]])
    changed = np.flatnonzero((live.picture(hall, "answer") != picture).any((0, 1)))
    assert changed.tolist() == [1] and (picture[..., 1] > 200).sum() and not live.picture(hall, "answer")[..., 1].any()


def test_insertion_gives_the_level_where_the_unit_is_active(hall):
    cells = [[0, 0], [11, 11]]
    act("paint", layer="units", channels="2", cells=json.dumps(cells), insert=True)
    after = shown(hall, "units")
    assert after[2, 0, 0] == after[2, 11, 11] == 1.0
    assert (live.picture(hall, "answer")[:2, :2, 2] == 255).all()


def test_undo_takes_a_stroke_back(hall):
    before = shown(hall, "units")
    bpy.ops.ed.undo_push(message="before")
    act("paint", layer="units", channels="2", cells="[[0, 0]]", insert=True)
    assert shown(bpy.context.scene, "units")[2, 0, 0] == 1
    bpy.ops.ed.undo()
    actions.wait_for_bridge(bpy.context.scene)
    assert STROKES not in bpy.context.scene and np.array_equal(shown(bpy.context.scene, "units"), before)


def test_strokes_add_up_until_they_are_cleared(hall):
    before = shown(hall, "units")
    actions.take_brush(hall, "units", [0, 1, 2], insert=True, size=0.01)
    for spot in ((0.01, 0.01), (0.99, 0.01)):
        actions.paint_at(hall, *spot)
    actions.wait_for_bridge(hall)
    assert [stroke["cells"] for stroke in stored_choices.painted_strokes(hall)] == [[[0, 0]], [[0, 11]]]
    assert (shown(hall, "units")[:, 0, [0, 11]] == 1).all()
    actions.put_brush_away(hall)
    assert actions.clear_strokes(hall) == "cleared 2 strokes"
    actions.wait_for_bridge(hall)
    assert np.array_equal(shown(hall, "units"), before) and STROKES not in hall
    with pytest.raises(InputError, match="nothing is painted"):
        actions.clear_strokes(hall)


def test_the_last_stroke_alone_is_taken_back(hall):
    actions.take_brush(hall, "units", [0, 1, 2], insert=True, size=0.01)
    for spot in ((0.01, 0.01), (0.99, 0.01)):
        actions.paint_at(hall, *spot)
    assert actions.clear_strokes(hall, count=1) == "cleared 1 stroke"
    actions.wait_for_bridge(hall)
    assert [stroke["cells"] for stroke in stored_choices.painted_strokes(hall)] == [[[0, 0]]]
    act("clear_strokes", count=1)
    assert STROKES not in bpy.context.scene


def test_a_drag_is_one_stroke(hall):
    actions.take_brush(hall, "units", [0], insert=True, size=0.1)
    paint_along(hall, [(0.04, 0.9)], [])
    paint_along(hall, [(0.04, 0.9), (0.13, 0.9)], [])
    actions.wait_for_bridge(hall)
    assert [stroke["cells"] for stroke in stored_choices.painted_strokes(hall)] == [[[10, 0], [10, 1]]]


def test_a_click_paints_while_a_brush_is_held(hall):
    hit = Hit("panel", "enlarge", 0, (0.5, 0.5), object=panel_of(hall, "enlarge").name)
    assert clicking.ON_CLICK["panel"](hall, hit) == "enlarge, channel 0"
    actions.take_brush(hall, "units", [0])
    assert clicking.ON_CLICK["panel"](hall, hit).startswith("ablate channel 0 of units")
    actions.wait_for_bridge(hall)
    assert not shown(hall, "units")[0, 5:7, 5:7].any()
    actions.put_brush_away(hall)
    assert BRUSH not in hall and clicking.ON_CLICK["panel"](hall, hit) == "enlarge, channel 0"


def aim_at_answer(hall, across: float, down: float) -> Hit:
    """What a ray hits that comes from the front to a place of the generated picture."""
    depsgraph = ray_hits.evaluated_depsgraph(hall)
    holder = live.of_role(hall, "answer").evaluated_get(depsgraph)
    corners = np.array(holder.bound_box)
    low, high = corners.min(0), corners.max(0)
    inner = low[0] + across * (high[0] - low[0]), high[1] - down * (high[1] - low[1])
    eye, place = (holder.matrix_world @ Vector((*inner, z)) for z in (1.0, 0.0))
    return ray_hits.pick(hall, depsgraph, eye, place - eye)


@pytest.mark.parametrize("spot", [(0.1, 0.2), (0.9, 0.6)])
def test_a_brush_paints_on_the_generated_picture(hall, spot):
    hit = aim_at_answer(hall, *spot)
    assert hit.role == "answer" and hit.spot == pytest.approx(spot, abs=1e-3)
    assert not clicking.has_effect(hall, hit) and outlines.outline_of(hall, hit) is None
    actions.take_brush(hall, "units", [0, 1, 2], insert=True, size=0.01)
    assert clicking.has_effect(hall, hit)
    assert clicking.ON_CLICK["answer"](hall, hit) == "insert 3 channels of units: 1 place"
    actions.wait_for_bridge(hall)
    row, column = int(spot[1] * 12), int(spot[0] * 12)
    assert [stroke["cells"] for stroke in stored_choices.painted_strokes(hall)] == [[[row, column]]]
    assert (live.picture(hall, "answer")[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] == 255).all()


def test_a_ring_shows_where_the_brush_paints(hall):
    hit = aim_at_answer(hall, 0.25, 0.6)
    actions.take_brush(hall, "units", [0], size=0.5)
    assert clicking.brush_over(hall, hit).size == 0.5
    assert walk_drawing.label_text(hall, hit) == "ablate channel 0 of units"
    ring = outlines.outline_of(hall, hit).brush_matrix(hit.spot, 0.5)
    holder = live.of_role(hall, "answer")
    placed = holder.evaluated_get(ray_hits.evaluated_depsgraph(hall)).matrix_world
    width = holder.dimensions.x
    assert (ring @ Vector((1, 0, 0)) - ring.translation).length == pytest.approx(width / 4, rel=0.01)
    to_place = placed @ holder.matrix_world.inverted()  # Blender 4.5 moves only what it evaluates
    assert (to_place @ ring.translation - Vector(hit.position)).length < 0.01
    actions.put_brush_away(hall)
    assert clicking.brush_over(hall, hit) is None
    hall[BRUSH] = "a stranger's"
    assert clicking.brush_over(hall, hit) is None and walk_drawing.label_text(hall, hit) == ""
    with pytest.raises(SceneError):
        clicking.ON_CLICK["answer"](hall, hit)


def test_the_card_shows_the_generated_picture_while_a_brush_is_held(hall):
    actions.take_brush(hall, "units", [0])
    content = run_all(card_content.read_content(SimpleNamespace(scene=hall)))
    assert content.title == "ablate channel 0 of units" and dict(content.facts)["Painted"] == "0 strokes"
    assert np.array_equal(np.rint(content.picture[..., :3] * 255), live.picture(hall, "answer"))


def test_scripts_paint_too(hall):
    script = Hall(hall)
    script["units"].paint(0, [[0, 0]], insert=True)
    assert shown(hall, "units")[0, 0, 0] == 1
    script.clear_strokes().take_brush("units", "0,1", insert=True, size=0.01).paint_at(0, 0).put_brush_away()
    assert shown(hall, "units")[:2, 0, 0].tolist() == [1, 1] and not shown(hall, "units")[2, 0, 0]


def test_votes_find_the_unit_of_the_artefact_and_the_brush_takes_it(hall, tmp_path):
    hall = live.built("flawed")
    hall["innerwalk_layer"] = "units"
    for seed in range(5, 10):
        actions.place_input(hall, noise=seed)
        actions.wait_for_bridge(hall)
        act("vote_artefact", artefact=bool(shown(hall, "units")[2].any()))
    votes = stored_choices.artefact_votes(hall)
    assert sum(votes.values()) == 3 and len(votes) == 5
    Hall(hall).find_artefact_units(top=1)
    assert [(channel, own.name) for channel, own in read_concepts(panel_of(hall, "units")).items()] == [(2, "artefact")]
    assert actions.take_brush(hall, concept="artefact").startswith("brush: ablate channel 2 of units")
    Hall(hall).save_votes(tmp_path / "votes.csv")
    rows = "".join(f"{own},{vote}\n" for own, vote in votes.items())
    assert (tmp_path / "votes.csv").read_text() == f"seed,artefact\n{rows}"
    actions.vote_artefact(hall, bool(votes[seed]))
    assert stored_choices.artefact_votes(hall) == {own: vote for own, vote in votes.items() if own != seed}


def test_votes_need_a_generated_picture_and_both_kinds(hall):
    with pytest.raises(SceneError, match="no picture has a vote yet; vote for some with an artefact and some without"):
        actions.find_artefact_units(hall, "units")
    with pytest.raises(SceneError, match="no picture has a vote yet"):
        actions.save_votes(hall, "votes.csv")
    actions.place_input(hall, noise=1)
    actions.wait_for_bridge(hall)
    actions.vote_artefact(hall, True)
    actions.find_artefact_units(hall, "units")
    with pytest.raises(InputError, match="artefacts in 1 of 1 pictures; some with and some without"):
        actions.wait_for_bridge(hall)
    hall[ARTEFACT_VOTES] = '{"x": 1}'
    with pytest.raises(SceneError, match="property innerwalk_artefact_votes is damaged"):
        actions.vote_artefact(hall, True)


def test_what_cannot_be_painted_is_one_line(hall):
    with pytest.raises(SceneError, match="no channel is chosen for the brush"):
        actions.take_brush(hall)
    with pytest.raises(UnknownName, match="no channel that detects 'ring'"):
        actions.take_brush(hall, concept="ring")
    with pytest.raises(InputError, match="channels 0 to 2; there is no channel 7"):
        actions.take_brush(hall, "units", [7])
    with pytest.raises(InputError, match="a share of the picture's side"):
        actions.take_brush(hall, "units", [0], size=9)
    with pytest.raises(SceneError, match="no brush is held"):
        actions.paint_at(hall, 0.5, 0.5)
    with pytest.raises(InputError, match=r"12 rows and 12 columns; there is no \(12, 0\)"):
        actions.paint(hall, "units", [0], [[12, 0]])
    hall[STROKES] = "[1]"
    with pytest.raises(SceneError, match="property innerwalk_strokes is damaged"):
        stored_choices.painted_strokes(hall)


def test_a_brush_covers_centres_or_the_place_that_it_is_on():
    assert brush_cells(0.5, 0.5, 0.01, (4, 4)) in ([(1, 1)], [(1, 2)], [(2, 1)], [(2, 2)])
    assert brush_cells(0.5, 0.5, 0.5, (4, 4)) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert len(brush_cells(0.5, 0.5, 2.0, (4, 8))) == 32
