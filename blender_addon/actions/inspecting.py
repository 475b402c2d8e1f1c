"""A close look at a layer, at one of its channels and at one value: words, numbers and pictures."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple

import bpy
import numpy as np

from ...torch_bridge.recording import Layer, Maps, Recording
from ...torch_bridge.recording.errors import SceneError
from ..imaging import colour, plots, statistics
from ..imaging.statistics import Histogram, Statistics
from ..live.session import current
from ..properties import NETWORK_NAME, PANEL_LAYER_ID, WEIGHED_LAYER
from ..scene.dressing import input_overlay as lying
from ..scene.dressing import layer_card
from ..scene.dressing.legend import number
from ..scene.hall import store
from ..scene.panels import channels_of, panel_metadata, panel_of
from ..scene.panels import values as reading
from ..time_slicing import whole
from .selecting import select, selected

PART = 40_000
"""Values that are looked at at a time."""


class Inspected(NamedTuple):
    """What there is to tell."""

    facts: tuple[tuple[str, str], ...]
    """(what, value), for people."""
    pictures: Mapping[str, np.ndarray]
    """activations, weights: histograms; map, bar: the channel. (H, W, 4) float32 sRGB, top row first."""
    ends: Mapping[str, tuple[str, str]]
    """What stands at the left and the right end of a picture's scale."""


def inspect_layer(scene: bpy.types.Scene, layer: str, logarithmic: bool = False) -> Inspected:
    """All values of a layer. Raises UnknownName, or SceneError where its panel has lost its image."""
    return whole(layer_in_parts(scene, layer, logarithmic))


def layer_in_parts(scene: bpy.types.Scene, layer: str, logarithmic: bool = False) -> Generator[None, None, Inspected]:
    """The same a part of the values at a time. Only the first looks at the scene."""
    told, dress = store.described(scene), store.dress_of(scene)
    shown, weights = told.network.layer(layer), weights_of(scene, layer)
    values = statistics.flat(_maps(scene, shown, dress.method))
    yield
    rows = max(1, PART // max(1, values.shape[1]))
    parts = [values[start : start + rows] for start in range(0, len(values), rows)]
    found = []
    for part in parts:
        found.append(statistics.of_channels(part))
        yield
    by_channel = statistics.joined(found)
    merged, counted = by_channel.merged(), []
    for part in parts:
        counted.append(statistics.histogram(part, ends=(float(merged.low), float(merged.high))))
        yield
    spread = {dress.method: statistics.together(counted)}
    if weights is not None:
        spread["weights"] = weights
    pictures = {
        name: plots.histogram(one, dress.theme, dress.map, logarithmic=logarithmic) for name, one in spread.items()
    }
    ends = {name: (number(one.low), number(one.high)) for name, one in spread.items()}
    return Inspected(_layer_facts(shown, by_channel), pictures, ends)


def inspect_channel(scene: bpy.types.Scene, layer: str, channel: int) -> Inspected:
    """One channel. Raises UnknownName, or SceneError where its panel has lost its image."""
    return whole(channel_in_parts(scene, layer, channel))


def channel_in_parts(scene: bpy.types.Scene, layer: str, channel: int) -> Generator[None, None, Inspected]:
    """The same a part of the work at a time. Only the first looks at the scene."""
    panel, told, dress = panel_of(scene, layer), store.described(scene), store.dress_of(scene)
    channel = channel if channels_of(panel) > 1 else 0  # one picture is of them all
    values = reading.map_of(panel, channel)
    if values is None:
        raise _lost(layer)
    scale, vector = float(reading.scales_of(scene, panel)[channel]), reading.is_vector(panel)
    said_of = _said(panel, channel, label_of(told, panel, channel))
    peak = ("Peak", number(float(reading.peaks_of(panel)[channel])))
    named = _numbers_of(panel, channel)
    yield
    if vector:
        picture = plots.bar(float(values[0, 0]), scale, dress.map, dress.gain, dress.theme)
    else:
        picture = plots.channel_map(values, scale, dress.map, dress.gain)
    yield
    found = statistics.of_channels(values.reshape(1, -1).astype(np.float64)).of(0)
    measured = [("Value", number(float(values[0, 0])))] if vector else _numbers(found)
    name = "bar" if vector else "map"
    facts = (*said_of, *measured, peak, *named)
    return Inspected(facts, {name: picture}, {} if values.ndim == 3 else {name: _ends(scale, dress)})


def overlay(scene: bpy.types.Scene, layer: str = "", channel: int = -1) -> str:
    """Lay a channel's map over the input picture, where the method's maps are about that; "" takes it away.

    It follows what the panel and the input show. Raises UnknownName or SceneError.
    """
    if not layer:
        lying.lift(scene)
        return "nothing lies over the input"
    lying.lay(scene, layer, max(channel, 0))
    return f"{layer}, channel {max(channel, 0)}, lies over the input"


def _said(panel: bpy.types.Object, channel: int, label: str) -> list[tuple[str, str]]:
    """What the method says in words about a channel, or else the answer."""
    told = panel_metadata.of(panel)
    label = told.labels[channel] if channel < len(told.labels) and told.labels[channel] else label
    flags = panel_metadata.words(int(panel_metadata.flags_of(panel)[channel])) if "flags" in told.numbers else ""
    boxes = told.boxes[told.boxes[:, 0] == channel]
    facts = [("Stands for", label), ("Flags", flags)]
    facts += [("Box", f"{score:.2f}, {x1 - x0:.0%} × {y1 - y0:.0%}") for _, x0, y0, x1, y1, score in boxes[:3]]
    for layer, links in told.links.items():
        own = links[links[:, 0] == channel][:3]
        facts += [(f"To {int(other)}", f"{number(strength)} of {layer}") for _, other, strength in own]
    return [(what, value) for what, value in facts if value]


def _numbers_of(panel: bpy.types.Object, channel: int) -> list[tuple[str, str]]:
    numbers = reading.numbers_of(panel, channel)
    return [(name.capitalize(), number(value)) for name, value in numbers.items() if name != "flags"]


def probe(scene: bpy.types.Scene, layer: str, channel: int, row: int, column: int) -> str:
    """One value in words, row 0 at the top. Raises UnknownName, or SceneError where the panel has lost its image."""
    return f"{layer} · channel {channel} · ({column}, {row}) = {value_of(panel_of(scene, layer), channel, row, column)}"


def value_of(panel: bpy.types.Object, channel: int, row: int, column: int) -> str:
    """One value of a panel. Raises UnknownName, or SceneError where it has lost its image."""
    value = reading.value_at(panel, channel, row, column)
    if value is None:
        raise _lost(panel[PANEL_LAYER_ID])
    return ", ".join(number(float(one)) for one in np.atleast_1d(value))


def step_channel(scene: bpy.types.Scene, by: int = 1) -> str:
    """Look at the next channel of the layer that is looked at, or at another so many further; after the last the first.

    Raises UnknownName where no layer is looked at.
    """
    found = selected(scene)
    count = len(panel_of(scene, found.layer).data.vertices)
    return select(scene, found.layer, (max(found.channel, -1 if by > 0 else 0) + by) % count)


def weights_of(scene: bpy.types.Scene, layer: str) -> Histogram | None:
    """How the weights of a layer are spread, where the hall follows a bridge; None until it has said so."""
    session, key = current(), (str(scene.get(NETWORK_NAME, "")), layer)
    if key not in session.weighed and session.state == "ready" and key[0]:
        session.weighed[key] = None  # asked for
        session.ask(lambda bridge: bridge.statistics(*key[:1], [layer]), lambda told: _weighed(scene.name, key, told))
    return session.weighed.get(key)


def _weighed(name: str, key: tuple[str, str], told: Mapping[str, tuple[Mapping[str, float], np.ndarray]]) -> None:
    scene: bpy.types.Scene | None = bpy.data.scenes.get(name)
    layer = key[1]
    if layer not in told or not told[layer][0]["count"]:
        return
    numbers, counts = told[layer]
    unknown = int(numbers["count"]) - int(counts.sum())
    current().weighed[key] = Histogram(counts, numbers["least"], numbers["most"], unknown)
    if scene is not None:
        scene[WEIGHED_LAYER] = layer


def label_of(told: Recording, panel: bpy.types.Object, channel: int) -> str:
    """The class that a channel of the last panel stands for, if the answer names it; else ""."""
    last = next((one.id for one in reversed(told.network.layers) if one.role == "panel"), "")
    if told.prediction.kind != "classes" or panel[PANEL_LAYER_ID] != last or not reading.is_vector(panel):
        return ""
    return next((f"{name}, {share:.1%}" for index, name, share in told.prediction.top if index == channel), "")


def _maps(scene: bpy.types.Scene, layer: Layer, method: str) -> Maps:
    found = store.maps_of(panel_of(scene, layer.id), layer.shows or layer.id, method)
    if found is None:
        raise _lost(layer.id)
    return found


def _lost(layer: str) -> SceneError:
    return SceneError(f"panel of layer {layer!r} has lost its image or its tiles; build the hall again")


def _layer_facts(layer: Layer, by_channel: Statistics) -> tuple[tuple[str, str], ...]:
    dead, whole = int(np.count_nonzero(by_channel.dead)), by_channel.merged()
    facts = [("Operation", layer_card.operation(layer)), ("Shape", layer_card.shape_words(layer.map_shape))]
    facts += [("Weights", f"{layer.parameters:,}")] if layer.parameters else []
    facts += [*_numbers(whole), ("Dead channels", f"{dead} of {len(by_channel.dead)}")]
    return (*facts, ("Note", layer.note)) if layer.note else tuple(facts)


def _numbers(found: Statistics) -> list[tuple[str, str]]:
    facts = [
        ("Range", layer_card.range_words(found)), ("Mean", number(float(found.mean))),
        ("Deviation", number(float(found.deviation))),
        ("Below zero", f"{found.share_below:.1%}"), ("Sparsity", f"{found.sparsity:.1%}"),
    ]  # fmt: skip
    return [*facts, ("Not finite", f"{found.unknown:,}")] if found.unknown else facts


def _ends(scale: float, dress: store.Dress) -> tuple[str, str]:
    end = number(scale / dress.gain)
    return (f"−{end}" if colour.RAMPS[dress.map].diverging else "0", end)
