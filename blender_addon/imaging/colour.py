"""Colours of the hall, numpy only: colour maps, themes, and what a value looks like.

Hex codes are sRGB, as people write them; everything given to Blender is linear light. `tint` says in numpy what the
shader shows, for legends, baked exports and tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

ROWS = 2049
"""Entries of a table: so many that the nearest is within 0.2/255, because a GPU would blur an interpolated lookup
over the mip levels of its neighbours; zero and all nine stops lie exactly on one."""
FLAG = np.float32(3e38)
"""Stands for NaN and infinity in an image; the shader shows everything beyond `FLAG_FROM` in the marker colour."""
FLAG_FROM = 1e38
LEAST_PEAK = 1e-12
"""A peak of 0 counts as this: what is not zero in a channel of zeros is beyond its peak, not hidden."""
MARKER = "#FF00C8"
BAR = (0.2, 0.8)
"""The bar of a vector's value covers this part of its tile's height."""
ZERO_LINE = 0.012
"""Half the width of a bar's zero line, as a share of the tile's."""


def to_linear(srgb: np.ndarray | float) -> np.ndarray:
    """sRGB 0..1 -> linear light 0..1, any shape."""
    srgb = np.asarray(srgb, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray | float) -> np.ndarray:
    """Linear light 0..1 -> sRGB 0..1, any shape."""
    linear = np.asarray(linear, np.float64)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def srgb(code: str) -> np.ndarray:
    """ "#RRGGBB" -> (3,) sRGB 0..1."""
    return np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def linear(code: str) -> tuple[float, float, float]:
    """ "#RRGGBB" -> linear red, green, blue 0..1, as Blender's sockets and properties want them."""
    red, green, blue = to_linear(srgb(code))
    return float(red), float(green), float(blue)


@dataclass(frozen=True)
class Ramp:
    """A colour map: evenly spaced sRGB stops, from -peak (diverging) or 0 (sequential) to +peak."""

    name: str
    stops: tuple[str, ...]
    diverging: bool

    @property
    def scale(self) -> float:
        """position = signed * scale + offset"""
        return 0.5 if self.diverging else 1.0

    @property
    def offset(self) -> float:
        return 0.5 if self.diverging else 0.0

    def colours(self, position: np.ndarray) -> np.ndarray:
        """Positions 0..1 of any shape -> (..., 3) sRGB 0..1, straight lines between the stops."""
        at = np.linspace(0, 1, len(self.stops))
        stops = np.array([srgb(code) for code in self.stops])
        return np.stack([np.interp(position, at, stops[:, k]) for k in range(3)], -1)

    def table(self) -> np.ndarray:
        """(ROWS, 3) float32 linear light, the shader takes the nearest."""
        return to_linear(self.colours(np.linspace(0, 1, ROWS))).astype(np.float32)


def _ramp(name: str, stops: str, diverging: bool = True) -> Ramp:
    return Ramp(name, tuple(stops.split()), diverging)


_RAMPS = (
    _ramp("signed", "#3D7BFF #2A5BD0 #153B9F #0B1E51 #000000 #444444 #898989 #C4C4C4 #FFFFFF"),
    _ramp("paper", "#0C54A0 #497CBC #7EA5D6 #B7CEED #F7F8F9 #F0C1B5 #D88E7B #BB5B44 #9A2300"),
    _ramp("ember", "#0A001B #2F003B #5E014F #901555 #BE374F #E06349 #F59556 #FEC784 #FFF4CB", diverging=False),
)
RAMPS: Mapping[str, Ramp] = MappingProxyType({ramp.name: ramp for ramp in _RAMPS})
"""By name, in the order of the rows of the table image. Zero has the colour of the room: signed for the dark hall,
paper for print; ember runs from 0 to the peak."""


THEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "dark": {
            "sky": "#07090C", "air": "#18202B", "floor": "#0D1218", "plate": "#121920", "plate2": "#161F29",
            "aisle": "#1E2834", "tick": "#2A3645", "frame": "#3A4757", "board": "#030405", "text": "#F2F4F7",
            "quiet": "#93A1B0", "data": "#C4CFDB", "skip": "#FFB000", "joined": "#37C6A5", "sum": "#B98310",
            "bar": "#4DA3FF", "track": "#1E2834", "plus": "#FF7A45", "minus": "#5B8CFF",
        },
        "paper": {
            "sky": "#FFFFFF", "air": "#FFFFFF", "floor": "#FFFFFF", "plate": "#F3F2EE", "plate2": "#EBE9E3",
            "aisle": "#DFDCD4", "tick": "#CFCBC1", "frame": "#8A929B", "board": "#FFFFFF", "text": "#14181D",
            "quiet": "#59636E", "data": "#56616C", "skip": "#C25E00", "joined": "#00795F", "sum": "#D9935A",
            "bar": "#2166AC", "track": "#DFDCD4", "plus": "#C0431A", "minus": "#0C54A0",
        },
    }
)  # fmt: skip
"""Role -> sRGB code. `frame` is rims and posts, `board` lies behind tiles, `track` under bars and where a
picture isn't made yet; `plus` and `minus` are what speaks for and against."""


def tint(values: np.ndarray, peak: np.ndarray | float, ramp: str = "signed", gain: float = 1.0) -> np.ndarray:
    """What the shader shows for values of any shape: (..., 3) sRGB 0..1; `peak` broadcasts against `values`.

    NaN and infinity have the marker colour.
    """
    chosen, known = RAMPS[ramp], np.isfinite(values)
    signed = np.where(known, values, 0) * gain / np.maximum(peak, LEAST_PEAK)
    colours = chosen.colours(np.clip(signed * chosen.scale + chosen.offset, 0, 1))
    return np.where(known[..., None], colours, srgb(MARKER))
