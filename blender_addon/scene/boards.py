"""Standing boards: the input with its picture, and the title board with what this network is."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...torch_bridge.recording import Network, Recording
from . import text
from .legend import Scale, add_key, add_scale
from .paint import FLAT, Paint, Plane
from .pictures import add_picture, aspect_size


@dataclass(frozen=True)
class Facts:
    """What a title says."""

    name: str
    counts: str
    note: str


def facts(network: Network, title: str | None = None) -> Facts:
    """Name, "26 layers, 3,976 channels", and what a reader must know: random weights."""
    panels = [layer for layer in network.folded()[0] if layer.role == "panel"]
    channels = sum(layer.map_shape[0] for layer in panels)
    counts = f"{plural(len(panels), 'layer')}, {plural(channels, 'channel')}"
    return Facts(title or network.name, counts, "" if network.trained else "random weights")


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def add_input(
    recording: Recording, at: Plane, edge: float, palette: dict[str, np.ndarray], collection: bpy.types.Collection
) -> None:
    """The picture in its frame, within a square of `edge` metres whose lower left corner is `at`, beside its post."""
    width, height = aspect_size(recording.picture, edge)
    corner = at.moved(edge - width, (edge - height) / 2)
    paint = Paint(palette)
    paint.frame(FLAT, (width, height), "text", 0.06, 0.03)
    size = 0.085 * edge
    body = " ".join(filter(None, ("input", recording.input_name)))
    paint.words(FLAT, body, text.fit(body, width, size), "quiet", y=height + 0.7 * size)
    paint.build("Input", "input frame", collection, corner)
    add_picture("Input", recording.picture, corner, (width, height), collection, "input")


def add_title(
    network: Network, scale: Scale, kinds: set[str], at: Plane, palette: dict[str, np.ndarray],
    collection: bpy.types.Collection, title: str | None = None,
) -> None:  # fmt: skip
    """The board at the entrance: name, counts, weights, colours, kinds of edges. 2.2 by 2.2 metres."""
    told, paint, side, left = facts(network, title), Paint(palette), 2.2, 0.15
    paint.frame(FLAT, (side, side))
    room = side - 2 * left
    paint.words(FLAT, told.name, text.fit(told.name, room, 0.27), x=left, y=1.80)
    paint.words(FLAT, told.counts, text.fit(told.counts, room, 0.12), "quiet", x=left, y=1.56)
    if told.note:
        paint.words(FLAT, told.note, 0.12, "skip", x=left, y=1.37)
    add_scale(paint, FLAT.moved(left, 0.72), room, 0.12, scale)
    add_key(paint, FLAT.moved(left, 0.18), room, 0.12, kinds)
    paint.build("Title", "title", collection, at)
