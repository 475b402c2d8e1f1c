"""Reads what a scene shows, from Blender's evaluated objects, as items that the engine draws."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
class DrawnItem:
    """A mesh with what its shader needs."""

    kind: str
    """A kind of `shaders.STAGES`."""
    batch: GPUBatch
    to_world: np.ndarray
    """(4, 4) float64, from the item's coordinates."""
    low: np.ndarray
    """(3,) float: the lowest corner of the box that the item fills, in its coordinates."""
    high: np.ndarray
    """(3,) float: the highest corner."""
    fields: dict[str, np.ndarray]
    """Vectors of the uniform block, (n,) float."""
    textures: dict[str, GPUTexture] = field(default_factory=dict)


def read_items(
    depsgraph: bpy.types.Depsgraph, cache: GraphicsCache, undrawn: list[str] | None = None
) -> list[DrawnItem]:
    """Returns all that a scene shows, in no particular order; needs a graphics context.

    undrawn: gets a line on each object that is not of a hall; without it, the first one raises NotOfHallError.
    """
    items = []
    for instance in depsgraph.object_instances:  # each is valid only until the next
        holder = instance.object
        if holder.type in UNSEEN or not instance.show_self or not holder.visible_camera:
            continue
        try:
            item = _item(holder, depsgraph.mode == "VIEWPORT", cache)
        except NotOfHallError as error:
            if undrawn is None:
                raise
            undrawn.append(str(error))
            continue
        if item is not None:
            colours = {name: _numbers(holder, key) for name, key in COLOURS.items()}
            matrix = np.array(instance.matrix_world, np.float64)
            items.append(replace(item, to_world=matrix, fields=colours | item.fields))
    return items


def _item(holder: bpy.types.Object, is_view: bool, cache: GraphicsCache) -> DrawnItem | None:
    """Returns what an object shows, in its own coordinates; None for nothing."""
    if holder.type != "MESH" or holder.is_holdout or holder.is_shadow_catcher:
        raise NotOfHallError(f"{_name(holder)} is not of a hall")
    tiles = next((each for each in holder.modifiers if _makes_tiles(each)), None)
    if tiles is None:
        return _mesh_item(holder, cache)
    return _panel_item(holder, tiles, cache) if (tiles.show_viewport if is_view else tiles.show_render) else None


def _mesh_item(holder: bpy.types.Object, cache: GraphicsCache) -> DrawnItem | None:
    """Returns a painted mesh or a picture, in its own coordinates; None for one without faces."""
    mesh = holder.data
    if not len(mesh.polygons):
        return None
    slots = [slot.material for slot in holder.material_slots]
    surface = read_surface(slots[0] if slots else None)
    if surface is None or surface.kind not in ("paint", "picture") or len(slots) > 1:
        raise NotOfHallError(f"the material of {_name(holder)} is not of a hall")
    read = _painted_arrays if surface.kind == "paint" else _picture_arrays
    key = ("mesh", holder.original.data.session_uid, holder.original.session_uid if holder.modifiers else 0)
    uploaded: MeshBatch = cache.get(key, lambda: upload_mesh(read(holder)))
    textures = {"picture": picture_texture(surface.images[0])} if surface.kind == "picture" else {}
    fields = {"grid": np.array([float(surface.is_smooth)])}
    return DrawnItem(surface.kind, uploaded.batch, np.eye(4), uploaded.low, uploaded.high, fields, textures)


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


def _panel_item(holder: bpy.types.Object, tiles: bpy.types.Modifier, cache: GraphicsCache) -> DrawnItem:
    """Returns a panel as one square, on which the shader finds the tiles, in the panel's coordinates."""
    inputs = compat.modifier_inputs(tiles)
    surface = read_surface(inputs["Material"])
    if surface is None or surface.kind in ("paint", "picture"):
        raise NotOfHallError(f"the material of {_name(holder)} is not of a hall")
    corner = _grid_corner(holder)
    columns, rows, cell = inputs["Columns"], inputs["Rows"], np.array(inputs["Cell"])[:2]
    sheet = np.array([inputs["Sheet Columns"], inputs["Sheet Rows"]])
    stamp = int(holder.get(PANEL_FILL_COUNT, 0))
    texels, peaks = (
        cache.get((name, image.session_uid, tuple(image.size), stamp), partial(upload_image, image))
        for name, image in zip(("texels", "peaks"), surface.images, strict=True)
    )
    size = np.array(surface.images[0].size) // np.maximum(sheet, 1)
    places = _map_places(holder, columns, rows)
    textures = {
        "texels": texels,
        "peaks": peaks,
        "table": cache.get("table", lambda: upload_values(colour_table())),
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
    return DrawnItem(surface.kind, cache.get("square", unit_square), np.eye(4), low, high, fields, textures)


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
