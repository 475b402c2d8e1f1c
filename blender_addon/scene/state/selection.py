"""The selected layer and channel, stored in the scene, so that undo and saving include them."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from ...properties import SELECTED_CHANNEL, SELECTED_LAYER


class Selection(NamedTuple):
    """A selected layer or channel."""

    layer: str
    """Id of the layer, "" for none."""
    channel: int
    """Index of the channel, -1 for the whole layer."""


def selected(scene: bpy.types.Scene) -> Selection:
    """Returns the scene's selection."""
    return Selection(str(scene.get(SELECTED_LAYER, "")), int(scene.get(SELECTED_CHANNEL, -1)))
