"""The colour legend with its end values, and the key of edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np

from .. import colour
from .look import GAIN, PEAK, RAMP, WEIGHTS
from .paint import Paint, Plane

STEPS = 128
KINDS = ("data", "skip", "joined")


@dataclass(frozen=True)
class Scale:
    """What the colours of a hall stand for."""

    ramp: str
    low: str
    high: str
    note: str


def number(value: float) -> str:
    """A value for people: three digits, a true minus sign."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "NaN"
    digits = f"{value:.3g}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.1e}"
    return digits.replace("-", "−")


def scale(scene: bpy.types.Scene, layer_peak: float | None = None) -> Scale:
    """The scale of a scene's look; `layer_peak` gives numbers where one layer is meant."""
    ramp = list(colour.RAMPS)[int(scene[RAMP][0] * len(colour.RAMPS))]
    weights, gain = list(scene[WEIGHTS]), float(scene[GAIN])
    peak = float(scene[PEAK]) if weights[2] else layer_peak if weights[1] else None
    which = (
        "peak of each channel",
        "peak of each layer" if layer_peak is None else "peak of this layer",
        "one peak for all layers",
    )
    note = which[weights.index(1.0)]
    if peak is not None:
        low, high = number(-peak / gain), "+" + number(peak / gain)
    else:
        low, high = ("− peak", "+ peak") if gain == 1 else (f"− peak / {number(gain)}", f"+ peak / {number(gain)}")
    return Scale(
        ramp,
        low if colour.RAMPS[ramp].diverging else "0",
        high.removeprefix("+ ") if not colour.RAMPS[ramp].diverging else high,
        note,
    )


def add_scale(paint: Paint, at: Plane, width: float, height: float, shown: Scale, *, noted: bool = True) -> None:
    """A bar of `width` by `height` metres with its words below; in a plane that starts at its lower left corner."""
    ramp = colour.RAMPS[shown.ramp]
    colours = colour.to_linear(ramp.colours((np.arange(STEPS) + 0.5) / STEPS))
    x = np.linspace(0, width, STEPS + 1)
    corners = at.points(
        np.stack([x[:-1], x[1:], x[1:], x[:-1]], 1), np.broadcast_to([0, 0, height, height], (STEPS, 4)), 0.02
    )
    paint.quads(corners, colours)
    size = height
    below = -1.05 * size
    paint.words(at, shown.low, size, "quiet", y=below)
    paint.words(at, shown.high, size, "quiet", x=width, y=below, align="right")
    if ramp.diverging:
        paint.words(at, "0", size, "quiet", x=width / 2, y=below, align="centre")
    if noted:
        paint.words(at, shown.note, size, "quiet", y=below - 1.35 * size)


def add_key(paint: Paint, at: Plane, width: float, size: float, kinds: Iterable[str]) -> None:
    """What the kinds of edges are called, side by side over `width`."""
    there = set(kinds)
    named = [kind for kind in KINDS if kind in there]
    for place, kind in enumerate(named):
        x = width / 3 * place
        paint.box(at, (x, x + 1.3 * size), (0.16 * size, 0.36 * size), kind, 0.012)
        paint.words(at, kind, size, "quiet", x=x + 1.7 * size)
