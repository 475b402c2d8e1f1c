"""Images that panels draw. They are made outside of draw(), found by name, and never saved in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    import numpy as np

_collections: list[Any] = []
"""The collection of previews, once there is one."""


def store(name: str, pixels: np.ndarray) -> None:
    """Stores an image under a name. pixels: (H, W, 4) float32 sRGB, top row first."""
    import bpy.utils.previews

    if not _collections:
        _collections.append(bpy.utils.previews.new())
    preview = _collections[0].get(name) or _collections[0].new(name)
    preview.image_size = (pixels.shape[1], pixels.shape[0])
    preview.image_pixels_float.foreach_set(pixels[::-1].ravel())


def icon_id(name: str) -> int:
    """Returns the image's number for `template_icon`, 0 if there is none of that name."""
    return _collections[0][name].icon_id if _collections and name in _collections[0] else 0


def remove(prefix: str) -> None:
    """Removes the images whose names start with a prefix."""
    for name in [name for collection in _collections for name in collection if name.startswith(prefix)]:
        del _collections[0][name]


def clear() -> None:
    """Removes all images."""
    while _collections:
        bpy.utils.previews.remove(_collections.pop())
