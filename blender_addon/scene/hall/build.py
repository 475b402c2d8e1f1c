"""A recording becomes a hall in a scene of its own, and an older file's hall is built anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
from mathutils import Matrix

from ....torch_bridge.recording import Progress, Recording
from ....torch_bridge.recording.errors import SceneError
from ... import layout
from ...layout import camera_presets
from ...layout.blocks import shown_graph
from ...properties import OBJECT_ROLE
from ..materials import nodes
from ..paint import glyphs
from ..state.data_blocks import all_or_nothing
from ..view import camera, render
from . import assembly, store
from .store import Appearance

SIZE = (1920, 1080)
SAMPLES = 24


def create_hall(
    recording: Recording, appearance: Appearance | None = None, *, progress: Progress | None = None
) -> bpy.types.Scene:
    """A hall to walk, in a new scene of this file; other scenes are not touched.

    Its camera stands at the entrance. Raises SceneError or UnknownName; then nothing of it stays behind.
    """
    appearance = appearance or Appearance()
    if not recording.network.folded()[0]:
        raise SceneError(
            f"network {recording.network.name!r} has no layer to show; record one with a convolution or linear layer"
        )
    with all_or_nothing():
        scene = bpy.data.scenes.new(appearance.title or recording.network.name)
        _furnish(_site(scene, recording, appearance), {}, progress)
        render.set_render_settings(scene, *SIZE, SAMPLES)
    return scene


def rebuild_hall(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The hall of an older file, built anew by this version in the same scene; moved panels stay where they are."""
    recording, appearance, moved = store.read_recording(scene), store.read_appearance(scene), store.manual_moves(scene)
    context = _site(scene, recording, appearance)  # may raise: nothing of the old hall is gone before
    clear_hall(scene)
    _furnish(context, moved, None)
    return scene


def _site(scene: bpy.types.Scene, recording: Recording, appearance: Appearance) -> assembly.BuildContext:
    """What building needs, in a scene to walk. Raises UnknownName."""
    layers, links = shown_graph(recording.network, appearance.collapse)
    return assembly.BuildContext(scene, recording, layers, layout.lay_out(layers, links), appearance)


def _furnish(context: assembly.BuildContext, moved: Mapping[str, Matrix], progress: Progress | None) -> None:
    assembly.add_hall(context, moved=moved, progress=progress)
    camera.set_camera(context.scene, camera_presets.entrance(context.hall, *SIZE), context.collection)
    store.write_recording(context.scene, context.recording, context.appearance)
    glyphs.forget_fonts()


def clear_hall(scene: bpy.types.Scene) -> None:
    """Remove the objects of the scene's hall, in whatever collection they are, and what only these used."""
    remove_objects([one for one in scene.objects if OBJECT_ROLE in one])
    nodes.remove_outdated_groups()


def remove_objects(ours: Sequence[bpy.types.Object]) -> None:
    """Remove objects, with the meshes, materials and images that only these used."""
    used = [slot.material for one in ours for slot in one.material_slots if slot.material]
    shown = [node.image for one in used for node in one.node_tree.nodes if getattr(node, "image", None)]
    data = [one.data for one in ours if one.data]
    bpy.data.batch_remove(ours)
    for group in (data, used, shown):
        bpy.data.batch_remove([one for one in dict.fromkeys(group) if not one.users])
