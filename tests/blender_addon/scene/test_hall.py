"""Built halls: evaluated geometry, rendered pixels, stored recordings, and other scenes unchanged."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon import layout  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.layout import boards as places  # noqa: E402
from innerwalk.blender_addon.layout import camera_presets, label_placement  # noqa: E402
from innerwalk.blender_addon.layout.blocks import shown_graph  # noqa: E402
from innerwalk.blender_addon.layout.text_fitting import CAP  # noqa: E402
from innerwalk.blender_addon.plans import answer_board, input_boards  # noqa: E402
from innerwalk.blender_addon.plans.number_text import format_number  # noqa: E402
from innerwalk.blender_addon.properties import HALL_RECORDING, OBJECT_ROLE, PAINT_ATTRIBUTE  # noqa: E402
from innerwalk.blender_addon.scene.dressing.scene_scale import read_colour_scale  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.assembly import hall_collection  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import clear_hall, create_hall, rebuild_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.paint import glyphs  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402


@pytest.fixture
def tiny(recorded) -> rec.Recording:
    return rec.load(recorded)


def roles(scene) -> dict[str, list]:
    found: dict[str, list] = {}
    for holder in scene.objects:
        found.setdefault(holder.get(OBJECT_ROLE), []).append(holder)
    return found


def painted(holder) -> tuple[np.ndarray, np.ndarray]:
    """World points (n, 3) and linear colours (n, 3) of a painted object."""
    count = len(holder.data.vertices)
    points, colours = np.zeros(3 * count, np.float32), np.zeros(4 * count, np.float32)
    holder.data.vertices.foreach_get("co", points)
    holder.data.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", colours)
    world = np.array(holder.matrix_world)
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], colours.reshape(-1, 4)[:, :3]


def shown_at(holder, role: str) -> np.ndarray:
    """World points (n, 3) of an object in the colour of a role of the dark theme."""
    points, colours = painted(holder)
    return points[np.abs(colours - colour_maps.linear(colour_maps.THEMES["dark"][role])).max(1) < 1e-5]


def test_panels_hang_where_the_plan_says(empty_scene, tiny):
    scene = create_hall(tiny)
    layers, links = tiny.network.folded()
    plan = layout.lay_out(layers, links)
    bpy.context.view_layer.update()
    for slot in plan.panels:
        panel = panels(scene)[layers[slot.index].id]
        depsgraph = scene.view_layers[0].depsgraph
        depsgraph.update()
        tiles = panel.evaluated_get(depsgraph).to_mesh()
        points = np.array([panel.matrix_world @ vertex.co for vertex in tiles.vertices])
        left, right = slot.corners(plan.yaw(slot))
        along = (right - left) / np.linalg.norm(right - left)
        reach = (points[:, :2] - left) @ along
        assert len(tiles.polygons) == layers[slot.index].map_shape[0]
        assert 0 < reach.min() < slot.cell[0] and slot.width - slot.cell[0] < reach.max() < slot.width
        assert slot.bottom < points[:, 2].min() and points[:, 2].max() < slot.top


def test_the_aisle_is_free(empty_scene, tiny):
    plan = layout.lay_out(*tiny.network.folded())
    for holder in create_hall(tiny).objects:
        if holder.type == "MESH" and holder.get(OBJECT_ROLE) in ("gates", "numbers", "floor", "edges"):
            points, _ = painted(holder)
            inside = np.abs(points[:, 0]) < plan.aisle - 0.3
            assert not (inside & (points[:, 2] > 0.05) & (points[:, 2] < 3.4)).any(), holder.name


def test_every_object_has_a_role_and_texts_are_meshes(empty_scene, tiny):
    scene = create_hall(tiny)
    found = roles(scene)
    assert None not in found and len(found["panel"]) == len(found["frame"]) == 4
    assert {"floor", "edges", "gates", "numbers", "title", "input", "input frame", "answer board", "camera"} <= set(
        found
    )
    assert not [holder for holder in scene.objects if holder.type in ("FONT", "CURVE")]
    assert not [font for font in bpy.data.fonts if font.filepath != "<builtin>"]
    assert scene.camera in found["camera"]


def test_bars_of_the_class_board_are_as_long_as_the_probabilities(empty_scene, tiny):
    board = roles(create_hall(tiny))["answer board"][0]
    world = board.matrix_world.inverted()
    local = np.array([world @ Vector(point) for point in shown_at(board, "bar")])
    track = answer_board.RIGHT - answer_board.LEFT
    assert np.ptp(local[:, 0]) == pytest.approx(0.75 * track, abs=1e-4)
    quiet = np.array([world @ Vector(point) for point in shown_at(board, "quiet")])
    second = quiet[(quiet[:, 2] > 0.0175) & (quiet[:, 2] < 0.0185) & (np.abs(quiet[:, 1] - 1.505) < 0.06)]
    assert np.ptp(second[:, 0]) == pytest.approx(0.2 * track, abs=1e-4)


def test_legend_runs_from_one_end_of_the_map_to_the_other(empty_scene, tiny):
    board = roles(create_hall(tiny))["title"][0]
    points, colours = painted(board)
    for code in ("#3D7BFF", "#FFFFFF"):
        wanted = np.array(colour_maps.linear(code))
        near = np.abs(colours - wanted).max(1) < 0.02
        assert near.any(), code
    scene = create_hall(tiny)
    assert read_colour_scale(scene, 2.5).low == "− peak"
    assert (read_colour_scale(scene, 2.5, bars=True).low, read_colour_scale(scene, 2.5, bars=True).high) == (
        "−2.5",
        "+2.5",
    )
    scene = create_hall(tiny, Appearance(normalisation="network", gain=2.0, colour_map="ember"))
    peak = max(float(maps.peak.max()) for maps in tiny.all_maps.values())
    assert (read_colour_scale(scene).low, read_colour_scale(scene).high) == ("0", format_number(peak / 2))


def test_texts_equal_blenders_own():
    """A word built from single glyphs equals Blender's own text to a thousandth of its size."""
    for family in ("sans", "mono"):
        path = glyphs._folder() / f"{glyphs.FILES[family][0]}.woff2"
        whole, _ = glyphs._fill("layer3.0.conv2 99.9 %", path)
        ours = glyphs.text_shape("layer3.0.conv2 99.9 %", family)
        scale = glyphs.CAP / glyphs._cap(path)
        assert np.abs(np.sort(whole * scale, 0) - np.sort(ours.points, 0)).max() < 1e-3
        capital = glyphs.text_shape("H", family).points[:, 1]
        assert capital.max() == pytest.approx(glyphs.CAP, abs=1e-6) and capital.min() == pytest.approx(0, abs=1e-3)


def test_characters_that_a_font_lacks_come_from_the_next(empty_scene):
    box = glyphs._read(glyphs.ABSENT, glyphs._folder() / "NotoSansHebrew-Regular.woff2")
    for character in "−→日":
        shape = glyphs.glyph(character, "sans")
        assert len(shape.triangles) and not glyphs._same(shape, box), character
    assert glyphs.glyph("−", "sans").width > glyphs.glyph("-", "sans").width


@pytest.mark.parametrize("character", ["\0", "\n", "\t", "\u202e"])
def test_unprintable_characters_are_spaces(empty_scene, character):
    assert glyphs.glyph(character, "sans").width == glyphs.glyph(" ", "sans").width
    assert not len(glyphs.glyph(character, "sans").triangles)


def test_a_hall_stores_its_recording(empty_scene, tiny):
    scene = create_hall(tiny, Appearance(theme="paper", normalisation="layer", gain=2.0, title="Mine"))
    kept = store.read_recording(scene)
    assert rec.describe(kept) == rec.describe(tiny)
    assert np.array_equal(kept.picture, tiny.picture)
    for key, maps in tiny.all_maps.items():
        assert np.array_equal(kept.all_maps[key].data, maps.data)
    assert store.read_appearance(scene) == Appearance(
        theme="paper", colour_map="paper", normalisation="layer", gain=2.0, title="Mine"
    )


def test_unknown_values_survive_in_a_hall(empty_scene, tiny):
    maps = tiny.maps("a")
    data = maps.data.copy()
    data[0, 0, 0], data[1, 1, 1] = np.nan, np.inf
    tiny.add([rec.Maps("a", maps.method, rec.pack(data), len(data))])
    kept = store.read_recording(create_hall(tiny)).maps("a")
    assert kept.nonfinite == 2 and np.isnan(kept.data[0, 0, 0]) and np.isnan(kept.data[1, 1, 1])


def test_rebuilding_keeps_what_a_person_moved(empty_scene, tiny):
    scene = create_hall(tiny)
    panel = panels(scene)["b"]
    panel.matrix_world = panel.matrix_world @ Matrix.Translation((0.5, 0.25, 0.0))
    wanted = np.array(panel.matrix_world)
    before = len(scene.objects), len(bpy.data.images), len(bpy.data.meshes), len(bpy.data.materials)
    rebuild_hall(scene)
    assert np.allclose(panels(scene)["b"].matrix_world, wanted, atol=1e-5)
    assert set(store.manual_moves(scene)) == {"b"}
    assert (len(scene.objects), len(bpy.data.images), len(bpy.data.meshes), len(bpy.data.materials)) == before


def test_two_halls_and_the_users_scene_stay_apart(empty_scene, tiny):
    user, cube = bpy.context.scene, bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    user.collection.objects.link(cube)
    user.unit_settings.system, user.unit_settings.scale_length = "IMPERIAL", 0.3
    user.view_settings.view_transform = "AgX"
    first, other = create_hall(tiny), create_hall(tiny, Appearance(theme="paper", title="Second"))
    assert bpy.context.scene == user and list(user.objects) == [cube] and user.world is None
    assert (user.unit_settings.system, user.view_settings.view_transform) == ("IMPERIAL", "AgX")
    assert set(store.halls()) == {first, other} and not set(first.objects) & set(other.objects)
    assert first.world != other.world and first.view_settings.view_transform == "Standard"
    clear_hall(first)
    assert not hall_collection(first).objects and len(panels(other)) == 4


def test_layers_without_maps_have_an_empty_panel(empty_scene, tiny):
    del tiny.all_maps["b", rec.ACTIVATIONS]
    found = roles(create_hall(tiny))
    assert len(found["empty"]) == 1 and len(found["panel"]) == 3 and len(found["frame"]) == 4


@pytest.mark.parametrize("kind", ["picture", "mask", "boxes", "numbers", "none"])
def test_every_kind_of_prediction_has_a_board(empty_scene, tiny, kind):
    picture = np.zeros((4, 6, 3), np.uint8)
    tiny.prediction = rec.Prediction(
        kind,
        ((1, "sky", 0.6), (2, "sea", 0.4)),
        picture,
        (("cat", 0.9, 0.1, 0.2, 0.5, 0.8),),
        (1.5, -0.5, float("nan")),
    )
    found = roles(create_hall(tiny))
    assert ("answer board" in found) == (kind != "none")
    assert ("answer" in found) == (kind in ("picture", "mask", "boxes"))
    if kind in ("mask", "boxes", "numbers"):
        assert len(found["answer board"][0].data.vertices) > 100


def test_boxes_are_drawn_where_they_are(empty_scene, tiny):
    tiny.prediction = rec.Prediction("boxes", boxes=(("cat", 0.9, 0.25, 0.5, 0.75, 1.0),))
    scene = create_hall(tiny)
    scene.view_layers[0].update()
    found = roles(scene)
    board, picture = found["answer board"][0], found["answer"][0]
    corners = np.array([picture.matrix_world @ vertex.co for vertex in picture.data.vertices])
    outline = shown_at(board, "skip")
    width, height = np.ptp(corners[:, 0]), np.ptp(corners[:, 2])
    low = outline[outline[:, 2] < corners[:, 2].min() + height * 0.6]
    assert low[:, 0].min() == pytest.approx(corners[:, 0].min() + 0.25 * width, abs=0.02)
    assert low[:, 0].max() == pytest.approx(corners[:, 0].min() + 0.75 * width, abs=0.02)
    assert low[:, 2].min() == pytest.approx(corners[:, 2].min(), abs=0.02)


def test_blocks_collapse_to_one_panel(empty_scene, tiny):
    shape, ids = (5, 6, 4), ("s.a.x", "s.a.y", "s.b.x", "s.b.y", "t")
    layers = [rec.Layer("input", "input", "input", (3, 12, 8), (3, 12, 8))]
    layers += [rec.Layer(id, "Conv2d", "panel", shape, shape, id) for id in ids]
    pairs = zip(("input", *ids), ids, strict=False)
    network = rec.Network("blocks", tuple(layers), tuple(rec.Edge(*pair) for pair in pairs))
    assert [layer.id for layer in shown_graph(network, ("s.*",))[0]] == ["s.a.y", "s.b.y", "t"]
    assert shown_graph(network, ("s.a",))[1] == [(0, 1), (1, 2), (2, 3)]
    assert [layer.id for layer in shown_graph(network, ("s.a", "s"))[0]] == ["s.b.y", "t"]
    assert [layer.note for layer in shown_graph(network, ("s",))[0]] == ["represents 4 layers of s", ""]
    with pytest.raises(UnknownName, match="no block 's.c'; did you mean s"):
        shown_graph(network, ("s.c",))
    scene = create_hall(rec.Recording(network, "", tiny.picture, tiny.prediction), Appearance(collapse=("s",)))
    assert len(roles(scene)["empty"]) == 2 and store.read_appearance(scene).collapse == ("s",)


def test_errors_are_one_line(empty_scene, tiny):
    with pytest.raises(UnknownName, match="no theme 'drak'; did you mean dark"):
        create_hall(tiny, Appearance(theme="drak"))
    with pytest.raises(SceneError, match="is not a hall"):
        store.stored_document(bpy.context.scene)
    bare = rec.Network("bare", tiny.network.layers[:1], ())
    with pytest.raises(SceneError, match="no layer to show"):
        create_hall(rec.Recording(bare, "", tiny.picture, tiny.prediction))
    assert not store.halls() and not bpy.data.meshes and not bpy.data.images


def test_a_damaged_text_is_reported(empty_scene, tiny):
    scene = create_hall(tiny)
    scene[HALL_RECORDING].clear()
    with pytest.raises(SceneError, match="damaged"):
        store.read_recording(scene)
    assert json.dumps(tiny.provenance)


def test_rebuilding_keeps_a_persons_objects_and_finds_the_halls_in_any_collection(empty_scene, tiny):
    scene = create_hall(tiny)
    cube, aside = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube")), bpy.data.collections.new("aside")
    scene.collection.children.link(aside)
    hall_collection(scene).objects.link(cube)
    aside.objects.link(panels(scene)["a"])
    hall_collection(scene).objects.unlink(panels(scene)["a"])
    before = len(scene.objects)
    rebuild_hall(scene)
    assert len(scene.objects) == before and cube in list(hall_collection(scene).objects)


def test_a_failed_rebuild_changes_nothing(empty_scene, tiny):
    scene = create_hall(tiny)
    document = store.stored_document(scene)
    scene[HALL_RECORDING].from_string(json.dumps(document | {"dress": document["dress"] | {"theme": "neon"}}))
    before = list(scene.objects)
    with pytest.raises(UnknownName, match="no theme 'neon'"):
        rebuild_hall(scene)
    assert list(scene.objects) == before and len(panels(scene)) == 4


def test_labels_above_boards_are_readable_in_an_overview():
    metre = 1920 / camera_presets.BASE_SPAN
    for size in (answer_board.HEAD, answer_board.NAME, input_boards.INPUT * places.SQUARE):
        assert size * CAP * metre >= label_placement.LEAST
