"""Updates everything that depends on the panels' maps, after they were filled."""

from __future__ import annotations

import bpy

from .. import panels
from ..dressing import input_overlay
from ..panels import annotation_drawing, link_drawing


def update_after_maps(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """Updates peaks, annotations, links and the input's overlay, in place: no data-block is created or removed.

    In the background, updates the points' `value` and `peak` too, which in a window would make all tiles again.

    pixel: metres of a pixel in an overview figure, else 0.
    """
    panels.update_network_peak(scene)
    annotation_drawing.update_annotations(scene, pixel)
    link_drawing.update_links(scene, pixel)
    input_overlay.update_overlay(scene)
    if bpy.app.background:
        panels.update_point_values(scene)
