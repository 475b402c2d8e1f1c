"""Places of a hall's labels: stages and blocks beside the plates of a figure, names over panels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from types import MappingProxyType

import numpy as np

from ...torch_bridge.recording import Layer
from .blocks import named_blocks
from .boards import floor_axes, upright_axes
from .figure_projection import TEXT_ROOM, FigureProjection, label_box, overlaps, text_below_box
from .hall_model import HallLayout, Slot, Stage
from .stages import stage_title
from .text_fitting import (
    CAP,
    Align,
    Font,
    Label,
    Tone,
    block_numbers,
    common_tails,
    fitting_names,
    layer_names,
    text_width,
)
from .view import View

STAGE, BLOCK = 18.0, 9.5
"""Height of a capital in a figure, in pixels of a picture 1920 wide; labels that would be below LEAST are left out."""
NAMES = (11.0, 9.5, 8.0)
"""Heights of capitals in names over panels, tried in turn until enough panels have a name."""
MOST_NAMED = 0.8
"""Share of the panels that must get a name, for all sizes but the smallest."""
COUNT_SIZE = 0.72
"""Size of "12 layers" as a share of the stage's title."""
LEAST = 8.0
"""The smallest capital in a figure, in pixels of a picture 1920 wide."""
WALK_MIN_CAPITAL = 6.5
"""The smallest capital in a walk, in pixels of a picture 1280 wide."""
WALK_NAME_SIZE = 0.15
"""Size of names over panels for a walker, metres."""
GAP, STRIP = 0.13, 0.3
"""Least distance from a panel's upper edge to the base line of its name: metres, and share of the name's size."""
ROWS = 1.65
"""Width of the strip of labels over the size of a stage's title, with the names of blocks beside it."""
EDGE_ROOM, MOST_MARGIN = 0.8, 8.0
"""Room between plate and labels for edges to the next wing; greatest width of the strip of labels; metres."""


def capital_size(pixels: float, view: View, width: float = 1920.0) -> float:
    """Returns the text size in metres whose capitals are `pixels` high in an orthographic picture `width` wide."""
    return pixels / CAP * float(view.span or 1.0) / width


def figure_margin(span: float) -> float:
    """Returns the width of the strip of labels in a figure of `span` metres."""
    return min(EDGE_ROOM + ROWS * STAGE / CAP * span / 1920, MOST_MARGIN)


def stage_labels(hall: HallLayout, view: View) -> list[Label]:
    """Returns a figure's labels with title and number of layers of each stage, where no panel hides them.

    A stage without a free place between the labels before it and its own end gets none.
    """
    size = _stage_size(hall, view)
    if size < capital_size(LEAST, view):
        return []
    projections = [FigureProjection.of(hall, view, head) for head in (_name_room(view), 0.0)]
    free = dict.fromkeys(range(len(hall.wings)), -math.inf)
    found: list[Label] = []
    for stage in hall.stages:
        start = max(stage.start + 0.4 * size, free[stage.wing])
        pairs = (_free_pair(hall, stage, start, size, projection) for projection in projections)
        if pair := next(filter(None, pairs), None):
            found += pair
            free[stage.wing] = pair[1].position[1] + pair[1].width + size
    return found


def _free_pair(
    hall: HallLayout, stage: Stage, start: float, size: float, projection: FigureProjection
) -> tuple[Label, Label] | None:
    """Returns a stage's labels at the first place from `start` on that nothing hides, or None."""
    for y in np.arange(start, stage.end, 0.5 * size):
        pair = _stage_pair(hall, stage, float(y), size)
        if y + pair[0].width > hall.wings[stage.wing].end:
            break
        if not any(projection.is_hidden(_dots(label)).any() for label in pair):
            return pair
    return None


def _name_room(view: View) -> float:
    """Returns the height over a figure's panels that their names take, metres."""
    size = max(WALK_NAME_SIZE, capital_size(NAMES[0], view))
    return max(GAP, STRIP * size) + 0.75 * size


def _stage_size(hall: HallLayout, view: View) -> float:
    """Returns STAGE, or less where the strip has no room for a block's name, a title and a count beside each other."""
    return min(capital_size(STAGE, view), (hall.margin - hall.edge_room) / ROWS)


def _stage_pair(hall: HallLayout, stage: Stage, y: float, size: float) -> tuple[Label, Label]:
    x = hall.wings[stage.wing].x + stage.half + 0.95 * size
    count = sum(bool(slot.side) for slot in hall.slots[stage.first : stage.last + 1])
    title = _lying(stage_title(stage), x, y, size)
    text = f"{count} layer{'s' * (count != 1)}"
    return title, _lying(text, x, y + title.width + 0.5 * size, size * COUNT_SIZE, "quiet")


def _lying(text: str, x: float, y: float, size: float, tone: str = "text", font: str = "sans") -> Label:
    """Returns a label on the floor that reads along the walk."""
    right, up = floor_axes(math.pi / 2)
    return Label(text, (x, y, 0.02), tuple(right), tuple(up), size, font, tone)  # type: ignore[arg-type]


def _dots(label: Label) -> np.ndarray:
    """Returns (33, 3) points spread over a label's box and its edges."""
    a, b, _, d = label.corners()
    return np.array([a + (b - a) * i + (d - a) * j for i in np.linspace(0, 1, 11) for j in (0.0, 0.5, 1.0)])


def block_labels(hall: HallLayout, layers: Sequence[Layer], view: View) -> list[Label]:
    """Returns labels of blocks along a figure's plates: the longest part of each name that ends before the next one."""
    size = _stage_size(hall, view) * BLOCK / STAGE
    if size < capital_size(LEAST, view):
        return []
    named = [(hall.slots[first], name) for first, name in named_blocks(layers)]
    ends = {slot.wing: hall.wings[slot.wing].end for slot, _ in named}
    projections = [FigureProjection.of(hall, view, head) for head in (_name_room(view), 0.0)]
    found = []
    for slot, name in reversed(named):
        stage = hall.stages[slot.stage]
        x = hall.wings[slot.wing].x + stage.half + hall.margin - hall.edge_room
        y, parts = max(slot.y - 1.2, stage.start + 0.2), name.split(".")
        names = [text for k in range(len(parts)) if not (text := ".".join(parts[k:])).isdigit()]
        label = _free_label(names, (x, y), ends[slot.wing] - 0.8, size, projections)
        if label is not None:
            found.append(label)
            ends[slot.wing] = y
    return found[::-1]


def _free_label(
    names: Sequence[str], start: tuple[float, float], end: float, size: float, projections: Sequence[FigureProjection]
) -> Label | None:
    """Returns the first of some names, lying from x, y on, at the first place before `end` where nothing hides it."""
    x, first = start
    for projection, text in product(projections, names):
        room = end - text_width(text, "mono") * size
        for y in np.arange(first, room + 1e-9, size):
            label = _lying(text, x, float(y), size, "quiet", "mono")
            if not projection.is_hidden(_dots(label)).any():
                return label
    return None


def panel_labels(
    hall: HallLayout, layers: Sequence[Layer], view: View, positions: Mapping[int, str] = MappingProxyType({})
) -> list[Label]:
    """Returns labels over a figure's panels: the longest names that fit and cover nothing; [] if fewer than half
    would get one.

    positions: by layer's index, the text below its panel that says which position is shown; it is not covered either.
    """
    projection = FigureProjection.of(hall, view)
    for pixels in NAMES:
        found = _named(hall, layers, projection, max(WALK_NAME_SIZE, capital_size(pixels, view)), positions)
        if len(found) >= (MOST_NAMED if pixels > NAMES[-1] else 0.5) * len(hall.panels):
            return found
    return []


def _named(
    hall: HallLayout,
    layers: Sequence[Layer],
    projection: FigureProjection,
    size: float,
    positions: Mapping[int, str],
) -> list[Label]:
    """Returns the labels of one size, in metres, that have room."""
    options = _options(hall, layers, size, inside_block=True)
    below = [
        text_below_box(projection, k, size, min(text_width(positions[slot.index]) * size, max(slot.width, TEXT_ROOM)))
        for k, slot in enumerate(hall.panels)
        if slot.index in positions
    ]
    taken = np.array(below).reshape(-1, 4)
    dots = [projection.locate(_dots(label))[:, :2] for label in stage_labels(hall, projection.view)]
    under = np.concatenate(dots) if dots else np.zeros((0, 2))
    found: list[Label] = []
    for k, slot in enumerate(hall.panels):
        for name in options[slot.index]:
            box = label_box(projection, k, slot, size, text_width(name, "mono") * size, max(GAP, STRIP * size))
            covers = ((under > box[:2]) & (under < box[2:])).all(1).any()
            if not covers and not projection.overlaps_panels(box).any() and not overlaps(taken, box).any():
                taken = np.vstack([taken, box])
                found.append(_standing(hall, slot, name, size))
                break
    return found


def _options(hall: HallLayout, layers: Sequence[Layer], size: float, inside_block: bool) -> dict[int, list[str]]:
    """Returns each panel's names that fit its width and are unique in its block or in the hall, longest first."""
    common = common_tails(layers)
    home = block_numbers(layers, {first for first, _ in named_blocks(layers)} if inside_block else ())
    names_by_slot = {slot.index: layer_names(layers[slot.index], common) for slot in hall.panels}
    taken = Counter((home[k], name) for k, options in names_by_slot.items() for name in options)
    return {
        slot.index: fitting_names(
            names_by_slot[slot.index],
            slot.width,
            size,
            Counter({n: taken[home[slot.index], n] for n in names_by_slot[slot.index]}),
        )
        for slot in hall.panels
    }


def _standing(hall: HallLayout, slot: Slot, text: str, size: float, end: Align = "left", font: Font = "mono") -> Label:
    """Returns a label over a panel, in its plane, from its upper left corner or up to its upper right one."""
    yaw = hall.yaw(slot)
    right, up = upright_axes(yaw)
    x, y = slot.corners(yaw)[int(end == "right")]
    position = (float(x), float(y), slot.top + max(GAP, STRIP * size))
    tone: Tone = "text" if font == "mono" else "quiet"
    return Label(text, position, tuple(right), tuple(up), size, font, tone, end, slot.index)


def walk_labels(hall: HallLayout, layers: Sequence[Layer], view: View | None = None) -> list[Label]:
    """Returns labels for a walker: names over panels, at their posts, and shapes where there is room.

    With a camera, labels that are cut off, too small or behind a nearer panel are left out.
    """
    options = _options(hall, layers, WALK_NAME_SIZE, inside_block=False)
    found = []
    for slot in _nearest_first(hall, view):
        name = next(iter(options[slot.index]), None)
        if name is None:
            continue
        ends: tuple[Align, Align] = ("right", "left") if slot.side < 0 else ("left", "right")
        label = _standing(hall, slot, name, WALK_NAME_SIZE, ends[0])
        found.append(label)
        shape = " × ".join(map(str, layers[slot.index].map_shape))
        if slot.width - label.width > text_width(shape) * WALK_NAME_SIZE * COUNT_SIZE + WALK_NAME_SIZE:
            found.append(_standing(hall, slot, shape, WALK_NAME_SIZE * COUNT_SIZE, ends[1], "sans"))
    return found if view is None else _visible(hall, found, view)


def _nearest_first(hall: HallLayout, view: View | None) -> list[Slot]:
    eye = (0.0, 0.0, 0.0) if view is None else view.position
    return sorted(hall.panels, key=lambda slot: math.hypot(slot.x - eye[0], slot.y - eye[1]))


def _visible(hall: HallLayout, labels: list[Label], view: View) -> list[Label]:
    """Returns those of the labels, nearest first, that are whole, large enough and not behind a nearer panel."""
    boxes: dict[int, np.ndarray] = {}
    found = []
    for label in labels:
        pixels = view.project(label.corners())
        box = np.append(pixels[:, :2].min(0), pixels[:, :2].max(0))
        slot = hall.slots[label.slot]
        nearer = np.array([b for k, b in boxes.items() if k != slot.index]).reshape(-1, 4)
        large = label.size * CAP / view.pixel(np.array(label.position)) >= WALK_MIN_CAPITAL * view.width / 1280
        whole = (box[:2] >= 0).all() and (box[2:] <= (view.width, view.height)).all()
        if pixels[:, 2].min() > 0.3 and large and whole and not overlaps(nearer, box).any():
            found.append(label)
        corners = [(*end, z) for end in slot.corners(hall.yaw(slot)) for z in (slot.bottom, slot.top)]
        seen = view.project(np.array(corners))
        if seen[:, 2].min() > 0.3:
            boxes[slot.index] = np.append(seen[:, :2].min(0), seen[:, :2].max(0))
    return found
