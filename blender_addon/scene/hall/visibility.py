"""Visibility of panels: each can be hidden, or one shown alone; both are stored in the file."""

from __future__ import annotations

import bpy

from ...properties import PANEL_HIDDEN, SOLO_LAYER
from ..panels import link_drawing, panels


def is_hidden(panel: bpy.types.Object) -> bool:
    """Returns whether a person has hidden a panel."""
    return bool(panel.get(PANEL_HIDDEN, False))


def solo_layer(scene: bpy.types.Scene) -> str:
    """Returns the id of the layer that is shown alone; "" if all are shown."""
    return str(scene.get(SOLO_LAYER, ""))


def apply_visibility(scene: bpy.types.Scene) -> None:
    """Shows and hides panels with their children in the viewport and in renders, as the scene's properties say."""
    scene_panels = panels(scene)
    solo = solo_layer(scene) if solo_layer(scene) in scene_panels else ""  # its block may have been collapsed
    for id, panel in scene_panels.items():
        hidden = id != solo if solo else is_hidden(panel)
        for holder in (panel, *panel.children_recursive):
            holder.hide_viewport = holder.hide_render = hidden
    link_drawing.update_links(scene)
