"""A recording becomes a hall in a scene of its own, and an older file's hall is built anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
from mathutils import Matrix

from ...torch_bridge.errors import SceneError
from ...torch_bridge.recording import Recording
from .. import layout, presets
from ..blocks import shown
from . import camera, hall, nodes, render, store, text
from .paint import ROLE
from .render import Progress
from .session import whole
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


def _site(scene: bpy.types.Scene, recording: Recording, dress: Dress) -> hall.Site:
    """What building needs, in a scene to walk. Raises UnknownName."""
    layers, links = shown(recording.network, dress.collapse)
    return hall.Site(scene, recording, layers, layout.plan(layers, links), dress)


def _furnish(site: hall.Site, moved: Mapping[str, Matrix], progress: Progress | None) -> None:
    hall.add_hall(site, moved=moved, progress=progress)
    camera.set_camera(site.scene, presets.entrance(site.hall, *SIZE), site.collection)
    store.keep(site.scene, site.recording, site.dress)
    text.forget_fonts()


def clear(scene: bpy.types.Scene) -> None:
    """Remove the objects of the scene's hall, in whatever collection they are, and what only these used."""
    remove([one for one in scene.objects if ROLE in one])
    nodes.forget_outdated()


def remove(ours: Sequence[bpy.types.Object]) -> None:
    """Remove objects, with the meshes, materials and images that only these used."""
    used = [slot.material for one in ours for slot in one.material_slots if slot.material]
    shown = [node.image for one in used for node in one.node_tree.nodes if getattr(node, "image", None)]
    data = [one.data for one in ours if one.data]
    bpy.data.batch_remove(ours)
    for group in (data, used, shown):
        bpy.data.batch_remove([one for one in dict.fromkeys(group) if not one.users])
