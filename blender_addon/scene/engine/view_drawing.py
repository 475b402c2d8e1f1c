"""Draws halls in a 3D view: one pass whenever something moves, and the mean of more and more passes while it rests."""

from __future__ import annotations

import bpy
import gpu
import numpy as np
from gpu.types import GPUOffScreen

from .graphics_data import GraphicsCache
from .passes import PictureCamera, Sky, add_passes, draw_pass, show_sum, visible_items
from .sampling import refining_shifts
from .scene_items import DrawnItem, SceneItems

REST_PASSES = 16
"""Passes whose mean a view at rest shows."""


class ViewDrawing:
    """What one 3D view keeps from one time it is drawn to the next; all needs a graphics context."""

    def __init__(self) -> None:
        self.shown = SceneItems()
        self._cache = GraphicsCache()
        self._seen: list[DrawnItem] = []
        """What the camera may see."""
        self._camera: PictureCamera | None = None
        self._sky: Sky | None = None
        self._total: GPUOffScreen | None = None
        self._target: GPUOffScreen | None = None
        self._count = 0

    def draw(self, depsgraph: bpy.types.Depsgraph, sky: Sky | None, camera: PictureCamera) -> bool:
        """Draws into the bound target of the camera's size; returns whether drawing it again would refine it.

        `shown.undrawn` then says what of the scene is not of a hall.
        """
        is_new = self.shown.update(depsgraph)
        if is_new or not _is_same(camera, self._camera):
            self._camera, self._sky, self._count = camera, sky, 0
            self._seen = visible_items(self.shown, camera)
            draw_pass(self._seen, sky, camera, np.zeros(2), self._cache, spread=1.0)
            return True
        if self._count < REST_PASSES:
            self._refine(camera)
        assert self._total is not None
        show_sum(self._total, 1.0 / self._count, self._cache)
        return self._count < REST_PASSES

    def _refine(self, camera: PictureCamera) -> None:
        """Adds one pass to the sum."""
        if self._total is None or self._target is None or _size(self._total) != _size(camera):
            self._total, self._target = (
                GPUOffScreen(camera.width, camera.height, format=channels) for channels in ("RGBA32F", "RGBA16")
            )
        if self._count == 0:
            with self._total.bind():
                gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        with self._target.bind():
            draw_pass(self._seen, self._sky, camera, refining_shifts(REST_PASSES)[self._count], self._cache)
        add_passes(self._total, [self._target], 1.0, self._cache)
        self._count += 1


def _size(target: GPUOffScreen | PictureCamera) -> tuple[int, int]:
    return target.width, target.height


def _is_same(camera: PictureCamera, other: PictureCamera | None) -> bool:
    return (
        other is not None
        and _size(camera) == _size(other)
        and np.array_equal(camera.projection, other.projection)
        and np.array_equal(camera.to_world, other.to_world)
    )
