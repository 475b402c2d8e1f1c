"""The colours of a hall on its objects, as custom properties that the shader groups read.

They go with the objects wherever those are appended, linked or instanced. They are few, because Cycles looks each up
wherever a ray meets a surface, and EEVEE has at most eight for a material.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy

from ...properties import (
    COLLAPSED_PANELS,
    COLOUR_GAIN,
    COLOUR_MAP,
    FOG_COLOUR,
    FOG_RANGE,
    LARGEST_PEAK,
    MATERIAL_KIND,
    OBJECT_ROLE,
    PANEL_BRIGHTNESS,
    PANEL_LAYER_ID,
    PEAK_WEIGHTS,
    TRACK_COLOUR,
    VALUE_RANGE,
    ZERO_LINE_COLOUR,
)


def update_object_colours(scene: bpy.types.Scene, objects: Iterable[bpy.types.Object] | None = None) -> None:
    """Copies the colours of a hall's scene to its objects; those that have them already aren't evaluated again.

    objects: by default all of the hall, panels of collapsed blocks included. Does nothing without colours in the scene.
    """
    if COLOUR_GAIN not in scene:
        return
    fog = {key: tuple(scene[key]) for key in (FOG_RANGE, FOG_COLOUR)}
    bars = {key: tuple(scene[key]) for key in (TRACK_COLOUR, ZERO_LINE_COLOUR)}
    for holder in _hall_objects(scene) if objects is None else objects:
        wanted = fog
        if LARGEST_PEAK in holder:
            wanted = fog | bars | {VALUE_RANGE: _value_range(scene, holder)}
        changed = {key: value for key, value in wanted.items() if tuple(holder.get(key, ())) != value}
        for key, value in changed.items():
            holder[key] = value
        if changed:
            holder.update_tag(refresh={"OBJECT"})  # else the shader reads the old colours; tiles aren't rebuilt


def dim_panels(scene: bpy.types.Scene, brightness: Mapping[str, float]) -> None:
    """Shows the maps of panels darker, by layer: factors above 0 up to 1; all others as bright as ever."""
    changed = []
    for panel in _hall_objects(scene):
        share = float(brightness.get(str(panel.get(PANEL_LAYER_ID, "")), 1.0))
        if LARGEST_PEAK in panel and share != panel.get(PANEL_BRIGHTNESS, 1.0):
            panel[PANEL_BRIGHTNESS] = share
            changed.append(panel)
    update_object_colours(scene, changed)


def _hall_objects(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Returns the objects with a surface that may be changed; those of a linked file may not."""
    collapsed = scene.get(COLLAPSED_PANELS)
    objects = (*scene.objects, *(collapsed.objects if collapsed else ()))
    return [holder for holder in objects if OBJECT_ROLE in holder and holder.type == "MESH" and holder.is_editable]


def _value_range(scene: bpy.types.Scene, panel: bpy.types.Object) -> tuple[float, float, float, float]:
    """Returns VALUE_RANGE of a panel. A vector's channels have one value, so the layer's peak stands for theirs."""
    row, scale, offset = scene[COLOUR_MAP]
    channel, layer, network = scene[PEAK_WEIGHTS]
    materials = panel.data.materials
    if materials and materials[0] and materials[0].get(MATERIAL_KIND) == "bars":
        channel, layer = 0.0, channel + layer
    factor = 1.0 / (float(scene[COLOUR_GAIN]) * scale * float(panel.get(PANEL_BRIGHTNESS, 1.0)))
    addend = layer * float(panel[LARGEST_PEAK]) + network * float(scene[LARGEST_PEAK])
    return channel * factor, addend * factor, offset, row
