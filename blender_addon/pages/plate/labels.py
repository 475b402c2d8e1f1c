"""What stands below the nodes of a plate: names and shapes, and numbers with a key where names have no room."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....torch_bridge.recording import Layer
from ...layout.blocks import represented_block
from ..font import begun, printable, text_length
from ..page import FlatPage
from .boards import PlateBoard
from .model import PlateBox, PlateLayout, PlateStyle
from .panel_names import fitting_names, panel_names

KEY_GAP = 2.0
"""Between columns of the key, mm."""


@dataclass(frozen=True)
class KeyEntry:
    """A line of the key below a plate."""

    number: str
    text: str


@dataclass(frozen=True)
class PlateLabels:
    """The texts below the nodes of a plate."""

    names: dict[int, str]
    """By node; no two panels have the same."""
    captions: dict[int, str]
    """By node; "" where none has room."""
    key: tuple[KeyEntry, ...]
    """What the numbers mean, in reading order."""


def plate_labels(
    layout: PlateLayout,
    inputs: Sequence[PlateBoard] = (),
    outputs: Sequence[PlateBoard] = (),
    totals: Mapping[str, int] | None = None,
) -> PlateLabels:
    """Returns the texts below all nodes; one whose name or shape has no room gets a number, and an entry of the key.

    totals: channels of layers whose maps are of some channels only, by layer id.
    """
    graph = layout.graph
    known = panel_names(graph.layers)
    panels = [box for box in layout.boxes.values() if box.grid is not None]
    options = [known[graph.nodes[box.node].number] for box in panels]
    fitting = fitting_names(options, [_room(layout, box) for box in panels])
    names = {box.node: text for box, text in zip(panels, fitting, strict=True)}
    captions: dict[int, str] = {}
    key: list[KeyEntry] = []
    taken = {name for own in options for name in own}
    free = (str(number) for number in range(1, 2 * len(graph.nodes) + 2) if str(number) not in taken)
    for box in layout.boxes.values():
        node, room = graph.nodes[box.node], _room(layout, box)
        if node.is_board:
            board = (inputs if node.kind == "input" else outputs)[node.number]
            name, texts = printable(board.name), [printable(text) for text in board.captions]
            names[box.node] = name if text_length(name) <= room else ""
        elif node.kind == "panel":
            layer = graph.layers[node.number]
            name, texts = known[node.number][0], panel_captions(box, layer, (totals or {}).get(layer.id, 0))
        else:
            continue
        captions[box.node] = next((text for text in texts if text_length(text) <= room), "")
        if not names[box.node] or (node.kind == "panel" and not captions[box.node]):
            names[box.node] = next(free)
            key.append(KeyEntry(names[box.node], ", ".join([name, *texts[:1]])))
            captions[box.node] = "" if captions[box.node].isdigit() else captions[box.node]  # not two numbers
    return PlateLabels(names, captions, tuple(key))


def _room(layout: PlateLayout, box: PlateBox) -> float:
    """Returns how many sizes of text fit below a box."""
    return layout.style.room(box.room[1] - box.room[0])


def panel_captions(box: PlateBox, layer: Layer, total: int = 0) -> list[str]:
    """Returns the texts that say what a panel shows, longest first.

    total: channels of its layer, if its maps are of some of them only.
    """
    channels, height, width = layer.map_shape
    total = max(total, channels)
    shown = box.grid.shown if box.grid is not None else channels
    count = f"{shown} of {total}" if shown < total else f"{channels}"
    size = "" if height == width == 1 else f" × {height} × {width}"
    layers, block = represented_block(layer)
    if block:
        return [f"{layers} layers: {count}{size}", f"{layers} layers"]
    if shown < total:  # what isn't shown is never left out
        return [f"{count}{size}", count, f"{shown}/{total}"]
    return [f"{count}{size}", f"{count}{size}".replace(" ", ""), count]


def key_columns(key: Sequence[KeyEntry], style: PlateStyle) -> tuple[int, float]:
    """Returns how many columns a key has, and their width in mm."""
    room = style.width - 2 * style.margin + KEY_GAP
    widest = max((_number_width(key) + text_length(entry.text) for entry in key), default=0.0)
    columns = max(1, int(room / (style.length(widest) + KEY_GAP + 0.01)))
    return columns, room / columns - KEY_GAP


def key_height(key: Sequence[KeyEntry], style: PlateStyle) -> float:
    """Returns the height of a key and of the gap above it, mm; 0 for an empty one."""
    rows = math.ceil(len(key) / key_columns(key, style)[0])
    return rows * style.line_height + 1.5 if key else 0.0


def add_key(page: FlatPage, key: Sequence[KeyEntry], style: PlateStyle) -> None:
    """Adds a key at the foot of a page, column by column."""
    columns, width = key_columns(key, style)
    rows = math.ceil(len(key) / columns)
    top, indent = page.height - style.margin - rows * style.line_height, style.length(_number_width(key))
    for place, entry in enumerate(key):
        column, row = divmod(place, rows)
        x, y = style.margin + column * (width + KEY_GAP), top + (row + 0.82) * style.line_height
        page.text(entry.number, x, y, style.words)
        page.text(begun(entry.text, style.room(width - indent)), x + indent, y, style.words, "quiet")


def _number_width(key: Sequence[KeyEntry]) -> float:
    """Returns the length of the longest number and the space behind it, in sizes of text."""
    return max((text_length(entry.number) for entry in key), default=0.0) + 0.5
