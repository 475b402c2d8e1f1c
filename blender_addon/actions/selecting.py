"""The selected layer and channel. They are stored in the scene, so undo and saving cover them."""

from __future__ import annotations

import bpy

from ...torch_bridge.recording.errors import UnknownName
from ..properties import SELECTED_CHANNEL, SELECTED_LAYER
from ..scene.panels import annotation_drawing, channel_places, grid_of, panel_of
from ..scene.panels.label_search import NUMBER, label_names, labelled_channels
from ..scene.state.selection import Selection, selected

__all__ = ["Selection", "find_label", "select", "selected", "step_tile"]


def select(scene: bpy.types.Scene, layer: str, channel: int = -1) -> str:
    """Selects a layer, or one channel of it, and makes its panel the active object; layer "" selects nothing.

    channel: counted from 0, -1 for none. Returns a line with the names of what is selected. Raises UnknownName.
    """
    panel = panel_of(scene, layer) if layer else None
    count = len(panel.data.vertices) if panel else 0
    if not -1 <= channel < count:
        raise UnknownName(f"channel of {layer or 'nothing'}", str(channel), [f"0 to {count - 1}"] if count else [])
    scene[SELECTED_LAYER], scene[SELECTED_CHANNEL] = layer, channel
    for view_layer in scene.view_layers:
        for selected_object in list(view_layer.objects.selected):
            selected_object.select_set(False, view_layer=view_layer)
        if panel and panel.name in view_layer.objects:
            panel.select_set(True, view_layer=view_layer)
            view_layer.objects.active = panel
    annotation_drawing.update_input_boxes(scene)
    return "nothing selected" if not layer else layer if channel < 0 else f"{layer}, channel {channel}"


def step_tile(scene: bpy.types.Scene, right: int = 0, down: int = 0) -> str:
    """Selects the tile that lies so many tiles beside the selected one on its panel; at the edge, the selected one.

    right, down: number of tiles; negative for left and up. Returns the names of the layer and the channel. Raises
    UnknownName if no layer is selected.
    """
    layer, channel = selected(scene)
    panel = panel_of(scene, layer)
    places = channel_places(panel)
    place = int(places[channel]) if 0 <= channel < len(places) else -1
    columns = grid_of(panel).columns
    row, column = divmod(place, columns)
    beside = (row + down) * columns + column + right if place >= 0 and 0 <= column + right < columns else place
    found = [number for number, own in enumerate(places.tolist()) if own == beside >= 0]
    return select(scene, layer, found[0] if found else channel)


def find_label(scene: bpy.types.Scene, text: str) -> str:
    """Selects the next channel whose label contains a text, such as "ring"; after the last one comes the first.

    If a label is just this text, without its number, only such labels are meant: "blue" is no "light blue" then.
    Returns a line with the channel, its label and how many there are. Raises UnknownName with near labels.
    """
    found = labelled_channels(scene, text) if text else []
    found = [own for own in found if NUMBER.sub("", own.label).casefold() == text.casefold()] or found
    if not found:
        raise UnknownName("channel with the label", text, label_names(scene))
    current = tuple(selected(scene))
    places = [own[:2] for own in found]
    place = (places.index(current) + 1) % len(found) if current in places else 0
    layer, channel, label = found[place]
    return f"{select(scene, layer, channel)}: {label} ({place + 1} of {len(found)})"
