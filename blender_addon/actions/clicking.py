"""What a click on something in a hall does: with the mouse, with a hand in VR, or from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy
from mathutils import Vector

from ...torch_bridge.recording.errors import InnerwalkError
from ..live.stored_choices import Brush, held_brush
from ..properties import BRUSH, OBJECT_ROLE
from ..scene.hall import ray_hits as rays
from ..scene.hall.board_hits import hit_input, hit_output
from ..scene.hall.ray_hits import Hit
from ..scene.panels import find_panel
from .ablating import paint_at
from .comparing import halls_beside, short_name
from .inspecting import concept_text
from .selecting import select
from .shelf import held, pointed_input, pointed_shelf

PAINTABLE = ("picture", "mask")
"""Kinds of answers whose picture a brush can paint on: they lie over the input or are made pixel by pixel."""


def pick(scene: bpy.types.Scene, origin: Sequence[float], direction: Sequence[float]) -> str:
    """Clicks along a ray: selects a tile, holds a picture of the shelf, places it, or on the floor selects nothing.

    origin, direction: (x, y, z) in the world, in metres. Returns a line that says what was done, "" if nothing was.
    """
    hit = rays.pick(scene, rays.evaluated_depsgraph(scene), Vector(origin), Vector(direction))
    return "" if hit is None or not has_effect(scene, hit) else ON_CLICK[hit_kind(hit)](scene, hit)


def has_effect(scene: bpy.types.Scene, hit: Hit) -> bool:
    """Returns whether a click there does something: on an input's frame only while a picture of the shelf is held.

    Frames of tokens and other inputs that are no pictures take none. The picture of an answer takes a brush only.
    """
    if hit.role == "answer":
        return BRUSH in rays.find_hall(scene, hit) and min(hit.spot) >= 0
    if hit.role == "input":
        shown = hit_input(rays.find_hall(scene, hit), hit)
        return held(scene) >= 0 and shown is not None and shown.kind == "picture"
    return hit_kind(hit) in ON_CLICK


def hit_kind(hit: Hit) -> str:
    """Returns the role of what was hit; "floor" for the ground."""
    hit_object: bpy.types.Object | None = bpy.data.objects.get(hit.object)
    return "floor" if hit_object is not None and hit_object.get(OBJECT_ROLE) == "floor" else hit.role


def _select_tile(scene: bpy.types.Scene, hit: Hit) -> str:
    """Selects a tile in its hall, and the channel of the same place in the hall beside that, so that both are seen.

    With a brush in its hall it paints at that place instead.
    """
    owner = rays.find_hall(scene, hit)
    if brush_spot(owner, hit) is not None:
        return _paint(scene, hit)
    line = select(owner, hit.layer, hit.channel)
    for other in {scene, *halls_beside(scene)} - {owner}:
        panel = find_panel(other, hit.layer)
        known = panel is not None and hit.channel < len(panel.data.vertices)
        select(other, hit.layer if known else "", hit.channel if known else -1)
    text = concept_text(bpy.data.objects[hit.object], hit.channel) if hit.channel >= 0 else ""
    where = f"{short_name(owner)}: " if owner != scene else ""
    return f"{where}{line}{f', {text}' if text else ''}"


def brush_spot(scene: bpy.types.Scene, hit: Hit) -> tuple[float, float] | None:
    """Returns where on the picture a hall's brush would paint, as shares from the left and from the top.

    None without a brush, beside tiles and the picture of an answer, and on tiles without rows and columns.
    """
    if BRUSH not in scene or held_brush(scene) is None:
        return None
    if hit.role == "answer":
        shown = hit_output(scene, hit)
        return hit.spot if min(hit.spot) >= 0 and shown is not None and shown.kind in PAINTABLE else None
    is_tile = hit.role == "panel" and hit.channel >= 0
    return hit.spot if is_tile and min(rays.map_shape(bpy.data.objects[hit.object])) > 1 else None


def brush_over(scene: bpy.types.Scene, hit: Hit) -> Brush | None:
    """Returns the brush that a click there would paint with; None for none, and for one that can't be read."""
    owner = rays.find_hall(scene, hit)
    try:
        return held_brush(owner) if brush_spot(owner, hit) is not None else None
    except InnerwalkError:  # a stranger's file; the click itself says so
        return None


def _paint(scene: bpy.types.Scene, hit: Hit) -> str:
    """Paints with the brush of the hall that was hit."""
    owner = rays.find_hall(scene, hit)
    spot = brush_spot(owner, hit)
    return paint_at(owner, *spot) if spot is not None else ""


def _deselect(scene: bpy.types.Scene, hit: Hit) -> str:
    return select(scene, "")


ON_CLICK: dict[str, Callable[[bpy.types.Scene, Hit], str]] = {
    "panel": _select_tile,
    "floor": _deselect,
    "shelf": pointed_shelf,
    "input": pointed_input,
    "answer": _paint,
}
"""Function to call for a click, by the role of what was hit."""
