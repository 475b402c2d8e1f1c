"""The card of one layer, like a label in a museum: name, operation, shape, range, share below zero, colours."""

from __future__ import annotations

import bpy
import numpy as np

from ....torch_bridge.recording import Layer
from ...imaging.statistics import Statistics
from ...layout.camera_presets import CARD
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint, Plane
from .legend import Scale, add_scale, number

SIZE = 0.105
WIDTH, HEIGHT = CARD
PITCH, ROWS = 1.55, 7.0
"""From line to line, as a share of SIZE, and how many such lines have room above the colours; more stand closer."""
OPERATIONS = {"add": "sum of two paths", "mul": "product of two paths", "cat": "concatenation"}


def operation(layer: Layer) -> str:
    """What a layer does, in words."""
    word = OPERATIONS.get(layer.kind.strip("_").removeprefix("i"), layer.kind)
    return f"{word}, normalised" if layer.shows not in ("", layer.id) else word


def shape_words(shape: tuple[int, int, int]) -> str:
    """(C, H, W) as "64 channels of 54 × 54" or "1000 values"."""
    channels, height, width = shape
    return f"{channels} values" if height == width == 1 else f"{channels} channels of {height} × {width}"


def range_words(found: Statistics) -> str:
    """Range of the finite values, such as "−2.5 to 3"."""
    return f"{number(float(found.low))} to {number(float(found.high))}" if found.count else "no finite value"


def lines(layer: Layer, found: Statistics) -> list[tuple[str, float, str]]:
    """(text, size, colour) of the card's lines; "" is a gap."""
    told = [
        (layer.id, 1.3, "text"), (operation(layer), 1.0, "quiet"), ("", 0.4, ""),
        (shape_words(layer.map_shape), 1.0, "text"),
        (range_words(found), 1.0, "text"),
        (f"{100 * found.share_below:.0f} % below zero", 1.0, "text"),
    ]  # fmt: skip
    if layer.parameters:
        told.insert(4, (f"{layer.parameters:,} weights", 1.0, "text"))
    if layer.note:
        told.append((layer.note, 1.0, "quiet"))
    if found.unknown:
        told.append((f"{found.unknown:,} not finite", 1.0, "skip"))
    return [*told, ("", 0.3, "")]


def add_card(layer: Layer, found: Statistics, scale: Scale, at: Plane, kit: Kit) -> bpy.types.Object:
    """The card, WIDTH by HEIGHT metres; `at`: its upper left corner."""
    paint, y, left = Paint(kit), 0.0, 0.10
    flat = Plane(np.array([0.0, -HEIGHT, 0.0]), FLAT.right, FLAT.up)
    paint.frame(flat, (WIDTH, HEIGHT))
    told = lines(layer, found)
    pitch = SIZE * PITCH * min(1.0, ROWS / sum(share for _, share, _ in told))
    for body, share, tint in told:
        y -= pitch * share
        if body:
            size = glyphs.fit(body, WIDTH - 2 * left, SIZE * share)
            paint.words(FLAT, body, size, tint, x=left, y=y)
    add_scale(paint, FLAT.moved(left, y - SIZE * 1.7), WIDTH - 2 * left, SIZE, scale)
    return paint.build(f"{layer.id} card", "card", at)
