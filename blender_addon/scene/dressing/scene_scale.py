"""The colour scale that a hall's legends show."""

from __future__ import annotations

import bpy

from ...plans.legend import ColourScale, colour_scale
from ...properties import COLOUR_GAIN, LARGEST_PEAK, PEAK_WEIGHTS
from ..materials.colour_settings import scene_colour_map


def read_colour_scale(scene: bpy.types.Scene, layer_peak: float | None = None, *, bars: bool = False) -> ColourScale:
    """Returns the colour scale of a hall, or of one of its layers if `layer_peak` is given.

    bars: the layer is a vector: values use the layer's peak where maps would use their channel's.
    """
    normalisation = max(list(scene[PEAK_WEIGHTS]).index(1.0), int(bars))
    peak = (None, layer_peak, float(scene[LARGEST_PEAK]))[normalisation]
    return colour_scale(scene_colour_map(scene), normalisation, float(scene[COLOUR_GAIN]), peak)
