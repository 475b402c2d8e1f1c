"""A panel: one object for a layer, a point for each channel, tiles made of them by a shared node group.

Points carry the named attributes channel, place (its slot in the grid, -1 for not shown), value and what else the
method says about a channel, for the user's own nodes. Face k of the tiles is the k-th point that is shown. What every
new input changes, values and their peaks, lies in images: no geometry depends on it, and no tile is made again.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import ACTIVATIONS, Maps
from ....torch_bridge.recording.errors import SceneError, UnknownName
from ...imaging import atlas, colour
from ...properties import (
    LARGEST_PEAK,
    NODE_GROUP_NAME,
    OBJECT_ROLE,
    PANEL_FILL_COUNT,
    PANEL_GRID,
    PANEL_GRID_CORNER,
    PANEL_LAYER_ID,
    PANEL_MAP_COUNT,
    PANEL_PLANNED_GRID,
    PANEL_ROLE,
)
from ..materials import images, panel_material
from ..materials.compat import set_modifier_inputs, update_modifier_inputs
from ..materials.nodes import ensure_group
from ..materials.tiles import TILES
from . import panel_metadata

Grid = tuple[int, int, tuple[float, float]]
"""Columns, rows, (width, height) of a cell in metres."""


def add_panel(
    collection: bpy.types.Collection, name: str, layer_id: str, maps: Maps, grid: Grid, channels: int = 0
) -> bpy.types.Object:
    """The panel of a layer, all its channels in order on the grid. channels: of the layer, where the maps have others.

    Its origin is the lower left corner, x to the right, y up, z to the viewer. Call `refresh` after the last one.
    Raises SceneError when the grid has too few places or the maps fit in no image.
    """
    mesh = bpy.data.meshes.new(name)
    count = channels or maps.channels
    mesh.vertices.add(count)
    panel_metadata.set_attribute(mesh, "channel", np.arange(count, dtype=np.int32))
    panel = bpy.data.objects.new(name, mesh)
    panel[PANEL_LAYER_ID], panel[OBJECT_ROLE] = layer_id, PANEL_ROLE
    collection.objects.link(panel)
    panel.modifiers.new("Tiles", "NODES").node_group = ensure_group(TILES)
    show_channels(panel, np.arange(count), *grid)
    show_maps(panel, maps)
    return panel


def show_maps(panel: bpy.types.Object, maps: Maps) -> None:
    """New values in place: images and attributes; the map size and the method may be others than before.

    No data-block comes or goes: this happens between a person's actions, where undo knows of no such thing and would
    leave pointers to what is gone.
    Maps of a method that says less of a layer than a map a channel are as large as they can be on the panel. Call
    `refresh` after the last panel. Raises SceneError when there are more, or activations differ, or where a person has
    taken the panel's modifier away.
    """
    count = len(panel.data.vertices)
    if maps.channels > count or (maps.channels < count and maps.method == ACTIVATIONS):
        raise SceneError(
            f"maps of {maps.layer} have {maps.channels} channels, its panel {panel.name} has "
            f"{len(panel.data.vertices)}; build the hall again for another network"
        )
    on = atlas.sheet_layout(maps.texels.shape)
    material = _material(panel, _kind(maps))
    image, peaks = (panel_material.material_image(material, content) for content in panel_material.CONTENTS)
    fits = image is not None and tuple(image.size) == (on.width, on.height)
    tiles = tiles_modifier(panel) if fits else _tiles(panel)
    image = images.fit_image(image, panel.name, on)
    peaks = images.fit_image(peaks, f"{panel.name} peaks", atlas.peak_sheet(on))
    panel_material.set_material_images(material, {"Texels": image, "Peaks": peaks}, (on.columns, on.rows))
    if tiles is not None:
        per_cell = 1 if maps.colour else atlas.PER_CELL
        sizes = {"Sheet Columns": on.columns, "Sheet Rows": on.rows, "Channels per Cell": per_cell}
        update_modifier_inputs(tiles, {**sizes, "Material": material})
    images.write_image(image, atlas.flag_nonfinite(atlas.to_pixels(maps.texels, on)))
    _set_peaks(panel, peaks, maps, on)
    panel_metadata.write_metadata(panel, maps)
    _arrange(panel, maps)


def _arrange(panel: bpy.types.Object, maps: Maps) -> None:
    """Its own grid for maps of another number of channels; the planned one for all others."""
    count = len(panel.data.vertices)
    if maps.channels < count:
        width, height = size_of(panel)
        if PANEL_PLANNED_GRID not in panel:
            panel[PANEL_PLANNED_GRID] = list(panel[PANEL_GRID])
        grid = atlas.largest_grid(maps.channels, maps.shape[2] / maps.shape[1], width, height)
        panel[PANEL_MAP_COUNT], panel[PANEL_GRID_CORNER] = maps.channels, grid.corner
        show_channels(panel, np.arange(maps.channels), grid.columns, grid.rows, grid.cell, grid.corner)
    elif PANEL_PLANNED_GRID in panel:
        columns, rows, width, height = panel[PANEL_PLANNED_GRID]
        for name in (PANEL_PLANNED_GRID, PANEL_MAP_COUNT, PANEL_GRID_CORNER):
            del panel[name]
        show_channels(panel, np.arange(count), int(columns), int(rows), (width, height))


def channel_count(panel: bpy.types.Object) -> int:
    """How many maps it shows: one a channel, unless its method says less."""
    return int(panel.get(PANEL_MAP_COUNT, len(panel.data.vertices)))


def show_channels(
    panel: bpy.types.Object, channels: np.ndarray, columns: int, rows: int, cell: tuple[float, float],
    corner: tuple[float, float] = (0.0, 0.0),
) -> None:  # fmt: skip
    """Lays these channels out on a grid, row by row from the top left; the others stay in the panel, unseen.

    channels: (n,) int, each once. cell: width and height in metres; corner: the grid's lower left. Raises SceneError
    when the grid is too small.
    """
    if len(channels) > columns * rows:
        raise SceneError(
            f"{len(channels)} channels of {panel[PANEL_LAYER_ID]} don't fit on a grid of {columns} × {rows}"
        )
    places = np.full(len(panel.data.vertices), -1, np.int32)
    places[np.asarray(channels)] = np.arange(len(channels))
    panel_metadata.set_attribute(panel.data, "place", places)
    panel.data.vertices.foreach_set("co", np.tile((*corner, 0.0), len(places)).astype(np.float32))
    set_modifier_inputs(_tiles(panel), {"Columns": columns, "Rows": rows, "Cell": (*cell, 0.0)})
    panel[PANEL_GRID] = (columns, rows, *cell)
    panel.data.update()


def panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """The scene's panels by the id of their layer."""
    return {one[PANEL_LAYER_ID]: one for one in scene.objects if one.get(OBJECT_ROLE) == PANEL_ROLE}


def panel_of(scene: bpy.types.Scene, layer_id: str) -> bpy.types.Object:
    """The panel of a layer. Raises UnknownName with near matches."""
    found = find_panel(scene, layer_id)
    if found is None:
        raise UnknownName("panel of layer", layer_id, panels(scene))
    return found


def find_panel(scene: bpy.types.Scene, layer_id: str) -> bpy.types.Object | None:
    """The panel of a layer, looked for first under the name it was made with; None where there is none."""
    if not layer_id:
        return None
    named: bpy.types.Object | None = scene.objects.get(layer_id)
    if named is not None and named.get(PANEL_LAYER_ID) == layer_id and named.get(OBJECT_ROLE) == PANEL_ROLE:
        return named
    return panels(scene).get(layer_id)


def tiles_modifier(panel: bpy.types.Object) -> bpy.types.Modifier | None:
    """The modifier that makes the tiles; None where a person has taken it away."""
    there = (one for one in panel.modifiers if one.type == "NODES" and one.node_group)
    return next((one for one in there if one.node_group.get(NODE_GROUP_NAME) == TILES.id), None)


def image_of(panel: bpy.types.Object, content: panel_material.Content = "Texels") -> bpy.types.Image | None:
    """The image that holds the maps, or their peaks; None where a person has taken it or the material away."""
    slots = panel.data.materials
    return panel_material.material_image(slots[0], content) if slots and slots[0] else None


def update_network_peak(scene: bpy.types.Scene) -> None:
    """After panels were added or filled: the network's peak, and Cycles, which would go on showing old pixels."""
    scene[LARGEST_PEAK] = max((one[LARGEST_PEAK] for one in panels(scene).values()), default=1.0)
    scene.update_tag()
    if scene.render.use_persistent_data:  # nothing less makes Cycles read an image again
        scene.render.use_persistent_data = False
        scene.render.use_persistent_data = True


def grid_of(panel: bpy.types.Object) -> atlas.Grid:
    """The grid that the panel's tiles lie on."""
    columns, rows, width, height = panel[PANEL_GRID]
    return atlas.Grid(int(columns), int(rows), (width, height), tuple(panel.get(PANEL_GRID_CORNER, (0.0, 0.0))))


def world_matrix(panel: bpy.types.Object) -> Matrix:
    """Where it is now, panel to world; `matrix_world` lags behind a change of its location."""
    return panel.matrix_world.copy() if panel.parent else panel.matrix_basis.copy()


def size_of(panel: bpy.types.Object) -> tuple[float, float]:
    """Width and height of its tiles together as they are planned, in its own metres."""
    columns, rows, width, height = panel.get(PANEL_PLANNED_GRID, panel[PANEL_GRID])
    return columns * width, rows * height


def channel_places(panel: bpy.types.Object) -> np.ndarray:
    """(C,) int32: the place of every channel on the grid, -1 for not shown."""
    data = panel.data.attributes["place"].data
    values = np.zeros(len(data), np.int32)
    data.foreach_get("value", values)
    return values


def _tiles(panel: bpy.types.Object) -> bpy.types.Modifier:
    found = tiles_modifier(panel)
    if found is None:
        raise SceneError(f"panel {panel.name!r} has lost the modifier that makes its tiles; build the hall again")
    return found


def _kind(maps: Maps) -> panel_material.Kind:
    if maps.colour:
        return "colour"
    return "bars" if maps.shape[1:] == (1, 1) else "scalar"


def _material(panel: bpy.types.Object, kind: panel_material.Kind) -> bpy.types.Material:
    """The panel's material, turned into that kind; a new one where there is none, or a person's own, which stays."""
    slots = panel.data.materials
    old = slots[0] if slots else None
    if old is not None and panel_material.material_kind(old):
        panel_material.convert_material(old, kind)
        return old
    new = panel_material.create_panel_material(panel.name, kind)
    slots.clear()
    slots.append(new)
    return new


def _set_peaks(panel: bpy.types.Object, image: bpy.types.Image, maps: Maps, on: atlas.Sheet) -> None:
    """The channels' peaks into their image, the largest as a property of the object."""
    peak = np.maximum(maps.peak, colour.MIN_PEAK)
    texels = atlas.peak_texels(peak, len(maps.texels), 1 if maps.colour else atlas.PER_CELL)
    images.write_image(image, atlas.flag_nonfinite(atlas.to_pixels(texels, atlas.peak_sheet(on))))
    panel[LARGEST_PEAK], panel[PANEL_FILL_COUNT] = float(peak.max()), int(panel.get(PANEL_FILL_COUNT, 0)) + 1
    panel.update_tag(refresh={"OBJECT"})  # else the shader reads the old property; no tile is made again
