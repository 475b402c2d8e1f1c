"""Reads what an evaluated object shows, as a shape that the engine draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import bpy
import numpy as np
from gpu.types import GPUBatch, GPUTexture

from ....torch_bridge.recording.errors import SceneError
from ...imaging.colour_maps import colour_table
from ...imaging.tile_grids import MAX_SIDE
from ...properties import (
    FOG_COLOUR,
    FOG_RANGE,
    NODE_GROUP_NAME,
    PAINT_ATTRIBUTE,
    PANEL_FILL_COUNT,
    TRACK_COLOUR,
    VALUE_RANGE,
    ZERO_LINE_COLOUR,
)
from ..materials import compat
from ..materials.tiles import TILES
from .graphics_data import (
    GraphicsCache,
    MeshArrays,
    MeshBatch,
    picture_texture,
    unit_square,
    upload_image,
    upload_mesh,
    upload_values,
)
from .shaders import SAMPLERS
from .surfaces import read_surface

MOST_PLACES = 1 << 22
"""Most places on a panel's grid."""
UNSEEN = {"EMPTY", "CAMERA", "ARMATURE", "LATTICE", "SPEAKER", "LIGHT_PROBE"}
"""Types of objects that no picture shows."""
COLOURS = {
    "fog": FOG_RANGE, "air": FOG_COLOUR, "range": VALUE_RANGE, "track": TRACK_COLOUR, "zero_line": ZERO_LINE_COLOUR,
}  # fmt: skip
"""Fields of an item's uniform block that are properties of its object."""


class NotOfHallError(SceneError):
    """The scene shows something that the engine doesn't draw."""


@dataclass(frozen=True)
class Shape:
    """What an object shows, in its own coordinates, with what its shader needs."""

    kind: str
    """A kind of `shaders.STAGES`."""
    batch: GPUBatch
    low: np.ndarray
    """(3,) float: the lowest corner of the box that it fills."""
    high: np.ndarray
    """(3,) float: the highest corner."""
    fields: dict[str, np.ndarray]
    """Vectors of the uniform block, (n,) float."""
    textures: dict[str, GPUTexture]
    sources: frozenset[int]
    """Session ids of the data-blocks that it was read from, but for the object's own."""


def read_shape(holder: bpy.types.Object, is_view: bool, cache: GraphicsCache) -> Shape | None:
    """Returns what an evaluated object shows, None for nothing; needs a graphics context. Raises NotOfHallError.

    is_view: whether as in a 3D view, not as in renders.
    """
    if holder.type != "MESH" or holder.is_holdout or holder.is_shadow_catcher:
        raise NotOfHallError(f"{_name(holder)} is not of a hall")
    tiles = next((each for each in holder.modifiers if _makes_tiles(each)), None)
    if tiles is None:
        shape = _mesh_shape(holder, cache)
    else:
        shape = _panel_shape(holder, tiles, cache) if (tiles.show_viewport if is_view else tiles.show_render) else None
    if shape is None:
        return None
    colours = {name: _numbers(holder, key) for name, key in COLOURS.items()}
    return replace(shape, fields=colours | shape.fields)


def _mesh_shape(holder: bpy.types.Object, cache: GraphicsCache) -> Shape | None:
    """Returns a painted mesh or a picture; None for one without faces."""
    mesh = holder.data
    if not len(mesh.polygons):
        return None
    slots = [slot.material for slot in holder.material_slots]
    surface = read_surface(slots[0] if slots else None)
    if surface is None or surface.kind not in ("paint", "picture") or len(slots) > 1:
        raise NotOfHallError(f"the material of {_name(holder)} is not of a hall")
    read = _painted_arrays if surface.kind == "paint" else _picture_arrays
    key = ("mesh", holder.original.data.session_uid, len(mesh.loops), hash(_stored(mesh, surface.kind)))
    uploaded: MeshBatch = cache.get(key, lambda: upload_mesh(read(holder)))
    textures = {"picture": picture_texture(surface.images[0])} if surface.kind == "picture" else {}
    fields = {"grid": np.array([float(surface.is_smooth)])}
    sources = _session_ids(holder, slots[0], surface.images)
    return Shape(surface.kind, uploaded.batch, uploaded.low, uploaded.high, fields, textures, sources)


def _stored(mesh: bpy.types.Mesh, kind: str) -> bytes:
    """Returns what a mesh shows that may change: its points and their colours."""
    parts = [_read(mesh.vertices, "co", len(mesh.vertices), 3)]
    paint = mesh.attributes.get(PAINT_ATTRIBUTE) if kind == "paint" else None
    if paint is not None and (paint.domain, paint.data_type) == ("POINT", "FLOAT_COLOR"):
        parts.append(_read(paint.data, "color", len(mesh.vertices), 4))
    return b"".join(part.tobytes() for part in parts)


def _painted_arrays(holder: bpy.types.Object) -> MeshArrays:
    mesh = holder.data
    paint = mesh.attributes.get(PAINT_ATTRIBUTE)
    if paint is None or (paint.domain, paint.data_type) != ("POINT", "FLOAT_COLOR"):
        raise NotOfHallError(f"the mesh of {_name(holder)} is not of a hall")
    colours = _read(paint.data, "color", len(mesh.vertices), 4)[:, :3]
    return MeshArrays(_read(mesh.vertices, "co", len(mesh.vertices), 3), colours, _triangles(mesh, "vertices"))


def _picture_arrays(holder: bpy.types.Object) -> MeshArrays:
    """Returns a point for each corner of a face, because a point has a place in the picture for each face."""
    mesh, count = holder.data, len(holder.data.loops)
    layer = next((each for each in mesh.uv_layers if each.active_render), None)
    places = np.zeros((count, 3), np.float32)
    if layer is not None:
        places[:, :2] = _read(layer.uv, "vector", count, 2)
    corners = np.empty(count, np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    points = _read(mesh.vertices, "co", len(mesh.vertices), 3)[corners]
    return MeshArrays(points, places, _triangles(mesh, "loops"))


def _triangles(mesh: bpy.types.Mesh, corners: str) -> np.ndarray:
    mesh.calc_loop_triangles()
    found = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get(corners, found)
    return found.reshape(-1, 3)


def _read(data: Any, name: str, count: int, width: int) -> np.ndarray:
    values = np.empty(count * width, np.float32)
    data.foreach_get(name, values)
    return values.reshape(count, width)


def _panel_shape(holder: bpy.types.Object, tiles: bpy.types.Modifier, cache: GraphicsCache) -> Shape:
    """Returns a panel as one square, on which the shader finds the tiles."""
    inputs = compat.modifier_inputs(tiles)
    surface = read_surface(inputs["Material"])
    if surface is None or surface.kind in ("paint", "picture"):
        raise NotOfHallError(f"the material of {_name(holder)} is not of a hall")
    corner = _grid_corner(holder)
    columns, rows, cell = inputs["Columns"], inputs["Rows"], np.array(inputs["Cell"])[:2]
    sheet = np.array([inputs["Sheet Columns"], inputs["Sheet Rows"]])
    stamp = str(holder.get(PANEL_FILL_COUNT, 0))
    texels, peaks = (
        cache.get((name, image.original.session_uid, tuple(image.size), stamp), partial(upload_image, image))
        for name, image in zip(("texels", "peaks"), surface.images, strict=True)
    )
    size = np.array(surface.images[0].size) // np.maximum(sheet, 1)
    places = _map_places(holder, columns, rows)
    textures = {
        "texels": texels,
        "peaks": peaks,
        "table": cache.get(("table",), lambda: upload_values(colour_table())),
        "places": cache.get(
            ("places", holder.original.session_uid, places.tobytes()), lambda: upload_values(places, "R32F")
        ),
    }
    fields = {
        "grid": np.array([columns, rows, max(inputs["Channels per Cell"], 1)]),
        "cell": np.array([*cell, *corner]),
        "sheet": np.array([sheet[1], *size]),
    }
    low, high = np.zeros(3), np.zeros(3)
    low[:2], high[:2] = corner, corner + cell * (columns, rows)
    sources = _session_ids(holder, inputs["Material"], surface.images)
    used = {name: textures[name] for name in SAMPLERS[surface.kind]}
    return Shape(surface.kind, cache.get(("square",), unit_square), low, high, fields, used, sources)


def _session_ids(
    holder: bpy.types.Object, material: bpy.types.Material, images: Iterable[bpy.types.Image]
) -> frozenset[int]:
    """Returns the session ids of an object's mesh, material and images."""
    blocks = (holder.original.data, material.original, *(image.original for image in images))
    return frozenset(block.session_uid for block in blocks)


def _grid_corner(holder: bpy.types.Object) -> np.ndarray:
    """Returns the lower left corner of a panel's grid, (2,) float metres, where all of its points lie."""
    mesh = holder.original.data
    points = _read(mesh.vertices, "co", len(mesh.vertices), 3)
    if len(holder.modifiers) > 1 or np.ptp(points, 0).any() or points[:, 2].any():
        raise NotOfHallError(f"{_name(holder)} has a person's own geometry")
    return points[0, :2].astype(np.float64)


def _map_places(holder: bpy.types.Object, columns: int, rows: int) -> np.ndarray:
    """Returns which map each place of a panel's grid shows, (rows, columns) float32, -1 for none; top row first."""
    mesh, numbers = holder.original.data, []
    for name in ("place", "map"):
        attribute = mesh.attributes.get(name)
        if attribute is None or (attribute.domain, attribute.data_type) != ("POINT", "INT"):
            raise NotOfHallError(f"{_name(holder)} has a person's own geometry")
        numbers.append(np.zeros(len(mesh.vertices), np.int32))
        attribute.data.foreach_get("value", numbers[-1])
    if not (0 < columns <= MAX_SIDE and 0 < rows <= MAX_SIDE and columns * rows <= MOST_PLACES):
        raise NotOfHallError(f"{_name(holder)} has {columns} × {rows} places, which no panel of a hall has")
    places, maps = numbers
    shown = (places >= 0) & (places < columns * rows)
    grid = np.full(columns * rows, -1.0, np.float32)
    grid[places[shown]] = maps[shown]
    return grid.reshape(rows, columns)


def _makes_tiles(modifier: bpy.types.Modifier) -> bool:
    group = modifier.node_group if modifier.type == "NODES" else None
    return group is not None and group.get(NODE_GROUP_NAME) == TILES.id


def _numbers(holder: bpy.types.Object, key: str) -> np.ndarray:
    """Returns a property of up to four numbers, (n,) float; none for anything else that a stranger's file has there."""
    values = holder.get(key, ())
    plain = values.to_list() if hasattr(values, "to_list") else list(values) if isinstance(values, tuple) else []
    return np.array([float(value) for value in plain[:4] if isinstance(value, int | float)])


def _name(holder: bpy.types.Object) -> str:
    return f"{holder.type.lower().replace('_', ' ')} {holder.name!r}"
