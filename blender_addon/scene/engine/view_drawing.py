"""Draws halls in a 3D view: one pass whenever something moves, and the mean of more and more passes while it rests."""

from __future__ import annotations

import bpy
import gpu
import numpy as np
from gpu.types import GPUOffScreen

from .drawn_items import DrawnItem, read_items
from .graphics_data import GraphicsCache
from .passes import Draw, PictureCamera, Sky, add_passes, draw_pass, prepare, show_sum
from .sampling import refining_shifts

REST_PASSES = 16
"""Passes whose mean a view at rest shows."""


class ViewDrawing:
    """What one 3D view keeps from one time it is drawn to the next; all needs a graphics context."""

    def __init__(self) -> None:
        self.undrawn: list[str] = []
        """A line on each object that isn't drawn."""
        self._cache = GraphicsCache()
        self._items: list[DrawnItem] | None = None
        self._draws: list[Draw] = []
        """What the camera may see of the items."""
        self._camera: PictureCamera | None = None
        self._total: GPUOffScreen | None = None
        self._target: GPUOffScreen | None = None
        self._count = 0

    def forget_items(self) -> None:
        """Reads the scene once more when it is drawn next; what has not changed stays on the graphics card."""
        self._items = None

    def draw(self, depsgraph: bpy.types.Depsgraph, sky: Sky | None, camera: PictureCamera) -> bool:
        """Draws into the bound target of the camera's size; returns whether drawing it again would refine it.

        `undrawn` then says what of the scene is not of a hall.
        """
        is_new = self._items is None
        if self._items is None:
            self.undrawn = []
            self._items = read_items(depsgraph, self._cache, self.undrawn)
        if is_new or not _is_same(camera, self._camera):
            self._camera, self._count = camera, 0
            self._draws = prepare(self._items, sky, camera, self._cache)
            draw_pass(self._draws, np.zeros(2), camera, self._cache)
            if is_new:
                self._cache.forget_unused()
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
            draw_pass(self._draws, refining_shifts(REST_PASSES)[self._count], camera, self._cache)
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
