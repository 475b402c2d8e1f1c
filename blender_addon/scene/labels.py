"""What goes with a panel and moves with it: rim, board, name and shape, in the panel's own coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...torch_bridge.recording import Layer
from ..blocks import blocks
from ..layout import Hall, Slot
from ..presets import wall as axes_of
from ..view import View
from ..words import common_tails, names
from . import text
from .ground import rim
from .paint import FLAT, Paint

NEAR = 0.15
"""Size of a name to a walker."""
ABOVE = 0.13
"""From a panel's top to the base line of its name."""
FIGURE_CAP, WALK_CAP = 11 / 1920, 9 / 1280
"""Least height of a capital, as a share of the picture's width."""


@dataclass(frozen=True)
class Label:
    """The words over one panel."""

    name: str
    size: float
    shape: str = ""


def labels(hall: Hall, layers: Sequence[Layer], view: View | None) -> dict[int, Label]:
    """By position: the names that fit, are unique in their block, are large enough and hide no nearer panel.

    `view` None: a hall without a camera of its own has all names that fit.
    """
    if view is not None and view.span is not None:
        return _for_figure(hall, layers, view)
    found = {
        slot.index: _to_walker(slot, layers[slot.index], name) for slot, name in _best(hall, layers, NEAR, {}).items()
    }
    return found if view is None else _seen(hall, found, view)


def _best(hall: Hall, layers: Sequence[Layer], size: float, heads: dict[int, str]) -> dict[Slot, str]:
    """The longest name of each panel that fits over it and that no other panel of its block has."""
    common = common_tails(layers)
    home = np.cumsum([k in heads for k in range(len(layers))])
    taken = Counter((home[k], name) for k, layer in enumerate(layers) for name in names(layer, common))
    found = {}
    for slot in hall.panels:
        fits = (
            name for name in names(layers[slot.index], common)
            if len(name) * text.MONO * size <= slot.width + 0.05 and taken[home[slot.index], name] == 1
        )  # fmt: skip
        if (name := next(fits, None)) is not None:
            found[slot] = name
    return found


def _for_figure(hall: Hall, layers: Sequence[Layer], view: View) -> dict[int, Label]:
    """All or none: if fewer than half of the panels can be named, none is; stages and blocks remain."""
    size = max(NEAR, FIGURE_CAP * view.span / text.CAP)
    found = _best(hall, layers, size, dict(blocks(layers)))
    if len(found) < len(hall.panels) / 2:
        return {}
    return {slot.index: Label(name, size) for slot, name in found.items()}


def _to_walker(slot: Slot, layer: Layer, name: str) -> Label:
    """The name on the left, the shape on the right where there is room for both."""
    shape = " × ".join(str(part) for part in layer.map_shape if layer.map_shape[1:] != (1, 1) or part != 1)
    rest = slot.width - (len(name) * text.MONO + 1.0 + text.width(shape) * 0.75) * NEAR
    return Label(name, NEAR, shape if rest > 0 else "")


def _seen(hall: Hall, found: dict[int, Label], view: View) -> dict[int, Label]:
    """Nearest first: those large enough whose box meets no nearer panel's box."""
    kept, busy = {}, []
    for slot in sorted(hall.panels, key=lambda slot: np.hypot(slot.x - view.at[0], slot.y - view.at[1])):
        panel, name = _boxes(hall, slot, view)
        if panel is None or name is None:
            continue
        if slot.index in found and _large(hall, slot, view) and not any(_meet(name, other) for other in busy):
            kept[slot.index] = found[slot.index]
        busy.append(panel)
    return kept


def _large(hall: Hall, slot: Slot, view: View) -> bool:
    middle = np.append(slot.corners(hall.yaw(slot)).mean(0), slot.top)
    return NEAR * text.CAP / view.pixel(middle) >= WALK_CAP * view.width


def _boxes(hall: Hall, slot: Slot, view: View) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(4,) x0, y0, x1, y1 in pixels of a panel and of its name; None where it is not before the camera."""
    right, up = axes_of(hall.yaw(slot))
    at = np.append(slot.corners(hall.yaw(slot))[0], slot.bottom)
    panel = np.array([at + right * x + up * y for x in (0, slot.width) for y in (0, slot.height)])
    name = np.array(
        [at + right * x + up * (slot.height + y) for x in (0, slot.width / 2) for y in (ABOVE, ABOVE + NEAR)]
    )
    return _box(panel, view), _box(name, view)


def _box(points: np.ndarray, view: View) -> np.ndarray | None:
    seen = view.project(points)
    return np.concatenate([seen[:, :2].min(0), seen[:, :2].max(0)]) if seen[:, 2].min() > 0.3 else None


def _meet(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())


def add_frame(
    panel: bpy.types.Object, slot: Slot, size: tuple[float, float], label: Label | None, note: str,
    palette: dict[str, np.ndarray], *, strip: bool,
) -> bpy.types.Object:  # fmt: skip
    """Rim, board and words of a panel as its child. `size` of the tiles, metres; `strip`: floor colour behind the name."""
    paint = Paint(palette)
    paint.frame(FLAT.moved(0.0, 0.0, -0.02), size, rim(slot.kind))
    if label is not None:
        y, wide = size[1] + ABOVE, text.width(label.name, "mono") * label.size
        if strip:
            paint.box(
                FLAT,
                (-0.2 * label.size, wide + 0.2 * label.size),
                (y - 0.22 * label.size, y + 0.68 * label.size),
                "floor",
            )
        paint.words(FLAT, label.name, label.size, family="mono", y=y, lift=0.01)
        if label.shape:
            paint.words(FLAT, label.shape, 0.75 * label.size, "quiet", x=size[0], y=y, align="right", lift=0.01)
    if note:
        paint.words(
            FLAT,
            note,
            text.fit(note, size[0] * 0.9, 0.12),
            "quiet",
            x=size[0] / 2,
            y=size[1] / 2,
            align="centre",
            lift=0.01,
        )
    frame = paint.build(f"{panel.name} frame", "frame", panel.users_collection[0])
    frame.parent = panel
    return frame
