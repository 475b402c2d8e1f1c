"""What a scene shows, read again after a change: only what has changed, and all that has."""

from dataclasses import replace

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_LAYER_ID  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.engine import hall_engine_works  # noqa: E402
from innerwalk.blender_addon.scene.engine.scene_items import SceneItems  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import values  # noqa: E402
from innerwalk.tests.support.graphics import with_graphics  # noqa: E402

pytestmark = pytest.mark.skipif(not hall_engine_works(), reason="needs OpenGL (EGL)")


class Followed:
    """A hall with its items, which are read when asked for; changes are noted as Blender evaluates them."""

    def __init__(self, scene) -> None:
        self.scene, self.shown = scene, SceneItems()
        self.read()

    def read(self) -> bool:
        """Evaluates the scene and reads what has changed; returns whether anything has."""

        def note(scene, depsgraph) -> None:
            self.shown.note_updates(depsgraph)

        bpy.app.handlers.depsgraph_update_post.append(note)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        depsgraph.update()
        bpy.app.handlers.depsgraph_update_post.remove(note)
        return with_graphics(self.scene, lambda: self.shown.update(depsgraph))

    def by_object(self) -> dict:
        """Items by the name of their object."""
        names = {holder.session_uid: holder.name for holder in self.scene.objects}
        return {names[key[0]]: item for key, item in self.shown._placed.items()}

    def changed(self) -> set[str]:
        """Reads again; returns the names of the objects with another item than before, or with none any more.

        Pictures are left out: they are always read again.
        """
        before = self.by_object()
        self.read()
        after = self.by_object()
        return {
            name for name in before | after if before.get(name) is not after.get(name) and not name.startswith("Input")
        }


@pytest.fixture
def hall(empty_scene, recorded):
    scene = create_hall(rec.load(recorded))
    bpy.context.window.scene = scene
    return Followed(scene)


def of_layer(hall, layer: str) -> set[str]:
    panel = panels.panel_of(hall.scene, layer)
    return {panel.name, *(child.name for child in panel.children_recursive)}


def texels(item) -> np.ndarray:
    texture = item.shape.textures["texels"]
    buffer = texture.read()
    buffer.dimensions = texture.height * texture.width * 4
    return np.array(buffer, np.float32).reshape(texture.height, texture.width, 4)


def test_nothing_is_read_twice(hall):
    drawn = {holder.name for holder in hall.scene.objects if holder.type == "MESH" and len(holder.data.vertices)}
    assert set(hall.by_object()) == drawn and not hall.shown.undrawn and len(drawn) == len(hall.shown.items)
    assert hall.changed() == set()
    depsgraph = bpy.context.view_layer.depsgraph
    assert not with_graphics(hall.scene, lambda: hall.shown.update(depsgraph))


def test_a_moved_panel_takes_its_frame_along_and_uploads_nothing(hall):
    before = hall.by_object()
    panel = panels.panel_of(hall.scene, "a")
    panel.matrix_world = panel.matrix_world @ Matrix.Translation((0.5, 0.25, 0.0))
    assert hall.changed() == of_layer(hall, "a")
    after = hall.by_object()
    assert np.allclose(after[panel.name].to_world, np.array(panel.matrix_world))
    assert after[panel.name].shape.textures["texels"] is before[panel.name].shape.textures["texels"]
    for name in of_layer(hall, "a"):
        assert after[name].shape.batch is before[name].shape.batch
        assert np.ptp(after[name].corners - before[name].corners, 0).max() < 1e-5


def test_new_maps_are_uploaded_and_no_others(hall):
    panel = panels.panel_of(hall.scene, "b")
    maps = store.read_maps(panel, "b", "activations")
    panels.show_maps(panel, replace(maps, texels=-2 * maps.texels))
    before = hall.by_object()
    assert panel.name in hall.changed() <= of_layer(hall, "b")
    image = panels.image_of(panel)
    wanted = np.array(image.pixels[:], np.float32).reshape(image.size[1], image.size[0], 4)
    shown = with_graphics(hall.scene, lambda: texels(hall.by_object()[panel.name]))
    assert np.array_equal(shown, wanted) and np.array_equal(values.texels_of(panel), -2 * maps.texels)
    assert before[panel.name].shape.textures["table"] is hall.by_object()[panel.name].shape.textures["table"]


def test_new_colours_upload_no_maps(hall):
    before = hall.by_object()
    actions.show_look(hall.scene, gain=2.0)
    hall.read()
    for layer in ("a", "fc"):
        name = panels.panel_of(hall.scene, layer).name
        ours, theirs = hall.by_object()[name].shape, before[name].shape
        assert ours.textures["texels"] is theirs.textures["texels"]
        assert ours.fields["range"] == pytest.approx(theirs.fields["range"] * (0.5, 0.5, 1, 1))


def test_other_geometry_is_uploaded(hall):
    panel = panels.panel_of(hall.scene, "a")
    frame = next(child for child in panel.children_recursive if len(child.data.vertices))
    frame.data.vertices[0].co.x += 5.0
    frame.data.update()
    before = hall.by_object()[frame.name].shape
    assert hall.changed() == {frame.name}
    after = hall.by_object()[frame.name].shape
    assert after.batch is not before.batch and after.high[0] == pytest.approx(before.low[0] + 5)


def test_what_is_hidden_or_removed_is_gone(hall):
    names = of_layer(hall, "b")
    actions.hide(hall.scene, "b")
    hall.read()
    assert not names & set(hall.by_object()) and hall.by_object()
    actions.hide(hall.scene, "b", False)
    hall.read()
    assert names & set(hall.by_object())
    bpy.data.objects.remove(panels.panel_of(hall.scene, "a"))
    hall.read()
    assert all(holder.get(PANEL_LAYER_ID) != "a" for holder in map(hall.scene.objects.get, hall.by_object()))


def test_what_is_not_of_a_hall_is_named_until_it_is_gone(hall):
    count = len(hall.by_object())
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    lamp.visible_camera = True
    hall.scene.collection.objects.link(lamp)
    hall.read()
    assert hall.shown.undrawn == ["light 'Lamp' is not of a hall"] and len(hall.by_object()) == count
    bpy.data.objects.remove(lamp)
    hall.read()
    assert hall.shown.undrawn == []


def test_undo_reads_all_again(hall):
    panel, before = panels.panel_of(hall.scene, "a"), hall.by_object()
    hall.shown.forget()
    assert hall.read()
    assert hall.by_object()[panel.name].shape is not before[panel.name].shape
    assert set(hall.by_object()) == set(before)
