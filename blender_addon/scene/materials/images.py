"""Images of raw numbers: the maps of panels, and the table of all colour maps."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from ...imaging import colour_maps, tile_grids
from ...properties import COLOUR_TABLE_IMAGE, IMAGE_OWNER_ROLE, RAW_MAPS_IMAGE
from .nodes import STAMP


def create_raw_image(name: str, width: int, height: int) -> bpy.types.Image:
    """Returns a new float32 RGBA image whose values reach the shader without colour conversion."""
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    image[RAW_MAPS_IMAGE] = True
    image.use_half_precision = False  # on by default, and clips at 65504
    return image


def write_image(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """Writes pixels, (height * width * 4,) float32, bottom row first, to an image."""
    image.pixels.foreach_set(pixels)
    image.update()


def fit_image(image: bpy.types.Image | None, name: str, sheet: tile_grids.Sheet) -> bpy.types.Image:
    """Returns the image in the sheet's size, its pixels undefined if that was another, or a new one if it is None."""
    if image is None:
        return create_raw_image(name, sheet.width, sheet.height)
    if tuple(image.size) != (sheet.width, sheet.height):
        if image.source == "GENERATED":  # its pixels are dropped at once; scaling them takes 40 ms for 50 MB
            image.generated_width, image.generated_height = sheet.width, sheet.height
        else:
            image.scale(sheet.width, sheet.height)
    return image


def pack_images(images: Iterable[bpy.types.Image] | None = None) -> None:
    """Packs images of this add-on that changed since they were packed, so that a saved file contains them.

    The cursor shows how far it is. images: all of the file by default. Packing an unchanged image again would lose it,
    because Blender would then look for a file on disk.
    """
    changed = [
        image
        for image in (bpy.data.images if images is None else images)
        if (RAW_MAPS_IMAGE in image or IMAGE_OWNER_ROLE in image) and (image.is_dirty or not image.packed_file)
    ]
    if not changed:
        return
    manager = bpy.context.window_manager
    manager.progress_begin(0, len(changed))
    try:
        for number, image in enumerate(changed):
            manager.progress_update(number)
            image.pack()
    finally:
        manager.progress_end()


def colour_table_image() -> bpy.types.Image:
    """Returns the file's table of colour maps, one row of linear RGB for each; rewrites that of another version."""
    table = colour_maps.colour_table()
    image = next((image for image in bpy.data.images if COLOUR_TABLE_IMAGE in image), None)
    if image is None:
        image = create_raw_image("Innerwalk colour maps", table.shape[1], table.shape[0])
    if image.get(COLOUR_TABLE_IMAGE) != STAMP:
        image.scale(table.shape[1], table.shape[0])
        write_image(image, table.ravel())
        image[COLOUR_TABLE_IMAGE] = STAMP
    return image
