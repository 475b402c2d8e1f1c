"""Colour maps, themes, and the colours of values. numpy only.

Hex codes are sRGB; everything passed to Blender is linear light. `colour_values` computes in numpy what the shader
shows, for legends, exports and tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

TABLE_ENTRIES = 2049
"""Entries of a colour table. With so many, the nearest entry is within 0.2/255; an interpolated lookup would be blurred
by mip levels on a GPU. Zero and all nine stops lie exactly on an entry."""
FLAG = np.finfo(np.float32).max
"""Replaces NaN and infinity in images; the shader shows values beyond FLAG_FROM in the marker colour."""
FLAG_FROM = float(np.nextafter(FLAG, np.float32(0)))
MIN_PEAK = 1e-12
"""Smallest peak to divide by, so that a channel with peak 0 doesn't divide by zero."""
MARKER = "#FF00C8"
BAR = (0.2, 0.8)
"""Part of a tile's height, from and to, that the bar of a vector's value covers."""
ZERO_LINE = 0.012
"""Half the width of a bar's zero line, as a share of the tile's width."""


def to_linear(srgb: np.ndarray | float) -> np.ndarray:
    """Converts sRGB 0..1 of any shape to linear light 0..1, float64."""
    srgb = np.asarray(srgb, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray | float) -> np.ndarray:
    """Converts linear light 0..1 of any shape to sRGB 0..1, float64."""
    linear = np.asarray(linear, np.float64)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def srgb(code: str) -> np.ndarray:
    """Parses "#RRGGBB" into (3,) sRGB 0..1, float64."""
    return np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def linear(code: str) -> tuple[float, float, float]:
    """Parses "#RRGGBB" into linear red, green and blue, 0..1, as Blender's sockets and properties expect."""
    red, green, blue = to_linear(srgb(code))
    return float(red), float(green), float(blue)


@dataclass(frozen=True)
class ColourMap:
    """Colour map with evenly spaced sRGB stops, from -peak (diverging) or 0 (sequential) to +peak."""

    name: str
    stops: tuple[str, ...]
    diverging: bool

    @property
    def scale(self) -> float:
        """Factor that maps value / peak to a position: position = value / peak * scale + offset."""
        return 0.5 if self.diverging else 1.0

    @property
    def offset(self) -> float:
        """Position of the value 0."""
        return 0.5 if self.diverging else 0.0

    def colours(self, position: np.ndarray) -> np.ndarray:
        """Interpolates positions 0..1 of any shape linearly between the stops; returns (..., 3) sRGB 0..1."""
        positions = np.linspace(0, 1, len(self.stops))
        stops = np.array([srgb(code) for code in self.stops])
        return np.stack([np.interp(position, positions, stops[:, k]) for k in range(3)], -1)

    def table(self) -> np.ndarray:
        """Returns the lookup table of the shader, (TABLE_ENTRIES, 3) float32 linear light."""
        return to_linear(self.colours(np.linspace(0, 1, TABLE_ENTRIES))).astype(np.float32)


def _colour_map(name: str, stops: str, diverging: bool = True) -> ColourMap:
    return ColourMap(name, tuple(stops.split()), diverging)


_COLOUR_MAPS = (
    _colour_map("signed", "#3D7BFF #2A5BD0 #153B9F #0B1E51 #000000 #444444 #898989 #C4C4C4 #FFFFFF"),
    _colour_map("paper", "#0C54A0 #497CBC #7EA5D6 #B7CEED #F7F8F9 #F0C1B5 #D88E7B #BB5B44 #9A2300"),
    _colour_map("ember", "#0A001B #2F003B #5E014F #901555 #BE374F #E06349 #F59556 #FEC784 #FFF4CB", diverging=False),
)
COLOUR_MAPS: Mapping[str, ColourMap] = MappingProxyType({each.name: each for each in _COLOUR_MAPS})
"""Colour maps by name, in the order of the rows of the table image. `signed` suits the dark theme and `paper` print:
zero has the background's colour. `ember` runs from 0 to the peak."""


def colour_table() -> np.ndarray:
    """Returns the tables of all colour maps with alpha 1, (maps, TABLE_ENTRIES, 4) float32 linear light."""
    tables = np.stack([each.table() for each in COLOUR_MAPS.values()])
    return np.concatenate([tables, np.ones_like(tables[..., :1])], -1)


_THEMES = {
    "dark": {
        "sky": "#07090C", "air": "#18202B", "floor": "#0D1218", "plate": "#121920", "plate2": "#161F29",
        "aisle": "#1E2834", "tick": "#2A3645", "frame": "#3A4757", "board": "#030405", "text": "#F2F4F7",
        "quiet": "#93A1B0", "data": "#C4CFDB", "skip": "#FFB000", "joined": "#37C6A5", "sum": "#B98310",
        "bar": "#4DA3FF", "track": "#1E2834", "plus": "#FF7A45", "minus": "#5B8CFF",
    },
    "paper": {
        "sky": "#FFFFFF", "air": "#FFFFFF", "floor": "#FFFFFF", "plate": "#F3F2EE", "plate2": "#EBE9E3",
        "aisle": "#DFDCD4", "tick": "#CFCBC1", "frame": "#8A929B", "board": "#FFFFFF", "text": "#14181D",
        "quiet": "#57606B", "data": "#56616C", "skip": "#B25300", "joined": "#00795F", "sum": "#D9935A",
        "bar": "#2166AC", "track": "#DFDCD4", "plus": "#C0431A", "minus": "#0C54A0",
    },
}  # fmt: skip
THEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(_THEMES)
"""sRGB codes by theme and role. `frame` colours rims and posts, `board` lies behind tiles, `track` under bars and where
a picture isn't made yet; `plus` and `minus` mark evidence for and against."""


def colour_values(
    values: np.ndarray, peak: np.ndarray | float, colour_map: str = "signed", gain: float = 1.0
) -> np.ndarray:
    """Returns the shader's colours (..., 3), sRGB 0..1, of values of any shape; `peak` broadcasts against `values`.

    NaN and infinity get the marker colour.
    """
    used, finite = COLOUR_MAPS[colour_map], np.isfinite(values)
    signed = np.where(finite, values, 0) * gain / np.maximum(peak, MIN_PEAK)
    colours = used.colours(np.clip(signed * used.scale + used.offset, 0, 1))
    return np.where(finite[..., None], colours, srgb(MARKER))
