"""The shared shader groups: texel -> value -> colour -> air -> light. Every number is checked against colour.tint.

What the whole hall shares comes from properties of the scene (look.py), what a panel has from its object and images.
Cycles folds the scene's properties into constants, so a look that isn't used costs nothing.
"""

from __future__ import annotations

import bpy

from ...imaging import colour
from ...imaging.colour import BAR, ZERO_LINE
from ...properties import (
    AIR_COLOUR,
    COLOUR_GAIN,
    COLOUR_MAP,
    FOG_RANGE,
    LARGEST_PEAK,
    PEAK_WEIGHTS,
    TRACK_COLOUR,
    ZERO_LINE_COLOUR,
)
from .images import table_image
from .nodes import Group, Nodes, Value, ensure
from .tiles import MASK

Sockets = dict[str, bpy.types.NodeSocket]
SAMPLE = (("Color", "Color"), ("Alpha", "Float"))
PEAKS = (("Peaks", "Color"), ("Last Peak", "Float"))
"""The peaks of a cell's channels, as its values lie in a texel."""
LIGHT = (("Light", "Shader"),)


def _air(n: Nodes, given: Sockets) -> tuple[Value, ...]:
    """colour * k + air * (1 - k), k = exp(-density * max(0, distance - clear)); density 0 is no air."""
    clear, density, _ = n.split(n.attribute(FOG_RANGE, "VIEW_LAYER", "Vector"))
    distance = n.add("ShaderNodeCameraData").outputs["View Distance"]
    depth = n.math("MAXIMUM", n.math("SUBTRACT", distance, clear), 0.0)
    keep = n.math("EXPONENT", n.math("MULTIPLY", depth, n.math("MULTIPLY", density, -1.0)))
    return (n.mix(keep, n.attribute(AIR_COLOUR, "VIEW_LAYER", "Color"), given["Color"]),)


def _lit(n: Nodes, tint: Value) -> tuple[Value, ...]:
    seen = n.add("ShaderNodeGroup", node_tree=ensure(AIR))
    n.set(seen.inputs[0], tint)
    return (n.add("ShaderNodeEmission", {"Color": seen.outputs[0], "Strength": 1.0}).outputs[0],)


def _components(n: Nodes, given: Sockets, *texels: tuple[tuple[str, str], ...]) -> list[Value]:
    """Of each texel what is the channel's: its red, green, blue or alpha.

    Zeros of the mask stay zeros on every GPU: no blending, whose rounding would let a flag of another channel through.
    """
    mask = n.attribute(MASK, part="Vector")
    none = n.math("LESS_THAN", n.vector("DOT_PRODUCT", mask, (1.0, 1.0, 1.0)), 0.5)
    pairs = ([given[name] for name, _ in texel] for texel in texels)
    return [n.math("MULTIPLY_ADD", last, none, n.vector("DOT_PRODUCT", first, mask)) for first, last in pairs]


def _signed(n: Nodes, value: Value, channel_peak: Value) -> Value:
    """value * gain / peak of the channel, layer or network.

    Where one of them has the whole weight, which is always, Cycles drops the others and their attributes.
    """
    _, of_layer, of_network = n.split(n.attribute(PEAK_WEIGHTS, "VIEW_LAYER", "Vector"))
    peak = n.between(of_layer, channel_peak, n.attribute(LARGEST_PEAK, "OBJECT"))
    peak = n.between(of_network, peak, n.attribute(LARGEST_PEAK, "VIEW_LAYER"))
    return n.math("DIVIDE", n.math("MULTIPLY", value, n.attribute(COLOUR_GAIN, "VIEW_LAYER")), peak)


def _position(n: Nodes, signed: Value) -> tuple[Value, Value, Value]:
    """Where a signed value lies on the map, 0..1; the map's row in the table; the position of zero."""
    row, scale, offset = n.split(n.attribute(COLOUR_MAP, "VIEW_LAYER", "Vector"))
    return n.math("MULTIPLY_ADD", signed, scale, offset, clamp=True), row, offset


def _table(n: Nodes, position: Value, row: Value) -> Value:
    rows = float(colour.ROWS)
    u = n.math(
        "MULTIPLY_ADD", position, (rows - 1) / rows, 0.5 / rows
    )  # middle of the first pixel to middle of the last
    image = n.add("ShaderNodeTexImage", {0: n.xyz(u, row)}, interpolation="Closest", extension="EXTEND")
    image.image = table_image()
    return image.outputs["Color"]


def _marked(n: Nodes, value: Value, tint: Value) -> Value:
    """The marker colour where the value stands for NaN or infinity."""
    unknown = n.math("GREATER_THAN", value, colour.FLAG_FROM)
    return n.mix(unknown, tint, (*colour.linear(colour.MARKER), 1.0))


def _scalar(n: Nodes, given: Sockets) -> tuple[Value, ...]:
    value, peak = _components(n, given, SAMPLE, PEAKS)
    position, row, _ = _position(n, _signed(n, value, peak))
    return _lit(n, _marked(n, value, _table(n, position, row)))


def _bar(n: Nodes, given: Sockets) -> tuple[Value, ...]:
    """A vector's value as a bar from zero; a channel has one value here, so its own peak is the layer's."""
    (value,) = _components(n, given, SAMPLE)
    position, row, zero = _position(n, _signed(n, value, n.attribute(LARGEST_PEAK, "OBJECT")))
    x, y, _ = n.split(given["Place"])
    from_zero = n.math("SUBTRACT", x, zero)
    between = n.math("LESS_THAN", n.math("MULTIPLY", from_zero, n.math("SUBTRACT", x, position)), 0.0)
    middle = n.math("COMPARE", y, sum(BAR) / 2, (BAR[1] - BAR[0]) / 2)
    end = n.math("GREATER_THAN", position, zero)  # the end of the map: a short bar is as bright as a long one
    track = n.attribute(TRACK_COLOUR, "VIEW_LAYER", "Color")
    line = n.attribute(ZERO_LINE_COLOUR, "VIEW_LAYER", "Color")
    under = n.mix(n.math("COMPARE", from_zero, 0.0, ZERO_LINE), track, line)
    return _lit(n, _marked(n, value, n.mix(n.math("MULTIPLY", between, middle), under, _table(n, end, row))))


def _to_linear(n: Nodes, part: Value) -> Value:
    """The sRGB curve, which an image of raw numbers isn't given."""
    part = n.math("MINIMUM", part, 1.0)  # a flag to the power of 2.4 would be infinite, and no longer mix
    curved = n.math("POWER", n.math("DIVIDE", n.math("ADD", part, 0.055), 1.055), 2.4)
    straight = n.math("DIVIDE", part, 12.92)
    dark = n.math("LESS_THAN", part, 0.04045)
    return n.between(dark, curved, straight)


def _colour(n: Nodes, given: Sockets) -> tuple[Value, ...]:
    """Colour maps pass through; where they are transparent, or not made yet, is neither the board nor black."""
    parts = n.add("ShaderNodeSeparateColor", {0: given["Color"]}).outputs
    tint = n.add("ShaderNodeCombineColor", dict(enumerate(_to_linear(n, part) for part in parts))).outputs[0]
    largest = n.math("MAXIMUM", n.math("MAXIMUM", parts[0], parts[1]), parts[2])
    empty = n.attribute(TRACK_COLOUR, "VIEW_LAYER", "Color")
    return _lit(n, _marked(n, largest, n.mix(given["Alpha"], empty, tint)))


AIR = Group("air", "ShaderNodeTree", (("Color", "Color"),), (("Color", "Color"),), _air)
SCALAR = Group("scalar maps", "ShaderNodeTree", (*SAMPLE, *PEAKS), LIGHT, _scalar)
BARS = Group("bars", "ShaderNodeTree", (*SAMPLE, ("Place", "Vector")), LIGHT, _bar)
COLOUR = Group("colour maps", "ShaderNodeTree", SAMPLE, LIGHT, _colour)
