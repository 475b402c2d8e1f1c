"""Runs code with a graphics context in a Blender without a window, where only a render engine has one."""

from collections.abc import Callable
from typing import Any

import bpy


class GraphicsEngine(bpy.types.RenderEngine):
    """Runs a function instead of rendering."""

    bl_idname = "INNERWALK_TEST_GRAPHICS"
    bl_label = "Graphics"
    bl_use_gpu_context = True
    work: Callable[[], Any]
    found: list[Any]

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Runs it and keeps what it returns, or its error, which Blender would only print."""
        try:
            GraphicsEngine.found.append(GraphicsEngine.work())
        except Exception as error:  # noqa: BLE001  raised again by `with_graphics`
            GraphicsEngine.found.append(error)


def with_graphics(scene: bpy.types.Scene, work: Callable[[], Any]) -> Any:
    """Returns what a function returns that is called with a graphics context; raises its errors."""
    engine, GraphicsEngine.work, GraphicsEngine.found = scene.render.engine, staticmethod(work), []
    bpy.utils.register_class(GraphicsEngine)
    scene.render.engine = GraphicsEngine.bl_idname
    try:
        bpy.ops.render.render(scene=scene.name)
    finally:
        scene.render.engine = engine
        bpy.utils.unregister_class(GraphicsEngine)
    (result,) = GraphicsEngine.found
    if isinstance(result, Exception):
        raise result
    return result
