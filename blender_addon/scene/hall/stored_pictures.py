"""Reads the pictures of a hall's inputs and outputs back from the images that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy
import numpy as np

from ....torch_bridge.recording.endpoints import MAX_PICTURES
from ...plans.board_contents.mosaics import split_mosaic
from ...plans.shown_endpoints import board_groups
from ...properties import IMAGE_OWNER_ROLE, MOSAIC, OBJECT_ROLE
from ..paint.pictures import picture_image, read_pixels
from ..state.parts import board_number

ENDPOINTS = {"input": "inputs", "answer": "outputs"}
"""By role of a picture: where the stored description lists what it shows."""


def read_pictures(scene: bpy.types.Scene, document: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the pictures of a hall's boards by the names that its description gives them.

    (H, W, 3) uint8 sRGB, top row first; several of one board are (n, H, W, 3).
    """
    found: dict[str, np.ndarray] = {}
    for role, number, image in _images(scene):
        names = _names(document, role, number)
        if names == [role]:  # made before inputs and outputs were kept
            found.setdefault(role, read_pixels(image))
        elif set(names) - {"", *found}:
            parts = _parts(read_pixels(image), image.get(MOSAIC))
            share = max(len(parts) // len(names), 1)
            for k, name in enumerate(names[: len(parts)]):
                if name and name not in found:
                    found[name] = parts[k * share : (k + 1) * share]
    return found


def _parts(pixels: np.ndarray, stored: Any) -> np.ndarray:
    """Returns the pictures (n, H, W, 3) of a mosaic (H', W', 3); stored: what its image says of it, unchecked."""
    entries = stored.to_list() if hasattr(stored, "to_list") else []
    is_grid = len(entries) == len(("pictures", "columns")) and all(
        type(own) is int and own <= MAX_PICTURES for own in entries
    )
    parts = split_mosaic(pixels, *entries) if is_grid else None
    return pixels[None] if parts is None else parts


def _images(scene: bpy.types.Scene) -> Iterator[tuple[str, int, bpy.types.Image]]:
    """Yields role, number of the board, and image of each picture of a board."""
    for holder in scene.objects:
        role = holder.get(OBJECT_ROLE)
        image = picture_image(holder) if role in ENDPOINTS and holder.type == "MESH" else None
        if image is not None and IMAGE_OWNER_ROLE in image:
            yield str(role), board_number(holder), image


def _names(document: Mapping[str, Any], role: str, number: int) -> list[str]:
    """Returns what a description calls the pixels of the inputs or outputs of a board. Nothing in it is checked yet."""
    entries = document.get(ENDPOINTS[role])
    if not entries:
        return [] if number else [role]
    known = [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []
    facts = [(str(own.get("name")), str(own.get("kind")), (str(own.get("shape")),)) for own in known]
    groups = board_groups(facts) if role == "answer" else [[k] for k in range(len(known))]
    names = [known[k].get("pixels") for k in (groups[number] if number < len(groups) else [])]
    return [name if isinstance(name, str) else "" for name in names]
