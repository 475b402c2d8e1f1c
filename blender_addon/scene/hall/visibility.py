"""Which panels are seen: each one can be hidden, and one alone can be shown. Both are kept in the file."""

from __future__ import annotations

import bpy

from ...properties import BAKED_ROLE, OBJECT_ROLE, PANEL_HIDDEN, SOLO_LAYER
from ..panels import link_drawing, panels


def is_hidden(panel: bpy.types.Object) -> bool:
    """Whether a person has hidden this panel."""
    return bool(panel.get(PANEL_HIDDEN, False))


def solo_layer(scene: bpy.types.Scene) -> str:
    """Id of the layer that is shown alone; "" where all are shown."""
    return str(scene.get(SOLO_LAYER, ""))


def apply_visibility(scene: bpy.types.Scene) -> None:
    """Show and hide panels with what hangs on them, in the viewport and in pictures, as the file says."""
    there = panels(scene)
    only = solo_layer(scene) if solo_layer(scene) in there else ""  # its block may have been collapsed
    for id, panel in there.items():
        unseen = id != only if only else is_hidden(panel)
        for one in (panel, *panel.children_recursive):
            one.hide_viewport, one.hide_render = unseen, unseen or one.get(OBJECT_ROLE) == BAKED_ROLE
    link_drawing.update_links(scene)
