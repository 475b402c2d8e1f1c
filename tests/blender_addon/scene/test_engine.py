"""Innerwalk's render engine: pixels against Cycles' on whole halls, what it leaves to Cycles, and saved files.

tests/blender_addon/scene/test_panels.py compares its tiles with numpy.
"""

import json

import numpy as np
import pytest

from innerwalk.blender_addon.layout.camera_presets import PRESETS
from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.output.png_text import read_texts  # noqa: E402
from innerwalk.blender_addon.properties import FOG_RANGE, SHOWN_BY_ENGINE  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.engine import ENGINE, hall_engine_works, passes, register_engine  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.view import render  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402

pytestmark = pytest.mark.skipif(not hall_engine_works(), reason="needs OpenGL (EGL)")
SIZE = (192, 108)
PASSES, SAMPLES = 64, 128
LARGEST_RMS = 3.0


@pytest.fixture
def hall(empty_scene, recorded):
    """A hall that stands open, with a small picture by few passes."""
    scene = create_hall(rec.load(recorded))
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.cycles.samples = 4
    return scene


def picture_and_facts(source, path, **options) -> tuple[np.ndarray, dict]:
    notes = []
    render_figure(source, path, FigureOptions(**options), on_note=notes.append)
    facts = json.loads(read_texts(path.read_bytes())["innerwalk"])
    assert notes == ([f"rendered by Cycles: {facts['note']}"] if facts["note"] else [])
    return read_picture(path).astype(float), facts


def rms(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.sqrt(np.mean((first - second) ** 2)))


def both(source, folder, **options) -> tuple[np.ndarray, np.ndarray]:
    """The picture by many passes of the engine, and by many samples of Cycles."""
    counts = {"innerwalk": PASSES, "cycles": SAMPLES}
    found = [
        picture_and_facts(source, folder / f"{engine}.png", engine=engine, samples=count, **options)
        for engine, count in counts.items()
    ]
    assert [facts["engine"] for _, facts in found] == [*counts]
    return found[0][0], found[1][0]


@pytest.mark.parametrize("theme", ["dark", "paper"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_looks_as_by_cycles(empty_scene, recorded, tmp_path, monkeypatch, preset, theme):
    monkeypatch.setattr(render, "MAX_FIXED_SAMPLES", SAMPLES)  # else Cycles stops early
    drawn, wanted = both(recorded, tmp_path, preset=preset, theme=theme, size=SIZE)
    assert wanted.std() > 5 and rms(drawn, wanted) < LARGEST_RMS


def test_a_transparent_picture_looks_as_by_cycles(empty_scene, recorded, tmp_path):
    drawn, wanted = both(recorded, tmp_path, preset="walk", size=SIZE, transparent=True)
    alpha = wanted[..., 3]
    assert 0.1 < (alpha == 0).mean() < 0.9 and rms(drawn[..., 3], alpha) < LARGEST_RMS
    assert rms(drawn[alpha == 255], wanted[alpha == 255]) < LARGEST_RMS


def test_a_rearranged_hall_with_another_beside_it_looks_as_by_cycles(hall, tmp_path):
    actions.hide(hall, "a")
    panels.panel_of(hall, "b").matrix_world @= Matrix.Translation((0.3, 0.2, 0.1)) @ Matrix.Rotation(0.4, 4, "Y")
    other = bpy.data.scenes.new("Mine")
    other.world, other.camera = hall.world, hall.camera
    for offset in (0.0, 3.0):
        holder = bpy.data.objects.new("Instance", None)
        holder.instance_type, holder.instance_collection = "COLLECTION", hall.collection.children[0]
        holder.matrix_world = Matrix.Translation((offset, offset, 0.1 * offset)) @ Matrix.Rotation(offset, 4, "Z")
        other.collection.objects.link(holder)
    hall.collection.objects.unlink(hall.camera) if hall.camera.name in hall.collection.objects else None
    for holder in other.collection.objects[:]:
        hall.collection.objects.link(holder)
    drawn, wanted = both(hall, tmp_path, preset="camera")
    assert wanted.std() > 5 and rms(drawn, wanted) < LARGEST_RMS


def test_the_same_driver_draws_the_same_pixels(hall, tmp_path):
    first, facts = picture_and_facts(hall, tmp_path / "a.png", preset="camera")
    second, again = picture_and_facts(hall, tmp_path / "b.png", preset="camera")
    assert facts["engine"] == "innerwalk" and "OpenGL" in facts["driver"] and facts == again
    assert np.array_equal(first, second)


def test_a_picture_larger_than_a_target_is_drawn_in_parts(hall, tmp_path, monkeypatch):
    whole, _ = picture_and_facts(hall, tmp_path / "a.png", preset="camera")
    monkeypatch.setattr(passes, "MOST_SIDE", 80)
    parts, _ = picture_and_facts(hall, tmp_path / "b.png", preset="camera")
    assert parts.shape == whole.shape and rms(whole, parts) < 0.5


def own_mesh(hall):
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0)], [], [(0, 1, 2)])
    hall.collection.objects.link(bpy.data.objects.new("Cube", mesh))


def own_light(hall):
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    lamp.visible_camera = True  # else it lights nothing of a hall, and isn't seen
    hall.collection.objects.link(lamp)


def own_material(hall):
    nodes = panels.panel_of(hall, "a").data.materials[0].node_tree
    output = nodes.get_output_node("CYCLES")
    nodes.links.new(nodes.nodes.new("ShaderNodeBsdfGlossy").outputs[0], output.inputs[0])


def own_world(hall):
    hall.world.node_tree.nodes.new("ShaderNodeTexSky")


def own_modifier(hall):
    panels.panel_of(hall, "a").modifiers.new("Mine", "BEVEL")


def own_points(hall):
    panels.panel_of(hall, "a").data.vertices[0].co.z = 0.5


def own_focus(hall):
    hall.camera.data.dof.use_dof = True


def own_blur(hall):
    hall.render.use_motion_blur = True


@pytest.mark.parametrize(
    ("add", "says"),
    [
        (own_mesh, "the material of mesh 'Cube' is not of a hall"),
        (own_light, "light 'Lamp' is not of a hall"),
        (own_material, "the material of mesh 'a' is not of a hall"),
        (own_world, "is not of a hall"),
        (own_modifier, "mesh 'a' has a person's own geometry"),
        (own_points, "mesh 'a' has a person's own geometry"),
        (own_focus, "has a depth of field"),
        (own_blur, "the scene's settings ask for motion blur"),
    ],
)
def test_what_is_not_of_a_hall_is_rendered_by_cycles_and_named(hall, tmp_path, add, says):
    add(hall)
    hall.render.resolution_x, hall.render.resolution_y, hall.cycles.samples = 16, 9, 1
    shown, facts = picture_and_facts(hall, tmp_path / "a.png", preset="camera")
    assert facts["engine"] == "cycles" and says in facts["note"] and facts["driver"] == ""
    assert shown.std() > 0, "Cycles has rendered it"


def test_a_hidden_object_of_a_person_is_none_of_the_picture(hall, tmp_path):
    own_mesh(hall)
    hall.objects["Cube"].hide_render = True
    assert picture_and_facts(hall, tmp_path / "a.png", preset="camera")[1]["engine"] == "innerwalk"


def test_strange_properties_are_taken_for_none(hall, tmp_path):
    panel = panels.panel_of(hall, "a")
    for strange in ("fog", [float("nan")] * 9, {"a": 1}, ["x"]):
        panel[FOG_RANGE] = strange
        assert picture_and_facts(hall, tmp_path / "a.png", preset="camera")[1]["engine"] == "innerwalk"


def engines_in(path) -> list[str]:
    with bpy.data.libraries.load(str(path)) as (names, wanted):
        wanted.scenes = list(names.scenes)
    found = [scene.render.engine for scene in wanted.scenes]
    for scene in wanted.scenes:
        bpy.data.scenes.remove(scene)
    return found


def test_saved_files_name_cycles(hall, tmp_path):
    render.set_engine(hall, "innerwalk")
    save_hall(hall, tmp_path / "hall.blend")
    assert hall.render.engine == ENGINE and engines_in(tmp_path / "hall.blend") == ["CYCLES"]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "all.blend"), copy=True)
    assert hall.render.engine == ENGINE and SHOWN_BY_ENGINE not in hall
    assert ENGINE not in engines_in(tmp_path / "all.blend")


def test_the_engine_is_registered_once(empty_scene):
    register_engine()
    register_engine()
    known = [each for each in bpy.types.RenderEngine.__subclasses__() if getattr(each, "bl_idname", "") == ENGINE]
    assert [each.is_registered for each in known] == [True]
