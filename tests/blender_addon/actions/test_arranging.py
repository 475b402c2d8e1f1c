"""Arranging a hall: places, visible panels, blocks and colours, with undo, redo, saving and opening."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import innerwalk
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.layout import camera_presets  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions, open_source  # noqa: E402
from innerwalk.blender_addon.properties import OBJECT_ROLE, PAINT_ATTRIBUTE, PANEL_BLOCK, PANEL_LAYER_ID, PANEL_ORDER  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import assembly, ray_hits, relayout, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall, rebuild_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings  # noqa: E402
from innerwalk.blender_addon.scene.view import viewport  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402

SHAPE = (5, 6, 4)
PANELS = ["stem", "one.a.x", "one.a.y", "one.b.x", "one.b.y", "two.x", "two.y", "fc"]


def recorded_blocks(**without) -> rec.Recording:
    """Two blocks, the first of two blocks, between a stem and a vector; made without torch."""
    layers = [rec.Layer("input", "input", "input", (3, 12, 8), (3, 12, 8))]
    layers += [rec.Layer(id, "Conv2d", "panel", SHAPE, SHAPE, id) for id in PANELS[:-1]]
    layers += [rec.Layer("fc", "Linear", "panel", (3,), (3, 1, 1), "fc")]
    edges = tuple(rec.Edge(a.id, b.id) for a, b in zip(layers, layers[1:], strict=False))
    rng = np.random.default_rng(7)
    answer = rec.Prediction("classes", ((1, "cat", 0.75), (0, "dog", 0.25)))
    picture = rng.integers(0, 255, (12, 8, 3)).astype(np.uint8)
    recording = rec.Recording(
        rec.Network("blocks", tuple(layers), edges, True, "by hand", 9), "noise", picture, answer, {}, {}
    )
    for layer in layers[1:]:
        data = rng.normal(size=layer.map_shape).astype(np.float32)
        data.flat[0] = np.nan
        recording.add([rec.Maps(layer.id, rec.ACTIVATIONS, rec.pack(data), layer.map_shape[0])])
    return recording


@pytest.fixture
def scene(empty_scene):
    hall = create_hall(recorded_blocks())
    bpy.context.window.scene = hall
    return hall


@pytest.fixture
def menus():
    innerwalk.register()
    yield
    innerwalk.unregister()


def places(scene) -> dict[str, np.ndarray]:
    return {id: np.array(panels.world_matrix(panel)) for id, panel in panels.panels(scene).items()}


def same(first: dict, second: dict, **near) -> bool:
    return first.keys() == second.keys() and all(np.allclose(first[id], second[id], **near) for id in first)


def texels(scene) -> dict[str, np.ndarray]:
    every = store.collapsed_panels(scene) | panels.panels(scene)
    return {id: store.read_maps(panel, id, "activations").texels for id, panel in every.items()}


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[id], second[id], equal_nan=True) for id in first)


def foot(panel) -> Vector:
    return panels.world_matrix(panel) @ Vector((panels.size_of(panel)[0] / 2, 0, 0))


# Places


def test_a_panel_is_moved_by_metres_of_the_world(scene):
    panel = panels.panel_of(scene, "two.x")
    before = panels.world_matrix(panel)
    assert actions.move(scene, "two.x", (1, -2, 0.5)) == "two.x moved by 1.00, -2.00, 0.50 m"
    actions.move(scene, "two.x", (0, 0, 1))  # at once, before anything was evaluated
    after = places(scene)["two.x"]
    assert np.allclose(after[:3, 3], np.array(before)[:3, 3] + (1, -2, 1.5), atol=1e-6)
    assert np.allclose(after[:3, :3], np.array(before)[:3, :3], atol=1e-6)


def test_a_panel_of_a_persons_parent_moves_alike(scene):
    panel, parent = panels.panel_of(scene, "two.x"), bpy.data.objects.new("Mine", None)
    scene.collection.objects.link(parent)
    parent.matrix_world = Matrix.Translation((3, 0, 0)) @ Matrix.Rotation(1.0, 4, "Z")
    scene.view_layers[0].update()
    panel.parent = parent
    before = places(scene)["two.x"]
    actions.move(scene, "two.x", (1, 0, 0))
    assert np.allclose(places(scene)["two.x"][:3, 3] - before[:3, 3], (1, 0, 0), atol=1e-5)


def test_a_scaled_panel_stands_on_its_foot(scene):
    panel = panels.panel_of(scene, "two.x")
    panel.matrix_world = panel.matrix_world @ Euler((0.2, 0.1, 0.4)).to_matrix().to_4x4()
    before, low = foot(panel), places(scene)["two.x"]
    actions.scale(scene, "two.x", 2.5)
    after = places(scene)["two.x"]
    assert (foot(panel) - before).length < 1e-5
    assert np.allclose(after[:3, :3], 2.5 * low[:3, :3], atol=1e-5)


def test_a_scaled_panel_does_not_sink_into_the_floor(scene):
    for factor in (0.3, 4.0):
        lowest = foot(panels.panel_of(scene, "stem")).z
        actions.scale(scene, "stem", factor)
        points = [panels.world_matrix(panels.panel_of(scene, "stem")) @ Vector((x, 0, 0)) for x in (0, 1)]
        assert [point.z for point in points] == pytest.approx([lowest] * 2, abs=1e-5)


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_a_panel_is_not_scaled_to_nothing(scene, factor):
    with pytest.raises(SceneError, match="a positive number"):
        actions.scale(scene, "stem", factor)


def test_a_panel_is_not_moved_to_nowhere(scene):
    before = places(scene)["stem"]
    for by in ((math.nan, 0, 0), (0, math.inf, 0)):
        with pytest.raises(SceneError, match="stem can't move by .* m: finite numbers are needed"):
            actions.move(scene, "stem", by)
    assert np.array_equal(places(scene)["stem"], before)


def strewn(scene, *layers: str) -> list:
    rng = np.random.default_rng(2)
    for layer in layers:
        turn = Euler((0, 0, rng.uniform(-3, 3))).to_matrix().to_4x4()
        places = Matrix.Translation(rng.uniform(-5, 5, 3)) @ turn @ Matrix.Scale(rng.uniform(0.5, 2), 4)
        panels.panel_of(scene, layer).matrix_world = places
    return [panels.panel_of(scene, layer) for layer in layers]


def test_aligned_panels(scene):
    layers = ("stem", "two.x", "fc")
    first, *others = strewn(scene, *layers)
    still, sizes = panels.world_matrix(first), [panels.world_matrix(panel).to_scale() for panel in others]
    beside = [foot(panel).xy for panel in others]
    assert actions.align(scene, layers, "height") == "3 panels aligned: height"
    assert [foot(panel).z for panel in others] == pytest.approx([foot(first).z] * 2, abs=1e-5)
    stood = [foot(panel) for panel in others]
    actions.align(scene, layers, "parallel")
    for panel, spot, before in zip(others, stood, beside, strict=True):
        assert panels.world_matrix(panel).to_quaternion().rotation_difference(still.to_quaternion()).angle < 1e-3
        assert (foot(panel) - spot).length < 1e-5 and (foot(panel).xy - before).length < 1e-5
    actions.align(scene, layers, "row")
    inner = [still.inverted() @ panels.world_matrix(panel) for panel in (first, *others)]
    edges = [
        (spot.translation.x, spot.translation.x + spot.to_scale().x * panels.size_of(panel)[0])
        for spot, panel in zip(inner, (first, *others), strict=True)
    ]
    gaps = [(after[0] - before[1]) * still.to_scale().x for before, after in zip(edges, edges[1:], strict=False)]
    assert gaps == pytest.approx([0.3, 0.3], abs=1e-4)
    assert np.allclose([spot.translation[1:] for spot in inner], 0, atol=1e-5)
    assert all(
        (panels.world_matrix(panel).to_scale() - size).length < 1e-4 for panel, size in zip(others, sizes, strict=True)
    )
    assert np.allclose(panels.world_matrix(first), still, atol=1e-6)


def test_what_cannot_be_aligned(scene):
    with pytest.raises(UnknownName, match="did you mean parallel"):
        actions.align(scene, ("stem", "fc"), "paralel")
    with pytest.raises(UnknownName, match="did you mean two.y, two.x"):
        actions.align(scene, ("stem", "two.z"), "row")
    with pytest.raises(SceneError, match="two panels or more"):
        actions.align(scene, "stem", "row")


def test_reset_gives_back_the_planned_places_exactly(scene):
    before = places(scene)
    strewn(scene, *PANELS)
    still = places(scene)
    assert actions.reset_layout(scene, ["stem"]) == "1 panels are back at their places"
    now = places(scene)
    assert np.array_equal(now.pop("stem"), before["stem"]) and same(now, {id: still[id] for id in now}, atol=0)
    assert actions.reset_layout(scene) == "8 panels are back at their places"
    assert all(np.array_equal(before[id], at) for id, at in places(scene).items()) and not store.manual_moves(scene)
    with pytest.raises(UnknownName):
        actions.reset_layout(scene, ["nothing"])


# What is shown


def unseen(scene) -> list[str]:
    """Ids of the panels that views and renders don't show, each with its frame."""
    found = []
    for id, panel in panels.panels(scene).items():
        hidden = {(object.hide_viewport, object.hide_render) for object in (panel, *panel.children)}
        assert len(panel.children) == 1 and hidden in ({(True, True)}, {(False, False)})
        found += [id] if (True, True) in hidden else []
    return found


def test_hidden_and_alone(scene):
    assert actions.hide(scene, "two.x") == "two.x is hidden"
    assert unseen(scene) == ["two.x"]
    assert actions.solo(scene, "fc") == "fc alone is shown"
    assert unseen(scene) == PANELS[:-1]
    actions.solo(scene, "two.x")
    assert "two.x" not in unseen(scene) and len(unseen(scene)) == 7, "one can look at a hidden one alone"
    assert actions.solo(scene) == "all panels are shown"
    assert unseen(scene) == ["two.x"]
    assert actions.hide(scene, "two.x", False) == "two.x is shown"
    assert not unseen(scene)
    for work in (actions.hide, actions.solo):
        with pytest.raises(UnknownName):
            work(scene, "nothing")
    assert not unseen(scene)


def test_what_is_alone_may_be_collapsed_away(scene):
    actions.solo(scene, "one.a.x")
    actions.collapse(scene, "one")
    assert not unseen(scene)
    actions.expand(scene, "one")
    assert len(unseen(scene)) == 7 and "one.a.x" not in unseen(scene)


# Where one stands


def test_jumping_moves_the_camera_to_the_reading_point(scene):
    scene.render.resolution_x, scene.render.resolution_y = 1600, 900
    plan = relayout.prepare_build(scene, Appearance())
    for slot in plan.hall.panels:
        layer = plan.layers[slot.index].id
        assert actions.jump(scene, layer) == f"moved the camera to {layer}"
        view = camera_presets.layer(plan.hall, slot, 1600, 900)
        scene.view_layers[0].update()
        assert np.allclose(scene.camera.matrix_world, view.matrix(), atol=1e-4)
        assert actions.selected(scene) == (layer, -1)
    with pytest.raises(UnknownName):
        actions.jump(scene, "nothing")


def test_a_persons_own_camera_stays(scene):
    camera = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    actions.jump(scene, "two.x")
    actions.enter(scene)
    assert scene.camera == camera and camera.matrix_world == Matrix.Identity(4)


def test_a_panel_that_was_moved_is_looked_at_where_it_is(scene):
    actions.jump(scene, "two.x")
    before = np.array(scene.camera.matrix_world)
    panel = panels.panel_of(scene, "two.x")
    by = Matrix.Translation((20, 30, 4)) @ Matrix.Rotation(1.2, 4, "Z")
    panel.matrix_world = by @ panel.matrix_world
    actions.jump(scene, "two.x")
    scene.view_layers[0].update()
    assert np.allclose(scene.camera.matrix_world, np.array(by) @ before, atol=1e-3)
    hit = ray_hits.pick(
        scene,
        scene.view_layers[0].depsgraph,
        scene.camera.matrix_world.translation,
        foot(panel) + Vector((0, 0, panels.size_of(panel)[1] / 2)) - scene.camera.matrix_world.translation,
    )
    assert hit.layer == "two.x"


def test_a_3d_view_shows_what_a_camera_there_would(scene):
    """The lens of a 3D view is for its longer side, and half as long as a camera's."""
    space = next(area for area in bpy.context.window.screen.areas if area.type == "VIEW_3D").spaces.active
    plan = relayout.prepare_build(scene, Appearance())
    view = camera_presets.layer(plan.hall, plan.hall.panels[2], 600, 800)
    viewport._move_view(space, view, 600 / 800)
    region = space.region_3d
    turn = region.view_rotation.to_matrix().to_4x4()
    back = Matrix.Translation((0, 0, region.view_distance))
    assert np.allclose(Matrix.Translation(region.view_location) @ turn @ back, view.matrix(), atol=1e-3)
    assert space.lens == pytest.approx(2 * view.lens * 600 / 800, rel=1e-4) and region.view_perspective == "PERSP"


def test_a_view_is_framed_in_the_part_that_nothing_lies_over(scene):
    plan = relayout.prepare_build(scene, Appearance())
    slot = plan.hall.panels[2]
    part = viewport.FreePart(60, 0, 700, 640)
    alone = camera_presets.layer(plan.hall, slot, part.width, part.height)
    beside = viewport.view_beside(alone, part, 1100, 800)
    corners = np.array([(*place, z) for place in slot.corners(plan.hall.yaw(slot)) for z in (slot.bottom, slot.top)])
    assert np.allclose(beside.project(corners)[:, :2], alone.project(corners)[:, :2] + (60, 0), atol=1e-6)
    assert np.allclose(beside.axes, alone.axes)
    whole = viewport.FreePart(0, 0, 1100, 800)
    assert viewport.view_beside(beside, whole, 1100, 800) == beside


def test_sidebars_bars_and_text_are_not_free(scene):
    def region(kind: str, alignment: str, *box: int) -> SimpleNamespace:
        x, y, width, height = box
        return SimpleNamespace(type=kind, alignment=alignment, x=x, y=y, width=width, height=height)

    window = region("WINDOW", "NONE", 100, 50, 1000, 800)
    tools, sidebar = region("TOOLS", "LEFT", 100, 50, 60, 800), region("UI", "RIGHT", 800, 50, 300, 800)
    bar, closed = region("HEADER", "TOP", 100, 824, 1000, 26), region("ASSET_SHELF", "BOTTOM", 100, 50, 1000, 1)
    overlay = SimpleNamespace(show_overlays=True, show_text=False, show_stats=False)
    area = SimpleNamespace(
        regions=[window, tools, sidebar, bar, closed], spaces=SimpleNamespace(active=SimpleNamespace(overlay=overlay))
    )
    assert viewport.free_part(area, window) == (60, 0, 640, 774)
    overlay.show_text = True
    scale = bpy.context.preferences.system.ui_scale
    assert viewport.free_part(area, window) == (60, 0, 640, 774 - round(3 * viewport.TEXT_LINE * scale))
    sidebar.x = 300
    assert viewport.free_part(area, window)[:3:2] == (0, 1000), "too little would be left"


# Blocks


def test_collapsing_and_expanding_loses_nothing(scene):
    panel = panels.panel_of(scene, "one.a.x")
    actions.move(scene, "one.a.x", (0, 0, 1.5))
    actions.hide(scene, "two.x")
    panel["mine"] = "a note"
    before, values, kinds = places(scene), texels(scene), {image.session_uid for image in bpy.data.images}
    assert actions.collapsible_blocks(scene) == ["one", "two", "one.a", "one.b"]
    assert actions.collapse(scene, "one") == "one collapsed: the hall now shows 5 panels"
    assert list(panels.panels(scene)) == ["stem", "one.b.y", "two.x", "two.y", "fc"] or set(panels.panels(scene)) == {
        "stem",
        "one.b.y",
        "two.x",
        "two.y",
        "fc",
    }
    assert actions.collapsed_blocks(scene) == ["one"] and set(store.collapsed_panels(scene)) == {
        "one.a.x",
        "one.a.y",
        "one.b.x",
    }
    assert equal(texels(scene), values) and unseen(scene) == ["two.x"]
    assert panels.panel_of(scene, "one.b.y")[PANEL_BLOCK] == "one"
    assert actions.collapse(scene, "one.a") == "one.a is collapsed already"
    assert actions.expand(scene, "one") == "one expanded: the hall now shows 8 panels"
    assert same(places(scene), before, atol=1e-4) and equal(texels(scene), values)
    assert not store.collapsed_panels(scene) and unseen(scene) == ["two.x"] and not actions.collapsed_blocks(scene)
    assert panels.panel_of(scene, "one.a.x")["mine"] == "a note"
    assert PANEL_BLOCK not in panels.panel_of(scene, "one.b.y")
    gone = kinds - {image.session_uid for image in bpy.data.images}
    assert len(gone) == 1, "only the input's picture is another image"


def test_a_collapsed_hall_stands_as_the_recipe_builds_it(scene):
    actions.collapse(scene, "one")
    other = create_hall(recorded_blocks(), Appearance(collapse=("one",)))
    assert same(places(scene), places(other), atol=1e-4)
    roles = [sorted(str(object.get(OBJECT_ROLE)) for object in each.objects) for each in (scene, other)]
    assert roles[0] == roles[1]


def test_collapsing_again_and_again_is_stable(scene):
    before, counts = places(scene), [len(kind) for kind in (bpy.data.objects, bpy.data.images, bpy.data.meshes)]
    for _ in range(5):
        actions.collapse(scene, "*")
        actions.expand(scene, "all")
    assert same(places(scene), before, atol=1e-4)
    assert [len(kind) for kind in (bpy.data.objects, bpy.data.images, bpy.data.meshes)] == counts


def test_globs_and_blocks_in_blocks(scene):
    actions.collapse(scene, "one.*")
    assert actions.collapsed_blocks(scene) == ["one.a", "one.b"]
    assert actions.expand(scene, "one.a") == "one.a expanded: the hall now shows 7 panels"
    assert actions.collapsed_blocks(scene) == ["one.b"]
    actions.collapse(scene, "one")
    assert actions.collapsed_blocks(scene) == ["one"]
    actions.expand(scene, "one")
    assert actions.collapsed_blocks(scene) == ["one.b"], "what was collapsed inside stays so"
    actions.collapse(scene, "*")
    assert actions.collapsed_blocks(scene) == ["one", "two"]
    actions.expand(scene, "all")
    assert len(panels.panels(scene)) == 8
    with pytest.raises(UnknownName, match="no collapsed block 'two'"):
        actions.expand(scene, "two")
    with pytest.raises(UnknownName, match="no block 'tow'; did you mean two"):
        actions.collapse(scene, "tow")
    assert len(panels.panels(scene)) == 8


def test_all_blocks_of_a_recording(empty_scene):
    actions.import_recording(OBJECT_RECORDING)
    scene = store.halls()[0]
    values = texels(scene)
    assert actions.collapse(scene, "all") == "6 blocks collapsed: the hall now shows 8 panels"
    assert actions.expand(scene, "all") == "6 blocks expanded: the hall now shows 23 panels"
    assert equal(texels(scene), values)


def test_the_selection_goes_to_the_panel_that_stands_for_it(scene):
    actions.select(scene, "one.a.x", 3)
    actions.collapse(scene, "one")
    assert actions.selected(scene) == ("one.b.y", -1)
    actions.expand(scene, "one")
    assert actions.selected(scene) == ("one.b.y", -1)
    actions.select(scene, "two.x")
    actions.collapse(scene, "one")
    assert actions.selected(scene) == ("two.x", -1)


def test_what_hangs_on_a_panel_goes_and_comes_with_it(scene):
    mark = bpy.data.objects.new("Mark", None)
    scene.collection.objects.link(mark)
    mark.parent = panels.panel_of(scene, "one.a.x")
    actions.collapse(scene, "one")
    assert "Mark" not in scene.objects
    actions.expand(scene, "one")
    assert "Mark" in scene.objects


def test_a_persons_own_things_and_camera_stay(scene):
    cube = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    scene.collection.objects.link(cube)
    scene.camera.location.x = 7
    shelf = bpy.data.objects.new("Shelf", None)
    shelf[OBJECT_ROLE] = "shelf"
    assembly.hall_collection(scene).objects.link(shelf)
    actions.collapse(scene, "two")
    assert {"Cube", "Shelf"} <= set(scene.objects.keys()) and scene.camera.location.x == 7


def test_a_figure_and_a_rebuilt_hall_know_the_panels_that_wait(scene):
    values = texels(scene)
    actions.collapse(scene, "one")
    known = open_source(scene).recording.all_maps
    assert {layer for layer, _ in known} == set(PANELS)
    assert all(np.array_equal(known[id, "activations"].texels, values[id], equal_nan=True) for id in PANELS)
    rebuild_hall(scene)
    assert len(panels.panels(scene)) == 5 and set(store.collapsed_panels(scene)) == {"one.a.x", "one.a.y", "one.b.x"}
    actions.expand(scene, "one")
    assert equal(texels(scene), values)
    assert FigureOptions().collapse is None


# Colours


def shown_look(scene) -> dict:
    return colour_settings.read_scene_colours(scene)


def legend_colours(scene) -> np.ndarray:
    board = next(object for object in scene.objects if object.get(OBJECT_ROLE) == "title")
    found = np.zeros(4 * len(board.data.vertices), np.float32)
    board.data.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", found)
    return found.reshape(-1, 4)[:, :3]


def has(colours: np.ndarray, code: str) -> bool:
    return bool((np.abs(colours - colour_maps.linear(code)).max(1) < 0.02).any())


def test_the_look_changes_and_the_legend_with_it(scene):
    board = next(object for object in scene.objects if object.get(OBJECT_ROLE) == "title")
    board.location.x += 5
    location, meshes = board.location.copy(), len(bpy.data.meshes)
    assert actions.show_look(scene, colour_map="ember", gain=2.5) == "ember, peak of the channel, gain 2.5, dark"
    assert shown_look(scene) == {"colour_map": "ember", "normalisation": "channel", "gain": 2.5, "theme": "dark"}
    assert has(legend_colours(scene), colour_maps.COLOUR_MAPS["ember"].stops[-1])
    assert not has(legend_colours(scene), colour_maps.COLOUR_MAPS["signed"].stops[0])
    assert board.location == location and len(bpy.data.meshes) == meshes, "the board is the same one"
    bpy.data.objects.remove(board)
    actions.show_look(scene, gain=1.0)
    assert not [object for object in scene.objects if object.get(OBJECT_ROLE) == "title"], "nor does it come back"


def test_another_theme_brings_its_colour_map_and_paints_the_room(scene):
    actions.move(scene, "fc", (0, 0, 1))
    before, values = places(scene), texels(scene)
    assert actions.show_look(scene, theme="paper") == "paper, peak of the channel, gain 1, paper"
    assert shown_look(scene)["theme"] == "paper" and store.read_appearance(scene).theme == "paper"
    floor = next(object for object in scene.objects if object.get(OBJECT_ROLE) == "floor")
    assert np.allclose(
        floor.data.attributes[PAINT_ATTRIBUTE].data[0].color[:3], colour_maps.linear("#FFFFFF"), atol=1e-5
    )
    assert same(places(scene), before, atol=1e-4) and equal(texels(scene), values)
    actions.show_look(scene, theme="dark", colour_map="ember")
    assert (shown_look(scene)["colour_map"], shown_look(scene)["theme"]) == ("ember", "dark")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"colour_map": "embers"}, "did you mean ember"),
        ({"normalisation": "chanel"}, "did you mean channel"),
        ({"theme": "papre"}, "did you mean paper"),
        ({"gain": 0.0}, "a number above 0"),
        ({"gain": -1.0}, "above 0"),
    ],
)
def test_a_wrong_look_changes_nothing(scene, wrong, error):
    before, there = shown_look(scene), set(scene.objects.keys())
    with pytest.raises((UnknownName, SceneError), match=error):
        actions.show_look(scene, **{"colour_map": "ember", "gain": 3.0, **wrong})
    assert shown_look(scene) == before and set(scene.objects.keys()) == there


# Pointing


def test_pointing_selects_tiles_and_empty_ground_nothing(scene):
    panel = panels.panel_of(scene, "two.x")
    x, y = panels.grid_of(panel).centre(panels.channel_places(panel)[3])
    at = panel.matrix_world @ Vector((x, y, 0))
    eye = panel.matrix_world @ Vector((x, y, 0.4))
    assert actions.pick(scene, eye, at - eye) == "two.x, channel 3"
    assert actions.selected(scene) == ("two.x", 3) and bpy.context.view_layer.objects.active == panel
    assert actions.pick(scene, (0, -100, 9), (0, 0, 1)) == "" and actions.selected(scene) == ("two.x", 3)
    assert actions.pick(scene, (0, -100, 9), (0, 0, -1)) == "nothing selected"
    assert actions.selected(scene) == ("", -1) and not bpy.context.selected_objects


def test_pointing_at_a_persons_own_thing_is_left_to_blender(scene):
    mesh = bpy.data.meshes.new("Floor")
    mesh.from_pydata([(-1, -101, 5), (1, -101, 5), (0, -99, 5)], [], [(0, 1, 2)])
    scene.collection.objects.link(bpy.data.objects.new("Cube", mesh))
    actions.select(scene, "fc")
    assert actions.pick(scene, (0, -100, 9), (0, 0, -1)) == "" and actions.selected(scene).layer == "fc"


# Menus, undo, files


def state(scene) -> tuple[dict, dict, dict]:
    """Everything visible in a hall: places, values, and the rest by name."""
    title = next(object for object in scene.objects if object.get(OBJECT_ROLE) == "title")
    rest = {
        "unseen": unseen(scene),
        "look": shown_look(scene),
        "selected": actions.selected(scene),
        "collapsed": actions.collapsed_blocks(scene),
        "away": sorted(store.collapsed_panels(scene)),
        "title": len(title.data.vertices),
        "roles": sorted(str(object.get(OBJECT_ROLE)) for object in scene.objects),
        "alone": scene.get("innerwalk_solo", ""),
    }
    return places(scene), texels(scene), rest


def is_state(scene, wanted: tuple) -> None:
    at, values, rest = state(scene)
    assert rest == wanted[2]
    assert same(at, wanted[0], atol=1e-5) and equal(values, wanted[1])


STEPS = (
    ("move", {"layer": "two.x", "by": (0, 0, 2)}),
    ("scale", {"layer": "fc", "factor": 2.0}),
    ("hide", {"layer": "stem"}),
    ("solo", {"layer": "fc"}),
    ("solo", {"layer": ""}),
    ("align", {"layers": "stem, fc", "how": "row"}),
    ("collapse", {"block": "one"}),
    ("jump", {"layer": "two.y"}),
    ("show_look", {"colour_map": "ember", "gain": 2.0}),
    ("expand", {"block": "one"}),
    ("show_look", {"theme": "paper"}),
    ("hide", {"layer": "stem", "hidden": False}),
    ("reset_layout", {}),
    ("pick", {"origin": (0, -100, 9), "direction": (0, 0, -1)}),
)


def test_every_operator_can_be_undone_and_done_again(scene, menus):
    bpy.ops.ed.undo_push(message="start")
    states = [state(scene)]
    for name, arguments in STEPS:
        assert getattr(bpy.ops.innerwalk, name)("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
        states.append(state(store.halls()[0]))
        assert name == "solo" or _differ(states[-2], states[-1]), name
    for wanted in reversed(states[:-1]):
        assert bpy.ops.ed.undo() == {"FINISHED"}
        is_state(store.halls()[0], wanted)
    for wanted in states[1:]:
        assert bpy.ops.ed.redo() == {"FINISHED"}
        is_state(store.halls()[0], wanted)


def _differ(first: tuple, second: tuple) -> bool:
    return first[2] != second[2] or not same(first[0], second[0], atol=1e-5)


def test_an_arranged_hall_is_saved_and_opened(scene, menus, tmp_path: Path):
    for name, arguments in STEPS[:9]:
        getattr(bpy.ops.innerwalk, name)(**arguments)
    bpy.ops.innerwalk.solo(layer="two.x")
    wanted = state(scene)
    for _ in range(2):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "arranged.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "arranged.blend"))
        is_state(bpy.context.scene, wanted)
    actions.expand(bpy.context.scene, "all")
    assert equal(texels(bpy.context.scene), wanted[1])


def test_a_collapsed_hall_brought_into_another_file_can_be_expanded(scene, tmp_path):
    values = texels(scene)
    actions.collapse(scene, "*")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    from innerwalk.blender_addon.output.hall_files import append_hall

    other = append_hall(tmp_path / "hall.blend")
    actions.expand(other, "all")
    found = texels(other)
    assert found.keys() == values.keys()


def test_two_halls_do_not_share_what_waits(scene):
    other = create_hall(recorded_blocks())
    actions.collapse(scene, "one")
    actions.collapse(other, "two")
    assert set(store.collapsed_panels(scene)) == {"one.a.x", "one.a.y", "one.b.x"} and set(
        store.collapsed_panels(other)
    ) == {"two.x"}
    actions.expand(scene, "one")
    assert len(panels.panels(scene)) == 8 and len(panels.panels(other)) == 7


def test_operators_say_in_a_line_what_is_wrong(scene, menus):
    for work in (lambda: bpy.ops.innerwalk.hide(), lambda: bpy.ops.innerwalk.jump()):
        with pytest.raises(RuntimeError, match="no layer is selected; click a panel first"):
            work()
    with pytest.raises(RuntimeError, match="two panels or more"):
        bpy.ops.innerwalk.align(how="row")
    bpy.context.window.scene = bpy.data.scenes.new("No hall")
    for name, _ in STEPS:
        assert not getattr(bpy.ops.innerwalk, name).poll(), name


def test_the_operators_mean_the_selection_where_nothing_is_said(scene, menus):
    actions.select(scene, "two.x")
    panels.panel_of(scene, "fc").select_set(True)
    bpy.ops.innerwalk.align(how="height")
    assert foot(panels.panel_of(scene, "fc")).z == pytest.approx(foot(panels.panel_of(scene, "two.x")).z, abs=1e-5)
    bpy.ops.innerwalk.hide()
    assert unseen(scene) == ["two.x"]


def test_every_operator_has_the_parameters_of_its_function(menus):
    import inspect

    for name, _ in STEPS:
        kind = getattr(bpy.ops.innerwalk, name).get_rna_type()
        names = [parameter for parameter in kind.properties.keys() if parameter != "rna_type"]
        wanted = list(inspect.signature(getattr(actions, name)).parameters)[1:]
        assert sorted(names) == sorted(wanted), name
        assert kind.description and all(kind.properties[parameter].description for parameter in names), name


# The sidebar


def test_the_sidebars_colours_are_the_halls(scene, menus):
    scene.innerwalk_look_colour_map, scene.innerwalk_look_gain = "ember", 3.0
    scene.innerwalk_look_normalisation = "network"
    assert shown_look(scene) == {"colour_map": "ember", "normalisation": "network", "gain": 3.0, "theme": "dark"}
    scene.innerwalk_look_theme = "paper"
    actions.show_look(scene, colour_map="signed", normalisation="layer")
    assert (scene.innerwalk_look_colour_map, scene.innerwalk_look_normalisation) == ("signed", "layer")
    assert (scene.innerwalk_look_theme, scene.innerwalk_look_gain) == ("paper", 3.0)


def test_the_row_of_the_list_is_the_selection(scene, menus):
    objects = assembly.hall_collection(scene).objects
    assert scene.innerwalk_row == -1
    actions.select(scene, "one.b.x")
    row = scene.innerwalk_row
    assert objects[row][PANEL_LAYER_ID] == "one.b.x"
    other = objects.find(panels.panel_of(scene, "two.y").name)
    before = np.array(scene.camera.matrix_world)
    scene.innerwalk_row = other
    assert actions.selected(scene) == ("two.y", -1) and np.array_equal(scene.camera.matrix_world, before)
    scene.innerwalk_row = other
    assert not np.allclose(scene.camera.matrix_world, before, atol=0.1), "the second click jumps there"
    frame = next(k for k, object in enumerate(objects) if object.get(OBJECT_ROLE) == "frame")
    scene.innerwalk_row = frame
    assert actions.selected(scene) == ("two.y", -1)


def test_the_list_keeps_the_order_of_the_network(scene):
    actions.collapse(scene, "one")
    actions.expand(scene, "one")
    order = sorted(panels.panels(scene).items(), key=lambda item: item[1][PANEL_ORDER])
    assert [id for id, _ in order] == PANELS


def test_a_preset_of_colours_is_kept_and_used(scene, menus, tmp_path, monkeypatch):
    monkeypatch.setattr(bpy.utils, "user_resource", lambda kind, path="", create=False: str(tmp_path / path))
    scene.innerwalk_look_colour_map, scene.innerwalk_look_gain = "ember", 4.0
    (tmp_path / "presets" / "innerwalk" / "look").mkdir(parents=True)
    menu = bpy.types.INNERWALK_PT_look_presets
    monkeypatch.setattr(menu, "bl_label", menu.bl_label)  # Blender writes the preset's name there
    bpy.ops.innerwalk.look_preset_add(name="Bright")
    kept = list(tmp_path.rglob("*.py"))
    assert len(kept) == 1
    actions.show_look(scene, colour_map="signed", gain=1.0)
    exec(compile(kept[0].read_text(), "preset", "exec"))
    assert shown_look(scene)["colour_map"] == "ember" and shown_look(scene)["gain"] == 4.0
