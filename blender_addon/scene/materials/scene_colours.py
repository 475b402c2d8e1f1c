"""How the hall of a scene is coloured: custom properties of the scene, which the shared shader groups read.

Nothing else holds it, so one assignment changes every panel, and two halls in a file can look different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import bpy
import numpy as np

from ....torch_bridge.recording.errors import UnknownName
from ...imaging import colour
from ...properties import (
    AIR_COLOUR,
    BOARD_COLOUR,
    COLOUR_GAIN,
    COLOUR_MAP,
    FOG_RANGE,
    LARGEST_PEAK,
    PEAK_WEIGHTS,
    TRACK_COLOUR,
    ZERO_LINE_COLOUR,
)

ROLES = {AIR_COLOUR: "air", BOARD_COLOUR: "board", TRACK_COLOUR: "track", ZERO_LINE_COLOUR: "frame"}

NORMALISATIONS = {"channel": (1.0, 0.0, 0.0), "layer": (0.0, 1.0, 0.0), "network": (0.0, 0.0, 1.0)}
"""The weights of the three peaks in what a value is divided by."""
DEFAULTS = {"ramp": "signed", "normalisation": "channel", "gain": 1.0, "theme": "dark", "fog": ()}

T = TypeVar("T")


def set_scene_colours(
    scene: bpy.types.Scene,
    *,
    ramp: str | None = None,
    normalisation: str | None = None,
    gain: float | None = None,
    theme: str | None = None,
    fog: Sequence[float] | None = None,
) -> None:
    """Changes what is given and leaves the rest; a scene without a look gets DEFAULTS first.

    ramp: a name of colour.RAMPS. fog: (metres that stay clear, metres over which a colour falls to 1/e), () for none.
    Raises UnknownName.
    """
    given = {"ramp": ramp, "normalisation": normalisation, "gain": gain, "theme": theme, "fog": fog}
    chosen = {name: value for name, value in given.items() if value is not None}
    if COLOUR_GAIN not in scene:
        chosen = DEFAULTS | chosen
        scene[LARGEST_PEAK] = scene.get(LARGEST_PEAK, 1.0)
    every = [SETTERS[name](value) for name, value in chosen.items()]  # may raise: nothing is set before
    for key, stored in ((key, stored) for one in every for key, stored in one.items()):
        scene[key] = stored
    scene.update_tag()


def read_scene_colours(scene: bpy.types.Scene) -> dict[str, Any]:
    """Colour map, normalisation, gain and theme of a scene that has a look, as `set_look` takes them."""
    weights, air = tuple(scene[PEAK_WEIGHTS]), np.array(scene[AIR_COLOUR])
    return {
        "ramp": scene_colour_map(scene).name,
        "normalisation": next(name for name, known in NORMALISATIONS.items() if known == weights),
        "gain": float(scene[COLOUR_GAIN]),
        "theme": min(colour.THEMES, key=lambda name: np.abs(colour.linear(colour.THEMES[name]["air"]) - air).max()),
    }


def scene_colour_map(scene: bpy.types.Scene) -> colour.Ramp:
    """The colour map of a scene that has a look."""
    return tuple(colour.RAMPS.values())[int(scene[COLOUR_MAP][0] * len(colour.RAMPS))]


def _ramp(name: str) -> dict[str, Sequence[float]]:
    """Row of the table image, scale and offset."""
    chosen = _one_of("colour map", name, colour.RAMPS)
    row = (list(colour.RAMPS).index(name) + 0.5) / len(colour.RAMPS)
    return {COLOUR_MAP: (row, chosen.scale, chosen.offset)}


def _theme(name: str) -> dict[str, Sequence[float]]:
    codes = _one_of("theme", name, colour.THEMES)
    return {key: colour.linear(codes[role]) for key, role in ROLES.items()}


def _fog(distances: Sequence[float]) -> dict[str, Sequence[float]]:
    """Metres that stay clear, and the density beyond."""
    clear, reach = distances or (0.0, float("inf"))
    return {FOG_RANGE: (float(clear), 1.0 / reach, 0.0)}


def _one_of(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise UnknownName(what, name, known)
    return known[name]


SETTERS = {
    "ramp": _ramp,
    "normalisation": lambda name: {PEAK_WEIGHTS: _one_of("normalisation", name, NORMALISATIONS)},
    "gain": lambda gain: {COLOUR_GAIN: float(gain)},
    "theme": _theme,
    "fog": _fog,
}
"""What each of set_look's settings writes into the scene."""
