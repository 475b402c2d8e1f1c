"""Which layer and which channel a person looks at. It is kept in the scene, so undo and saving know it."""

from __future__ import annotations

from typing import NamedTuple

import bpy

LAYER, CHANNEL = "innerwalk_layer", "innerwalk_channel"


class Selected(NamedTuple):
    """What is looked at."""

    layer: str
    """Id of the layer, "" for none."""
    channel: int
    """-1 for the whole layer."""


def selected(scene: bpy.types.Scene) -> Selected:
    """What is looked at."""
    return Selected(str(scene.get(LAYER, "")), int(scene.get(CHANNEL, -1)))
