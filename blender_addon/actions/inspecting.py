"""Facts about a layer, one of its channels or one value: text, numbers and plots."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple

import bpy
import numpy as np

from ...torch_bridge.recording import CATEGORY, Layer, Maps, Recording, flag_names, place_text
from ...torch_bridge.recording.errors import SceneError
from ..imaging import colour_maps, plots, statistics
from ..imaging.statistics import Histogram, Statistics
from ..live.hall_requests import scene_with_uid
from ..live.session import current
from ..plans.layer_card import format_range, format_shape, operation_name
from ..plans.number_text import format_number
from ..properties import (
    DISSECTION_METHODS,
    NETWORK_NAME,
    PANEL_LAYER_ID,
    WEIGHT_STATISTICS_LAYER,
)
from ..scene.dressing import input_overlay
from ..scene.hall import store
from ..scene.panels import held_channels, map_of_channel, panel_metadata, panel_of
from ..scene.panels import values as reading
from ..scene.panels.concepts import read_concepts
from ..scene.panels.given_names import describe_given, read_given_names
from ..time_slicing import run_all
from .selecting import select, selected

WeightStatistics = Mapping[str, tuple[Mapping[str, float], np.ndarray]]
"""Answer of `Bridge.statistics`: by layer, numbers about its weights, and the counts of their histogram."""
VALUES_PER_STEP = 40_000
"""Number of values that one step of `inspect_layer_in_steps` reads."""


class Inspection(NamedTuple):
    """What a person can read about a layer or a channel."""

    facts: tuple[tuple[str, str], ...]
    """(name, value) of each fact, as texts."""
    pictures: Mapping[str, np.ndarray]
    """Plots, (H, W, 4) float32 sRGB, top row first: histograms by method and "weights", or a channel's "map" or "bar".
    """
    ends: Mapping[str, tuple[str, str]]
    """Texts at the left and the right end of a plot's scale, by its name."""


def inspect_layer(scene: bpy.types.Scene, layer: str, logarithmic: bool = False) -> Inspection:
    """Returns facts about all values of a layer, with histograms of them and of its weights.

    logarithmic: whether the counts of histograms are drawn on a logarithmic scale. Raises UnknownName, or SceneError
    if the panel has lost its image.
    """
    return run_all(inspect_layer_in_steps(scene, layer, logarithmic))


def inspect_layer_in_steps(
    scene: bpy.types.Scene, layer: str, logarithmic: bool = False
) -> Generator[None, None, Inspection]:
    """Returns the same as `inspect_layer`, in short steps; only the first one reads the scene."""
    appearance = store.read_appearance(scene)
    info, weights = store.read_description(scene).network.layer(layer), weight_histogram(scene, layer)
    maps = _maps(scene, info, appearance.method)
    values = statistics.channel_rows(maps)
    yield
    rows = max(1, VALUES_PER_STEP // max(1, values.shape[1]))
    parts = [values[start : start + rows] for start in range(0, len(values), rows)]
    of_parts = []
    for part in parts:
        of_parts.append(statistics.channel_statistics(part))
        yield
    by_channel = statistics.concatenate(of_parts)
    merged, counts = by_channel.merged(), []
    for part in parts:
        counts.append(statistics.compute_histogram(part, ends=(float(merged.low), float(merged.high))))
        yield
    histograms = {appearance.method: statistics.sum_histograms(counts)}
    if weights is not None:
        histograms["weights"] = weights
    pictures = {
        name: plots.draw_histogram(histogram, appearance.theme, appearance.colour_map, logarithmic=logarithmic)
        for name, histogram in histograms.items()
    }
    ends = {
        name: (format_number(histogram.low), format_number(histogram.high)) for name, histogram in histograms.items()
    }
    return Inspection(_layer_facts(info, maps, by_channel), pictures, ends)


def inspect_channel(scene: bpy.types.Scene, layer: str, channel: int) -> Inspection:
    """Returns facts about one channel, with its map or, for a single value, a bar.

    Raises UnknownName, or SceneError if the panel has lost its image.
    """
    return run_all(inspect_channel_in_steps(scene, layer, channel))


def inspect_channel_in_steps(scene: bpy.types.Scene, layer: str, channel: int) -> Generator[None, None, Inspection]:
    """Returns the same as `inspect_channel`, in short steps; only the first one reads the scene."""
    panel, appearance = panel_of(scene, layer), store.read_appearance(scene)
    index = map_of_channel(panel, channel)
    values = reading.map_of(panel, channel)
    if values is None:
        raise _lost(layer)
    scale, vector = float(reading.scales_of(scene, panel)[index]), reading.is_vector(panel)
    method_facts = _method_facts(panel, channel, class_label(store.read_description(scene), panel, channel))
    peak = ("Peak", format_peak(float(reading.peaks_of(panel)[index])))
    method_numbers = _method_numbers(panel, channel, appearance.method)
    yield
    if vector:
        picture = plots.draw_bar(float(values[0, 0]), scale, appearance.colour_map, appearance.gain, appearance.theme)
    else:
        picture = plots.draw_map(values, scale, appearance.colour_map, appearance.gain)
    yield
    found = statistics.channel_statistics(values.reshape(1, -1).astype(np.float64)).of(0)
    measured = [("Value", format_number(float(values[0, 0])))] if vector else _value_facts(found)
    name = "bar" if vector else "map"
    facts = (*method_facts, *measured, peak, *method_numbers)
    return Inspection(facts, {name: picture}, {} if values.ndim == 3 else {name: _scale_ends(scale, appearance)})


def overlay(scene: bpy.types.Scene, layer: str = "", channel: int = -1) -> str:
    """Lays a channel's map over the input picture, if the method's maps are about the input; layer "" removes it.

    It follows changes of the panel and of the input. Returns a line that says what lies over the input. Raises
    SceneError or UnknownName.
    """
    if not layer:
        input_overlay.remove_overlay(scene)
        return "removed the overlay"
    input_overlay.show_overlay(scene, layer, max(channel, 0))
    return f"{layer}, channel {max(channel, 0)}, lies over the input"


def _method_facts(panel: bpy.types.Object, channel: int, label: str) -> list[tuple[str, str]]:
    """Returns the method's labels, flags, boxes and links of a channel as texts; label: used if it has none."""
    metadata, index = panel_metadata.read_metadata(panel), map_of_channel(panel, channel)
    label = metadata.labels[index] if index < len(metadata.labels) and metadata.labels[index] else label
    channel = int(held_channels(panel)[index])  # 0 for a method's only map, which is about all channels
    concept = read_concepts(panel).get(channel)
    flags = ", ".join(flag_names(int(panel_metadata.read_flags(panel)[channel]))) if "flags" in metadata.numbers else ""
    boxes = metadata.boxes[metadata.boxes[:, 0] == channel]
    facts = [("Shows", place_text(*metadata.place)), ("Maps", metadata.note)]
    if concept is not None:
        facts += [("Detects", f"{concept.name}, IoU {concept.iou:.2f}"), ("Category", concept.category)]
        label = "" if label == concept.label else label
    facts += [
        ("Named", describe_given(read_given_names(panel).get(channel, ()))),
        ("Stands for", label),
        ("Flags", flags),
    ]
    facts += [("Box", f"{score:.2f}, {x1 - x0:.0%} × {y1 - y0:.0%}") for _, x0, y0, x1, y1, score in boxes[:3]]
    for layer, links in metadata.links.items():
        own_links = links[links[:, 0] == channel][:3]
        facts += [(f"To {int(other)}", f"{format_number(strength)} of {layer}") for _, other, strength in own_links]
    return [(name, text) for name, text in facts if text]


def _method_numbers(panel: bpy.types.Object, channel: int, method: str) -> list[tuple[str, str]]:
    """Returns the method's numbers of a channel as texts, without those that other facts say in words."""
    in_words = {"flags", CATEGORY}
    if method in DISSECTION_METHODS and channel in read_concepts(panel):
        in_words.add("value")
    numbers = reading.channel_numbers(panel, channel)
    return [(name.capitalize(), format_number(value)) for name, value in numbers.items() if name not in in_words]


def probe(scene: bpy.types.Scene, layer: str, channel: int, row: int, column: int) -> str:
    """Returns one value of a layer with its position and what its channel detects, as text; row 0 is at the top.

    Raises UnknownName, or SceneError if the panel has lost its image.
    """
    panel = panel_of(scene, layer)
    concept, value = concept_text(panel, channel), format_value(panel, channel, row, column)
    parts = layer, f"channel {channel}", concept, f"({column}, {row}) = {value}"
    return " · ".join(filter(None, parts))


def concept_text(panel: bpy.types.Object, channel: int) -> str:
    """Returns what a channel detects, such as "ring .31 (shape)", else its label; "" for nothing."""
    concept, labels = read_concepts(panel).get(channel), panel_metadata.read_metadata(panel).labels
    if concept is not None or not labels or channel not in (held := held_channels(panel).tolist()):
        return concept.text if concept is not None else ""
    return labels[held.index(channel)] if held.index(channel) < len(labels) else ""


def format_value(panel: bpy.types.Object, channel: int, row: int, column: int) -> str:
    """Returns one value of a panel as text, three for a colour. Raises SceneError if the panel has lost its image."""
    value = reading.value_at(panel, channel, row, column)
    if value is None:
        raise _lost(panel[PANEL_LAYER_ID])
    return ", ".join(format_number(float(part)) for part in np.atleast_1d(value))


def step_channel(scene: bpy.types.Scene, by: int = 1) -> str:
    """Selects the channel `by` further in the selected layer, among those with a map; after the last comes the first.

    Returns the names of the layer and the channel. Raises UnknownName if no layer is selected.
    """
    layer, channel = selected(scene)
    panel = panel_of(scene, layer)
    channels = held_channels(panel).tolist()
    start = channels.index(channel) if channel in channels else -1 if by > 0 else 0
    return select(scene, layer, channels[(start + by) % len(channels)])


def weight_histogram(scene: bpy.types.Scene, layer: str) -> Histogram | None:
    """Returns the histogram of a layer's weights; None until the bridge has sent it, or if it has none.

    The first call requests it, if the hall is connected to a network of a bridge.
    """
    session, uid = current(), scene.session_uid
    network = str(scene.get(NETWORK_NAME, ""))
    key = (network, layer)
    if key not in session.weight_histograms and session.state == "ready" and network:
        session.weight_histograms[key] = None  # requested

        def store_answer(answer: WeightStatistics) -> None:
            _store_weights(uid, key, answer)

        session.ask(lambda bridge: bridge.statistics(network, [layer]), store_answer)
    return session.weight_histograms.get(key)


def _store_weights(uid: int, key: tuple[str, str], answer: WeightStatistics) -> None:
    layer = key[1]
    if layer not in answer or not answer[layer][0]["count"]:
        return
    numbers, counts = answer[layer]
    unknown = int(numbers["count"]) - int(counts.sum())
    current().weight_histograms[key] = Histogram(counts, numbers["least"], numbers["most"], unknown)
    scene = scene_with_uid(uid)
    if scene is not None:
        scene[WEIGHT_STATISTICS_LAYER] = layer


def class_label(recording: Recording, panel: bpy.types.Object, channel: int) -> str:
    """Returns class name and probability of a channel of the last panel, if the prediction lists it; else ""."""
    last = next((layer.id for layer in reversed(recording.network.layers) if layer.role == "panel"), "")
    if recording.prediction.kind != "classes" or panel[PANEL_LAYER_ID] != last or not reading.is_vector(panel):
        return ""
    return next((f"{name}, {share:.1%}" for index, name, share in recording.prediction.top if index == channel), "")


def _maps(scene: bpy.types.Scene, layer: Layer, method: str) -> Maps:
    found = store.read_maps(panel_of(scene, layer.id), layer.shows or layer.id, method)
    if found is None:
        raise _lost(layer.id)
    return found


def _lost(layer: str) -> SceneError:
    return SceneError(f"panel of layer {layer!r} has lost its image or its tiles; build the hall again")


def _layer_facts(layer: Layer, maps: Maps, by_channel: Statistics) -> tuple[tuple[str, str], ...]:
    dead = int(np.count_nonzero(by_channel.dead))
    facts = [("Operation", operation_name(layer)), ("Shape", format_shape(layer.map_shape, maps))]
    facts += [(name, text) for name, text in (("Shows", maps.place), ("Maps", maps.note)) if text]
    facts += [("Weights", f"{layer.parameters:,}")] if layer.parameters else []
    facts += [*_value_facts(by_channel.merged()), ("Dead channels", f"{dead} of {len(by_channel.dead)}")]
    return (*facts, ("Note", layer.note)) if layer.note else tuple(facts)


def _value_facts(found: Statistics) -> list[tuple[str, str]]:
    facts = [
        ("Range", format_range(found)),
        ("Mean", format_number(float(found.mean))),
        ("Deviation", format_number(float(found.deviation))),
        ("Below zero", f"{found.share_below:.1%}"),
        ("Sparsity", f"{found.sparsity:.1%}"),
    ]
    return [*facts, ("Not finite", f"{found.nonfinite:,}")] if found.nonfinite else facts


def _scale_ends(scale: float, appearance: store.Appearance) -> tuple[str, str]:
    end = format_peak(scale / appearance.gain)
    if end == "0":
        return "0", "0"
    return (f"−{end}" if colour_maps.COLOUR_MAPS[appearance.colour_map].diverging else "0", end)


def format_peak(peak: float) -> str:
    """Returns a peak as text; that of a map of zeros, such as an ablated channel's, is stored as the least one."""
    return format_number(peak if peak > colour_maps.MIN_PEAK else 0.0)
