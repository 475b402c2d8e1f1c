"""Draws annotations on the frames of panels and of the input, in place: no data-block comes or goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import bpy
import numpy as np

from ....torch_bridge.recording import CATEGORY, place_text
from ...naming.agreement import initials
from ...naming.categories import CATEGORIES
from ...plans.annotations import POSITION_SIZE, informative_boxes, number_size, plan_annotations, plan_input_boxes
from ...plans.primitives import Plan, Style
from ...plans.tile_labels import GivenLabel, TileLabel, add_given_labels, add_tile_labels, label_size, strongest
from ...properties import (
    ANNOTATION_ATTRIBUTE,
    DRAWN_CONTENT,
    PANEL_CHOSEN_CHANNELS,
    PANEL_GRID,
    PANEL_METADATA,
    PANEL_NAMES,
    PLACE_TEXT_SIZE,
)
from ..materials import colour_settings
from ..paint.meshes import paint_over
from ..paint.pictures import picture_size
from ..paint.styles import scene_style
from ..state.parts import board_number, find_board, find_child, pictured_input
from ..state.selection import selected
from . import panel_metadata
from .given_names import agreed_names, read_given_names
from .objects import channel_places, find_panel, grid_of, held_channels, panels, size_of

LEAST_PIXELS = 6.0
"""Size in pixels below which channels' numbers are left out of a figure."""


def update_annotations(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """Draws what the panels' maps carry now, and wipes what they no longer do. pixel: metres of a pixel in a figure."""
    style = scene_style(scene)
    for panel in panels(scene).values():
        frame = find_child(panel, "frame")
        if frame is not None:
            shown = _shown_texts(panel, pixel)
            _update(frame, _panel_key(panel, style, shown), partial(_panel_plan, panel, frame, style, shown), style)
    update_input_boxes(scene)


def update_input_boxes(scene: bpy.types.Scene) -> None:
    """Draws the boxes of the selected layer or channel on the input picture, if its maps lie in the input's frame."""
    layer, channel = selected(scene)
    panel, pictured = find_panel(scene, layer), pictured_input(scene)
    frame = find_board(scene, "input frame", 0 if pictured is None else board_number(pictured))
    metadata = panel_metadata.read_metadata(panel) if panel is not None else panel_metadata.NO_METADATA
    boxes = informative_boxes(metadata.boxes) if metadata.frame == "input" else metadata.boxes[:0]
    boxes = boxes[(boxes[:, 0] == channel) | (channel < 0)]
    picture = pictured if len(boxes) else None
    size = picture_size(picture) if picture is not None else (0.0, 0.0)
    key = f"{boxes.tolist()} {size} {colour_settings.read_scene_colours(scene)['theme']}" if picture is not None else ""
    if frame is not None:
        style = scene_style(scene)
        labels = dict(zip(held_channels(panel).tolist(), metadata.labels, strict=False)) if panel is not None else {}
        _update(frame, key, partial(plan_input_boxes, boxes, labels, size, style), style)


def _update(frame: bpy.types.Object, key: str, make_plan: Callable[[], Plan], style: Style) -> None:
    """Draws a plan on a frame unless that shows it already. key: stands for the plan's content, "" for an empty one."""
    if frame.get(DRAWN_CONTENT, "") == key and (ANNOTATION_ATTRIBUTE in frame.data.attributes) == bool(key):
        return
    paint_over(make_plan() if key else Plan(style), frame)
    frame[DRAWN_CONTENT] = key


def _flags(panel: bpy.types.Object) -> np.ndarray:
    """Returns (C,) int32 flags, or (0,) if the panel's method reports none."""
    known = "flags" in panel_metadata.read_metadata(panel).numbers
    return panel_metadata.read_flags(panel) if known else np.zeros(0, np.int32)


class ShownTexts(NamedTuple):
    """Which texts the tiles of a panel have; none that would be too small in a figure."""

    numbered: bool
    """The numbers of their channels, where only some are shown."""
    labelled: bool
    """What their channels stand for, where the method knows its category."""
    named: bool = False
    """What people have named their channels."""


def _shown_texts(panel: bpy.types.Object, pixel: float) -> ShownTexts:
    metadata, grid, least = panel_metadata.read_metadata(panel), grid_of(panel), LEAST_PIXELS * pixel
    labelled = CATEGORY in metadata.numbers and any(metadata.labels)
    numbered, can_label = PANEL_CHOSEN_CHANNELS in panel and number_size(grid) >= least, label_size(grid) >= least
    return ShownTexts(numbered, labelled and can_label, PANEL_NAMES in panel and can_label)


def _panel_key(panel: bpy.types.Object, style: Style, shown: ShownTexts) -> str:
    """Returns a digest of all that is drawn on a panel; "" for nothing."""
    flags, metadata = _flags(panel), panel_metadata.read_metadata(panel)
    has_text = any(shown) or metadata.note or place_text(*metadata.place)
    if not (flags.any() or has_text or len(informative_boxes(metadata.boxes))):
        return ""
    named = panel.get(PANEL_NAMES, "") if shown.named else ""
    digest = hashlib.blake2b(f"{shown} {panel.get(PANEL_METADATA, '')} {named}".encode(), digest_size=12)
    for array in (flags, channel_places(panel), np.array(panel[PANEL_GRID]), style.palette["text"]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _panel_plan(panel: bpy.types.Object, frame: bpy.types.Object, style: Style, shown: ShownTexts) -> Plan:
    metadata, width = panel_metadata.read_metadata(panel), size_of(panel)[0]
    position, size = place_text(*metadata.place), float(frame.get(PLACE_TEXT_SIZE, POSITION_SIZE))
    where = metadata.boxes, _flags(panel), channel_places(panel), grid_of(panel), width
    plan = plan_annotations(*where, style, position, size, note=metadata.note, numbered=shown.numbered)
    if shown.labelled:
        _add_labels(plan, panel, metadata)
    if shown.named:
        add_given_labels(plan, _given_labels(panel), grid_of(panel))
    return plan


def _given_labels(panel: bpy.types.Object) -> list[GivenLabel]:
    """Returns what people have named the channels whose tiles are shown."""
    places, found = channel_places(panel), []
    for own in agreed_names(panel):
        if own.unit < len(places) and places[own.unit] >= 0:
            names = read_given_names(panel)[own.unit]
            mark = initials(names[0].rater) if own.raters == 1 else f"{own.agreeing}/{own.raters}"
            text = own.word or " / ".join(dict.fromkeys(name.word for name in names))
            category = CATEGORIES.index(own.category) if own.category else 0
            found.append(GivenLabel(int(places[own.unit]), text, category, mark))
    return found


def _add_labels(plan: Plan, panel: bpy.types.Object, metadata: panel_metadata.PanelMetadata) -> None:
    """Adds what channels stand for to their tiles."""
    numbers, places = panel_metadata.read_numbers(panel), channel_places(panel)
    categories, values = numbers.get(CATEGORY, np.zeros(0)), numbers.get("value", np.zeros(len(places)))
    known = dict(zip(held_channels(panel).tolist(), metadata.labels, strict=False))
    channels = [k for k, text in known.items() if text and k < len(categories) and categories[k] > 0 <= places[k]]
    labels = [TileLabel(int(places[k]), known[k], int(categories[k]) - 1) for k in channels]
    names = next((chart.series for chart in metadata.charts if chart.series_axis == CATEGORY), ())
    add_tile_labels(plan, strongest(labels, values[channels]), names, grid_of(panel))
