"""Panels: an object for each layer with a point for each channel, from which a shared node group makes tiles.

Face k of the tiles belongs to the k-th point that is shown. Values and peaks, which change with every input, are in
images: geometry doesn't depend on them, so tiles aren't rebuilt.

Points and tiles have attributes that a person's own geometry nodes can read (Named Attribute):
  channel  integer: number of the channel
  map      integer: which of the panel's maps is the channel's; 0 for channels without one
  place    integer: cell on the grid, row by row from the top left, -1 if not shown
  layer    integer: place of the layer in the network's order, counted over the panels that a hall shows
  value    float: the number that the method gives for the channel, else the mean of its finite values
  peak     float: the channel's peak, by which its values are divided: nearly their largest magnitude
and the method's other numbers by their names, such as flags. Writing value and peak costs a rebuild of all tiles (0.1 s
for ResNet-50). So they are written with each input only in the background; in a window, when a hall is built, when the
file is saved, and by `update_point_values`; with each entry of a series where the file has node groups of a person.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import ACTIVATIONS, Maps, map_index
from ....torch_bridge.recording.errors import SceneError, UnknownName
from ...imaging import colour_maps, tile_grids
from ...properties import (
    LARGEST_PEAK,
    NODE_GROUP_NAME,
    OBJECT_ROLE,
    PANEL_CHOSEN_CHANNELS,
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
from ..materials.object_colours import update_object_colours
from ..materials.tiles import TILES
from . import panel_metadata
from .concepts import keep_concepts

GridSpec = tuple[int, int, tuple[float, float]]
"""Columns, rows, and width and height of a cell in metres."""


def add_panel(
    collection: bpy.types.Collection, name: str, layer_id: str, maps: Maps, grid: GridSpec, channels: int = 0
) -> bpy.types.Object:
    """Adds the panel of a layer with all channels in order on the grid.

    channels: number of the layer's channels if the maps have fewer, else 0. The panel's origin is its lower left
    corner, x to the right, y up, z to the viewer. Call `update_network_peak` after the last panel. Raises SceneError if
    the grid has too few cells or the maps fit in no image.
    """
    mesh = bpy.data.meshes.new(name)
    count = channels or maps.channels
    mesh.vertices.add(count)
    for attribute in ("channel", "map"):
        panel_metadata.set_attribute(mesh, attribute, np.arange(count, dtype=np.int32))
    panel = bpy.data.objects.new(name, mesh)
    panel[PANEL_LAYER_ID], panel[OBJECT_ROLE] = layer_id, PANEL_ROLE
    collection.objects.link(panel)
    panel.modifiers.new("Tiles", "NODES").node_group = ensure_group(TILES)
    show_channels(panel, np.arange(count), *grid)
    show_maps(panel, maps)
    return panel


def show_maps(panel: bpy.types.Object, maps: Maps) -> None:
    """Shows other maps on a panel, in place; their size and method may differ from the previous ones.

    Creates and removes no data-block, because it runs between a person's actions, where undo doesn't notice that and
    would keep dangling pointers. Maps of some channels are laid out as large as possible. Call `update_network_peak`
    after the last panel. Raises SceneError for maps of channels that the panel lacks, for activations without the
    numbers of their channels if these are fewer, and if a person has removed the panel's modifier.
    """
    count = len(panel.data.vertices)
    is_part = maps.channels < count and not maps.channel_numbers
    if max(maps.numbers, default=0) >= count or (is_part and maps.method == ACTIVATIONS):
        raise SceneError(
            f"maps of {maps.layer} have {maps.channels} channels, its panel {panel.name} has {count}; "
            "build the hall again for another network"
        )
    sheet = tile_grids.sheet_layout(maps.texels.shape)
    material = _material(panel, _kind(maps))
    image, peaks = (panel_material.material_image(material, content) for content in panel_material.CONTENTS)
    fits = image is not None and tuple(image.size) == (sheet.width, sheet.height)
    tiles = tiles_modifier(panel) if fits else _require_tiles(panel)
    image = images.fit_image(image, panel.name, sheet)
    peaks = images.fit_image(peaks, f"{panel.name} peaks", tile_grids.peak_sheet(sheet))
    panel_material.set_material_images(material, {"Texels": image, "Peaks": peaks}, (sheet.columns, sheet.rows))
    if tiles is not None:
        per_cell = 1 if maps.colour else tile_grids.PER_CELL
        sizes = {"Sheet Columns": sheet.columns, "Sheet Rows": sheet.rows, "Channels per Cell": per_cell}
        update_modifier_inputs(tiles, {**sizes, "Material": material})
    images.write_image(image, tile_grids.flag_nonfinite(tile_grids.to_pixels(maps.texels, sheet)))
    _set_peaks(panel, peaks, maps, sheet)
    panel_metadata.write_metadata(panel, maps)
    keep_concepts(panel, maps)
    _lay_out(panel, maps)


def _lay_out(panel: bpy.types.Object, maps: Maps) -> None:
    """Lays out maps of some channels on a grid of their own, and all others on the planned grid."""
    count, planned = len(panel.data.vertices), _planned_grid(panel)
    grid = tile_grids.maps_grid(maps, planned, count)
    if grid is planned and PANEL_PLANNED_GRID not in panel:
        return
    for name in (PANEL_PLANNED_GRID, PANEL_MAP_COUNT, PANEL_GRID_CORNER, PANEL_CHOSEN_CHANNELS):
        panel.pop(name, None)
    if grid is not planned:
        panel[PANEL_PLANNED_GRID] = (planned.columns, planned.rows, *planned.cell)
        panel[PANEL_MAP_COUNT], panel[PANEL_GRID_CORNER] = maps.channels, grid.corner
        if maps.channel_numbers:
            panel[PANEL_CHOSEN_CHANNELS] = maps.channel_numbers
    channels = held_channels(panel)
    places = np.zeros(count, np.int32)
    places[channels] = np.arange(len(channels))
    panel_metadata.set_attribute(panel.data, "map", places)
    show_channels(panel, channels, grid.columns, grid.rows, grid.cell, grid.corner)


def channel_count(panel: bpy.types.Object) -> int:
    """Returns the number of maps on a panel: one for each channel, or fewer if its method gives fewer."""
    return int(panel.get(PANEL_MAP_COUNT, len(panel.data.vertices)))


def shows_channels(panel: bpy.types.Object) -> bool:
    """Returns whether each map on a panel is one of its layer's channels; a method may give fewer maps, about all."""
    return PANEL_MAP_COUNT not in panel or PANEL_CHOSEN_CHANNELS in panel


def held_channels(panel: bpy.types.Object) -> np.ndarray:
    """Returns the numbers of the channels that a panel has maps of, (maps,) int, in the maps' order."""
    chosen = panel.get(PANEL_CHOSEN_CHANNELS)
    return np.arange(channel_count(panel)) if chosen is None else np.array(chosen, int)


def map_of_channel(panel: bpy.types.Object, channel: int) -> int:
    """Returns which of a panel's maps is a channel's; a method's only map is about all. Raises UnknownName for none."""
    chosen = list(panel.get(PANEL_CHOSEN_CHANNELS, ()))
    return map_index(panel[PANEL_LAYER_ID], channel, chosen, channel_count(panel))


def show_channels(
    panel: bpy.types.Object,
    channels: np.ndarray,
    columns: int,
    rows: int,
    cell: tuple[float, float],
    corner: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Lays channels out on a grid, row by row from the top left, and hides the others.

    channels: (n,) int, without duplicates. cell: width and height in metres. corner: the grid's lower left, in metres.
    Raises SceneError if the grid is too small.
    """
    if len(channels) > columns * rows:
        raise SceneError(
            f"{len(channels)} channels of {panel[PANEL_LAYER_ID]} don't fit on a grid of {columns} × {rows}"
        )
    places = np.full(len(panel.data.vertices), -1, np.int32)
    places[np.asarray(channels)] = np.arange(len(channels))
    panel_metadata.set_attribute(panel.data, "place", places)
    panel.data.vertices.foreach_set("co", np.tile((*corner, 0.0), len(places)).astype(np.float32))
    set_modifier_inputs(_require_tiles(panel), {"Columns": columns, "Rows": rows, "Cell": (*cell, 0.0)})
    panel[PANEL_GRID] = (columns, rows, *cell)
    panel.data.update()


def panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Returns the scene's panels by the id of their layer."""
    return {holder[PANEL_LAYER_ID]: holder for holder in scene.objects if holder.get(OBJECT_ROLE) == PANEL_ROLE}


def panel_of(scene: bpy.types.Scene, layer_id: str) -> bpy.types.Object:
    """Returns the panel of a layer. Raises UnknownName, which names similar ids."""
    panel = find_panel(scene, layer_id)
    if panel is None:
        raise UnknownName("panel of layer", layer_id, panels(scene))
    return panel


def find_panel(scene: bpy.types.Scene, layer_id: str) -> bpy.types.Object | None:
    """Returns the panel of a layer or None; looks first for an object with the panel's original name."""
    if not layer_id:
        return None
    named: bpy.types.Object | None = scene.objects.get(layer_id)
    if named is not None and named.get(PANEL_LAYER_ID) == layer_id and named.get(OBJECT_ROLE) == PANEL_ROLE:
        return named
    return panels(scene).get(layer_id)


def tiles_modifier(panel: bpy.types.Object) -> bpy.types.Modifier | None:
    """Returns the modifier that makes the tiles; None if a person has removed it."""
    modifiers = (modifier for modifier in panel.modifiers if modifier.type == "NODES" and modifier.node_group)
    return next((modifier for modifier in modifiers if modifier.node_group.get(NODE_GROUP_NAME) == TILES.id), None)


def image_of(panel: bpy.types.Object, content: panel_material.Content = "Texels") -> bpy.types.Image | None:
    """Returns the image of a panel's maps or peaks; None if a person has removed it or the material."""
    slots = panel.data.materials
    return panel_material.material_image(slots[0], content) if slots and slots[0] else None


def update_network_peak(scene: bpy.types.Scene) -> None:
    """Updates the network's peak and the colours of all objects after some were added or panels filled.

    Makes Cycles read the images of panels again.
    """
    scene[LARGEST_PEAK] = max((panel[LARGEST_PEAK] for panel in panels(scene).values()), default=1.0)
    update_object_colours(scene)
    if scene.render.use_persistent_data:  # Cycles keeps old pixels until this is switched off once
        scene.render.use_persistent_data = False
        scene.render.use_persistent_data = True


def grid_of(panel: bpy.types.Object) -> tile_grids.TileGrid:
    """Returns the grid of the panel's tiles."""
    columns, rows, width, height = panel[PANEL_GRID]
    return tile_grids.TileGrid(
        int(columns), int(rows), (width, height), tuple(panel.get(PANEL_GRID_CORNER, (0.0, 0.0)))
    )


def world_matrix(panel: bpy.types.Object) -> Matrix:
    """Returns the panel-to-world matrix; `matrix_world` alone is outdated after the location was changed."""
    return panel.matrix_world.copy() if panel.parent else panel.matrix_basis.copy()


def size_of(panel: bpy.types.Object) -> tuple[float, float]:
    """Returns width and height of the planned grid in metres, before the object's own scale."""
    planned = _planned_grid(panel)
    return planned.columns * planned.cell[0], planned.rows * planned.cell[1]


def _planned_grid(panel: bpy.types.Object) -> tile_grids.TileGrid:
    columns, rows, width, height = panel.get(PANEL_PLANNED_GRID, panel[PANEL_GRID])
    return tile_grids.TileGrid(int(columns), int(rows), (width, height))


def tile_corners(panel: bpy.types.Object, channel: int) -> tuple[tuple[float, float], ...]:
    """Returns the corners of a channel's tile in the panel's own metres, around it; () if it isn't shown.

    A method's only map stands for every channel.
    """
    if "place" not in panel.data.attributes or PANEL_GRID not in panel:  # a person has removed it
        return ()
    places = channel_places(panel)
    if channel_count(panel) == 1 and not shows_channels(panel):
        channel = 0
    if not 0 <= channel < len(places) or places[channel] < 0:
        return ()
    (left, low), (right, high) = (grid_of(panel).inside(int(places[channel]), share, share) for share in (0.0, 1.0))
    bottom, top = sorted((float(low), float(high)))
    return (float(left), bottom), (float(right), bottom), (float(right), top), (float(left), top)


def channel_places(panel: bpy.types.Object) -> np.ndarray:
    """Returns the cell of every channel on the grid, (C,) int32, -1 for channels that aren't shown."""
    data = panel.data.attributes["place"].data
    values = np.zeros(len(data), np.int32)
    data.foreach_get("value", values)
    return values


def _require_tiles(panel: bpy.types.Object) -> bpy.types.Modifier:
    modifier = tiles_modifier(panel)
    if modifier is None:
        raise SceneError(f"panel {panel.name!r} has lost the modifier that makes its tiles; build the hall again")
    return modifier


def _kind(maps: Maps) -> panel_material.Kind:
    if maps.colour:
        return "colour"
    return "bars" if maps.shape[1:] == (1, 1) else "scalar"


def _material(panel: bpy.types.Object, kind: panel_material.Kind) -> bpy.types.Material:
    """Returns the panel's material, converted to a kind; a new one if the panel has none or a person's own."""
    slots = panel.data.materials
    old = slots[0] if slots else None
    if old is not None and panel_material.material_kind(old):
        panel_material.convert_material(old, kind)
        return old
    new = panel_material.create_panel_material(panel.name, kind)
    slots.clear()
    slots.append(new)
    return new


def _set_peaks(panel: bpy.types.Object, image: bpy.types.Image, maps: Maps, sheet: tile_grids.Sheet) -> None:
    """Writes the channels' peaks to their image and the largest to a property of the object."""
    peak = np.maximum(maps.peak, colour_maps.MIN_PEAK)
    texels = tile_grids.peak_texels(peak, len(maps.texels), 1 if maps.colour else tile_grids.PER_CELL)
    images.write_image(image, tile_grids.flag_nonfinite(tile_grids.to_pixels(texels, tile_grids.peak_sheet(sheet))))
    panel[LARGEST_PEAK], panel[PANEL_FILL_COUNT] = float(peak.max()), int(panel.get(PANEL_FILL_COUNT, 0)) + 1
    panel.update_tag(refresh={"OBJECT"})  # else views keep the old properties; tiles aren't rebuilt
    for scene in panel.users_scene:
        update_object_colours(scene, [panel])
