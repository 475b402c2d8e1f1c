"""Draws the boards with charts as one mesh, which stands empty in every hall: showing some makes no data-block."""

from __future__ import annotations

import hashlib

import bpy

from ...plans.chart_boards import first_charts, plan_charts
from ...plans.surroundings import LEAST_TEXT
from ...properties import CHARTS_ROLE, DRAWN_CONTENT, PANEL_ORDER
from ..materials import colour_settings
from ..paint.meshes import repaint
from ..paint.styles import scene_style
from ..state.parts import find_part
from . import panel_metadata
from .objects import panels


def update_charts(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """Draws the charts that the panels' maps carry now. pixel: metres of one pixel in a figure."""
    holder = find_part(scene, CHARTS_ROLE)
    if holder is None or holder.type != "MESH":
        return
    in_order = sorted(panels(scene).values(), key=lambda panel: panel.get(PANEL_ORDER, 0))
    charts = first_charts(panel_metadata.read_metadata(panel).charts for panel in in_order)
    theme = colour_settings.read_scene_colours(scene)["theme"]
    digest = hashlib.blake2b(f"{charts} {pixel} {theme}".encode(errors="replace"), digest_size=12)
    key = digest.hexdigest() if charts else ""
    if holder.get(DRAWN_CONTENT, "") == key and bool(len(holder.data.vertices)) == bool(key):
        return
    repaint(plan_charts(charts, scene_style(scene), least=LEAST_TEXT * pixel / (holder.scale[0] or 1.0)), holder)
    holder[DRAWN_CONTENT] = key
