"""Panels: one object for each layer, its values and metadata, and what is drawn on its tiles."""

from .annotation_drawing import update_annotations, update_input_boxes
from .link_drawing import strongest_links, update_links
from .objects import (
    GridSpec,
    add_panel,
    channel_count,
    channel_places,
    find_panel,
    grid_of,
    held_channels,
    image_of,
    map_of_channel,
    panel_of,
    panels,
    show_channels,
    show_maps,
    shows_channels,
    size_of,
    tile_corners,
    tiles_modifier,
    update_network_peak,
    world_matrix,
)
from .panel_metadata import PanelMetadata, read_metadata
from .point_values import update_point_values
from .values import holds_maps, is_colour, is_vector, map_of, scales_of, value_at

__all__ = [
    "GridSpec",
    "PanelMetadata",
    "add_panel",
    "channel_count",
    "channel_places",
    "find_panel",
    "grid_of",
    "held_channels",
    "holds_maps",
    "image_of",
    "is_colour",
    "is_vector",
    "map_of",
    "map_of_channel",
    "panel_of",
    "panels",
    "read_metadata",
    "scales_of",
    "show_channels",
    "show_maps",
    "shows_channels",
    "size_of",
    "strongest_links",
    "tile_corners",
    "tiles_modifier",
    "update_annotations",
    "update_input_boxes",
    "update_links",
    "update_network_peak",
    "update_point_values",
    "value_at",
    "world_matrix",
]
