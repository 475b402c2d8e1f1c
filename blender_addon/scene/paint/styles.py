"""Styles for plans that are drawn in Blender: a theme's colours, and the exact lengths of texts in Blender's fonts."""

from __future__ import annotations

import bpy

from ...plans.primitives import Style
from ..materials import colour_settings
from . import glyphs


def theme_style(theme: str) -> Style:
    """Returns the style of a theme. Raises UnknownName."""
    return Style.of(theme, glyphs.measure)


def scene_style(scene: bpy.types.Scene) -> Style:
    """Returns the style of the theme that a hall has now."""
    return theme_style(colour_settings.read_scene_colours(scene)["theme"])
