"""Recordings: the data model of one run of a network, and its form on disk.

Standard library and numpy only; Blender's side imports this package.
"""

from .channels import check_channels, format_channels, parse_channels
from .data_model import (
    ACTIVATIONS,
    FLAGS,
    LINK_PREFIX,
    Edge,
    Layer,
    MapFrame,
    Maps,
    Network,
    Prediction,
    Recording,
    Role,
    channel_picture,
    flag_names,
    pack,
    peaks,
    unpack,
)
from .grids import near_square
from .progress import Progress, ignore_progress
from .schema import describe_network
from .storage import describe, describe_maps, load, restore, restore_maps, restore_network, save

__all__ = [
    "ACTIVATIONS",
    "FLAGS",
    "LINK_PREFIX",
    "Edge",
    "Layer",
    "MapFrame",
    "Maps",
    "Network",
    "Prediction",
    "Progress",
    "Recording",
    "Role",
    "channel_picture",
    "check_channels",
    "describe",
    "describe_maps",
    "describe_network",
    "flag_names",
    "format_channels",
    "ignore_progress",
    "load",
    "near_square",
    "pack",
    "parse_channels",
    "peaks",
    "restore",
    "restore_maps",
    "restore_network",
    "save",
    "unpack",
]
