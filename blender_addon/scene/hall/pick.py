"""What a ray points at in a hall: a channel and a spot of its map, the input, a picture of the shelf, the answer.

Rails, gates and words let a ray through, panels and boards don't. A hall that another scene instances is found too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import bpy
from bpy_extras import view3d_utils
from mathutils import Matrix, Vector

from ...imaging import picking
from ...properties import BAKED_ROLE, OBJECT_ROLE, PANEL_LAYER_ID, PANEL_ROLE, SHELF_INDEX
from ..panels import channel_places, grid_of, size_of
from ..panels.values import sheet_of
from .store import halls

Ray = Iterable[float] | Vector
"""Three numbers."""
ROLES = {"input": "input", "input frame": "input", "answer": "answer", "answer board": "answer", "shelf": "shelf"}
"""What an object's own role is called in a hit; panels and their frames are looked at closer, all else is "other"."""
CLEAR = ("edges", "gates", "numbers", "words", "shelf words", "held")
"""Roles that a ray goes through; it does so beside a frame too, where its words are, and through posts."""
RIM, STEP, MOST = 0.06, 1e-4, 64
"""How far a rim reaches around its tiles; how far behind a hit a ray goes on, metres; and how often."""


class Hit(NamedTuple):
    """What a ray has met first."""

    role: str
    """panel, input, shelf, answer or other."""
    layer: str = ""
    """Id of the panel's layer."""
    channel: int = -1
    """-1 between two tiles, on the rim and on the back of a panel."""
    spot: tuple[float, float] = (-1.0, -1.0)
    """Shares of the tile's width, from the left, and of its height, from the top, 0..1; see `pixel_of`."""
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """World, metres."""
    object: str = ""
    index: int = -1
    """Which picture of the shelf."""


class _Cast(NamedTuple):
    """One answer of `Scene.ray_cast`."""

    place: Vector
    normal: Vector
    holder: bpy.types.Object
    matrix: Matrix


def pick(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, origin: Ray, direction: Ray
) -> Hit | None:  # fmt: skip
    """What a ray from `origin` along `direction` (world, metres) points at; None for the sky.

    Where it meets nothing solid, it points at the first word or rail that it went through.
    """
    start, along = (Vector(tuple(one)) for one in (origin, direction))  # type: ignore[arg-type]
    along.normalize()
    passed: Hit | None = None
    for cast in _casts(scene, depsgraph, start, along):
        hit, solid = _seen(cast, start, along)
        if solid:
            return hit
        passed = passed or hit
    return passed


def pick_at(context: bpy.types.Context, x: float, y: float) -> Hit | None:
    """What is under a point of the context's 3D region, in its pixels from the lower left."""
    origin = view3d_utils.region_2d_to_origin_3d(context.region, context.region_data, (x, y))
    direction = view3d_utils.region_2d_to_vector_3d(context.region, context.region_data, (x, y))
    return pick(context.scene, context.evaluated_depsgraph_get(), origin, direction)


def find_hall(scene: bpy.types.Scene, hit: Hit) -> bpy.types.Scene:
    """The hall that what was met belongs to: this scene's own, or the one that stands beside it."""
    there = [one for one in halls() if hit.object in one.objects]
    return scene if scene in there or not there else there[0]


def evaluated_depsgraph(scene: bpy.types.Scene) -> bpy.types.Depsgraph:
    """The scene as it is seen now, evaluated."""
    if scene == bpy.context.scene:
        return bpy.context.evaluated_depsgraph_get()
    scene.view_layers[0].update()
    return scene.view_layers[0].depsgraph


def pixel_of(hit: Hit) -> tuple[int, int] | None:
    """(row, column) of the channel's map that was met; None between tiles, and where the panel or its image is gone."""
    panel: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    shape = map_shape(panel) if panel is not None and hit.channel >= 0 else (0, 0)
    return None if 0 in shape else picking.map_pixel(*hit.spot, shape)


def map_shape(panel: bpy.types.Object) -> tuple[int, int]:
    """(height, width) of the maps on a panel, by its image; (0, 0) where a person has taken that away."""
    on = sheet_of(panel)
    return (on.height // on.rows, on.width // on.columns) if on else (0, 0)


def _casts(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, origin: Vector, direction: Vector
) -> Iterator[_Cast]:  # fmt: skip
    """All that a ray meets, one behind the other."""
    start = origin
    for _ in range(MOST):
        met, place, normal, _, holder, matrix = scene.ray_cast(depsgraph, start, direction)
        if not met:
            return
        yield _Cast(place, normal, holder.original, matrix)
        start = place + direction * max(STEP, 1e-6 * (place - origin).length)


def _seen(cast: _Cast, origin: Vector, direction: Vector) -> tuple[Hit, bool]:
    """What was met, and whether it hides what is behind it."""
    holder, place = cast.holder, _xyz(cast.place)
    role, layer = holder.get(OBJECT_ROLE, ""), ""
    if role == PANEL_ROLE:
        return _on_panel(holder, cast.matrix, cast, origin, direction)
    if role in ("frame", BAKED_ROLE) and holder.parent is not None:
        if holder.parent.get(OBJECT_ROLE) == PANEL_ROLE:
            inside = holder.matrix_parent_inverse @ holder.matrix_basis
            return _on_panel(holder.parent, cast.matrix @ inside.inverted_safe(), cast, origin, direction)
        layer = str(holder.parent.get(PANEL_LAYER_ID, ""))
    found = Hit(
        ROLES.get(role, "other"), layer, place=place, object=holder.name, index=int(holder.get(SHELF_INDEX, -1))
    )
    upright = role == "floor" and abs(cast.normal.z) < 0.5  # the posts of panels belong to the floor
    return found, not upright and role not in CLEAR


def _on_panel(panel: bpy.types.Object, at: Matrix, cast: _Cast, origin: Vector, direction: Vector) -> tuple[Hit, bool]:
    """A hit on a panel, on its stand-in or on its frame; `at`: where the panel is, in this instance of it."""
    found = Hit("panel", str(panel[PANEL_LAYER_ID]), place=_xyz(cast.place), object=panel.name)
    inner, (width, height) = at.inverted_safe() @ cast.place, size_of(panel)
    if not (-RIM <= inner.x <= width + RIM and -RIM <= inner.y <= height + RIM):
        return found, False  # words over the panel
    crossed = picking.intersect_plane([tuple(row) for row in at], _xyz(origin), _xyz(direction))
    spot = picking.tile_point(grid_of(panel), crossed.x, crossed.y) if crossed and crossed.front else None
    channel = picking.channel_at(channel_places(panel), spot.place) if spot else -1
    if spot is None or channel < 0:
        return found, True
    place = _xyz(origin + crossed.distance * direction)
    return found._replace(channel=channel, spot=(spot.u, spot.v), place=place), True


def _xyz(point: Vector) -> tuple[float, float, float]:
    return point.x, point.y, point.z
