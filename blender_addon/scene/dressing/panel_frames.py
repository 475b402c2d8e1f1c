"""What goes with a panel and moves with it: rim, board, name and shape, in the panel's own coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ....torch_bridge.recording import Layer
from ...layout import Hall, Slot, label_placement
from ...layout.text_fitting import Label
from ...layout.view import View
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint
from .floor import rim

FRONT = 0.02
"""Tiles stand before their rim."""


def names(hall: Hall, layers: Sequence[Layer], view: View | None) -> dict[int, list[Label]]:
    """By the layer's position: the words over each panel; with a camera, those that it shows well."""
    over = view is not None and view.span is not None
    words = label_placement.panel_labels(hall, layers, view) if over else label_placement.walk_labels(hall, layers, view)
    found: dict[int, list[Label]] = {}
    for word in words:
        found.setdefault(word.slot, []).append(word)
    return found


def add_frame(
    panel: bpy.types.Object, hall: Hall, slot: Slot, size: tuple[float, float], words: Sequence[Label], note: str,
    kit: Kit,
) -> bpy.types.Object:  # fmt: skip
    """Rim, board and words of a panel as its child. `size` of the tiles, metres; `note` in the middle of the board."""
    paint = Paint(kit)
    paint.frame(FLAT.moved(0.0, 0.0, -FRONT), size, rim(slot.kind))
    for word in words:
        _name(paint, hall, slot, word, size[1] - slot.height)
    if note:
        fitted = glyphs.fit(note, size[0] * 0.9, 0.12)
        middle = FLAT.moved(size[0] / 2, size[1] / 2)
        paint.words(middle, note, fitted, "quiet", align="centre", lift=0.01)
    frame = paint.build(f"{panel.name} frame", "frame")
    frame.parent = panel
    return frame


def _name(paint: Paint, hall: Hall, slot: Slot, word: Label, taller: float) -> None:
    """A word over the panel, as high over its tiles as planned; in figures on a strip of the floor's colour."""
    corner = np.append(slot.corners(hall.yaw(slot))[0], slot.bottom)
    x, y = (float(np.dot(np.subtract(word.position, corner), axis)) for axis in (word.right, word.up))
    y += taller
    if hall.parallel_yaw is not None:
        wide = glyphs.width(word.text, word.font) * word.size
        pad = 0.2 * word.size
        paint.box(FLAT, (x - pad, x + wide + pad), (y - pad, y + 0.68 * word.size), "floor", -0.01)
    paint.words(FLAT, word.text, word.size, word.tone, x=x, y=y, align=word.align, family=word.font, lift=0.0)
