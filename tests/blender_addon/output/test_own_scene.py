"""Figures with a hall's own camera show the scene as a person left it, and change nothing in it."""

from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402

ORANGE = (1.0, 0.5, 0.0)


@pytest.fixture
def hall(empty_scene, recorded):
    """A hall that a person looks at from above, past an orange board of their own, at 160 × 90 pixels."""
    scene = create_hall(rec.load(recorded))
    camera = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    camera.location = (0.0, 2.0, 12.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 50
    scene.cycles.samples = 1
    mesh = bpy.data.meshes.new("Board")
    mesh.from_pydata([(-0.2, 1.8, 11.0), (0.2, 1.8, 11.0), (0.2, 2.2, 11.0), (-0.2, 2.2, 11.0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("Orange")
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    material.node_tree.nodes.clear()
    light, output = (material.node_tree.nodes.new(f"ShaderNode{name}") for name in ("Emission", "OutputMaterial"))
    light.inputs[0].default_value = (*ORANGE, 1.0)
    material.node_tree.links.new(light.outputs[0], output.inputs[0])
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("Board", mesh))
    return scene


def figure(source, out: Path, **options) -> np.ndarray:
    return read_picture(render_figure(source, out, FigureOptions(preset="camera", **options)))


def srgb(colour) -> np.ndarray:
    colour = np.array(colour)
    return np.rint(255 * np.where(colour <= 0.0031308, 12.92 * colour, 1.055 * colour ** (1 / 2.4) - 0.055))


def test_own_objects_camera_and_size_are_kept_also_from_a_file(hall, tmp_path):
    shown = figure(hall, tmp_path / "open.png")
    assert shown.shape == (90, 160, 3)
    assert np.abs(shown[45, 80] - srgb(ORANGE)).max() <= 1
    assert np.array_equal(figure(save_hall(hall, tmp_path / "hall.blend"), tmp_path / "file.png"), shown)


def test_the_scene_stays_as_it_is(hall, tmp_path):
    hall.render.image_settings.file_format = "JPEG"
    before = {kind: set(getattr(bpy.data, kind)) for kind in ("scenes", "objects", "images", "cameras", "worlds")}
    assert figure(hall, tmp_path / "a.png", size=(64, 36), samples=2, transparent=True).shape == (36, 64, 4)
    assert (hall.render.resolution_x, hall.cycles.samples, hall.render.film_transparent) == (320, 1, False)
    assert hall.render.image_settings.file_format == "JPEG" and "Board" in hall.objects
    assert before == {kind: set(getattr(bpy.data, kind)) for kind in before} and store.halls() == [hall]


def test_hidden_panels_are_hidden(hall, tmp_path):
    corners = [hall.objects["a"].matrix_world @ Vector(corner) for corner in hall.objects["a"].bound_box]
    middle = sum(corners, Vector()) / 8
    hall.camera.matrix_world = hall.objects["a"].matrix_world.to_3x3().to_4x4()
    hall.camera.location = middle + hall.objects["a"].matrix_world.to_3x3() @ Vector((0.0, 0.0, 0.5))
    shown = figure(hall, tmp_path / "shown.png")
    actions.hide(hall, "a")
    hidden = figure(hall, tmp_path / "hidden.png")
    assert (np.abs(shown.astype(int) - hidden).max(2) > 8).mean() > 0.2


def test_what_has_no_meaning_here_is_refused(hall, recorded, tmp_path):
    with pytest.raises(SceneError, match="preset camera shows the scene as it is: change its gain in the hall"):
        figure(hall, tmp_path / "a.png", gain=2.0)
    with pytest.raises(SceneError, match="a recording has no camera"):
        figure(recorded, tmp_path / "a.png")
    with pytest.raises(UnknownName, match="did you mean camera"):
        render_figure(hall, tmp_path / "a.png", FigureOptions(preset="camra"))
    hall.camera = None
    with pytest.raises(SceneError, match="has no camera"):
        figure(hall, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == [recorded]
