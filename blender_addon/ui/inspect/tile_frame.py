"""The frame and number of the selected tile in 3D views, and the arrow keys that go to its neighbours.

Where a panel or board stands in front of the tile, its frame is faint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import blf
import bpy
import gpu as blender_gpu
import gpu_extras.batch
from bpy_extras.view3d_utils import location_3d_to_region_2d, region_2d_to_origin_3d
from mathutils import Vector

from ...properties import HALL_VERSION, SELECTED_CHANNEL, SELECTED_LAYER
from ..common.operators import ActionOperator

gpu: Any = blender_gpu  # its stubs say that everything returns None
batch_for_shader: Any = gpu_extras.batch.batch_for_shader

DARK, BRIGHT = (0.0, 0.0, 0.0, 1.0), (1.0, 0.9, 0.35, 1.0)
"""Colours of the frame's rim and of its line and number, which is readable on every colour of a map."""
RIM, LINE = 7.0, 3.0
"""Widths in pixels at scale 1."""
FAINT = 0.2
"""Opacity of what is hidden by something in front."""
NEARER = 0.005
"""Share of the way to the eye within which nothing hides a point, so that the tile itself doesn't."""
PARTS = 6
"""Parts of each edge that are drawn faint or bright as a whole."""
FONT_SIZE, PAD = 13, 4
"""Size of the number and the room around it, in pixels at scale 1."""
ARROWS = {"LEFT_ARROW": (-1, 0), "RIGHT_ARROW": (1, 0), "UP_ARROW": (0, -1), "DOWN_ARROW": (0, 1)}
"""Tiles to the right and down, by key."""


class INNERWALK_OT_step_tile(ActionOperator):
    """Select the tile beside the selected one on its panel"""

    bl_idname = "innerwalk.step_tile"
    bl_label = "Neighbouring Tile"

    right: bpy.props.IntProperty(name="Right", description="Tiles to the right; negative for left")
    down: bpy.props.IntProperty(name="Down", description="Tiles down; negative for up")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a tile is selected; without one, Blender's own keys step through frames."""
        cls.poll_message_set("Click a tile of a hall first")
        scene = context.scene
        return HALL_VERSION in scene and bool(scene.get(SELECTED_LAYER)) and scene.get(SELECTED_CHANNEL, -1) >= 0

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Takes the direction of the arrow key."""
        self.right, self.down = ARROWS.get(event.type, (self.right, self.down))
        return self.execute(context)


def draw_frame() -> None:
    """Draws the frame and the number of the selected tile over the 3D view that is being drawn."""
    context = bpy.context
    scene, region, view = context.scene, context.region, context.region_data
    if HALL_VERSION not in scene or region is None or view is None or scene.get(SELECTED_CHANNEL, -1) < 0:
        return
    from ...scene.panels import find_panel, shows_channels, tile_corners
    from ...vr.desk import desk_walk

    walk = desk_walk.current()
    if walk is not None and walk.body.view == context.space_data.as_pointer():
        return  # it marks the tile itself, where hands and card may lie before it
    panel = find_panel(scene, scene.get(SELECTED_LAYER, ""))
    corners = tile_corners(panel, scene[SELECTED_CHANNEL]) if panel is not None and panel.visible_get() else ()
    points = _edge_points([panel.matrix_world @ Vector((*corner, 0.0)) for corner in corners])
    seen = [location_3d_to_region_2d(region, view, point) for point in points]
    if not seen or None in seen:
        return
    parts = [(points[k - 1], points[k]) for k in range(len(points))]
    shown = [k for k, (start, end) in enumerate(parts) if not _is_hidden((start + end) / 2)]
    scale, size, is_whole = context.preferences.system.ui_scale, (region.width, region.height), len(shown) == len(parts)
    for width, colour in ((RIM, DARK), (LINE, BRIGHT)):
        opaque = 1.0 if is_whole else FAINT
        _draw_lines("LINE_STRIP", [*seen, *seen[:2]], width * scale, (*colour[:3], opaque), size)  # the last is mitred
        if not is_whole:
            ends = [seen[end] for k in shown for end in (k - 1, k)]
            _draw_lines("LINES", ends, width * scale, colour, size)
    if 2 * len(shown) >= len(parts):
        _draw_number(str(scene[SELECTED_CHANNEL]) if shows_channels(panel) else "map", seen, scale)


def _edge_points(corners: Sequence[Vector]) -> list[Vector]:
    """Returns PARTS points on each edge of a square, around it, beginning at its corners."""
    edges = [(corners[k - 1], corners[k]) for k in range(len(corners))]
    return [start.lerp(end, part / PARTS) for start, end in edges for part in range(PARTS)]


def _is_hidden(point: Vector) -> bool:
    """Whether a panel or board stands between the eye of the 3D view that is being drawn and a point in the world."""
    from ...scene.hall.ray_hits import pick

    region, view = bpy.context.region, bpy.context.region_data
    place: Any = location_3d_to_region_2d(region, view, point)
    origin = region_2d_to_origin_3d(region, view, place)
    way = point - origin
    hit = pick(bpy.context.scene, bpy.context.view_layer.depsgraph, origin, way)
    return hit is not None and (Vector(hit.position) - origin).length < (1 - NEARER) * way.length


def _draw_lines(
    kind: str, points: list[Vector], width: float, colour: tuple[float, ...], size: tuple[int, int]
) -> None:
    if not points:
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("viewportSize", size)
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", colour)
    gpu.state.blend_set("ALPHA")
    batch_for_shader(shader, kind, {"pos": [(*point, 0.0) for point in points]}).draw(shader)
    gpu.state.blend_set("NONE")


def _draw_number(text: str, corners: list[Vector], scale: float) -> None:
    """Draws a number in a box above the tile's upper left corner."""
    pad = PAD * scale
    blf.size(0, FONT_SIZE * scale)
    width, height = blf.dimensions(0, text)
    left, low = min(corner.x for corner in corners), max(corner.y for corner in corners) + RIM / 2 * scale
    box = [(left, low), (left + width + 2 * pad, low), (left, low + height + 2 * pad)]
    box.append((box[1][0], box[2][1]))
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", DARK)
    batch_for_shader(shader, "TRI_STRIP", {"pos": box}).draw(shader)
    blf.color(0, *BRIGHT)
    blf.position(0, left + pad, low + pad, 0)
    blf.draw(0, text)


CLASSES = (INNERWALK_OT_step_tile,)
KEYS = tuple(("Object Mode", "EMPTY", INNERWALK_OT_step_tile.bl_idname, key, "PRESS") for key in ARROWS)
DRAWN = ((bpy.types.SpaceView3D, draw_frame, "WINDOW", "POST_PIXEL"),)
