"""Which layer and which channel a person looks at. It is kept in the scene, so undo and saving know it."""

from __future__ import annotations

import bpy

from ...torch_bridge.recording.errors import UnknownName
from ..properties import SELECTED_CHANNEL, SELECTED_LAYER
from ..scene.panels import annotation_drawing as marks
from ..scene.panels import panel_of
from ..scene.state.selection import Selected, selected

__all__ = ["Selected", "select", "selected"]


def select(scene: bpy.types.Scene, layer: str, channel: int = -1) -> str:
    """Look at a layer, or at one channel of it; its panel becomes the active object. "" looks at none.

    Raises UnknownName.
    """
    panel = panel_of(scene, layer) if layer else None
    count = len(panel.data.vertices) if panel else 0
    if not -1 <= channel < count:
        raise UnknownName(f"channel of {layer or 'nothing'}", str(channel), [f"0 to {count - 1}"] if count else [])
    scene[SELECTED_LAYER], scene[SELECTED_CHANNEL] = layer, channel
    for view_layer in scene.view_layers:
        for one in list(view_layer.objects.selected):
            one.select_set(False, view_layer=view_layer)
        if panel and panel.name in view_layer.objects:
            panel.select_set(True, view_layer=view_layer)
            view_layer.objects.active = panel
    marks.renew_input(scene)
    return "nothing selected" if not layer else layer if channel < 0 else f"{layer}, channel {channel}"
