"""The colour legend with its end values, and the key of edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np

from ...imaging import colour
from ...properties import COLOUR_GAIN, LARGEST_PEAK, PEAK_WEIGHTS
from ..materials.look import ramp_of
from ..paint.meshes import Paint, Plane

STEPS = 128
KINDS = ("data", "skip", "joined")
NOTES = ("peak of each channel", "peak of each layer", "one peak for all layers")


@dataclass(frozen=True)
class Scale:
    """What the colours of a hall stand for."""

    ramp: str
    low: str
    high: str
    note: str


def number(value: float) -> str:
    """A value for people: three digits, thousands in groups, a true minus sign."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    size = abs(value)
    plain = f"{value:,.0f}" if size >= 100 else f"{value:.3g}"
    return (plain if value == 0 or 1e-3 <= size < 1e7 else f"{value:.1e}").replace("-", "−")


def scale(scene: bpy.types.Scene, layer_peak: float | None = None, *, bars: bool = False) -> Scale:
    """The scale of a scene's look; `layer_peak` gives numbers where one layer is meant.

    bars: of a vector, whose values have the peak of their layer where maps have that of their channel.
    """
    ramp = ramp_of(scene)
    which, gain = list(scene[PEAK_WEIGHTS]).index(1.0), float(scene[COLOUR_GAIN])
    which = max(which, int(bars))
    peak = (None, layer_peak, float(scene[LARGEST_PEAK]))[which]
    if peak is None:
        ends = "peak" if gain == 1 else f"peak / {number(gain)}"
        low, high = f"− {ends}", f"+ {ends}" if ramp.diverging else ends
    else:
        low, high = number(-peak / gain), ("+" if ramp.diverging else "") + number(peak / gain)
    return Scale(ramp.name, low if ramp.diverging else "0", high, NOTES[which])


def add_scale(paint: Paint, at: Plane, width: float, size: float, shown: Scale) -> None:
    """A bar `width` metres long and `size` high at the plane's origin, with its words of that size below it."""
    ramp = colour.RAMPS[shown.ramp]
    x = np.linspace(0, width, STEPS + 1)
    across = np.stack([x[:-1], x[1:], x[1:], x[:-1]], 1)
    up = np.broadcast_to([0.0, 0.0, size, size], across.shape)
    paint.quads(at.points(across, up, 0.02), colour.to_linear(ramp.colours((np.arange(STEPS) + 0.5) / STEPS)))
    below = -0.95 * size
    paint.words(at, shown.low, size, "quiet", y=below)
    paint.words(at, shown.high, size, "quiet", x=width, y=below, align="right")
    if ramp.diverging:
        paint.words(at, "0", size, "quiet", x=width / 2, y=below, align="centre")
    paint.words(at, shown.note, size, "quiet", y=below - 1.25 * size)


def add_key(paint: Paint, at: Plane, width: float, size: float, kinds: Iterable[str]) -> None:
    """What the kinds of edges are called, side by side over `width`."""
    there = set(kinds)
    for place, kind in enumerate(kind for kind in KINDS if kind in there):
        x = width / 3 * place
        paint.box(at, (x, x + 1.2 * size), (0.15 * size, 0.36 * size), kind, 0.012)
        paint.words(at, kind, size, "quiet", x=x + 1.5 * size)
