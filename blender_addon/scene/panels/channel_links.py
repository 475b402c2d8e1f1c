"""Beams from tile to tile, for a method that links channels of one layer to those of another.

All of them are one mesh, which stands empty in every hall: showing some makes no data-block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import bpy
import numpy as np
from mathutils import Vector

from ...properties import (
    BEAMS_ROLE,
    DRAWN_CONTENT,
    OBJECT_ROLE,
    PANEL_CHOSEN_CHANNELS,
    PANEL_GRID,
    PANEL_LAYER_ID,
    PANEL_METADATA,
    PANEL_SHOWN_LAYER,
)
from ..materials import look
from ..paint.meshes import Kit, Paint, Plane, paint_material
from ..state.parts import part_of
from . import panel_metadata
from .annotations import kit_of, outline
from .objects import grid_of, panels, places, size_of, world_of

MOST, PAIR, LEAST = 96, 8, 2
"""Of a hall, and between two layers at most and, however many there are, at least."""
THIN, THICK, PIXELS = 0.004, 0.017, 0.9
"""Radius in metres of the weakest and the strongest; and the least in pixels of a figure."""
FAINT = 0.35
"""How much of its colour the weakest has."""
STEPS, SIDES = 24, 6
"""Pieces along a beam and around it."""
OFF, BOW, REACH = 0.03, 0.45, (0.35, 1.3)
"""How far before its tile a beam begins, how far it goes straight ahead as a share of its way, and within what."""


class Beam(NamedTuple):
    """A link between two tiles."""

    source: bpy.types.Object
    channel: int
    target: bpy.types.Object
    other: int
    strength: float
    """Of the strongest between these layers, -1..1."""


def add_beams(kit: Kit) -> bpy.types.Object:
    """The object that holds them, empty."""
    mesh = bpy.data.meshes.new("Beams")
    mesh.materials.append(paint_material())
    holder = bpy.data.objects.new("Beams", mesh)
    holder[OBJECT_ROLE] = BEAMS_ROLE
    kit.collection.objects.link(holder)
    return holder


def renew(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """Draw the links that the panels' maps carry now; none where they carry none. pixel: metres of one, in a figure."""
    holder = part_of(scene, BEAMS_ROLE)
    if holder is None:
        return
    beams = list(found(scene))
    key = _key(beams, scene, pixel)
    if holder.get(DRAWN_CONTENT, "") == key and bool(len(holder.data.vertices)) == bool(key):
        return
    paint = Paint(kit_of(scene))
    for beam in beams:
        _draw(paint, beam, pixel)
    if paint:
        paint.repaint(holder)
    else:
        holder.data.clear_geometry()
    holder[DRAWN_CONTENT] = key


def found(scene: bpy.types.Scene) -> Iterator[Beam]:
    """The strongest links between panels that are seen; layers share alike in what may be drawn."""
    pairs = list(_pairs(scene))
    most = min(PAIR, max(LEAST, MOST // max(len(pairs), 1)))
    for panel, target, links in pairs:
        for channel, other, strength in links[:most]:
            yield Beam(panel, int(channel), target, int(other), float(strength / abs(links[0, 2])))


def _pairs(scene: bpy.types.Scene) -> Iterator[tuple[bpy.types.Object, bpy.types.Object, np.ndarray]]:
    """Panels that are linked, with their links (n, 3), strongest first."""
    seen = {id: panel for id, panel in panels(scene).items() if not panel.hide_viewport}
    by_maps = {str(panel.get(PANEL_SHOWN_LAYER, id)): panel for id, panel in seen.items()}
    for panel in seen.values():
        for layer, links in panel_metadata.of(panel).links.items():
            target = by_maps.get(layer) or seen.get(layer)
            if target is not None and len(links) and links[0, 2]:
                yield panel, target, links


def _key(beams: list[Beam], scene: bpy.types.Scene, pixel: float) -> str:
    """Of all that is drawn; "" for nothing."""
    if not beams:
        return ""
    digest = hashlib.blake2b(f"{pixel} {look.told(scene)['theme']}".encode(), digest_size=12)
    for panel in {one.name: one for beam in beams for one in (beam.source, beam.target)}.values():
        digest.update(str(panel.get(PANEL_METADATA, "")).encode())
        for numbers in (places(panel), np.array(panel[PANEL_GRID]), np.array(world_of(panel))):
            digest.update(np.ascontiguousarray(numbers).tobytes())
    digest.update(
        str(
            [(beam.source[PANEL_LAYER_ID], beam.channel, beam.target[PANEL_LAYER_ID], beam.other) for beam in beams]
        ).encode()
    )
    return digest.hexdigest()


def _draw(paint: Paint, beam: Beam, pixel: float) -> None:
    radius = max(THIN + (THICK - THIN) * abs(beam.strength), PIXELS * pixel * (0.4 + 0.6 * abs(beam.strength)))
    tint = paint.colour("plus" if beam.strength > 0 else "minus")
    faint = paint.colour("board") + (tint - paint.colour("board")) * (FAINT + (1 - FAINT) * abs(beam.strength))
    (start, ahead), (end, before) = _end(beam.source, beam.channel), _end(beam.target, beam.other)
    straight = np.clip(BOW * np.linalg.norm(end - start), *REACH)
    at = np.linspace(0.0, 1.0, STEPS + 1)[:, None]
    corners = (start, start + straight * ahead, end + straight * before, end)
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    path = sum(weight * corner for weight, corner in zip(weights, corners, strict=True))
    paint.quads(tube(np.asarray(path), radius), faint)
    for panel, channel in ((beam.source, beam.channel), (beam.target, beam.other)):
        _ring(paint, panel, channel, tint)


def _end(panel: bpy.types.Object, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """A point before a tile, or before the panel's middle where the tile isn't shown; and the way to the viewer."""
    at, place = world_of(panel), _place(panel, channel)
    x, y = grid_of(panel).centre(place) if place >= 0 else np.array(size_of(panel)) / 2
    ahead = (at.to_3x3() @ Vector((0.0, 0.0, 1.0))).normalized()
    return np.array(at @ Vector((x, y, OFF))), np.array(ahead)


def _place(panel: bpy.types.Object, channel: int) -> int:
    """Where a channel of the layer is on its panel, -1 for nowhere."""
    known, chosen = places(panel), list(panel.get(PANEL_CHOSEN_CHANNELS, ()))
    if chosen:
        channel = chosen.index(channel) if channel in chosen else -1
    return int(known[channel]) if 0 <= channel < len(known) else -1


def _ring(paint: Paint, panel: bpy.types.Object, channel: int, tint: np.ndarray) -> None:
    """A rim around a tile that is linked."""
    place, grid = _place(panel, channel), grid_of(panel)
    if place < 0:
        return
    turn = np.array(world_of(panel))
    right, up, at = turn[:3, 0], turn[:3, 1], turn[:3, 3]
    x, y = grid.centre(place)
    half = np.array(grid.cell) / 2
    sides = (x - half[0], x + half[0]), (y - half[1], y + half[1])
    outline(paint, Plane(at, right, up), *sides, 0.05 * min(grid.cell), tint, 0.012)


def tube(path: np.ndarray, radius: float) -> np.ndarray:
    """A path (n, 3) as quads (m, 4, 3) around it: seen from everywhere, ends open."""
    way = np.gradient(path, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    side = np.cross(way, [0.0, 0.0, 1.0])
    side = np.where(np.linalg.norm(side, axis=1, keepdims=True) < 1e-3, [1.0, 0.0, 0.0], side)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up, turn = np.cross(side, way), 2 * np.pi * np.arange(SIDES + 1) / SIDES
    rings = path[:, None] + radius * (np.cos(turn)[:, None] * side[:, None] + np.sin(turn)[:, None] * up[:, None])
    quads = np.stack([rings[:-1, :-1], rings[1:, :-1], rings[1:, 1:], rings[:-1, 1:]], 2)
    return quads.reshape(-1, 4, 3)
