"""A channel's map over the input picture: a second picture before it, which shows both blended."""

from __future__ import annotations

import bpy
import numpy as np

from ....torch_bridge.recording.errors import SceneError, UnknownName
from ...imaging import heat_map
from ...plans.primitives import FLAT, Picture
from ...properties import COLOUR_GAIN, OVERLAY_CHANNEL, OVERLAY_ROLE
from ..materials.object_colours import update_object_colours
from ..paint.pictures import add_picture, picture_image, picture_size, read_pixels, update_picture
from ..panels import map_of_channel, panel_metadata, panels
from ..panels import values as reading
from ..state.parts import find_child, hall_collection, pictured_input

BEFORE = 0.01
"""Metres between the input picture and the overlay."""


def show_overlay(scene: bpy.types.Scene, layer: str, channel: int) -> None:
    """Shows a channel's map over the input. Raises UnknownName, or SceneError for maps that don't cover the input."""
    picture = pictured_input(scene)
    if picture is None or picture_image(picture) is None:
        raise SceneError("the hall has lost its input picture; build it again")
    pixels = _pixels(scene, layer, channel)
    holder = find_child(picture, OVERLAY_ROLE)
    if holder is None:
        overlay = Picture("Overlay", OVERLAY_ROLE, pixels, FLAT, picture_size(picture))
        holder = add_picture(overlay, hall_collection(scene))
        holder.parent, holder.location = picture, (0.0, 0.0, BEFORE)
        update_object_colours(scene, [holder])
    scene[OVERLAY_CHANNEL] = [layer, str(channel)]
    _show(holder, pixels, picture)


def restore_overlay(scene: bpy.types.Scene) -> None:
    """Shows the overlay again after the input's picture was made anew, or forgets it if it no longer fits."""
    if OVERLAY_CHANNEL in scene:
        try:
            show_overlay(scene, *overlay_channel(scene))
        except (SceneError, UnknownName):
            scene.pop(OVERLAY_CHANNEL)


def update_overlay(scene: bpy.types.Scene) -> None:
    """Redraws the overlay with what panel and input show now; hides it if the maps no longer cover the input."""
    picture = pictured_input(scene) if OVERLAY_CHANNEL in scene else None
    holder = find_child(picture, OVERLAY_ROLE) if picture is not None else None
    if holder is None:
        return
    layer, channel = overlay_channel(scene)
    try:
        _show(holder, _pixels(scene, layer, channel), picture)
    except (SceneError, UnknownName):
        holder.hide_viewport = holder.hide_render = True


def remove_overlay(scene: bpy.types.Scene) -> None:
    """Removes the overlay and its data-blocks; call it only from operators, so that undo knows of that."""
    scene.pop(OVERLAY_CHANNEL, None)
    picture = pictured_input(scene)
    holder = find_child(picture, OVERLAY_ROLE) if picture is not None else None
    if holder is None:
        return
    mesh, material, image = holder.data, holder.data.materials[0], picture_image(holder)
    bpy.data.batch_remove([block for block in (holder, mesh, material, image) if block is not None])


def overlay_channel(scene: bpy.types.Scene) -> tuple[str, int]:
    """Returns the layer and channel of the overlay; ("", -1) for none."""
    found = scene.get(OVERLAY_CHANNEL)
    return (str(found[0]), int(found[1])) if found else ("", -1)


def is_overlay_shown(scene: bpy.types.Scene) -> bool:
    """Returns whether a map lies over the input: not where its maps no longer cover it, or a person has removed it."""
    picture = pictured_input(scene) if OVERLAY_CHANNEL in scene else None
    holder = find_child(picture, OVERLAY_ROLE) if picture is not None else None
    return holder is not None and not holder.hide_viewport


def covers_input(scene: bpy.types.Scene, layer: str) -> bool:
    """Returns whether a layer shows maps of values that cover the input."""
    panel = panels(scene).get(layer)
    return panel is not None and panel_metadata.read_metadata(panel).frame == "input" and not reading.is_colour(panel)


def _show(holder: bpy.types.Object, pixels: np.ndarray, picture: bpy.types.Object) -> None:
    update_picture(holder, pixels, picture_size(picture))
    holder.hide_viewport = holder.hide_render = False


def _pixels(scene: bpy.types.Scene, layer: str, channel: int) -> np.ndarray:
    """Returns the blended picture, (H, W, 3) uint8 sRGB, top row first."""
    panel, picture = panels(scene).get(layer), pictured_input(scene)
    if panel is None:
        raise UnknownName("panel of layer", layer, panels(scene))
    if not covers_input(scene, layer):
        raise SceneError(f"the maps of {layer} don't cover the input; run grad_cam, saliency or occlusion first")
    values = reading.map_of(panel, channel)
    if values is None:
        raise SceneError(f"panel {panel.name!r} has lost its image; build the hall again")
    scale = float(reading.scales_of(scene, panel)[map_of_channel(panel, channel)]) / float(scene[COLOUR_GAIN])
    return heat_map.overlay_heat(read_pixels(picture_image(picture)), values, scale)
