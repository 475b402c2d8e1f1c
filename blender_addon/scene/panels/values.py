"""Values as they lie in a panel's image: all of a channel, or the one under the cursor."""

from __future__ import annotations

import bpy
import numpy as np

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import atlas, colour
from ...properties import LARGEST_PEAK, PANEL_LAYER_ID, PEAK_WEIGHTS
from ..materials import panel_material
from ..materials.compat import modifier_input
from . import panel_metadata
from .objects import channel_count, image_of, tiles_modifier


def is_colour(panel: bpy.types.Object) -> bool:
    """Whether its maps are pictures, one channel a cell."""
    return panel_material.material_kind(panel.data.materials[0]) == "colour"


def sheet_of(panel: bpy.types.Object) -> atlas.Sheet | None:
    """Where the cells lie in its image; None where a person has taken its image, material or modifier away."""
    image, tiles = image_of(panel), tiles_modifier(panel)
    if image is None or tiles is None:
        return None
    columns, rows = (int(modifier_input(tiles, f"Sheet {name}")) for name in ("Columns", "Rows"))
    return atlas.Sheet(columns, rows, *image.size)


def texels_of(panel: bpy.types.Object) -> np.ndarray | None:
    """All its maps as they lie in the image: (cells, H, W, 4) float32, FLAG for what is not finite.

    None where the panel has lost its image.
    """
    on = sheet_of(panel)
    if on is None:
        return None
    pixels = np.zeros(on.height * on.width * 4, np.float32)
    image_of(panel).pixels.foreach_get(pixels)
    return atlas.to_texels(pixels, on, -(-channel_count(panel) // (1 if is_colour(panel) else atlas.PER_CELL)))


def map_of(panel: bpy.types.Object, channel: int) -> np.ndarray | None:
    """One channel: (H, W) float32, or (H, W, 3) sRGB of colour maps; NaN for what is not finite.

    None where the panel has lost its image. Raises UnknownName for a channel that it doesn't have.
    """
    on = sheet_of(panel)
    cell, part = _cell(panel, channel)
    if on is None:
        return None
    pixels = _read(image_of(panel))
    height, width = on.height // on.rows, on.width // on.columns
    column, row = divmod(cell, on.rows)
    texels = pixels.reshape(on.height, on.width, 4)[row * height :, column * width :][:height, :width]
    values = texels[..., part].copy()
    values[np.abs(values) > colour.FLAG_FROM] = np.nan
    return values


def value_at(panel: bpy.types.Object, channel: int, row: int, column: int) -> np.ndarray | None:
    """The value of one pixel, row 0 at the top: () float32, or (3,) sRGB of colour maps; NaN for what is not finite.

    None where the panel has lost its image. Raises UnknownName for a channel or pixel that it doesn't have.
    """
    on = sheet_of(panel)
    cell, part = _cell(panel, channel)
    if on is None:
        return None
    height, width = on.height // on.rows, on.width // on.columns
    if not (0 <= row < height and 0 <= column < width):
        raise UnknownName(
            f"pixel of {panel[PANEL_LAYER_ID]}", f"({column}, {row})", [f"(0, 0) to ({width - 1}, {height - 1})"]
        )
    at = 4 * (((cell % on.rows) * height + row) * on.width + cell // on.rows * width + column)
    values = _read(image_of(panel))[at : at + 4].copy()[part]
    return np.where(np.abs(values) > colour.FLAG_FROM, np.float32(np.nan), values)


def peaks_of(panel: bpy.types.Object) -> np.ndarray:
    """(C,) float32: what each channel's values are divided by where channels are normalised one by one.

    The layer's peak where the panel has lost the image of them, or is of a version that had none.
    """
    count, on, image = channel_count(panel), sheet_of(panel), image_of(panel, "Peaks")
    if on is None or image is None:
        return np.full(count, panel[LARGEST_PEAK], np.float32)
    pixels = np.zeros(on.columns * on.rows * 4, np.float32)
    image.pixels.foreach_get(pixels)
    per_cell = 1 if is_colour(panel) else atlas.PER_CELL
    cells = atlas.to_texels(pixels, atlas.peak_sheet(on), -(-count // per_cell))
    return cells[..., :per_cell].reshape(-1)[:count]


def channel_numbers(panel: bpy.types.Object, channel: int) -> dict[str, float]:
    """Further numbers that the method says about a channel, by name."""
    return {name: float(values[channel]) for name, values in panel_metadata.read_numbers(panel).items()}


def scales_of(scene: bpy.types.Scene, panel: bpy.types.Object) -> np.ndarray:
    """(C,) float64: what the shader divides each channel's values by: its own peak, its layer's or the network's."""
    of_layer = float(panel[LARGEST_PEAK])
    own = of_layer if is_vector(panel) else peaks_of(panel).astype(np.float64)
    channel, layer, network = scene[PEAK_WEIGHTS]
    return np.full(channel_count(panel), channel * own + layer * of_layer + network * float(scene[LARGEST_PEAK]))


def is_vector(panel: bpy.types.Object) -> bool:
    """Whether a channel has one value and is shown as a bar, whose own peak is its layer's."""
    return panel_material.material_kind(panel.data.materials[0]) == "bars"


def _cell(panel: bpy.types.Object, channel: int) -> tuple[int, int | slice]:
    """The cell of a channel on the sheet, and which of the texel's components it is."""
    count = channel_count(panel)
    if not 0 <= channel < count:
        raise UnknownName(f"channel of {panel[PANEL_LAYER_ID]}", str(channel), [f"0 to {count - 1}"])
    return (channel, slice(0, 3)) if is_colour(panel) else divmod(channel, atlas.PER_CELL)


LARGEST = 1 << 22
"""Numbers of an image whose memory is kept for the next one."""
_held = np.zeros(0, np.float32)
"""To get new memory takes several times as long as to fill it."""


def _read(image: bpy.types.Image) -> np.ndarray:
    """All numbers of an image, flat, good until the next is read."""
    global _held
    size = 4 * image.size[0] * image.size[1]
    pixels = _held[:size] if size <= len(_held) else np.zeros(size, np.float32)
    image.pixels.foreach_get(pixels)
    if len(_held) < size <= LARGEST:
        _held = pixels
    return pixels
