"""Outlines of tiles, panels and pictures: of what a hand points at, and of the selected channel in each hall."""

from __future__ import annotations

from typing import NamedTuple

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..actions.comparing import halls_beside
from ..properties import BRUSH
from ..scene.hall.ray_hits import Hit, find_hall
from ..scene.panels import find_panel, size_of, tile_corners, world_matrix
from ..scene.state.selection import selected
from .drawing.gpu_draw import LINE_WIDTH, Pair, rim_points

MARK_WIDTH = 0.014
"""Width in metres of the line around the selected tile."""


class Outline(NamedTuple):
    """A line around a tile, a panel or a picture."""

    points: list[Vector]
    matrix: Matrix
    """From the points' space to world."""

    def brush_matrix(self, spot: Pair, size: float) -> Matrix:
        """Returns the matrix to world from a circle of radius 1 to the place that a brush covers.

        spot: its centre, as shares from the left and from the top. size: its diameter as a share of both sides.
        """
        low, high = (self.points[0] + self.points[4]) / 2, (self.points[2] + self.points[6]) / 2
        width, height = high.x - low.x, high.y - low.y
        centre = Vector((low.x + spot[0] * width, high.y - spot[1] * height, low.z))
        return self.matrix @ Matrix.LocRotScale(centre, None, Vector((size * width / 2, size * height / 2, 1.0)))


class SelectionMark(NamedTuple):
    """The line around a selected tile, as it is until the next update; undo may remove the objects meanwhile."""

    points: list[Vector]
    panel: str
    """Name of the panel's object."""
    instance: str
    """Name of the object that shows the panel's hall beside another, "" for the hall itself."""

    def matrix(self) -> Matrix | None:
        """Returns the matrix from the points' space to world; None where an object no longer exists."""
        panel: bpy.types.Object | None = bpy.data.objects.get(self.panel)
        instance: bpy.types.Object | None = bpy.data.objects.get(self.instance) if self.instance else None
        if panel is None or (self.instance and instance is None):
            return None
        return world_matrix(panel) if instance is None else world_matrix(instance) @ world_matrix(panel)


def selection_marks(scene: bpy.types.Scene) -> list[SelectionMark]:
    """Returns the lines around the selected tiles of a hall and of those that stand beside it."""
    marks = []
    for hall, instance in ((scene, None), *halls_beside(scene).items()):
        layer, channel = selected(hall)
        panel = find_panel(hall, layer) if channel >= 0 else None
        if panel is not None and (corners := tile_corners(panel, channel)):
            width = MARK_WIDTH / max(panel.matrix_world.median_scale, 1e-6)
            points = rim_points(corners[0], corners[2], width)
            marks.append(SelectionMark(points, panel.name, instance.name if instance is not None else ""))
    return marks


def outline_of(scene: bpy.types.Scene, hit: Hit, width: float = LINE_WIDTH) -> Outline | None:
    """Returns a line, `width` metres wide, around a tile, a panel or a picture; None for anything else."""
    owner = find_hall(scene, hit)
    instance = halls_beside(scene).get(owner) if owner != scene else None
    shift = world_matrix(instance) if instance is not None else Matrix()
    if hit.role == "panel":
        panel = find_panel(owner, hit.layer)
        if panel is None:
            return None
        corners = tile_corners(panel, hit.channel)
        low, high = (corners[0], corners[2]) if corners else ((0.0, 0.0), size_of(panel))
        return _outline(shift @ world_matrix(panel), low, high, width)
    holder: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    takes_brush = hit.role == "answer" and BRUSH in owner and min(hit.spot) >= 0
    if holder is None or not (hit.role in ("shelf", "input") or takes_brush):
        return None
    box = np.array(holder.bound_box)
    return _outline(shift @ holder.matrix_world, box.min(0)[:2], box.max(0)[:2], width)


def _outline(matrix: Matrix, low: Pair, high: Pair, width: float) -> Outline:
    return Outline(rim_points(low, high, width / max(matrix.median_scale, 1e-6)), matrix)
