"""Reads values back from a panel's images: maps, single pixels, peaks and scales."""

from __future__ import annotations

import bpy
import numpy as np

from ....torch_bridge.recording.errors import SceneError, UnknownName
from ...imaging import colour_maps, tile_grids
from ...properties import LARGEST_PEAK, PANEL_LAYER_ID, PEAK_WEIGHTS
from ..materials import panel_material
from ..materials.compat import modifier_input
from . import panel_metadata
from .objects import channel_count, held_channels, image_of, map_of_channel, tiles_modifier


def is_colour(panel: bpy.types.Object) -> bool:
    """Returns whether a panel shows colour maps, which have one channel a cell."""
    return panel_material.material_kind(panel.data.materials[0]) == "colour"


def sheet_of(panel: bpy.types.Object) -> tile_grids.Sheet | None:
    """Returns the arrangement of cells in a panel's image; None if a person has removed image, material or modifier."""
    image, tiles = image_of(panel), tiles_modifier(panel)
    if image is None or tiles is None:
        return None
    columns, rows = (int(modifier_input(tiles, f"Sheet {name}")) for name in ("Columns", "Rows"))
    width, height = image.size
    per_cell = 1 if is_colour(panel) else tile_grids.PER_CELL
    is_sheet = min(columns, rows, width, height) > 0 and not (width % columns or height % rows)
    if not is_sheet or columns * rows * per_cell < channel_count(panel):
        raise SceneError(f"panel {panel.name!r}: its image doesn't hold its maps; build the hall again")
    return tile_grids.Sheet(columns, rows, width, height)


def holds_maps(panel: bpy.types.Object) -> bool:
    """Returns whether a panel's images have the sizes of its maps; undo may leave them with those of another method."""
    try:
        sheet, peaks = sheet_of(panel), image_of(panel, "Peaks")
    except SceneError:
        return False
    return sheet is None or peaks is None or tuple(peaks.size) == (sheet.columns, sheet.rows)


def texels_of(panel: bpy.types.Object) -> np.ndarray | None:
    """Returns all maps of a panel as (cells, H, W, 4) float32, with FLAG for values that aren't finite.

    Returns None if a person has removed the panel's image.
    """
    sheet = sheet_of(panel)
    if sheet is None:
        return None
    pixels = np.zeros(sheet.height * sheet.width * 4, np.float32)
    image_of(panel).pixels.foreach_get(pixels)
    return tile_grids.to_texels(
        pixels, sheet, -(-channel_count(panel) // (1 if is_colour(panel) else tile_grids.PER_CELL))
    )


def map_of(panel: bpy.types.Object, channel: int) -> np.ndarray | None:
    """Returns a channel's map: (H, W) float32, or (H, W, 3) float32 sRGB for colour maps; NaN if not finite.

    Returns None if a person has removed the panel's image. Raises UnknownName for a channel without a map.
    """
    sheet = sheet_of(panel)
    cell, part = _cell(panel, channel)
    if sheet is None:
        return None
    pixels = _read(image_of(panel))
    height, width = sheet.height // sheet.rows, sheet.width // sheet.columns
    column, row = divmod(cell, sheet.rows)
    texels = pixels.reshape(sheet.height, sheet.width, 4)[row * height :, column * width :][:height, :width]
    values = texels[..., part].copy()
    values[values > colour_maps.FLAG_FROM] = np.nan
    return values


def value_at(panel: bpy.types.Object, channel: int, row: int, column: int) -> np.ndarray | None:
    """Returns a pixel's value: a scalar () float32, or (3,) float32 sRGB for colour maps; NaN if not finite.

    row: 0 at the top. Returns None if a person has removed the panel's image. Raises UnknownName for a channel
    without a map and a pixel that doesn't exist.
    """
    sheet = sheet_of(panel)
    cell, part = _cell(panel, channel)
    if sheet is None:
        return None
    height, width = sheet.height // sheet.rows, sheet.width // sheet.columns
    if not (0 <= row < height and 0 <= column < width):
        pixels = f"(0, 0) to ({width - 1}, {height - 1})"
        raise UnknownName(f"pixel of {panel[PANEL_LAYER_ID]}", f"({column}, {row})", [pixels])
    first = 4 * (((cell % sheet.rows) * height + row) * sheet.width + cell // sheet.rows * width + column)
    values = _read(image_of(panel))[first : first + 4].copy()[part]
    return np.where(values > colour_maps.FLAG_FROM, np.float32(np.nan), values)


def peaks_of(panel: bpy.types.Object) -> np.ndarray:
    """Returns the peak of each map, (maps,) float32; the layer's peak if the image of peaks is missing."""
    count, sheet, image = channel_count(panel), sheet_of(panel), image_of(panel, "Peaks")
    if sheet is None or image is None:
        return np.full(count, panel[LARGEST_PEAK], np.float32)
    pixels = np.zeros(sheet.columns * sheet.rows * 4, np.float32)
    image.pixels.foreach_get(pixels)
    per_cell = 1 if is_colour(panel) else tile_grids.PER_CELL
    cells = tile_grids.to_texels(pixels, tile_grids.peak_sheet(sheet), -(-count // per_cell))
    return cells[..., :per_cell].reshape(-1)[:count]


def channel_numbers(panel: bpy.types.Object, channel: int) -> dict[str, float]:
    """Returns the method's numbers for a channel by name. Raises UnknownName for a channel without a map."""
    point = held_channels(panel)[map_of_channel(panel, channel)]
    return {name: float(values[point]) for name, values in panel_metadata.read_numbers(panel).items()}


def scales_of(scene: bpy.types.Scene, panel: bpy.types.Object) -> np.ndarray:
    """Returns the peak by which the shader divides each map: the channel's, layer's or network's; (maps,) float64."""
    layer_peak = float(panel[LARGEST_PEAK])
    channel_peaks = layer_peak if is_vector(panel) else peaks_of(panel).astype(np.float64)
    channel, layer, network = scene[PEAK_WEIGHTS]
    return np.full(
        channel_count(panel), channel * channel_peaks + layer * layer_peak + network * float(scene[LARGEST_PEAK])
    )


def is_vector(panel: bpy.types.Object) -> bool:
    """Returns whether a panel shows a vector as bars; its channels' peaks equal the layer's."""
    return panel_material.material_kind(panel.data.materials[0]) == "bars"


def _cell(panel: bpy.types.Object, channel: int) -> tuple[int, int | slice]:
    """Returns the channel's cell on the sheet and its component (or components) of a texel."""
    index = map_of_channel(panel, channel)
    return (index, slice(0, 3)) if is_colour(panel) else divmod(index, tile_grids.PER_CELL)


MAX_BUFFER = 1 << 22
"""Largest number of floats in the buffer that `_read` reuses."""
_buffer = np.zeros(0, np.float32)
"""Buffer of the last image: allocating memory takes several times as long as filling it."""


def _read(image: bpy.types.Image) -> np.ndarray:
    """Returns an image's pixels as (n,) float32, valid until the next call."""
    global _buffer
    size = 4 * image.size[0] * image.size[1]
    pixels = _buffer[:size] if size <= len(_buffer) else np.zeros(size, np.float32)
    image.pixels.foreach_get(pixels)
    if len(_buffer) < size <= MAX_BUFFER:
        _buffer = pixels
    return pixels
