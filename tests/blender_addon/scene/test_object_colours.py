"""A hall looks the same in every scene and file, beside others, and after every change of its look: rendered pixels."""

from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps, tile_grids  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import BESIDE_ROLE, FOG_COLOUR, FOG_RANGE, OBJECT_ROLE  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.engine import eevee_works  # noqa: E402
from innerwalk.blender_addon.scene.hall import shelf_pictures, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import Appearance  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings  # noqa: E402
from innerwalk.blender_addon.scene.panels import values as reading  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_part, hall_collection  # noqa: E402
from innerwalk.blender_addon.scene.view.render import ENGINES, set_render_settings  # noqa: E402

LAYERS, SHAPE = ("stem", "one.x", "one.y", "fc"), (5, 6, 4)
LOOK = Appearance(theme="paper", colour_map="ember", normalisation="layer", gain=1.7)
OTHER = Appearance(theme="dark", colour_map="signed", normalisation="network", gain=0.6)
SHOWN = ("stem", "fc")
"""A panel of maps and one of bars."""
NEAR, FAR = 0.8, 20.0
"""Metres before a panel: within the clear air, and in the fog."""
SIZE = (96, 54)


def record(factor: float = 1.0) -> rec.Recording:
    """A block of two layers between a stem and a vector, made without torch."""
    layers = [rec.Layer("input", "input", "input", (3, 12, 8), (3, 12, 8))]
    layers += [rec.Layer(id, "Conv2d", "panel", SHAPE, SHAPE, id) for id in LAYERS[:-1]]
    layers += [rec.Layer("fc", "Linear", "panel", (3,), (3, 1, 1), "fc")]
    edges = tuple(rec.Edge(a.id, b.id) for a, b in zip(layers, layers[1:], strict=False))
    rng = np.random.default_rng(3)
    answer = rec.Prediction("classes", ((1, "cat", 0.75), (0, "dog", 0.25)))
    picture = rng.integers(0, 255, (12, 8, 3)).astype(np.uint8)
    recording = rec.Recording(rec.Network("blocks", tuple(layers), edges), "noise", picture, answer)
    for number, layer in enumerate(layers[1:], 1):
        data = rng.normal(size=layer.map_shape) * number * factor
        recording.add([rec.Maps(layer.id, rec.ACTIVATIONS, rec.pack(data), layer.map_shape[0])])
    return recording


@pytest.fixture
def hall(empty_scene):
    made = create_hall(record(), LOOK)
    bpy.context.window.scene = made
    return made


def look_at(scene, panel, distance: float, offset: tuple[float, float, float] = (0, 0, 0)) -> None:
    """Points a camera of the scene at a panel, so that the panel fills the picture."""
    width, height = panels.size_of(panel)
    scene.camera = bpy.data.objects.new("Viewer", bpy.data.cameras.new("Viewer"))
    scene.collection.objects.link(scene.camera)
    scene.camera.data.lens = 36 * distance / min(width, height * SIZE[0] / SIZE[1])
    scene.camera.data.clip_end = 100
    before = Matrix.Translation((width / 2, height / 2, distance))
    scene.camera.matrix_world = Matrix.Translation(offset) @ panels.world_matrix(panel) @ before


def pictures(rendered, scene, panels_by_layer, distances=(NEAR, FAR), engine="cycles", **place) -> list[np.ndarray]:
    """Renders the panels of SHOWN from each distance."""
    set_render_settings(scene, *SIZE, samples=1, engine=engine)
    found = []
    for distance in distances:
        for layer in SHOWN:
            look_at(scene, panels_by_layer[layer], distance, **place)
            found.append(rendered(scene, *SIZE))
    return found


def assert_equal(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    assert [np.abs(a - b).max() <= 2 for a, b in zip(found, wanted, strict=True)] == [True] * len(wanted)


def persons_scene(collection=None):
    """A scene of a person, with other colours in its properties."""
    scene = bpy.data.scenes.new("Mine")
    colour_settings.set_scene_colours(
        scene, colour_map="signed", normalisation="network", gain=30.0, theme="dark", fog=(1, 2)
    )
    if collection is not None:
        scene.collection.children.link(collection)
    return scene


def load(path: Path, kind: str, *, link: bool):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=link) as (source, wanted):
        setattr(wanted, kind, [name for name in getattr(source, kind) if kind == "scenes" or name == "Hall"])
    (block,) = getattr(wanted, kind)
    return block


def by_layer(collection) -> dict:
    holders = (holder for holder in collection.all_objects if holder.get(OBJECT_ROLE) == "panel")
    return {holder["innerwalk_id"]: holder for holder in holders}


def test_tiles_have_the_colours_of_the_settings(hall, rendered):
    """What the other tests compare is right: the panel's texels, near enough to be without fog."""
    panel = panels.panel_of(hall, "stem")
    picture = pictures(rendered, hall, panels.panels(hall), [NEAR])[0].reshape(-1, 3)
    wanted = colour_maps.colour_values(
        record().maps("stem").data, reading.scales_of(hall, panel)[:, None, None], colour_map="ember", gain=1.7
    )
    nearest = np.abs(picture[:, None] - wanted.reshape(1, -1, 3) * 255).max(2).min(1)
    assert (nearest < 2).mean() > 0.5 * tile_grids.FILL**2


@pytest.mark.parametrize("link", [False, True], ids=["appended", "linked"])
@pytest.mark.parametrize("instance", [False, True], ids=["collection", "instance"])
def test_a_hall_looks_the_same_in_another_file(hall, rendered, tmp_path, link, instance):
    wanted = pictures(rendered, hall, panels.panels(hall))
    collection = load(save_hall(hall, tmp_path / "hall.blend"), "collections", link=link)
    scene, offset = persons_scene(None if instance else collection), (0.0, 0.0, 0.0)
    if instance:
        holder, offset = bpy.data.objects.new("Instance", None), (7.0, -3.0, 1.0)
        holder.instance_type, holder.instance_collection, holder.location = "COLLECTION", collection, offset
        scene.collection.objects.link(holder)
    scene.world = bpy.data.worlds.new("Mine")
    assert_equal(pictures(rendered, scene, by_layer(collection), offset=offset), wanted)


def test_an_appended_scene_looks_the_same(hall, rendered, tmp_path):
    wanted = pictures(rendered, hall, panels.panels(hall))
    scene = load(save_hall(hall, tmp_path / "hall.blend"), "scenes", link=False)
    assert_equal(pictures(rendered, scene, panels.panels(scene)), wanted)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_scene_follows_the_hall(hall, rendered, engine):
    if engine == "eevee" and not eevee_works():
        pytest.skip("needs OpenGL for EEVEE")
    scene = persons_scene(hall_collection(hall))
    before = pictures(rendered, scene, panels.panels(hall), [NEAR], engine=engine)
    actions.show_look(hall, gain=0.5, normalisation="channel")
    wanted = pictures(rendered, hall, panels.panels(hall), [NEAR], engine=engine)
    assert np.abs(wanted[0] - before[0]).max() > 50
    assert_equal(pictures(rendered, scene, panels.panels(hall), [NEAR], engine=engine), wanted)


def test_halls_side_by_side_keep_their_own_looks(hall, rendered):
    other = create_hall(record(3.0), OTHER)
    wanted = [pictures(rendered, scene, panels.panels(scene), [NEAR]) for scene in (hall, other)]
    assert np.abs(wanted[0][0] - wanted[1][0]).max() > 50
    actions.stand_beside(hall, other.name)
    beside = tuple(find_part(hall, BESIDE_ROLE).location)
    assert_equal(pictures(rendered, hall, panels.panels(hall), [NEAR]), wanted[0])
    assert_equal(pictures(rendered, hall, panels.panels(other), [NEAR], offset=beside), wanted[1])


@pytest.mark.parametrize(
    "change", [{"colour_map": "signed"}, {"normalisation": "network"}, {"gain": 0.4}, {"theme": "dark"}], ids=str
)
def test_every_object_follows_a_change_of_the_look(hall, rendered, change):
    actions.collapse(hall, "one")
    actions.show_look(hall, **change)
    actions.expand(hall, "one")
    fresh = create_hall(record(), store.read_appearance(hall))
    for scene in (hall, fresh):
        set_render_settings(scene, 320, 180, samples=1)
    assert np.abs(rendered(hall, 320, 180) - rendered(fresh, 320, 180)).max() <= 2, "boards, legend, floor and fog"
    for id in LAYERS:
        panel = panels.panel_of(hall, id)
        for scene in (hall, fresh):
            look_at(scene, panel, NEAR)
        assert np.abs(rendered(hall, *SIZE) - rendered(fresh, *SIZE)).max() <= 2, id


def test_undo_brings_the_look_back(hall, rendered):
    name = hall.name
    bpy.ops.ed.undo_push(message="before")
    before = pictures(rendered, hall, panels.panels(hall))
    for scene in bpy.data.scenes:
        scene.camera = None
    bpy.ops.ed.undo_push(message="rendered")
    actions.show_look(hall, gain=0.2, normalisation="channel")
    bpy.ops.ed.undo_push(message="look")
    bpy.ops.ed.undo()
    hall = bpy.data.scenes[name]
    assert_equal(pictures(rendered, hall, panels.panels(hall)), before)


def test_what_is_added_later_has_the_halls_fog(hall):
    shelf_pictures.set_shelf(hall, np.zeros((2, 96, 96, 3), np.uint8), ["a", "b"], "two")
    shelf_pictures.outline_held(hall, 1)
    painted = [holder for holder in hall.objects if holder.type == "MESH"]
    assert {"shelf", "shelf words", "held", "title"} <= {holder[OBJECT_ROLE] for holder in painted}
    for key in (FOG_RANGE, FOG_COLOUR):
        assert {tuple(holder[key]) for holder in painted} == {tuple(hall[key])}
