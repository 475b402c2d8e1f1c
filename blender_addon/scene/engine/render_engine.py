"""The render engine that Blender calls: it draws halls by the graphics card, or by a driver that does without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import bpy
import gpu
import numpy as np

from ..dressing.sky import read_sky
from .drawn_items import NotOfHallError
from .graphics_data import GraphicsCache
from .passes import PictureCamera, Sky, draw_picture
from .scene_items import SceneItems
from .view_drawing import ViewDrawing

ENGINE = "INNERWALK"
"""The engine's id in `scene.render.engine`."""
NOT_DRAWN = "not drawn by Innerwalk's engine"
"""Start of the error of a scene that shows anything not of a hall."""
COMPILING = "compiling shaders, once"
"""What a 3D view says while its shaders are compiled for the first time, which can take half a minute."""
UNDRAWN = ("use_motion_blur", "use_border", "use_multiview", "use_freestyle")
"""Render settings that the engine doesn't know."""


@dataclass
class KeptPicture:
    """What is kept from one render to the next, and the picture itself, which Blender doesn't hand out."""

    shown: SceneItems = field(default_factory=SceneItems)
    cache: GraphicsCache = field(default_factory=GraphicsCache)
    pixels: np.ndarray | None = None
    """(height, width, 4) float32, linear, with premultiplied alpha, first row at the bottom; None before a render."""


class HallRenderEngine(bpy.types.RenderEngine):
    """Draws halls and nothing else: everything in them emits its own colour, so that no light is needed."""

    kept: ClassVar[KeptPicture | None] = None
    """Where renders leave their pictures while films are rendered."""
    has_drawn: ClassVar[bool] = False
    """Whether a 3D view was drawn in this run of Blender, so that all shaders are compiled."""

    bl_idname = ENGINE
    bl_label = "Innerwalk"
    bl_use_gpu_context = True
    bl_use_eevee_viewport = True  # in Material Preview, which shows what is not of a hall too
    bl_use_preview = False

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Renders the scene's camera; a scene that shows anything not of a hall is an error of one line."""
        try:
            picture = self._draw(depsgraph)
        except NotOfHallError as error:
            self.report({"ERROR"}, f"{NOT_DRAWN}: {error}")
            return
        height, width = picture.shape[:2]
        if self.kept is not None:
            self.kept.pixels = picture
        result = self.begin_result(0, 0, width, height)
        result.layers[0].passes["Combined"].rect.foreach_set(picture.ravel())
        self.end_result(result)

    def view_update(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Reads what has changed in the scene when a 3D view of it is drawn next."""
        self._view.shown.note_updates(depsgraph)
        if not depsgraph.updates:  # Blender doesn't say what has changed, as after another engine was chosen
            self._view.shown.forget()

    def view_draw(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Draws a 3D view, and names what isn't drawn at its upper left, because it is not of a hall."""
        region: Any = context.region
        at: Any = context.region_data
        to_camera = np.array(at.view_matrix, np.float64)
        if not to_camera.any():  # Blender says to no engine where the eyes of a headset are
            return
        sky = _view_sky(depsgraph.scene_eval)
        if self._says_first(sky):
            return
        to_world = np.linalg.inv(to_camera)
        camera = PictureCamera(np.array(at.window_matrix, np.float64), to_world, region.width, region.height)
        if self._view.draw(depsgraph, sky, camera):
            self.tag_redraw()
        HallRenderEngine.has_drawn = True
        undrawn = self._view.shown.undrawn
        self._say(NOT_DRAWN if undrawn else "", undrawn[0] if undrawn else "")

    def _says_first(self, sky: Sky | None) -> bool:
        """Before the first 3D view is drawn, shows an empty one that says what takes so long; returns whether it did.

        Blender shows it while the next one is drawn, which compiles the shaders and blocks.
        """
        if HallRenderEngine.has_drawn or "has_said" in self.__dict__:
            return False
        self.has_said = True
        colour = sky.horizon if sky is not None else np.zeros(3)
        gpu.state.active_framebuffer_get().clear(color=(*map(float, colour), 1.0))
        self._say("Innerwalk", COMPILING)
        self.tag_redraw()
        return True

    def _say(self, title: str, text: str) -> None:
        """Shows words at the upper left of the 3D view."""
        self.update_stats(title, text)

    @property
    def _view(self) -> ViewDrawing:
        """What the 3D view keeps; Blender has an engine of its own for each view."""
        if "drawing" not in self.__dict__:
            self.drawing = ViewDrawing()
        return self.drawing

    def _draw(self, depsgraph: bpy.types.Depsgraph) -> np.ndarray:
        scene, kept = depsgraph.scene_eval, self.kept or KeptPicture()
        _check_settings(scene, depsgraph.view_layer_eval)
        passes, shown = max(1, scene.cycles.samples), kept.shown
        shown.forget()  # Blender doesn't say what has changed since the last render; what has not stays uploaded
        shown.update(depsgraph)
        if shown.undrawn:
            raise NotOfHallError(shown.undrawn[0])
        sky = None if scene.render.film_transparent else scene_sky(scene)
        self.update_stats("", f"Driver {gpu.platform.renderer_get()}, OpenGL {gpu.platform.version_get()}")

        def show(share: float) -> None:
            self.update_stats("", f"Sample {round(share * passes)}/{passes}")
            self.update_progress(share)

        return draw_picture(shown, sky, render_camera(scene, depsgraph), passes, kept.cache, show)


@contextmanager
def pictures_kept(kept: KeptPicture) -> Iterator[None]:
    """Lets renders inside the block leave their picture here, and use again what is on the graphics card."""
    HallRenderEngine.kept = kept
    try:
        yield
    finally:
        HallRenderEngine.kept = None


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
