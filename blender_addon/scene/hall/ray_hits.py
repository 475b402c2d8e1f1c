"""Finds what a ray hits in a hall: a channel and a point of its map, the input, a picture of the shelf, the prediction.

Rails, gates and labels let rays through; panels and boards don't. Halls that the scene instances can be hit too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import bpy
from bpy_extras import view3d_utils
from mathutils import Matrix, Vector

from ...imaging import panel_rays
from ...properties import OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ROLE, SHELF_INDEX
from ..panels import channel_places, grid_of, size_of
from ..panels.values import sheet_of
from .store import halls

Ray = Iterable[float] | Vector
"""A point or direction: three numbers."""
ROLES = {"input": "input", "input frame": "input", "answer": "answer", "answer board": "answer", "shelf": "shelf"}
"""The role of a hit by the role of the object; those of panels and frames are found from their geometry."""
TRANSPARENT_ROLES = ("edges", "gates", "numbers", "words", "shelf words", "held")
"""Roles of objects that let rays through. Posts, and frames outside their rim, also let rays through."""
RIM = 0.06
"""Width in metres of the rim around a panel's tiles that still belongs to the panel."""
STEP = 1e-4
"""Distance in metres behind a hit at which a ray continues."""
MAX_HITS = 64
"""Largest number of hits along a ray."""


class Hit(NamedTuple):
    """What a ray hits first."""

    role: str
    """panel, input, shelf, answer or other."""
    layer: str = ""
    """Id of the panel's layer."""
    channel: int = -1
    """Index of the channel; -1 between tiles, on the rim and on the back of a panel."""
    spot: tuple[float, float] = (-1.0, -1.0)
    """Position on the tile, or on the picture of an answer, 0..1 from the left and from the top; see `pixel_of`."""
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """World position in metres."""
    object: str = ""
    """Name of the object."""
    shelf_index: int = -1
    """Index of the picture on the shelf."""


class _RayHit(NamedTuple):
    """One result of `Scene.ray_cast`."""

    position: Vector
    normal: Vector
    holder: bpy.types.Object
    matrix: Matrix


def pick(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, origin: Ray, direction: Ray) -> Hit | None:
    """Returns what a ray hits, in world coordinates and metres; None for the sky.

    If the ray hits nothing solid, the first label or rail that it went through is returned.
    """
    start, towards = (Vector(tuple(numbers)) for numbers in (origin, direction))  # type: ignore[arg-type]
    towards.normalize()
    first_passed: Hit | None = None
    for ray_hit in _cast_ray(scene, depsgraph, start, towards):
        hit, is_solid = _identify(ray_hit, start, towards)
        if is_solid:
            return hit
        first_passed = first_passed or hit
    return first_passed


def pick_at(context: bpy.types.Context, x: float, y: float) -> Hit | None:
    """Returns what is under a point of the context's 3D region, in pixels from the lower left."""
    origin = view3d_utils.region_2d_to_origin_3d(context.region, context.region_data, (x, y))
    direction = view3d_utils.region_2d_to_vector_3d(context.region, context.region_data, (x, y))
    return pick(context.scene, context.evaluated_depsgraph_get(), origin, direction)


def find_hall(scene: bpy.types.Scene, hit: Hit) -> bpy.types.Scene:
    """Returns the hall that a hit object belongs to: the scene itself or one that it instances."""
    owners = [hall for hall in halls() if hit.object in hall.objects]
    return scene if scene in owners or not owners else owners[0]


def evaluated_depsgraph(scene: bpy.types.Scene) -> bpy.types.Depsgraph:
    """Returns an up-to-date dependency graph of a scene, which need not be the active one."""
    if scene == bpy.context.scene:
        return bpy.context.evaluated_depsgraph_get()
    scene.view_layers[0].update()
    return scene.view_layers[0].depsgraph


def pixel_of(hit: Hit) -> tuple[int, int] | None:
    """Returns (row, column) of the map pixel that was hit; None between tiles and if the panel or its image is gone."""
    panel: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    shape = map_shape(panel) if panel is not None and hit.channel >= 0 else (0, 0)
    return None if 0 in shape else panel_rays.map_pixel(*hit.spot, shape)


def map_shape(panel: bpy.types.Object) -> tuple[int, int]:
    """Returns (height, width) of a panel's maps from its image; (0, 0) if a person has removed that."""
    sheet = sheet_of(panel)
    return (sheet.height // sheet.rows, sheet.width // sheet.columns) if sheet else (0, 0)


def _cast_ray(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, origin: Vector, direction: Vector
) -> Iterator[_RayHit]:
    """Yields everything along a ray, nearest first."""
    start = origin
    for _ in range(MAX_HITS):
        found, position, normal, _, holder, matrix = scene.ray_cast(depsgraph, start, direction)
        if not found:
            return
        yield _RayHit(position, normal, holder.original, matrix)
        start = position + direction * max(STEP, 1e-6 * (position - origin).length)


def _identify(ray_hit: _RayHit, origin: Vector, direction: Vector) -> tuple[Hit, bool]:
    """Returns what was hit, and whether it stops the ray."""
    holder = ray_hit.holder
    role, layer = holder.get(OBJECT_ROLE, ""), ""
    if role == PANEL_ROLE:
        return _identify_on_panel(holder, ray_hit.matrix, ray_hit, origin, direction)
    if role == "frame" and holder.parent is not None:
        if holder.parent.get(OBJECT_ROLE) == PANEL_ROLE:
            to_parent = holder.matrix_parent_inverse @ holder.matrix_basis
            panel_matrix = ray_hit.matrix @ to_parent.inverted_safe()
            return _identify_on_panel(holder.parent, panel_matrix, ray_hit, origin, direction)
        layer = str(holder.parent.get(PANEL_LAYER_ID, ""))
    shelf_index, position = int(holder.get(SHELF_INDEX, -1)), _to_tuple(ray_hit.position)
    hit = Hit(ROLES.get(role, "other"), layer, position=position, object=holder.name, shelf_index=shelf_index)
    if role == "answer":
        hit = hit._replace(spot=_picture_spot(ray_hit))
    is_post = role == "floor" and abs(ray_hit.normal.z) < 0.5  # posts are part of the floor's mesh
    return hit, not is_post and role not in TRANSPARENT_ROLES


def _picture_spot(ray_hit: _RayHit) -> tuple[float, float]:
    """Returns where a picture was hit, as shares from its left and from its top."""
    corners, local = ray_hit.holder.bound_box, ray_hit.matrix.inverted_safe() @ ray_hit.position
    (left, low), (right, high) = ([edge(corner[axis] for corner in corners) for axis in (0, 1)] for edge in (min, max))
    across, up = ((local.x - left) / max(right - left, STEP), (local.y - low) / max(high - low, STEP))
    return min(max(across, 0.0), 1.0), min(max(1 - up, 0.0), 1.0)


def _identify_on_panel(
    panel: bpy.types.Object, matrix: Matrix, ray_hit: _RayHit, origin: Vector, direction: Vector
) -> tuple[Hit, bool]:
    """Identifies a hit on a panel or its frame. matrix: panel to world, in the instance that was hit."""
    hit = Hit("panel", str(panel[PANEL_LAYER_ID]), position=_to_tuple(ray_hit.position), object=panel.name)
    local, (width, height) = matrix.inverted_safe() @ ray_hit.position, size_of(panel)
    if not (-RIM <= local.x <= width + RIM and -RIM <= local.y <= height + RIM):
        return hit, False  # a label above the panel
    crossing = panel_rays.intersect_plane([tuple(row) for row in matrix], _to_tuple(origin), _to_tuple(direction))
    point = panel_rays.tile_point(grid_of(panel), crossing.x, crossing.y) if crossing and crossing.front else None
    channel = panel_rays.channel_at(channel_places(panel), point.place) if point else -1
    if point is None or channel < 0:
        return hit, True
    position = _to_tuple(origin + crossing.distance * direction)
    return hit._replace(channel=channel, spot=(point.u, point.v), position=position), True


def _to_tuple(vector: Vector) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z
