"""Reads the pictures of a hall's inputs and outputs back from the images that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy
import numpy as np

from ...plans.board_contents.mosaics import split_mosaic
from ...properties import IMAGE_OWNER_ROLE, MOSAIC, OBJECT_ROLE
from ..paint.pictures import picture_image, read_pixels
from ..state.parts import board_number

ENDPOINTS = {"input": "inputs", "answer": "outputs"}
"""By role of a picture: where the stored description lists what it shows."""
MOST = 4096
"""Largest number of pictures in a mosaic."""


def read_pictures(scene: bpy.types.Scene, document: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the pictures of a hall's boards by the names that its description gives them.

    (H, W, 3) uint8 sRGB, top row first; several of one board are (n, H, W, 3).
    """
    found = {}
    for role, number, image in _images(scene):
        name = _name(document, role, number)
        if name and name not in found:
            pixels = read_pixels(image)
            found[name] = pixels if name == role else _parts(pixels, image.get(MOSAIC))
    return found


def _parts(pixels: np.ndarray, stored: Any) -> np.ndarray:
    """Returns the pictures (n, H, W, 3) of a mosaic (H', W', 3); stored: what its image says of it, unchecked."""
    entries = stored.to_list() if hasattr(stored, "to_list") else []
    is_grid = len(entries) == len(("pictures", "columns")) and all(type(own) is int and own <= MOST for own in entries)
    parts = split_mosaic(pixels, *entries) if is_grid else None
    return pixels[None] if parts is None else parts


def _images(scene: bpy.types.Scene) -> Iterator[tuple[str, int, bpy.types.Image]]:
    """Yields role, number of the board, and image of each picture of a board."""
    for holder in scene.objects:
        role = holder.get(OBJECT_ROLE)
        image = picture_image(holder) if role in ENDPOINTS and holder.type == "MESH" else None
        if image is not None and IMAGE_OWNER_ROLE in image:
            yield str(role), board_number(holder), image


def _name(document: Mapping[str, Any], role: str, number: int) -> str:
    """Returns what a description calls the pixels of an input or output; "" for none. Nothing in it is checked yet."""
    entries = document.get(ENDPOINTS[role])
    if not entries:  # made before inputs and outputs were kept
        return "" if number else role
    entry = entries[number] if isinstance(entries, list) and number < len(entries) else None
    name = entry.get("pixels") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else ""
