"""The colour legend with its end values, and the key of edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..imaging import colour_maps
from .number_text import format_number
from .primitives import Plan, Plane

STEPS = 128
"""Pieces of the colour bar."""
EDGE_KINDS = ("data", "skip", "joined")
NOTES = ("peak of each channel", "peak of each layer", "one peak for all layers")
"""By normalisation: what values are divided by."""


@dataclass(frozen=True)
class ColourScale:
    """The meaning of a hall's colours."""

    colour_map: str
    """Name of a colour map in colour_maps.COLOUR_MAPS."""
    low: str
    """Text at the lower end."""
    high: str
    """Text at the upper end."""
    note: str
    """The peak that values are divided by: one of NOTES."""


def colour_scale(colour_map: colour_maps.ColourMap, normalisation: int, gain: float, peak: float | None) -> ColourScale:
    """Returns the scale of a colour map, with numbers at its ends where the peak is known.

    normalisation: index of its text in NOTES.
    """
    if peak is None:
        ends = "peak" if gain == 1 else f"peak / {format_number(gain)}"
        low, high = f"− {ends}", f"+ {ends}" if colour_map.diverging else ends
    else:
        low, high = format_number(-peak / gain), ("+" if colour_map.diverging else "") + format_number(peak / gain)
    return ColourScale(colour_map.name, low if colour_map.diverging else "0", high, NOTES[normalisation])


def add_scale(plan: Plan, plane: Plane, width: float, size: float, scale: ColourScale) -> None:
    """Adds a bar of `width` × `size` metres at the plane's origin, with its texts of that size below it."""
    colour_map = colour_maps.COLOUR_MAPS[scale.colour_map]
    x = np.linspace(0, width, STEPS + 1)
    across = np.stack([x[:-1], x[1:], x[1:], x[:-1]], 1)
    up = np.broadcast_to([0.0, 0.0, size, size], across.shape)
    colours = colour_map.colours((np.arange(STEPS) + 0.5) / STEPS)
    plan.quads(plane.points(across, up, 0.02), colour_maps.to_linear(colours))
    below = -0.95 * size
    plan.text(plane, scale.low, size, "quiet", y=below)
    plan.text(plane, scale.high, size, "quiet", x=width, y=below, align="right")
    if colour_map.diverging:
        plan.text(plane, "0", size, "quiet", x=width / 2, y=below, align="centre")
    plan.text(plane, scale.note, size, "quiet", y=below - 1.25 * size)


def add_edge_key(plan: Plan, plane: Plane, width: float, size: float, kinds: Iterable[str]) -> None:
    """Adds the names of the kinds of edges, each with its colour, side by side over `width` metres."""
    shown = set(kinds)
    for place, kind in enumerate(kind for kind in EDGE_KINDS if kind in shown):
        x = width / 3 * place
        plan.box(plane, (x, x + 1.2 * size), (0.15 * size, 0.36 * size), kind, 0.012)
        plan.text(plane, kind, size, "quiet", x=x + 1.5 * size)
