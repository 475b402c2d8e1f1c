"""Creates a hall in a scene of its own, rebuilds a hall that an earlier version has saved, and removes a hall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
from mathutils import Matrix

from ....torch_bridge.recording import Progress, Recording
from ...layout import camera_presets
from ...properties import HALL_NETWORK_GRAPH, HALL_RECORDING, MATERIAL_IS_TEMPLATE, NODE_GROUP_NAME, OBJECT_ROLE
from ..materials import nodes
from ..paint import glyphs
from ..state.data_blocks import all_or_nothing, reachable_from
from ..view import camera, render
from . import assembly, session_events, store
from .store import Appearance

SIZE = (1920, 1080)
"""Width and height of the scene's renders in pixels."""
SAMPLES = 24


def create_hall(
    recording: Recording,
    appearance: Appearance | None = None,
    *,
    moves: Mapping[str, Matrix] | None = None,
    progress: Progress | None = None,
) -> bpy.types.Scene:
    """Creates a hall to walk in a new scene of this file, with a camera at the entrance; returns the scene.

    moves: from panels' planned places to where they stand, by layer id. Raises SceneError or UnknownName; then nothing
    of the hall is left in the file.
    """
    appearance = appearance or Appearance()
    recording.check_method(appearance.method)
    with all_or_nothing():
        scene = bpy.data.scenes.new(appearance.title or recording.network.name)
        _fill_scene(assembly.lay_out_hall(scene, recording, appearance), moves or {}, progress)
        render.set_render_settings(scene, *SIZE, SAMPLES)
    session_events.update_handlers()
    return scene


def rebuild_hall(scene: bpy.types.Scene) -> bpy.types.Scene:
    """Rebuilds a hall of an earlier version in its scene; panels that a person has moved keep their places."""
    recording, appearance, moves = store.read_recording(scene), store.read_appearance(scene), store.manual_moves(scene)
    context = assembly.lay_out_hall(scene, recording, appearance)  # may raise, so the old hall is removed afterwards
    clear_hall(scene)
    _fill_scene(context, moves, None)
    return scene


def clear_hall(scene: bpy.types.Scene) -> None:
    """Removes the objects of a scene's hall from all collections, with the data-blocks that only they used."""
    remove_objects([holder for holder in scene.objects if OBJECT_ROLE in holder])
    nodes.remove_outdated_groups()


def remove_hall(scene: bpy.types.Scene) -> None:
    """Removes a hall's scene with all data-blocks that nothing else uses; with the last hall, also what halls share.

    Objects of a person stay, with what they use of their own, and so do a person's data-blocks with a fake user.
    """
    if len(bpy.data.scenes) == 1:
        bpy.data.scenes.new("Scene")  # a file needs one
    shared = _shared_blocks() if store.halls() == [scene] else set()
    used = reachable_from([scene, *shared])
    holders = [block for block in used if isinstance(block, bpy.types.Object)]
    own, parts = ([holder for holder in holders if (OBJECT_ROLE in holder) == ours] for ours in (False, True))
    others = {user for block, users in used.items() if block != scene for user in users - used.keys()}
    fake = shared | {scene.get(HALL_RECORDING), scene.get(HALL_NETWORK_GRAPH)}
    others |= {block for block in used if block.use_fake_user and block not in fake}
    kept = reachable_from(others, beyond=[scene]).keys() | reachable_from(own, beyond=[scene, *parts]).keys()
    removed = [block for block in used if block not in kept and block != scene]
    bpy.data.scenes.remove(scene)
    bpy.data.batch_remove(removed)
    session_events.update_handlers()


def _shared_blocks() -> set[bpy.types.ID]:
    """Returns what the halls of a file share: node groups, and materials that those of panels are copied from."""
    blocks: tuple[bpy.types.ID, ...] = (*bpy.data.node_groups, *bpy.data.materials)
    return {block for block in blocks if NODE_GROUP_NAME in block or MATERIAL_IS_TEMPLATE in block}


def remove_objects(objects: Sequence[bpy.types.Object]) -> None:
    """Removes objects, with the meshes, materials and images that only they used."""
    materials = [slot.material for holder in objects for slot in holder.material_slots if slot.material]
    node_images = [getattr(node, "image", None) for material in materials for node in material.node_tree.nodes]
    images = [image for image in node_images if image]
    data = [holder.data for holder in objects if holder.data]
    bpy.data.batch_remove(objects)
    for blocks in (data, materials, images):
        bpy.data.batch_remove([block for block in dict.fromkeys(blocks) if not block.users])


def _fill_scene(context: assembly.BuildContext, moves: Mapping[str, Matrix], progress: Progress | None) -> None:
    assembly.add_hall(context, moves=moves, progress=progress)
    camera.set_camera(context.scene, camera_presets.entrance(context.hall, *SIZE), context.collection)
    store.write_recording(context.scene, context.recording, context.appearance)
    glyphs.forget_fonts()
