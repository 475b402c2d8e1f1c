"""Images of raw numbers: the sheet of a layer, and the table of all colour maps."""

from __future__ import annotations

import bpy
import numpy as np

from .. import atlas, colour

TABLE_KEY = "innerwalk_table"


def raw_image(name: str, width: int, height: int) -> bpy.types.Image:
    """A float32 RGBA image whose numbers reach the shader as they are."""
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    image.use_half_precision = False  # on by default, and clips at 65504
    return image


def write(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """Puts pixels (height * width * 4 float32, in memory order) into the image."""
    image.pixels.foreach_set(pixels)
    image.update()


def renewed(image: bpy.types.Image | None, name: str, on: atlas.Sheet) -> bpy.types.Image:
    """An image for the sheet in place of one of another size, which is removed."""
    if image is not None:
        bpy.data.images.remove(image)
    return raw_image(name, on.width, on.height)


def table_image() -> bpy.types.Image:
    """The file's table of colour maps: a row for each map, linear light; made once."""
    table = np.stack([ramp.table() for ramp in colour.RAMPS.values()])
    image = next((one for one in bpy.data.images if one.get(TABLE_KEY)), None)
    if image is None:
        image = raw_image("Innerwalk colour maps", table.shape[1], table.shape[0])
        image[TABLE_KEY] = 1
        write(image, np.concatenate([table, np.ones_like(table[..., :1])], -1).ravel())
        image.pack()
    return image
