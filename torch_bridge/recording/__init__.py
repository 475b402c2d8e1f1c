"""Recordings: the data model of one run of a network, and its form on disk.

Standard library and numpy only; Blender's side imports this package.
"""

from .model import (
    ACTIVATIONS,
    FLAGS,
    Edge,
    Frame,
    Layer,
    Maps,
    Network,
    Prediction,
    Recording,
    Role,
    pack,
    peaks,
    channel_picture,
    unpack,
)
from .schema import describe_network
from .storage import describe, describe_maps, load, restore, restore_maps, restore_network, save

__all__ = [
    "ACTIVATIONS",
    "FLAGS",
    "Edge",
    "Frame",
    "Layer",
    "Maps",
    "Network",
    "Prediction",
    "Recording",
    "Role",
    "describe",
    "describe_maps",
    "describe_network",
    "load",
    "pack",
    "peaks",
    "channel_picture",
    "restore",
    "restore_maps",
    "restore_network",
    "save",
    "unpack",
]
