"""The recipe of `innerwalk scene`: a recording becomes a hall in a scene of its own, and a file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..blender_addon import layout, presets
from ..blender_addon.scene import camera, hall, images, materials, nodes, render, store, text
from ..blender_addon.scene.panels import panels
from ..blender_addon.scene.store import Dress
from ..torch_bridge.errors import SceneError
from ..torch_bridge.recording import Recording
from .files import replaced, unwritten

SIZE = (1920, 1080)
SAMPLES = 24


def build(
    recording: Recording, dress: Dress | None = None, *, progress: hall.Progress | None = None
) -> bpy.types.Scene:
    """A hall to walk, in a new scene of this file; other scenes are not touched.

    Its camera stands at the entrance. Raises SceneError or UnknownName; then nothing of it stays behind.
    """
    dress = dress or Dress()
    layers, links = recording.network.folded()
    if not layers:
        raise SceneError(
            f"network {recording.network.name!r} has no layer to show; record one with a convolution or linear layer"
        )
    scene = bpy.data.scenes.new(dress.title or recording.network.name)
    plan = layout.plan(layers, links)
    site = hall.Site(scene, recording, plan, dress)
    hall.add_hall(site, progress=progress)
    camera.set_camera(scene, presets.entrance(plan, *SIZE), site.collection)
    render.prepare(scene, *SIZE, SAMPLES)
    store.keep(scene, recording, dress)
    text.forget_fonts()
    return scene


def save(scene: bpy.types.Scene, path: Path | str) -> Path:
    """Write a hall, and nothing else of this session, as a file that needs no other file. Raises SceneError."""
    path = Path(path)
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is no hall; build one from a recording")
    pack(scene)
    with replaced(path) as part:
        try:
            bpy.data.libraries.write(str(part), {scene}, fake_user=False, compress=True)
        except RuntimeError:
            raise unwritten(path) from None
    return path


def pack(scene: bpy.types.Scene) -> None:
    """Keep the maps in the file: images made in a session are lost otherwise."""
    shown = [materials.image_of(panel.data.materials[0]) for panel in panels(scene).values()]
    for image in [*shown, images.table_image()]:
        if image.is_dirty or image.packed_file is None:
            image.pack()


def rebuild(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The hall of an older file, built anew by this version in the same scene; moved panels stay where they are."""
    recording, dress, moved = store.kept(scene), store.dress_of(scene), store.moved(scene)
    clear(scene)
    plan = layout.plan(*recording.network.folded())
    site = hall.Site(scene, recording, plan, dress)
    hall.add_hall(site, moved=moved)
    camera.set_camera(scene, presets.entrance(plan, *SIZE), site.collection)
    store.keep(scene, recording, dress)
    return scene


def clear(scene: bpy.types.Scene) -> None:
    """Remove what belongs to the scene's hall, and what only that used."""
    into = hall.collection_of(scene)
    used = [slot.material for one in into.objects for slot in one.material_slots if slot.material]
    shown = [node.image for one in used for node in one.node_tree.nodes if getattr(node, "image", None)]
    data = [one.data for one in into.objects if one.data]
    bpy.data.batch_remove(list(into.objects))
    for group in (data, used, shown):
        bpy.data.batch_remove([one for one in dict.fromkeys(group) if not one.users])
    nodes.refit() if hasattr(nodes, "refit") else None
