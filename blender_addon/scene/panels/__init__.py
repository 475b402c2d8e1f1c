"""Panels: one object for each layer, its values and metadata, and what is drawn on its tiles."""

from .objects import (
    Grid,
    add_panel,
    channel_count,
    channel_places,
    find_panel,
    grid_of,
    image_of,
    panel_of,
    panels,
    show_channels,
    show_maps,
    size_of,
    tiles_modifier,
    update_network_peak,
    world_matrix,
)

__all__ = [
    "Grid",
    "add_panel",
    "channel_count",
    "find_panel",
    "grid_of",
    "image_of",
    "panel_of",
    "panels",
    "channel_places",
    "update_network_peak",
    "show_channels",
    "show_maps",
    "size_of",
    "tiles_modifier",
    "world_matrix",
]
