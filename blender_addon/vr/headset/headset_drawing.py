"""Draws a walk with a headset: the hall by its own engine, with hands, card and menu in it.

What a scene shows that is not of a hall isn't known to the engine. Blender draws such a scene in Material Preview, and
the rest of the walk on top.
"""

from __future__ import annotations

from typing import Any

import bpy

from ...scene.engine.eye_drawing import EyeDrawing, eye_camera
from ...scene.engine.passes import Sky
from ...scene.engine.render_engine import NotOfHallError, scene_sky
from ..drawing.gpu_draw import GpuState
from ..walk import Walk
from ..walk_drawing import WalkDrawing


class HeadsetDrawing(WalkDrawing):
    """Draws one walk with a headset."""

    def __init__(self, walk: Walk) -> None:
        super().__init__(walk)
        self.hall = EyeDrawing()
        self.foreign = ""
        """The first thing that the scene shows and that is not of a hall, "" for none."""
        self._sky: Sky | None = None

    def begin(self) -> None:
        """Starts to draw, and to follow the scene's changes."""
        super().begin()
        for handlers, handler in self._followers():
            handlers.append(handler)

    def end(self) -> None:
        """Stops drawing and following."""
        super().end()
        for handlers, handler in self._followers():
            if handler in handlers:
                handlers.remove(handler)

    def draw(self) -> None:
        """Draws one eye, or the view that mirrors it."""
        scene = self.walk.scene
        if scene is None:
            return
        self._update_hall(scene)
        if self.foreign:
            super().draw()
            return
        self.paint_slice()
        self.hall.draw(self._sky, eye_camera(), self._draw_rest)

    def _draw_rest(self) -> None:
        with GpuState():
            self.draw_planned()

    def _update_hall(self, scene: bpy.types.Scene) -> None:
        """Reads what has changed in the scene since the last eye was drawn."""
        window = bpy.context.window_manager.windows[0]
        layer = window.view_layer if window.scene == scene else scene.view_layers[0]
        if layer.depsgraph is None or not self.hall.update(layer.depsgraph):
            return
        self.foreign = next(iter(self.hall.shown.undrawn), "")
        try:
            self._sky = scene_sky(scene)
        except NotOfHallError as error:
            self.foreign = str(error)

    def _followers(self) -> list[tuple[Any, Any]]:
        """Returns (Blender's list of handlers, handler) of each event after which a scene may show something else."""
        events = bpy.app.handlers
        return [
            (events.depsgraph_update_post, self._on_update),
            (events.frame_change_post, self._on_update),
            (events.undo_post, self._on_undo),
            (events.redo_post, self._on_undo),
        ]

    def _on_update(self, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph | None = None) -> None:
        if depsgraph is not None and scene == self.walk.scene:
            self.hall.shown.note_updates(depsgraph)

    def _on_undo(self, *_: object) -> None:
        self.hall.shown.forget()
