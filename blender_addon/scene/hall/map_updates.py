"""Updates everything that depends on the panels' maps, after they were filled."""

from __future__ import annotations

import bpy

from .. import panels
from ..dressing import input_overlay, title_caption
from ..panels import annotation_drawing, chart_drawing, link_drawing
from . import store


def update_after_maps(scene: bpy.types.Scene, pixel: float = 0.0, points: bool | None = None, method: str = "") -> None:
    """Updates peaks, annotations, links, charts, caption and overlay, in place: no data-block is created or removed.

    pixel: metres of a pixel in an overview figure, else 0. points: update the points' `value` and `peak` too, which
    makes all tiles again; by default only in the background. method: that of the maps, "" for the hall's.
    """
    panels.update_network_peak(scene)
    annotation_drawing.update_annotations(scene, pixel)
    link_drawing.update_links(scene, pixel)
    chart_drawing.update_charts(scene, pixel)
    input_overlay.update_overlay(scene)
    title_caption.update_caption(scene, method or store.shown_method(scene))
    if bpy.app.background if points is None else points:
        panels.update_point_values(scene)
