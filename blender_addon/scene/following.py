"""What follows when panels were filled: all that is drawn of their maps beside the tiles."""

from __future__ import annotations

import bpy

from . import beams, marks, overlay, panels


def refresh(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """After the last panel was filled: peaks, marks, beams, what is laid over the input. No data-block comes or goes.

    pixel: metres of one, where a figure is seen from outside.
    """
    panels.refresh(scene)
    marks.renew(scene)
    beams.renew(scene, pixel)
    overlay.renew(scene)
