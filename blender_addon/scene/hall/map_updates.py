"""What follows when panels were filled: all that is drawn of their maps beside the tiles."""

from __future__ import annotations

import bpy

from .. import panels
from ..dressing import input_overlay
from ..panels import annotation_drawing, link_drawing


def update_after_maps(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """After the last panel was filled: peaks, marks, beams, what is laid over the input. No data-block comes or goes.

    pixel: metres of one, where a figure is seen from outside.
    """
    panels.update_network_peak(scene)
    annotation_drawing.update_annotations(scene)
    link_drawing.update_links(scene, pixel)
    input_overlay.update_overlay(scene)
