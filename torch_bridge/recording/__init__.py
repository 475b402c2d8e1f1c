"""Recordings: the data model of one run of a network, and its form on disk.

Standard library and numpy only; Blender's side imports this package. Names are imported on first use, because the
extension's registration needs only errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .channels import check_channels, format_channels, parse_channels
    from .charts import Chart
    from .data_model import (
        ACTIVATIONS,
        BOARD_ROLES,
        CATEGORY,
        FLAGS,
        LINK_PREFIX,
        Edge,
        Layer,
        MapFrame,
        Maps,
        Network,
        Prediction,
        Role,
        channel_picture,
        flag_names,
        map_index,
        pack,
        peaks,
        place_text,
        unpack,
    )
    from .endpoints import Endpoint, EndpointKind
    from .grids import near_square
    from .progress import Progress, ignore_progress
    from .recording import Recording, describe, pictures
    from .schema import describe_network
    from .series import Series, load_series
    from .series_writing import SeriesWriter
    from .storage import load, restore, restore_maps, restore_network, save
    from .writing import describe_maps

__all__ = [
    "ACTIVATIONS",
    "BOARD_ROLES",
    "CATEGORY",
    "FLAGS",
    "LINK_PREFIX",
    "Chart",
    "Edge",
    "Endpoint",
    "EndpointKind",
    "Layer",
    "MapFrame",
    "Maps",
    "Network",
    "Prediction",
    "Progress",
    "Recording",
    "Role",
    "Series",
    "SeriesWriter",
    "channel_picture",
    "check_channels",
    "describe",
    "describe_maps",
    "describe_network",
    "flag_names",
    "format_channels",
    "ignore_progress",
    "load",
    "load_series",
    "map_index",
    "near_square",
    "pack",
    "parse_channels",
    "peaks",
    "pictures",
    "place_text",
    "restore",
    "restore_maps",
    "restore_network",
    "save",
    "unpack",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "ACTIVATIONS": "data_model",
        "BOARD_ROLES": "data_model",
        "CATEGORY": "data_model",
        "FLAGS": "data_model",
        "LINK_PREFIX": "data_model",
        "Chart": "charts",
        "Edge": "data_model",
        "Endpoint": "endpoints",
        "EndpointKind": "endpoints",
        "Layer": "data_model",
        "MapFrame": "data_model",
        "Maps": "data_model",
        "Network": "data_model",
        "Prediction": "data_model",
        "Progress": "progress",
        "Recording": "recording",
        "Role": "data_model",
        "Series": "series",
        "SeriesWriter": "series_writing",
        "channel_picture": "data_model",
        "check_channels": "channels",
        "describe": "recording",
        "describe_maps": "writing",
        "describe_network": "schema",
        "flag_names": "data_model",
        "format_channels": "channels",
        "ignore_progress": "progress",
        "load": "storage",
        "load_series": "series",
        "map_index": "data_model",
        "near_square": "grids",
        "pack": "data_model",
        "parse_channels": "channels",
        "peaks": "data_model",
        "pictures": "recording",
        "place_text": "data_model",
        "restore": "storage",
        "restore_maps": "storage",
        "restore_network": "storage",
        "save": "storage",
        "unpack": "data_model",
    },
)
