"""Figures of a stranger's .blend file run no code of it, write no other file, and don't wait."""

import os

import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import append_hall, save_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402

SHOWN = FigureOptions(preset="camera", size=(64, 36), samples=1, engine="cycles")


@pytest.fixture
def hall(empty_scene, recorded):
    scene = create_hall(rec.load(recorded))
    scene.camera = bpy.data.objects.new("Mine", bpy.data.cameras.new("Mine"))
    scene.collection.objects.link(scene.camera)
    return scene


def composite(scene, kind: str):
    """Gives a scene a compositor in which a node of a kind gets its render; returns the node."""
    if bpy.app.version < (5, 0):
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        end = tree.nodes.new("CompositorNodeComposite")
    else:
        tree = scene.compositing_node_group = bpy.data.node_groups.new("Mine", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        end = tree.nodes.new("NodeGroupOutput")
    start, node = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new(kind)
    start.scene = scene
    if bpy.app.version >= (5, 0) and kind == "CompositorNodeOutputFile":
        node.file_output_items.new("RGBA", "img")
    source = start.outputs["Image"]
    tree.links.new(source, node.inputs["Color"] if "Color" in node.inputs else node.inputs[0])
    tree.links.new(node.outputs[0] if node.outputs else source, end.inputs[0])
    return node


def test_nodes_that_write_files_are_taken_out(hall, tmp_path):
    node, folder = composite(hall, "CompositorNodeOutputFile"), tmp_path / "elsewhere"
    setattr(node, "directory" if hasattr(node, "directory") else "base_path", f"{folder}/")
    render_figure(save_hall(hall, tmp_path / "hall.blend"), tmp_path / "a.png", SHOWN)
    assert not folder.exists()


def test_scripts_of_freestyle_and_fluids_are_taken_out(hall, tmp_path):
    ran = tmp_path / "ran"
    script = bpy.data.texts.new("style.py")
    script.write(f"open({str(ran)!r}, 'w').close()")
    hall.render.use_freestyle = hall.view_layers[0].use_freestyle = True
    hall.view_layers[0].freestyle_settings.mode = "SCRIPT"
    hall.view_layers[0].freestyle_settings.modules.new().script = script
    next(thing for thing in hall.objects if thing.type == "MESH").modifiers.new("Sea", "FLUID")
    path = save_hall(hall, tmp_path / "hall.blend")
    render_figure(path, tmp_path / "a.png", SHOWN)
    assert not ran.exists()
    scene = append_hall(path)
    assert not any(each.type == "FLUID" for thing in scene.objects for each in thing.modifiers)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_picture_that_is_a_pipe_is_refused(hall, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    path, before = save_hall(hall, tmp_path / "hall.blend"), len(bpy.data.objects)
    camera = hall.camera.data
    camera.show_background_images = True
    image = bpy.data.images.new("Waits", 4, 4)
    image.source, image.filepath = "FILE", str(tmp_path / "pipe.png")
    camera.background_images.new().image = image
    bpy.data.libraries.write(str(path), {hall}, fake_user=False)
    with pytest.raises(SceneError, match="'Waits.*' in it reads .*pipe.png, no regular file"):
        append_hall(path)
    assert len(bpy.data.objects) == before


def test_an_own_compositor_works_on_the_picture(hall, tmp_path):
    plain = FigureOptions(preset="camera", size=(64, 36), samples=1)
    before = read_picture(render_figure(hall, tmp_path / "a.png", plain)).mean()
    composite(hall, "CompositorNodeInvert")
    assert read_picture(render_figure(hall, tmp_path / "b.png", plain)).mean() > before + 60
