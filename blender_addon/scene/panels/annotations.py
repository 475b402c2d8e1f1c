"""Marks on tiles: flags in their corners, with a legend under the panel, and boxes, on the input picture too.

They are laid on what stands already, the panels' frames and the input's: no data-block comes or goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import bpy
import numpy as np

from ....torch_bridge.recording import FLAGS
from ...imaging import atlas
from ...properties import DRAWN_CONTENT, LAID_ATTRIBUTE, PANEL_GRID, PANEL_METADATA
from ..materials import look
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint, Plane
from ..paint.pictures import size_of as size_of_picture
from ..state.parts import child_of, collection_of, part_of
from ..state.selection import selected
from . import panel_metadata
from .objects import find, grid_of, panels, places, size_of

LETTERS = dict(zip(FLAGS, ("D", "=", "S", "A", "!"), strict=True))
TINTS = dict(zip(FLAGS, ("quiet", "joined", "skip", "bar", "text"), strict=True))
"""Each flag has a letter and a colour, so that neither is needed alone."""
LIFT, OVER = 0.008, 0.045
"""Metres before the tiles, and before the input's frame, whose picture and overlay stand at 0.02 and 0.03."""
CHIP, LEAST, MOST = 0.26, 0.010, 0.075
"""Side of a flag's chip as a share of the tile's shorter side, and its bounds in metres."""
LEGEND, GAP = 0.085, 0.17
"""Size of the legend's words, and how far their line lies below the tiles; metres."""
WHOLE = 0.01
"""So near to all edges a box is around all."""
LINE = 0.022
"""Width of a box's line, as a share of the shorter side of what it lies on."""


def renew(scene: bpy.types.Scene) -> None:
    """Draw what the panels' maps carry now, and wipe what they no longer do."""
    kit = kit_of(scene)
    for panel in panels(scene).values():
        frame = child_of(panel, "frame")
        if frame is not None and _is_stale(frame, key := _key(panel, kit)):
            _draw(frame, key, kit, lambda paint, panel=panel: _mark(paint, panel))  # type: ignore[misc]
    renew_input(scene)


def renew_input(scene: bpy.types.Scene) -> None:
    """Draw the boxes of the layer or channel that is looked at on the input picture, if that is what they lie on."""
    layer, channel = selected(scene)
    frame, panel = part_of(scene, "input frame"), find(scene, layer)
    told = panel_metadata.of(panel) if panel is not None else panel_metadata.NOTHING
    boxes = worth(told.boxes) if told.frame == "input" else told.boxes[:0]
    boxes = boxes[(boxes[:, 0] == channel) | (channel < 0)]
    picture = part_of(scene, "input") if len(boxes) else None
    size = size_of_picture(picture) if picture is not None else (0.0, 0.0)
    key = f"{boxes.tolist()} {size} {look.told(scene)['theme']}" if picture is not None else ""
    if frame is not None and _is_stale(frame, key):
        _draw(frame, key, kit_of(scene), lambda paint: _over_input(paint, boxes, told.labels, size))


def kit_of(scene: bpy.types.Scene) -> Kit:
    """Colours of a hall, and its collection."""
    return Kit.of(look.told(scene)["theme"], collection_of(scene))


def _is_stale(frame: bpy.types.Object, key: str) -> bool:
    """Whether something else lies on a frame than what `key` stands for."""
    return frame.get(DRAWN_CONTENT, "") != key or (LAID_ATTRIBUTE in frame.data.attributes) != bool(key)


def _draw(frame: bpy.types.Object, key: str, kit: Kit, draw: Callable[[Paint], None]) -> None:
    """Lay on a frame what `key` stands for, "" for nothing."""
    paint = Paint(kit)
    if key:
        draw(paint)
    paint.lay(frame)
    frame[DRAWN_CONTENT] = key


def _key(panel: bpy.types.Object, kit: Kit) -> str:
    """Of all that is drawn on a panel; "" where nothing is."""
    told = panel_metadata.of(panel)
    flags = panel_metadata.flags_of(panel) if "flags" in told.numbers else np.zeros(0, np.int32)
    if not (flags.any() or len(worth(told.boxes))):
        return ""
    digest = hashlib.blake2b(panel[PANEL_METADATA].encode(), digest_size=12)
    for array in (flags, places(panel), np.array(panel[PANEL_GRID]), kit.palette["text"]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _mark(paint: Paint, panel: bpy.types.Object) -> None:
    told, grid, place = panel_metadata.of(panel), grid_of(panel), places(panel)
    for row in worth(told.boxes):
        if 0 <= row[0] < len(place) and place[int(row[0])] >= 0:
            _box(paint, grid, place[int(row[0])], np.clip(row[1:5], 0, 1), best=_is_best(row, told.boxes))
    flags = panel_metadata.flags_of(panel) if "flags" in told.numbers else np.zeros(0, np.int32)
    edge = float(np.clip(CHIP * min(grid.cell), LEAST, MOST))
    for channel in np.flatnonzero(flags):
        if place[channel] >= 0:
            x, y = grid.inside(place[channel], 0.0, 0.0)
            for k, word in enumerate(_flags(int(flags[channel]))):
                _chip(paint, word, x + k * 1.1 * edge, y - edge, edge)
    if flags.any():
        _legend(paint, flags, size_of(panel)[0])


def worth(boxes: np.ndarray) -> np.ndarray:
    """Boxes (n, 6) without those around all that there is, which say nothing."""
    around = (boxes[:, 1:3] < WHOLE).all(1) & (boxes[:, 3:5] > 1 - WHOLE).all(1)
    return boxes[~around]


def _is_best(row: np.ndarray, boxes: np.ndarray) -> bool:
    return bool(row[5] >= boxes[boxes[:, 0] == row[0], 5].max())


def _flags(bits: int) -> list[str]:
    return [word for k, word in enumerate(FLAGS) if bits >> k & 1]


def _chip(paint: Paint, word: str, x: float, y: float, edge: float) -> None:
    """A square in the flag's colour, its lower left corner at (x, y), with its letter."""
    paint.box(FLAT, (x, x + edge), (y, y + edge), TINTS[word], LIFT)
    at = FLAT.moved(x + edge / 2, y + 0.19 * edge, LIFT)
    paint.words(at, LETTERS[word], 1.2 * edge, "board", align="centre", lift=0.002)


def _legend(paint: Paint, flags: np.ndarray, room: float) -> None:
    """ "D dead 12   S saturated 3" under the panel."""
    counts = {word: int(np.count_nonzero(flags >> k & 1)) for k, word in enumerate(FLAGS)}
    told = {word: f"{word} {count:,}" for word, count in counts.items() if count}
    widths = [1.2 + glyphs.width(body) + 1.2 for body in told.values()]
    size = min(LEGEND, room / (sum(widths) - 1.2))
    x = 0.0
    for (word, body), wide in zip(told.items(), widths, strict=True):
        _chip(paint, word, x, -GAP, 0.9 * size)
        paint.words(FLAT, body, size, "quiet", x=x + 1.2 * size, y=-GAP + 0.19 * size, lift=LIFT)
        x += wide * size


def _box(paint: Paint, grid: atlas.Grid, place: int, corners: np.ndarray, *, best: bool) -> None:
    (x0, y1), (x1, y0) = grid.inside(place, corners[0], corners[1]), grid.inside(place, corners[2], corners[3])
    line = LINE * min(grid.cell) * (1.0 if best else 0.6)
    outline(paint, FLAT, (float(x0), float(x1)), (float(y0), float(y1)), line, "skip" if best else "sum", LIFT)


def outline(
    paint: Paint, plane: Plane, x: tuple[float, float], y: tuple[float, float], line: float,
    tint: str | np.ndarray, lift: float,
) -> None:  # fmt: skip
    """The rim of a rectangle, its line inside it, on a darker one, so that it is seen on any map."""
    for width, colour, rise in ((1.7 * line, "board", 0.0), (line, tint, 0.002)):
        inset = (1.7 * line - width) / 2
        (left, right), (low, high) = (x[0] + inset, x[1] - inset), (y[0] + inset, y[1] - inset)
        for sides in ((low, low + width), (high - width, high)):
            paint.box(plane, (left, right), sides, colour, lift + rise)
        for sides in ((left, left + width), (right - width, right)):
            paint.box(plane, sides, (low + width, high - width), colour, lift + rise)


def _over_input(paint: Paint, boxes: np.ndarray, labels: tuple[str, ...], size: tuple[float, float]) -> None:
    """Boxes over the input, each with its score."""
    width, height = size
    line = LINE * min(size) * 0.4
    for row in boxes[::-1]:  # the best ones last, so that they lie over the others
        x0, y0, x1, y1 = np.clip(row[1:5], 0, 1)
        best = _is_best(row, boxes)
        x, y = (x0 * width, x1 * width), ((1 - y1) * height, (1 - y0) * height)
        outline(paint, FLAT, x, y, line, "skip" if best else "sum", OVER)
        if best:
            name = labels[int(row[0])] if int(row[0]) < len(labels) else ""
            _tag(paint, f"{name} {row[5]:.2f}".strip(), x[0], min(y[1], height - 0.06 * height), 0.05 * height)


def _tag(paint: Paint, body: str, x: float, y: float, size: float) -> None:
    """Words on a ground of their own, from (x, y) to the right and up."""
    paint.box(FLAT, (x, x + (glyphs.width(body) + 0.6) * size), (y, y + 1.15 * size), "skip", OVER + 0.004)
    paint.words(FLAT, body, size, "board", x=x + 0.3 * size, y=y + 0.28 * size, lift=OVER + 0.006)
