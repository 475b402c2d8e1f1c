"""Takes from appended data-blocks what acts without being asked: code that renders run, and files that they write."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.recording.errors import SceneError

WRITES_FILES = "CompositorNodeOutputFile"


def disarm(blocks: Iterable[bpy.types.ID], path: Path) -> None:
    """Makes sure that rendering data-blocks of a stranger's file runs no code and writes no other files.

    Removed are Freestyle's scripts, nodes that write files, and fluids, which write a cache; OSL, which may write too,
    is switched off. path: the file, for messages. Raises SceneError where a data-block names a pipe or device, at
    which Blender would wait.
    """
    blocks = list(blocks)
    _refuse_pipes(blocks, path)
    for block in blocks:
        if isinstance(block, bpy.types.Scene):
            _disarm_scene(block)
        elif isinstance(block, bpy.types.NodeTree):
            _remove_file_outputs(block)
        elif isinstance(block, bpy.types.Object):
            for modifier in [each for each in block.modifiers if each.type == "FLUID"]:
                block.modifiers.remove(modifier)


def _disarm_scene(scene: Any) -> None:
    for layer in scene.view_layers:
        modules = layer.freestyle_settings.modules
        for module in list(modules):
            modules.remove(module)
    if hasattr(scene, "cycles"):
        scene.cycles.shading_system = False
    if not hasattr(scene, "compositing_node_group") and scene.node_tree:  # before Blender 5.0 it is part of the scene
        _remove_file_outputs(scene.node_tree)


def _remove_file_outputs(tree: bpy.types.NodeTree) -> None:
    for node in [each for each in tree.nodes if each.bl_idname == WRITES_FILES]:
        tree.nodes.remove(node)


def _refuse_pipes(blocks: list[bpy.types.ID], path: Path) -> None:
    """Raises SceneError for the first file, named by data-blocks, that exists and is neither regular nor a folder."""
    for block, names in bpy.data.file_path_map(subset=blocks).items():
        for name in names:
            place = Path(bpy.path.abspath(name, library=block.library))
            try:
                mode = place.stat().st_mode
            except (OSError, ValueError):  # missing, which Blender tells
                continue
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise SceneError(f"{path}: {block.name!r} in it reads {place}, no regular file; remove it there")
