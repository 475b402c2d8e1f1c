"""Images of raw numbers: the sheet of a layer, and the table of all colour maps."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from ...imaging import atlas, colour
from ...properties import COLOUR_TABLE_IMAGE, IMAGE_OWNER_ROLE, RAW_MAPS_IMAGE
from .nodes import STAMP


def create_raw_image(name: str, width: int, height: int) -> bpy.types.Image:
    """A float32 RGBA image whose numbers reach the shader as they are."""
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    image[RAW_MAPS_IMAGE] = True
    image.use_half_precision = False  # on by default, and clips at 65504
    return image


def write_image(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """Puts pixels (height * width * 4 float32, in memory order) into the image."""
    image.pixels.foreach_set(pixels)
    image.update()


def fit_image(image: bpy.types.Image | None, name: str, on: atlas.Sheet) -> bpy.types.Image:
    """An image of the sheet's size: the one that is there, or a new one where there is none."""
    if image is None:
        return create_raw_image(name, on.width, on.height)
    if tuple(image.size) != (on.width, on.height):
        image.scale(on.width, on.height)
    return image


def pack_images(found: Iterable[bpy.types.Image] | None = None) -> None:
    """Packs images of ours, by default all of the file, that aren't packed as they are now: a saved file has them.

    Packing an image twice would lose it: the second time Blender looks for a file on disk.
    """
    for image in bpy.data.images if found is None else found:
        if (RAW_MAPS_IMAGE in image or IMAGE_OWNER_ROLE in image) and (image.is_dirty or not image.packed_file):
            image.pack()


def colour_table_image() -> bpy.types.Image:
    """The file's table of colour maps: a row for each map, linear light; written again by another version."""
    table = np.stack([ramp.table() for ramp in colour.RAMPS.values()])
    image = next((one for one in bpy.data.images if COLOUR_TABLE_IMAGE in one), None)
    if image is None:
        image = create_raw_image("Innerwalk colour maps", table.shape[1], table.shape[0])
    if image.get(COLOUR_TABLE_IMAGE) != STAMP:
        image.scale(table.shape[1], table.shape[0])
        write_image(image, np.concatenate([table, np.ones_like(table[..., :1])], -1).ravel())
        image[COLOUR_TABLE_IMAGE] = STAMP
    return image
