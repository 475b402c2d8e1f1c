"""Panels: one object for each layer, its values and metadata, and what is drawn on its tiles."""

from .objects import (
    Grid,
    add_panel,
    channels_of,
    find,
    grid_of,
    image_of,
    panel_of,
    panels,
    places,
    refresh,
    show_channels,
    show_maps,
    size_of,
    tiles_of,
    world_of,
)

__all__ = [
    "Grid",
    "add_panel",
    "channels_of",
    "find",
    "grid_of",
    "image_of",
    "panel_of",
    "panels",
    "places",
    "refresh",
    "show_channels",
    "show_maps",
    "size_of",
    "tiles_of",
    "world_of",
]
