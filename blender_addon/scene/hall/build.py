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
from ..state.scratch import whole
from ..view import camera, render
from . import assembly, store
from .store import Dress

SIZE = (1920, 1080)
SAMPLES = 24


def build(recording: Recording, dress: Dress | None = None, *, progress: Progress | None = None) -> bpy.types.Scene:
    """A hall to walk, in a new scene of this file; other scenes are not touched.

    Its camera stands at the entrance. Raises SceneError or UnknownName; then nothing of it stays behind.
    """
    dress = dress or Dress()
    if not recording.network.folded()[0]:
        raise SceneError(
            f"network {recording.network.name!r} has no layer to show; record one with a convolution or linear layer"
        )
    with whole():
        scene = bpy.data.scenes.new(dress.title or recording.network.name)
        _furnish(_site(scene, recording, dress), {}, progress)
        render.prepare(scene, *SIZE, SAMPLES)
    return scene


def rebuild(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The hall of an older file, built anew by this version in the same scene; moved panels stay where they are."""
    recording, dress, moved = store.kept(scene), store.dress_of(scene), store.moved(scene)
    site = _site(scene, recording, dress)  # may raise: nothing of the old hall is gone before
    clear(scene)
    _furnish(site, moved, None)
    return scene


def _site(scene: bpy.types.Scene, recording: Recording, dress: Dress) -> assembly.Site:
    """What building needs, in a scene to walk. Raises UnknownName."""
    layers, links = shown_graph(recording.network, dress.collapse)
    return assembly.Site(scene, recording, layers, layout.lay_out(layers, links), dress)


def _furnish(site: assembly.Site, moved: Mapping[str, Matrix], progress: Progress | None) -> None:
    assembly.add_hall(site, moved=moved, progress=progress)
    camera.set_camera(site.scene, camera_presets.entrance(site.hall, *SIZE), site.collection)
    store.keep(site.scene, site.recording, site.dress)
    glyphs.forget_fonts()


def clear(scene: bpy.types.Scene) -> None:
    """Remove the objects of the scene's hall, in whatever collection they are, and what only these used."""
    remove([one for one in scene.objects if OBJECT_ROLE in one])
    nodes.remove_outdated_groups()


def remove(ours: Sequence[bpy.types.Object]) -> None:
    """Remove objects, with the meshes, materials and images that only these used."""
    used = [slot.material for one in ours for slot in one.material_slots if slot.material]
    shown = [node.image for one in used for node in one.node_tree.nodes if getattr(node, "image", None)]
    data = [one.data for one in ours if one.data]
    bpy.data.batch_remove(ours)
    for group in (data, used, shown):
        bpy.data.batch_remove([one for one in dict.fromkeys(group) if not one.users])
