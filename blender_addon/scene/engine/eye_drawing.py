"""Draws halls for the eyes of a headset, whose buffers aren't multisampled: larger than shown, then shrunk."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import gpu
import numpy as np
from gpu.types import GPUFrameBuffer, GPUShader, GPUTexture

from .graphics_data import GraphicsCache, whole_picture
from .passes import PictureCamera, Sky, draw_pass, visible_items
from .scene_items import SceneItems
from .shaders import SHRUNK, compile_shrink

PIXEL_FORMATS = ("SRGB8_A8", "DEPTH_COMPONENT32F")
"""Formats of a large buffer's colours and depths; the first keeps what is drawn as codes of eight bits."""


class EyeDrawing:
    """What both eyes keep from one time they are drawn to the next; all needs a graphics context."""

    def __init__(self) -> None:
        self.shown = SceneItems()
        self._cache = GraphicsCache()
        self._size = 0, 0
        self._large: list[GPUTexture] = []
        """Colours and depths of the large buffer."""

    def update(self, depsgraph: bpy.types.Depsgraph) -> bool:
        """Reads what has changed in the scene; returns whether anything has."""
        return self.shown.update(depsgraph)

    def draw(self, sky: Sky | None, camera: PictureCamera, draw_more: Callable[[], None]) -> None:
        """Draws into the bound target of the camera's size.

        draw_more: draws what else is seen, with the matrices of now, and is tested by the depths of the hall.
        """
        size = SHRUNK * camera.width, SHRUNK * camera.height
        if size != self._size:
            self._large, self._size = [GPUTexture(size, format=each) for each in PIXEL_FORMATS], size
        colours, depths = self._large
        # A buffer belongs to the context that draws, and the window that mirrors an eye has its own.
        buffer = GPUFrameBuffer(depth_slot=depths, color_slots=colours)
        larger = PictureCamera(camera.projection, camera.to_world, *size)
        with buffer.bind():
            seen = visible_items(self.shown, camera)
            draw_pass(seen, sky, larger, np.zeros(2), self._cache, spread=1.0)
            draw_more()
        shader: GPUShader = self._cache.get(("shader", "shrink"), compile_shrink)
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")
        shader.bind()
        shader.uniform_sampler("large", colours)
        self._cache.get(("whole",), whole_picture).draw(shader)


def eye_camera() -> PictureCamera:
    """Returns the camera of the eye or view that is being drawn, from the matrices and the viewport of now."""
    to_world = np.linalg.inv(np.array(gpu.matrix.get_model_view_matrix(), np.float64))
    _, _, width, height = gpu.state.viewport_get()
    return PictureCamera(np.array(gpu.matrix.get_projection_matrix(), np.float64), to_world, width, height)
