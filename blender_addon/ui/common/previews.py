"""Pictures in the interface: made outside of draw(), kept by name until they are taken away. None is in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    import numpy as np

_held: list[Any] = []
"""The collection of previews, once there is one."""


def put(name: str, pixels: np.ndarray) -> None:
    """Keep pixels (H, W, 4) float32 sRGB, top row first, in place of those of the same name."""
    import bpy.utils.previews

    if not _held:
        _held.append(bpy.utils.previews.new())
    kept = _held[0].get(name) or _held[0].new(name)
    kept.image_size = (pixels.shape[1], pixels.shape[0])
    kept.image_pixels_float.foreach_set(pixels[::-1].ravel())


def icon(name: str) -> int:
    """What `template_icon` wants; 0 where there is no such picture."""
    return _held[0][name].icon_id if _held and name in _held[0] else 0


def drop(start: str) -> None:
    """Take those away whose names start so."""
    for name in [name for held in _held for name in held if name.startswith(start)]:
        del _held[0][name]


def clear() -> None:
    """Take all pictures away."""
    while _held:
        bpy.utils.previews.remove(_held.pop())
