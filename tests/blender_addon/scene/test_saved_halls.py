"""Saved halls: opened in fresh processes, with panels that a person moved, and from an earlier release."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerwalk.tests.support import SUPPORT
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import NODE_GROUP_NAME, PAINT_MATERIAL_STAMP, VERSION_STAMP  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall, rebuild_hall  # noqa: E402
from innerwalk.blender_addon.scene.materials import nodes  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels  # noqa: E402

GOLDEN = SUPPORT / "golden_blend"
SMALL = (320, 180)
OPEN = """
import json, os, sys
sys.modules.update(dict.fromkeys(["torch", "torchvision"]))
import bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y, scene.cycles.samples = 320, 180, 2
scene.render.filepath = sys.argv[2]
bpy.ops.render.render(write_still=True)
print("FOUND", json.dumps({
    "scenes": len(bpy.data.scenes), "hall": "innerwalk_hall" in scene, "fonts": len(bpy.data.fonts),
    "outside": [i.name for i in bpy.data.images if i.source == "FILE" and not i.packed_file],
    "empty": [i.name for i in bpy.data.images if i.users and i.type == "IMAGE" and not (i.has_data or i.packed_file)],
    "transform": scene.view_settings.view_transform, "far": scene.camera.data.clip_end,
}), flush=True)
os._exit(0)  # the destructors of Blender 4.5 now and then wait forever
"""


@pytest.fixture
def saved(empty_scene, recorded, tmp_path) -> Path:
    """The path of a saved hall."""
    return save_hall(create_hall(rec.load(recorded)), tmp_path / "hall.blend")


def read(path: Path) -> np.ndarray:
    image = bpy.data.images.load(str(path), check_existing=False)
    flat = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(image.size[1], image.size[0], 4)[..., :3] * 255


def test_a_hall_renders_the_same_in_a_fresh_process(saved, recorded, tmp_path, rendered):
    script = tmp_path / "open.py"
    script.write_text(OPEN)
    done = subprocess.run([sys.executable, script, saved, tmp_path / "there.png"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.split("FOUND ")[1].splitlines()[0])  # Blender may print further lines
    assert found == {"scenes": 1, "hall": True, "fonts": 0, "outside": [], "empty": [], "transform": "Standard",
                     "far": 4000.0}  # fmt: skip
    scene = store.halls()[0]
    scene.cycles.samples = 2
    here = rendered(scene, *SMALL)[::-1]
    assert np.abs(read(tmp_path / "there.png") - here).max() <= 1


def test_figures_of_the_file_and_of_the_recording_are_equal(saved, recorded, tmp_path):
    for preset, layer in (("overview", None), ("layer", "a")):
        order = FigureOptions(preset=preset, size=SMALL, samples=2, layer=layer)
        figure = render_figure(recorded, tmp_path / "a.png", order)
        assert render_figure(saved, tmp_path / "b.png", order).read_bytes() == figure.read_bytes()


def test_a_moved_panel_stays_moved_in_every_figure(empty_scene, recorded, tmp_path):
    scene = create_hall(rec.load(recorded))
    panel = panels(scene)["b"]
    panel.matrix_world = panel.matrix_world @ Matrix.Translation((0.0, 1.5, 0.0))
    moved = save_hall(scene, tmp_path / "moved.blend")
    for preset in ("overview", "entrance"):
        order = FigureOptions(preset=preset, size=SMALL, samples=2)
        still = read(render_figure(recorded, tmp_path / "still.png", order))
        other = read(render_figure(moved, tmp_path / "moved.png", order))
        assert (np.abs(still - other).max(2) > 30).sum() > 20, preset
    again = render_figure(moved, tmp_path / "a.png", FigureOptions(size=SMALL, samples=2)).read_bytes()
    assert again == render_figure(moved, tmp_path / "b.png", FigureOptions(size=SMALL, samples=2)).read_bytes()


def test_only_the_hall_is_saved(empty_scene, recorded, tmp_path):
    bpy.data.objects.new("Secret", bpy.data.meshes.new("Secret")).use_fake_user = True
    path = save_hall(create_hall(rec.load(recorded)), tmp_path / "hall.blend")
    with bpy.data.libraries.load(str(path)) as (source, _):
        assert "Secret" not in source.objects and len(source.scenes) == 1


def pixels(image) -> np.ndarray:
    flat = np.zeros(4 * image.size[0] * image.size[1], np.float32)
    image.pixels.foreach_get(flat)
    return flat


def test_what_stands_beside_is_saved_too(empty_scene, recorded, tmp_path):
    hall, other = create_hall(rec.load(recorded)), create_hall(rec.load(recorded))
    actions.stand_beside(hall, other.name)
    before = {image.name: pixels(image) for image in bpy.data.images if image.users}
    path = save_hall(hall, tmp_path / "both.blend")
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert len(bpy.data.scenes) == 1
    after = {image.name: pixels(image) for image in bpy.data.images if image.users}
    assert after.keys() == before.keys() and all(np.array_equal(after[name], before[name]) for name in before)


def test_saving_fails_in_one_line_and_keeps_the_old_file(empty_scene, recorded, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError("Error: No space left on device\n")  # Blender's own message has no error number

    scene = create_hall(rec.load(recorded))
    with pytest.raises(SceneError, match="no such folder"):
        save_hall(scene, tmp_path / "nowhere" / "hall.blend")
    with pytest.raises(SceneError, match="is not a hall"):
        save_hall(bpy.context.scene, tmp_path / "hall.blend")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SceneError, match="hall.blend: the disk is full"):
        save_hall(scene, tmp_path / "hall.blend")
    assert not list(tmp_path.glob("*.blend"))


def test_a_saved_hall_with_an_older_stamp_offers_to_be_rebuilt(saved):
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    scene = bpy.context.scene
    assert not store.is_outdated(scene)
    group = next(group for group in bpy.data.node_groups if NODE_GROUP_NAME in group)
    group[VERSION_STAMP] = 0
    assert store.is_outdated(scene)
    rebuild_hall(scene)
    assert not store.is_outdated(scene) and len(panels(scene)) == 4


def test_an_older_hall_appended_beside_a_new_one_is_updated_once(saved, recorded, tmp_path):
    for group in bpy.data.node_groups:
        group[VERSION_STAMP] = 0
    for material in bpy.data.materials:
        for key in {VERSION_STAMP, PAINT_MATERIAL_STAMP} & set(material.keys()):
            material[key] = 0
    old = save_hall(store.halls()[0], tmp_path / "old.blend")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    create_hall(rec.load(recorded))
    with bpy.data.libraries.load(str(old)) as (source, wanted):
        wanted.scenes = source.scenes
    assert [store.is_outdated(scene) for scene in store.halls()] == [True, True]
    for scene in store.halls():
        rebuild_hall(scene)
    assert not nodes.outdated_groups() and not any(store.is_outdated(scene) for scene in store.halls())


def test_a_figure_of_a_file_leaves_none_of_its_data(empty_scene, recorded, tmp_path):
    blocks = {"lights": bpy.data.lights.new("l", "SUN"), "armatures": bpy.data.armatures.new("a"),
             "speakers": bpy.data.speakers.new("s")}  # fmt: skip
    for data in blocks.values():
        empty_scene.collection.objects.link(bpy.data.objects.new(data.name, data))
    empty_scene.objects[0].keyframe_insert("location")
    create_hall(rec.load(recorded))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mine.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    render_figure(tmp_path / "mine.blend", tmp_path / "a.png", FigureOptions(size=(32, 18), samples=1))
    assert not [kind for kind in (*blocks, "actions", "objects", "images") if len(getattr(bpy.data, kind))]


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.blend")), ids=lambda path: path.stem)
def test_a_hall_of_every_release_opens_and_can_be_rebuilt(golden, tmp_path):
    bpy.ops.wm.open_mainfile(filepath=str(golden))
    scene = bpy.context.scene
    kept = store.read_recording(scene)
    assert (kept.network.name, kept.prediction.top[0][1], len(kept.all_maps)) == ("tiny", "cat", 4)
    before = {id: np.array(panel.matrix_world) for id, panel in panels(scene).items()}
    rebuild_hall(scene)
    assert not store.is_outdated(scene)
    assert set(before) == set(panels(scene))
    picture = read(render_figure(golden, tmp_path / "a.png", FigureOptions(size=SMALL, samples=2)))
    assert picture.std() > 5
