"""Writes the numbers of channels to the points of panels, for a person's own geometry nodes."""

from __future__ import annotations

from dataclasses import replace

import bpy

from ....torch_bridge.recording import Maps
from ...properties import NODE_GROUP_NAME, PANEL_FILL_COUNT, PANEL_LAYER_ID, PANEL_MEASURED_FILL
from . import panel_metadata, values
from .objects import channel_count, held_channels, panels


def update_point_values(scene: bpy.types.Scene) -> None:
    """Writes the attributes `value` and `peak` of all panels of a hall whose maps have changed since.

    The tiles of these panels are made again. Panels that have lost their image are left out.
    """
    for panel in panels(scene).values():
        if panel.get(PANEL_MEASURED_FILL) != panel.get(PANEL_FILL_COUNT):
            _update(panel)


def has_own_nodes() -> bool:
    """Returns whether the file has node groups of a person, which may read the points of panels."""
    return any(NODE_GROUP_NAME not in group for group in bpy.data.node_groups)


def _update(panel: bpy.types.Object) -> None:
    texels = values.texels_of(panel)
    if texels is not None:
        peaks, numbers = {"peak": values.peaks_of(panel)}, tuple(held_channels(panel).tolist())
        maps = Maps(panel[PANEL_LAYER_ID], "", texels, channel_count(panel), values.is_colour(panel), extras=peaks)
        panel_metadata.write_point_values(panel, replace(maps, channel_numbers=numbers))
