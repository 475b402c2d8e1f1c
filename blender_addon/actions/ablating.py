"""Channels of a hall's network are ablated (set to 0) and restored; panels and answer show the network without them.

A brush changes them at a place only: there they become 0, or as large as where they are active, and what follows the
layer is computed again, with it the picture of a generator. Ablated channels and strokes are stored in the scene, so
undo and saving cover them, and each input is run with them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import bpy

from ...torch_bridge.recording import ACTIVATIONS
from ...torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..imaging.brush_cells import brush_cells
from ..live import hall_requests
from ..live.stored_choices import Brush, ablated_channels, held_brush, painted_strokes
from ..plans.number_text import format_close_share, format_count
from ..properties import BRUSH, DISSECTION_METHODS, METHOD_TAG, WHOLE_ANSWER
from ..scene.hall import store
from ..scene.hall.ray_hits import map_shape
from ..scene.panels import panel_of, shows_channels
from ..scene.panels.label_search import concept_channels
from .bridge import network_of, run_input_again
from .methods import cancel_method
from .selecting import selected

SIZES = (0.01, 2.0)
"""Smallest and largest brush, as shares of the picture's side."""


def ablate(scene: bpy.types.Scene, layer: str, channels: Sequence[int]) -> str:
    """Sets channels of a layer to 0 as soon as it has run, besides those ablated before, and runs the input again.

    Where a batch norm is folded into the panel of the layer, the batch norm's channels become 0. Returns a line that
    says which channels are ablated. Raises BridgeError, UnknownName for the layer, or InputError for the channels.
    """
    count = len(panel_of(scene, layer).data.vertices)
    unknown = [channel for channel in channels if not 0 <= channel < count]
    if unknown or not channels:
        problem = f"there is no channel {unknown[0]}" if unknown else "name one or more"
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; {problem}")
    ablated = ablated_channels(scene)
    ablated[layer] = sorted({*ablated.get(layer, ()), *channels})
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=ablated))
    return f"ablated {_describe(channels)} of {layer}"


def ablate_selected(scene: bpy.types.Scene) -> str:
    """Ablates the selected channel; otherwise as `ablate`. Raises SceneError if none is, or the map is no channel."""
    layer, channel = selected(scene)
    if channel < 0:
        raise SceneError("no channel is selected; click a tile first")
    if not shows_channels(panel_of(scene, layer)):
        raise SceneError(f"the maps of {layer} are no channels; name the channels, or show activations first")
    return ablate(scene, layer, [channel])


def ablate_concept(scene: bpy.types.Scene, concept: str, layer: str = "") -> str:
    """Ablates all channels that detect a concept, as Network Dissection has found in this hall.

    concept: its whole name, such as ring. layer: whose channels are ablated, "" for those of all layers. A hall that
    shows the dissection shows activations then. Returns a line that says how many channels are ablated. Raises
    UnknownName for the concept, InputError if all of them are ablated already, or as `ablate`.
    """
    network_of(scene)
    known = concept_channels(scene)
    units = {id: own for id, own in known.get(concept, {}).items() if layer in ("", id)}
    if not units:
        raise UnknownName(f"channel{f' of {layer}' if layer else ''} that detects", concept, known)
    ablated = ablated_channels(scene)
    new = {id: [channel for channel in own if channel not in ablated.get(id, ())] for id, own in units.items()}
    if not any(new.values()):
        raise InputError(f"all channels that detect {concept} are ablated already")
    merged = {id: sorted({*ablated.get(id, ()), *units.get(id, ())}) for id in ablated | units}
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=merged))
    if hall_requests.method_of(scene) in DISSECTION_METHODS:  # else all pictures would be looked at again
        cancel_method(scene)
        scene.pop(METHOD_TAG, None)
        hall_requests.set_method(scene, ACTIVATIONS)
    return f"ablated {concept}: {format_count(sum(map(len, units.values())), 'channel')} of {', '.join(units)}"


def ablation_facts(scene: bpy.types.Scene) -> list[tuple[str, str]]:
    """Returns what a hall with ablated channels predicts, as (name, text): with all channels and without these.

    The first is left out where it isn't known, as of an input that was placed later. Raises SceneError.
    """
    count = sum(map(len, ablated_channels(scene).values()))
    if not count:
        return []
    top, whole = store.read_description(scene).prediction.top, str(scene.get(WHOLE_ANSWER, ""))
    shares = {name: format_close_share(share) for _, name, share in top}
    now = " ".join(next(iter(shares.items()), ()))
    before = whole.rpartition(" ")[0]
    also = f", {before} {shares[before]}" if before in shares and not now.startswith(f"{before} ") else ""
    facts = [("Ablated", format_count(count, "channel")), ("Before", whole), ("Now", f"{now}{also}")]
    return [(name, text) for name, text in facts if text]


def restore_channels(scene: bpy.types.Scene, layer: str = "", channels: Sequence[int] = ()) -> str:
    """Ends the ablation of channels, and runs the input again.

    layer: whose channels are restored, "" for all layers. channels: () for all. Returns a line that says which
    channels are restored. Raises BridgeError, or InputError if none of them is ablated.
    """
    ablated = ablated_channels(scene)
    restored = {id: set(channels or old) & set(old) for id, old in ablated.items() if layer in ("", id)}
    if not any(restored.values()):
        raise InputError(f"no channel{f' of {layer}' if layer else ''} to restore is ablated")
    left = {id: [channel for channel in old if channel not in restored.get(id, ())] for id, old in ablated.items()}
    run_input_again(scene, hall_requests.run_options(scene)._replace(ablate=left))
    restored_channels = [channel for channels in restored.values() for channel in channels]
    return f"restored {_describe(restored_channels)} of {', '.join(restored)}"


def _describe(channels: Sequence[int]) -> str:
    return f"channel {channels[0]}" if len(channels) == 1 else f"{len(channels)} channels"


def take_brush(
    scene: bpy.types.Scene,
    layer: str = "",
    channels: Sequence[int] = (),
    concept: str = "",
    insert: bool = False,
    size: float = 0.25,
) -> str:
    """Takes a brush: clicks on tiles paint then, instead of selecting.

    layer: "" for the selected one. channels: () for those that detect the concept, or without one for the selected
    channel. insert: whether they get the value that they have where they are active; else 0. size: the diameter as a
    share of the picture's side. Returns a line. Raises BridgeError, UnknownName, InputError or SceneError.
    """
    network_of(scene)
    if not SIZES[0] <= size <= SIZES[1]:
        raise InputError(
            f"brush of size {size:g}: a share of the picture's side from {SIZES[0]} to {SIZES[1]} is needed"
        )
    if concept:
        layer, channels = _units_of(scene, concept, layer)
    chosen = selected(scene)
    layer = layer or chosen.layer
    if not channels and layer == chosen.layer and chosen.channel >= 0:
        channels = [chosen.channel]
    if not layer or not channels:
        raise SceneError("no channel is chosen for the brush; click a tile first, or name channels or a concept")
    panel, count = panel_of(scene, layer), len(panel_of(scene, layer).data.vertices)
    if not shows_channels(panel):
        raise SceneError(f"the maps of {layer} are no channels; show activations first")
    if wrong := [channel for channel in channels if not 0 <= channel < count]:
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; there is no channel {wrong[0]}")
    if min(map_shape(panel)) < 2:
        raise InputError(f"the maps of {layer} have no rows and columns to paint on; take a channel of a convolution")
    brush = Brush(layer, sorted(set(channels)), bool(insert), float(size))
    scene[BRUSH] = json.dumps(brush._asdict())
    return f"brush: {describe_brush(brush)}; paint on a tile or the generated picture"


def describe_brush(brush: Brush) -> str:
    """Returns what a brush does, in a few words."""
    does, channels = "insert" if brush.insert else "ablate", brush.channels
    what = f"channel {channels[0]}" if len(channels) == 1 else format_count(len(channels), "channel")
    return f"{does} {what} of {brush.layer}"


def _units_of(scene: bpy.types.Scene, concept: str, layer: str) -> tuple[str, list[int]]:
    """Returns the layer and its channels that detect a concept: the named layer, else that with most of them."""
    known = concept_channels(scene)
    units = {id: own for id, own in known.get(concept, {}).items() if layer in ("", id)}
    if not units:
        raise UnknownName(f"channel{f' of {layer}' if layer else ''} that detects", concept, known)
    most = max(units, key=lambda id: len(units[id]))
    return most, list(units[most])


def put_brush_away(scene: bpy.types.Scene) -> str:
    """Puts the brush away: clicks select tiles again. What it has painted stays. Returns a line."""
    scene.pop(BRUSH, None)
    return "the brush is put away"


def paint(
    scene: bpy.types.Scene,
    layer: str,
    channels: Sequence[int],
    cells: Sequence[Sequence[int]],
    insert: bool = False,
) -> str:
    """Changes channels of a layer at some places of their maps, and runs the input again.

    cells: (row, column) of the places. insert: as in `take_brush`. Returns a line. Raises BridgeError, UnknownName for
    the layer, or InputError.
    """
    _paint(scene, painted_strokes(scene), layer, channels, cells, insert)
    return f"painted {format_count(len(cells), 'place')} of {layer}"


def paint_at(scene: bpy.types.Scene, across: float, down: float) -> str:
    """Paints with the brush at a place of the picture, and runs the input again.

    across, down: shares of the picture from its left and from its top. Otherwise as `paint`. Raises SceneError too,
    where no brush is held.
    """
    return paint_along(scene, [(across, down)], painted_strokes(scene))


def paint_along(scene: bpy.types.Scene, spots: Sequence[tuple[float, float]], before: Sequence[dict[str, Any]]) -> str:
    """Paints one stroke with the brush through spots, (across, down) as in `paint_at`, after the strokes `before`."""
    brush = held_brush(scene)
    if brush is None:
        raise SceneError("no brush is held; take one first")
    shape = map_shape(panel_of(scene, brush.layer))
    cells = sorted({cell for spot in spots for cell in brush_cells(*spot, brush.size, shape)})
    _paint(scene, before, brush.layer, brush.channels, cells, brush.insert)
    return f"{describe_brush(brush)}: {format_count(len(cells), 'place')}"


def _paint(
    scene: bpy.types.Scene,
    before: Sequence[dict[str, Any]],
    layer: str,
    channels: Sequence[int],
    cells: Sequence[Sequence[int]],
    insert: bool,
) -> None:
    height, width = map_shape(panel_of(scene, layer))
    if not cells or not channels:
        raise InputError(f"nothing to paint on {layer}; name one or more channels and places")
    if wrong := [cell for cell in cells if len(cell) != 2 or not (0 <= cell[0] < height and 0 <= cell[1] < width)]:
        raise InputError(f"the maps of {layer} have {height} rows and {width} columns; there is no {tuple(wrong[0])}")
    places = [[int(row), int(column)] for row, column in cells]
    stroke = {"layer": layer, "channels": [int(own) for own in channels], "cells": places, "insert": bool(insert)}
    run_input_again(scene, hall_requests.run_options(scene)._replace(strokes=[*before, stroke]))


def clear_strokes(scene: bpy.types.Scene, count: int = 0) -> str:
    """Takes back the strokes that a brush has painted, and runs the input again.

    count: how many of the last strokes; 0 for all. Returns a line. Raises InputError or BridgeError.
    """
    if not (strokes := painted_strokes(scene)):
        raise InputError("nothing is painted that could be cleared")
    left = strokes[:-count] if count > 0 else []
    run_input_again(scene, hall_requests.run_options(scene)._replace(strokes=left or None))
    return f"cleared {format_count(len(strokes) - len(left), 'stroke')}"
