"""Which layer and which channel a person looks at. It is kept in the scene, so undo and saving know it."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from ...properties import SELECTED_CHANNEL, SELECTED_LAYER


class Selection(NamedTuple):
    """What is looked at."""

    layer: str
    """Id of the layer, "" for none."""
    channel: int
    """-1 for the whole layer."""


def selected(scene: bpy.types.Scene) -> Selection:
    """What is looked at."""
    return Selection(str(scene.get(SELECTED_LAYER, "")), int(scene.get(SELECTED_CHANNEL, -1)))
