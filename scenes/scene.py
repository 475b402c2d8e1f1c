"""`innerwalk scene`: builds the hall of a recording and saves it as a self-contained Blender file."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..blender_addon.atomic_folders import write_error
from ..blender_addon.scene.hall import store
from ..blender_addon.scene.hall.build import create_hall, rebuild_hall
from ..blender_addon.scene.materials import images
from ..blender_addon.scene.state.data_blocks import reachable_from
from ..torch_bridge.recording.errors import SceneError
from .output_files import replaced

__all__ = ["create_hall", "rebuild_hall", "save"]


def save(scene: bpy.types.Scene, path: Path | str) -> Path:
    """Writes a hall, with what its scene shows beside it, and nothing else of this session, to a .blend file.

    The file is self-contained. Raises SceneError.
    """
    path = Path(path)
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is not a hall; build one from a recording")
    images.pack_images(block for block in reachable_from([scene]) if isinstance(block, bpy.types.Image))
    for layer in scene.view_layers:
        layer.update()  # Blender 5.2.3 crashes when it copies a view layer that was never updated
    with replaced(path, ".blend") as part:
        try:
            bpy.data.libraries.write(str(part), {scene}, fake_user=False, compress=True)
        except RuntimeError as error:
            raise write_error(path, error) from None
    return path
