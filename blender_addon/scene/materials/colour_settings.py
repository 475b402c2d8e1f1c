"""Colour settings of a hall, stored as custom properties of its scene.

Shaders read copies on the hall's objects (object_colours.py), so that a hall looks the same in every scene and file.
Each hall of a file has its own settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import bpy
import numpy as np

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import colour_maps
from ...properties import (
    BOARD_COLOUR,
    COLOUR_GAIN,
    COLOUR_MAP,
    FOG_COLOUR,
    FOG_RANGE,
    LARGEST_PEAK,
    PEAK_WEIGHTS,
    TRACK_COLOUR,
    ZERO_LINE_COLOUR,
)
from .object_colours import update_object_colours

THEME_ROLES = {FOG_COLOUR: "air", BOARD_COLOUR: "board", TRACK_COLOUR: "track", ZERO_LINE_COLOUR: "frame"}
"""The theme's role for each property that holds a colour."""

NORMALISATIONS = {"channel": (1.0, 0.0, 0.0), "layer": (0.0, 1.0, 0.0), "network": (0.0, 0.0, 1.0)}
"""Weights of the channel's, the layer's and the network's peak in the divisor of a value."""

DEFAULTS = {"colour_map": "signed", "normalisation": "channel", "gain": 1.0, "theme": "dark", "fog": ()}

T = TypeVar("T")


def set_scene_colours(
    scene: bpy.types.Scene,
    *,
    colour_map: str | None = None,
    normalisation: str | None = None,
    gain: float | None = None,
    theme: str | None = None,
    fog: Sequence[float] | None = None,
) -> None:
    """Changes the settings that aren't None, also on the hall's objects; a scene without any gets DEFAULTS for others.

    colour_map: a name in `colour_maps.COLOUR_MAPS`. fog: metres without fog, and metres over which a colour then falls
    to 1/e; () for no fog. Raises UnknownName; then no setting is changed.
    """
    arguments = {"colour_map": colour_map, "normalisation": normalisation, "gain": gain, "theme": theme, "fog": fog}
    settings = {name: value for name, value in arguments.items() if value is not None}
    if COLOUR_GAIN not in scene:
        settings = DEFAULTS | settings
        scene[LARGEST_PEAK] = scene.get(LARGEST_PEAK, 1.0)
    properties: dict[str, Any] = {}
    for name, value in settings.items():  # may raise, so the scene is changed afterwards
        properties |= PROPERTIES[name](value)
    for key, stored in properties.items():
        scene[key] = stored
    update_object_colours(scene)


def read_scene_colours(scene: bpy.types.Scene) -> dict[str, Any]:
    """Returns colour map, normalisation, gain and theme of a hall's scene, as `set_scene_colours` takes them."""
    weights, fog = tuple(scene[PEAK_WEIGHTS]), np.array(scene[FOG_COLOUR])
    return {
        "colour_map": scene_colour_map(scene).name,
        "normalisation": next(name for name, known in NORMALISATIONS.items() if known == weights),
        "gain": float(scene[COLOUR_GAIN]),
        "theme": min(
            colour_maps.THEMES, key=lambda name: np.abs(colour_maps.linear(colour_maps.THEMES[name]["air"]) - fog).max()
        ),
    }


def scene_colour_map(scene: bpy.types.Scene) -> colour_maps.ColourMap:
    """Returns the colour map of a hall's scene."""
    return tuple(colour_maps.COLOUR_MAPS.values())[int(scene[COLOUR_MAP][0] * len(colour_maps.COLOUR_MAPS))]


def _colour_map(name: str) -> dict[str, Sequence[float]]:
    """Returns the row of the table image (0..1), scale and offset."""
    colour_map = _find("colour map", name, colour_maps.COLOUR_MAPS)
    row = (list(colour_maps.COLOUR_MAPS).index(name) + 0.5) / len(colour_maps.COLOUR_MAPS)
    return {COLOUR_MAP: (row, colour_map.scale, colour_map.offset)}


def _theme(name: str) -> dict[str, Sequence[float]]:
    """Returns the theme's colours in linear RGB."""
    codes = _find("theme", name, colour_maps.THEMES)
    return {key: colour_maps.linear(codes[role]) for key, role in THEME_ROLES.items()}


def _fog(distances: Sequence[float]) -> dict[str, Sequence[float]]:
    """Returns the metres without fog and the density beyond them."""
    clear, falloff = distances or (0.0, float("inf"))
    return {FOG_RANGE: (float(clear), 1.0 / falloff, 0.0)}


def _find(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise UnknownName(what, name, known)
    return known[name]


PROPERTIES = {
    "colour_map": _colour_map,
    "normalisation": lambda name: {PEAK_WEIGHTS: _find("normalisation", name, NORMALISATIONS)},
    "gain": lambda gain: {COLOUR_GAIN: float(gain)},
    "theme": _theme,
    "fog": _fog,
}
"""Functions that return the scene properties of a setting's value."""
