"""A channel's map laid over the input picture: a picture of its own before it, of both together."""

from __future__ import annotations

import bpy
import numpy as np

from ....torch_bridge.recording.errors import SceneError, UnknownName
from ...imaging import heat_map
from ...plans.primitives import FLAT, Picture
from ...properties import COLOUR_GAIN, OVERLAY_CHANNEL, OVERLAY_ROLE
from ..paint.pictures import add_picture, picture_image, picture_size, read_pixels, update_picture
from ..panels import channels_of, panel_metadata, panels
from ..panels import values as reading
from ..state.parts import child_of, collection_of, part_of

BEFORE = 0.01
"""Metres before the picture."""


def lay(scene: bpy.types.Scene, layer: str, channel: int) -> None:
    """Lay a channel's map over the input. Raises UnknownName or SceneError where it can't be."""
    picture = part_of(scene, "input")
    if picture is None or picture_image(picture) is None:
        raise SceneError("the hall has lost its input picture; build it again")
    pixels = _pixels(scene, layer, channel)
    holder = child_of(picture, OVERLAY_ROLE)
    if holder is None:
        overlay = Picture("Overlay", OVERLAY_ROLE, pixels, FLAT, picture_size(picture))
        holder = add_picture(overlay, collection_of(scene))
        holder.parent, holder.location = picture, (0.0, 0.0, BEFORE)
    scene[OVERLAY_CHANNEL] = [layer, str(channel)]
    _show(holder, pixels, picture)


def lay_again(scene: bpy.types.Scene) -> None:
    """After a hall was dressed anew: the same over its new picture, if it still fits."""
    if OVERLAY_CHANNEL in scene:
        try:
            lay(scene, *told(scene))
        except (SceneError, UnknownName):
            scene.pop(OVERLAY_CHANNEL)


def renew(scene: bpy.types.Scene) -> None:
    """The same with what panel and input show now; nothing is laid over it where they no longer fit."""
    picture = part_of(scene, "input") if OVERLAY_CHANNEL in scene else None
    holder = child_of(picture, OVERLAY_ROLE) if picture is not None else None
    if holder is None:
        return
    layer, channel = told(scene)
    try:
        _show(holder, _pixels(scene, layer, channel), picture)
    except (SceneError, UnknownName):
        holder.hide_viewport = holder.hide_render = True


def lift(scene: bpy.types.Scene) -> None:
    """Take it away. Only in a person's action: a data-block goes."""
    scene.pop(OVERLAY_CHANNEL, None)
    picture = part_of(scene, "input")
    holder = child_of(picture, OVERLAY_ROLE) if picture is not None else None
    if holder is None:
        return
    mesh, material, image = holder.data, holder.data.materials[0], picture_image(holder)
    bpy.data.batch_remove([one for one in (holder, mesh, material, image) if one is not None])


def told(scene: bpy.types.Scene) -> tuple[str, int]:
    """(layer, channel) that is laid over the input; ("", -1) for none."""
    found = scene.get(OVERLAY_CHANNEL)
    return (str(found[0]), int(found[1])) if found else ("", -1)


def fits(scene: bpy.types.Scene, layer: str) -> bool:
    """Whether the maps of a layer lie over the input and are values."""
    panel = panels(scene).get(layer)
    return panel is not None and panel_metadata.of(panel).frame == "input" and not reading.is_colour(panel)


def _show(holder: bpy.types.Object, pixels: np.ndarray, picture: bpy.types.Object) -> None:
    update_picture(holder, pixels, picture_size(picture))
    holder.hide_viewport = holder.hide_render = False


def _pixels(scene: bpy.types.Scene, layer: str, channel: int) -> np.ndarray:
    panel, picture = panels(scene).get(layer), part_of(scene, "input")
    if panel is None:
        raise UnknownName("panel of layer", layer, panels(scene))
    if not fits(scene, layer):
        raise SceneError(f"what {layer} shows doesn't lie over the input; ask grad_cam, saliency or occlusion first")
    channel = channel if channels_of(panel) > 1 else 0  # one map is of them all
    values = reading.map_of(panel, channel)
    if values is None:
        raise SceneError(f"panel {panel.name!r} has lost its image; build the hall again")
    scale = float(reading.scales_of(scene, panel)[channel]) / float(scene[COLOUR_GAIN])
    return heat_map.overlay_heat(read_pixels(picture_image(picture)), values, scale)
