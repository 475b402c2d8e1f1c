"""A panel: one object for a layer, a point for each channel, tiles made of them by a shared node group.

Points carry the named attributes channel, place (its slot in the grid, -1 for not shown), peak, value and what else
the method says about a channel, for the user's own nodes. Face k of the tiles is the k-th point that is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.errors import SceneError, UnknownName
from ...torch_bridge.recording import Maps
from .. import atlas, colour
from . import images, look, materials
from .compat import change_modifier_inputs, set_modifier_inputs
from .nodes import GROUP_KEY, ensure
from .paint import ROLE
from .tiles import TILES

ID, PANEL, GRID = "innerwalk_id", "panel", "innerwalk_grid"
SHOWS = "innerwalk_shows"
"""Id of the layer whose maps a panel shows: its own, or the batch norm's that is folded into it."""
Grid = tuple[int, int, tuple[float, float]]
"""Columns, rows, (width, height) of a cell in metres."""


def add_panel(collection: bpy.types.Collection, name: str, layer_id: str, maps: Maps, grid: Grid) -> bpy.types.Object:
    """The panel of a layer, all its channels in order on the grid.

    Its origin is the lower left corner, x to the right, y up, z to the viewer. Call `refresh` after the last one.
    Raises SceneError when the grid has too few places or the maps fit in no image.
    """
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(maps.channels)
    _set_attribute(mesh, "channel", np.arange(maps.channels, dtype=np.int32))
    panel = bpy.data.objects.new(name, mesh)
    panel[ID], panel[ROLE] = layer_id, PANEL
    collection.objects.link(panel)
    panel.modifiers.new("Tiles", "NODES").node_group = ensure(TILES)
    show_maps(panel, maps)
    show_channels(panel, np.arange(maps.channels), *grid)
    return panel


def show_maps(panel: bpy.types.Object, maps: Maps) -> None:
    """New values in place: image, peaks and attributes; the map size and the method may be others than before.

    No data-block comes or goes: this happens between a person's actions, where undo knows of no such thing and would
    leave pointers to what is gone.
    Call `refresh` after the last panel. Raises SceneError when the channels differ, or where a person has taken the
    panel's modifier away.
    """
    if maps.channels != len(panel.data.vertices):
        raise SceneError(
            f"maps of {maps.layer} have {maps.channels} channels, its panel {panel.name} has "
            f"{len(panel.data.vertices)}; build the hall again for another network"
        )
    on = atlas.sheet(maps.texels.shape)
    material = _material(panel, _kind(maps))
    image = materials.image_of(material)
    fits = image is not None and tuple(image.size) == (on.width, on.height)
    tiles = tiles_of(panel) if fits else _tiles(panel)
    image = images.fitting(image, panel.name, on)
    materials.set_image(material, image, (on.columns, on.rows))
    if tiles is not None:
        per_cell = 1 if maps.colour else atlas.PER_CELL
        sizes = {"Sheet Columns": on.columns, "Sheet Rows": on.rows, "Channels per Cell": per_cell}
        change_modifier_inputs(tiles, {**sizes, "Material": material})
    images.write(image, atlas.flagged(atlas.spread(maps.texels, on)))
    _set_values(panel, maps)


def show_channels(
    panel: bpy.types.Object, channels: np.ndarray, columns: int, rows: int, cell: tuple[float, float]
) -> None:
    """Lays these channels out on a grid, row by row from the top left; the others stay in the panel, unseen.

    channels: (n,) int, each once. cell: width and height in metres. Raises SceneError when the grid is too small.
    """
    if len(channels) > columns * rows:
        raise SceneError(f"{len(channels)} channels of {panel[ID]} don't fit on a grid of {columns} × {rows}")
    places = np.full(len(panel.data.vertices), -1, np.int32)
    places[np.asarray(channels)] = np.arange(len(channels))
    _set_attribute(panel.data, "place", places)
    set_modifier_inputs(_tiles(panel), {"Columns": columns, "Rows": rows, "Cell": (*cell, 0.0)})
    panel[GRID] = (columns, rows, *cell)
    panel.data.update()


def panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """The scene's panels by the id of their layer."""
    return {one[ID]: one for one in scene.objects if one.get(ROLE) == PANEL}


def panel_of(scene: bpy.types.Scene, layer_id: str) -> bpy.types.Object:
    """The panel of a layer. Raises UnknownName with near matches."""
    there = panels(scene)
    if layer_id not in there:
        raise UnknownName("panel of layer", layer_id, there)
    return there[layer_id]


def tiles_of(panel: bpy.types.Object) -> bpy.types.Modifier | None:
    """The modifier that makes the tiles; None where a person has taken it away."""
    there = (one for one in panel.modifiers if one.type == "NODES" and one.node_group)
    return next((one for one in there if one.node_group.get(GROUP_KEY) == TILES.id), None)


def image_of(panel: bpy.types.Object) -> bpy.types.Image | None:
    """The image that holds the maps; None where a person has taken it or the material away."""
    slots = panel.data.materials
    return materials.image_of(slots[0]) if slots and slots[0] else None


def refresh(scene: bpy.types.Scene) -> None:
    """After panels were added or filled: the network's peak, and Cycles, which would go on showing old pixels."""
    scene[look.PEAK] = max((one[look.PEAK] for one in panels(scene).values()), default=1.0)
    scene.update_tag()
    if scene.render.use_persistent_data:  # nothing less makes Cycles read an image again
        scene.render.use_persistent_data = False
        scene.render.use_persistent_data = True


def grid_of(panel: bpy.types.Object) -> atlas.Grid:
    """The grid that the panel's tiles lie on."""
    columns, rows, width, height = panel[GRID]
    return atlas.Grid(int(columns), int(rows), (width, height))


def world_of(panel: bpy.types.Object) -> Matrix:
    """Where it is now, panel to world; `matrix_world` lags behind a change of its location."""
    return panel.matrix_world.copy() if panel.parent else panel.matrix_basis.copy()


def size_of(panel: bpy.types.Object) -> tuple[float, float]:
    """Width and height of its tiles together, in its own metres."""
    grid = grid_of(panel)
    return grid.columns * grid.cell[0], grid.rows * grid.cell[1]


def places(panel: bpy.types.Object) -> np.ndarray:
    """(C,) int32: the place of every channel on the grid, -1 for not shown."""
    data = panel.data.attributes["place"].data
    values = np.zeros(len(data), np.int32)
    data.foreach_get("value", values)
    return values


def channel_of_face(panel: bpy.types.Object, face: int) -> int:
    """The channel of a tile, by the face number of `Scene.ray_cast`."""
    return int(np.flatnonzero(places(panel) >= 0)[face])


def channel_at(panel: bpy.types.Object, x: float, y: float) -> int | None:
    """The channel whose tile holds a point of the panel's plane (its own coordinates, metres), or None."""
    place = grid_of(panel).pick(x, y)
    hits = np.flatnonzero(places(panel) == place) if place >= 0 else np.zeros(0, np.int64)
    return int(hits[0]) if len(hits) else None


def _set_attribute(mesh: bpy.types.ID, name: str, values: np.ndarray) -> None:
    whole = values.dtype.kind in "iub"
    layer = mesh.attributes.get(name) or mesh.attributes.new(name, "INT" if whole else "FLOAT", "POINT")
    layer.data.foreach_set("value", np.ascontiguousarray(values, np.int32 if whole else np.float32))


def _tiles(panel: bpy.types.Object) -> bpy.types.Modifier:
    found = tiles_of(panel)
    if found is None:
        raise SceneError(f"panel {panel.name!r} has lost the modifier that makes its tiles; build the hall again")
    return found


def _kind(maps: Maps) -> materials.Kind:
    if maps.colour:
        return "colour"
    return "bars" if maps.shape[1:] == (1, 1) else "scalar"


def _material(panel: bpy.types.Object, kind: materials.Kind) -> bpy.types.Material:
    """The panel's material, turned into that kind; a new one where there is none, or a person's own, which stays."""
    slots = panel.data.materials
    old = slots[0] if slots else None
    if old is not None and materials.kind_of(old):
        materials.turn(old, kind)
        return old
    new = materials.panel_material(panel.name, kind)
    slots.clear()
    slots.append(new)
    return new


def _set_values(panel: bpy.types.Object, maps: Maps) -> None:
    """Peaks, and the method's further arrays that have one number a channel, as attributes of the points."""
    peak = np.maximum(maps.peak, colour.LEAST_PEAK)
    for name, values in _per_channel(maps).items():
        _set_attribute(panel.data, name, values)
    _set_attribute(panel.data, "peak", peak)
    panel.data.update()
    panel[look.PEAK] = float(peak.max())


def _per_channel(maps: Maps) -> Mapping[str, np.ndarray]:
    named = {"value" if name == "values" else name: np.asarray(array) for name, array in maps.extras.items()}
    return {name: array for name, array in named.items()
            if array.shape == (maps.channels,) and array.dtype.kind in "iubf"}  # fmt: skip
