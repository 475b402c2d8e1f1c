"""The render engine that Blender calls: it draws halls by the graphics card, or by a driver that does without one."""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np

from ..dressing.sky import read_sky
from .drawn_items import NotOfHallError, read_items
from .graphics_data import GraphicsCache
from .passes import PictureCamera, Sky, draw_picture
from .view_drawing import ViewDrawing

ENGINE = "INNERWALK"
"""The engine's id in `scene.render.engine`."""
NOT_DRAWN = "not drawn by Innerwalk's engine"
"""Start of the error of a scene that shows anything not of a hall."""
UNDRAWN = ("use_motion_blur", "use_border", "use_multiview", "use_freestyle")
"""Render settings that the engine doesn't know."""


class HallRenderEngine(bpy.types.RenderEngine):
    """Draws halls and nothing else: everything in them emits its own colour, so that no light is needed."""

    bl_idname = ENGINE
    bl_label = "Innerwalk"
    bl_use_gpu_context = True
    bl_use_preview = False

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Renders the scene's camera; a scene that shows anything not of a hall is an error of one line."""
        try:
            picture = self._draw(depsgraph)
        except NotOfHallError as error:
            self.report({"ERROR"}, f"{NOT_DRAWN}: {error}")
            return
        height, width = picture.shape[:2]
        result = self.begin_result(0, 0, width, height)
        result.layers[0].passes["Combined"].rect.foreach_set(picture.ravel())
        self.end_result(result)

    def view_update(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Reads the scene once more when a 3D view of it is drawn next."""
        self._view.forget_items()

    def view_draw(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Draws a 3D view, and names what isn't drawn at its upper left, because it is not of a hall."""
        region: Any = context.region
        at: Any = context.region_data
        to_world = np.linalg.inv(np.array(at.view_matrix, np.float64))
        camera = PictureCamera(np.array(at.window_matrix, np.float64), to_world, region.width, region.height)
        if self._view.draw(depsgraph, _view_sky(depsgraph.scene_eval), camera):
            self.tag_redraw()
        undrawn = self._view.undrawn
        self.update_stats(NOT_DRAWN if undrawn else "", undrawn[0] if undrawn else "")

    @property
    def _view(self) -> ViewDrawing:
        """What the 3D view keeps; Blender has an engine of its own for each view."""
        if "kept" not in self.__dict__:
            self.kept = ViewDrawing()
        return self.kept

    def _draw(self, depsgraph: bpy.types.Depsgraph) -> np.ndarray:
        scene, cache = depsgraph.scene_eval, GraphicsCache()
        _check_settings(scene, depsgraph.view_layer_eval)
        passes, items = max(1, scene.cycles.samples), read_items(depsgraph, cache)
        sky = None if scene.render.film_transparent else scene_sky(scene)
        self.update_stats("", f"Driver {gpu.platform.renderer_get()}, OpenGL {gpu.platform.version_get()}")

        def show(share: float) -> None:
            self.update_stats("", f"Sample {round(share * passes)}/{passes}")
            self.update_progress(share)

        return draw_picture(items, sky, render_camera(scene, depsgraph), passes, cache, show)


def register_engine() -> None:
    """Makes the engine known to Blender, once."""
    if not HallRenderEngine.is_registered:
        bpy.utils.register_class(HallRenderEngine)


def unregister_engine() -> None:
    """Makes Blender forget the engine, if it is known."""
    if HallRenderEngine.is_registered:
        bpy.utils.unregister_class(HallRenderEngine)


def scene_sky(scene: bpy.types.Scene) -> Sky:
    """Returns the background of a scene, black without a world. Raises NotOfHallError for a person's own world."""
    if scene.world is None:
        return Sky(np.zeros(3), np.zeros(3), 1.0)
    colours = read_sky(scene.world)
    if colours is None:
        raise NotOfHallError(f"world {scene.world.name!r} is not of a hall")
    return Sky(*colours)


def _view_sky(scene: bpy.types.Scene) -> Sky | None:
    """Returns the background of a scene's hall; None for a person's own world, which a 3D view doesn't show."""
    try:
        return scene_sky(scene)
    except NotOfHallError:
        return None


def render_camera(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> PictureCamera:
    """Returns the scene's camera. Raises NotOfHallError for one that isn't flat or has a depth of field."""
    holder, render = scene.camera, scene.render
    lens: Any = holder.data
    if lens.type == "PANO" or lens.dof.use_dof:
        raise NotOfHallError(f"camera {holder.name!r} is a panorama or has a depth of field")
    width, height = (side * render.resolution_percentage // 100 for side in (render.resolution_x, render.resolution_y))
    aspect = {"scale_x": render.pixel_aspect_x, "scale_y": render.pixel_aspect_y}
    projection = holder.calc_matrix_camera(depsgraph, x=width, y=height, **aspect)
    to_world = np.array(holder.matrix_world.normalized(), np.float64)
    return PictureCamera(np.array(projection, np.float64), to_world, width, height)


def _check_settings(scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> None:
    """Raises NotOfHallError for settings of a scene that the engine doesn't know."""
    found = [name.removeprefix("use_").replace("_", " ") for name in UNDRAWN if getattr(scene.render, name)]
    if layer.material_override is not None:
        found.append("a material for all objects")
    if found:
        raise NotOfHallError(f"the scene's settings ask for {found[0]}")
