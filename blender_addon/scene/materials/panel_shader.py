"""The shader groups of panels: texel -> value -> colour -> fog -> emission.

`imaging.colour_maps.colour_values` computes the same colours in numpy, and tests compare the two. Settings of the whole
hall are custom properties of the scene (see colour_settings.py); what differs by panel comes from its object and
images. Cycles folds the scene's properties into constants, so that unused settings cost no time.
"""

from __future__ import annotations

from ...imaging import colour_maps
from ...imaging.colour_maps import BAR, ZERO_LINE
from ...properties import (
    COLOUR_GAIN,
    COLOUR_MAP,
    FOG_COLOUR,
    FOG_RANGE,
    LARGEST_PEAK,
    PEAK_WEIGHTS,
    TRACK_COLOUR,
    ZERO_LINE_COLOUR,
)
from .images import colour_table_image
from .nodes import GroupInputs, NodeBuilder, NodeGroup, Socket, SocketValue, ensure_group
from .tiles import MASK

SAMPLE = (("Color", "Color"), ("Alpha", "Float"))
PEAKS = (("Peaks", "Color"), ("Last Peak", "Float"))
"""Inputs for the peaks of a cell's four channels, in the same order as the channels' values in a texel."""
LIGHT = (("Light", "Shader"),)


def _fog(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    """Mixes k of the colour and 1 - k of the fog, k = exp(-density * max(0, distance - clear)); density 0: no fog."""
    clear, density, _ = n.separate(n.attribute(FOG_RANGE, "VIEW_LAYER", "Vector"))
    distance = n.socket(n.add("ShaderNodeCameraData").outputs["View Distance"])
    depth = n.maximum(distance - clear, 0.0)
    transmittance = n.math("EXPONENT", depth * (density * -1.0))
    return (n.mix_colours(transmittance, n.attribute(FOG_COLOUR, "VIEW_LAYER", "Color"), inputs["Color"]),)


def _emit(n: NodeBuilder, tint: SocketValue) -> tuple[SocketValue, ...]:
    """Emits a colour through the fog."""
    fogged = n.add("ShaderNodeGroup", node_tree=ensure_group(FOG))
    n.set_input(fogged.inputs[0], tint)
    return (n.add("ShaderNodeEmission", {"Color": fogged.outputs[0], "Strength": 1.0}).outputs[0],)


def _components(n: NodeBuilder, inputs: GroupInputs, *texels: tuple[tuple[str, str], ...]) -> list[Socket]:
    """Selects the channel's component of each texel: red, green, blue or alpha.

    Multiplying by the mask's zeros is exact on every GPU. Blending would round, and let another channel's flag for a
    non-finite value through.
    """
    mask = n.attribute(MASK, output="Vector")
    is_alpha = n.dot(mask, (1.0, 1.0, 1.0)) < 0.5
    pairs = ([inputs[name] for name, _ in texel] for texel in texels)
    return [n.multiply_add(alpha, is_alpha, n.dot(rgb, mask)) for rgb, alpha in pairs]


def _normalise(n: NodeBuilder, value: Socket, channel_peak: SocketValue) -> Socket:
    """Computes value * gain / peak, with the peak of the channel, the layer or the network.

    One of the three weights is always 1 and the others 0, so Cycles drops the unused peaks.
    """
    _, layer_weight, network_weight = n.separate(n.attribute(PEAK_WEIGHTS, "VIEW_LAYER", "Vector"))
    peak = n.mix_numbers(layer_weight, channel_peak, n.attribute(LARGEST_PEAK, "OBJECT"))
    peak = n.mix_numbers(network_weight, peak, n.attribute(LARGEST_PEAK, "VIEW_LAYER"))
    return value * n.attribute(COLOUR_GAIN, "VIEW_LAYER") / peak


def _position(n: NodeBuilder, normalised: Socket) -> tuple[Socket, Socket, Socket]:
    """Returns the value's position on the colour map (0..1), the map's row in the table, and the position of zero."""
    row, scale, offset = n.separate(n.attribute(COLOUR_MAP, "VIEW_LAYER", "Vector"))
    return n.multiply_add(normalised, scale, offset, clamp=True), row, offset


def _look_up(n: NodeBuilder, position: SocketValue, row: SocketValue) -> SocketValue:
    """Reads a colour from the table of colour maps."""
    width = float(colour_maps.TABLE_ENTRIES)
    u = n.multiply_add(position, (width - 1) / width, 0.5 / width)  # from the first pixel's centre to the last one's
    image = n.add("ShaderNodeTexImage", {0: n.combine(u, row)}, interpolation="Closest", extension="EXTEND")
    image.image = colour_table_image()
    return image.outputs["Color"]


def _mark_nonfinite(n: NodeBuilder, value: Socket, tint: SocketValue) -> Socket:
    """Returns the marker colour where the value stands for NaN or infinity, else `tint`."""
    return n.mix_colours(value > colour_maps.FLAG_FROM, tint, (*colour_maps.linear(colour_maps.MARKER), 1.0))


def _scalar(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    value, peak = _components(n, inputs, SAMPLE, PEAKS)
    position, row, _ = _position(n, _normalise(n, value, peak))
    return _emit(n, _mark_nonfinite(n, value, _look_up(n, position, row)))


def _bar(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    """Shows a vector's value as a bar from zero; its channels have one value, so their peak is the layer's."""
    (value,) = _components(n, inputs, SAMPLE)
    position, row, zero = _position(n, _normalise(n, value, n.attribute(LARGEST_PEAK, "OBJECT")))
    x, y, _ = n.separate(inputs["Place"])
    from_zero = x - zero
    is_along = from_zero * (x - position) < 0.0
    is_across = n.compare(y, sum(BAR) / 2, (BAR[1] - BAR[0]) / 2)
    end = position > zero  # the colour of the map's end: a short bar is as bright as a long one
    track = n.attribute(TRACK_COLOUR, "VIEW_LAYER", "Color")
    line = n.attribute(ZERO_LINE_COLOUR, "VIEW_LAYER", "Color")
    background = n.mix_colours(n.compare(from_zero, 0.0, ZERO_LINE), track, line)
    bar = n.mix_colours(is_along * is_across, background, _look_up(n, end, row))
    return _emit(n, _mark_nonfinite(n, value, bar))


def _to_linear(n: NodeBuilder, component: SocketValue) -> Socket:
    """Converts a component from sRGB to linear; Blender doesn't do it for images of raw numbers."""
    srgb = n.minimum(component, 1.0)  # a flag to the power of 2.4 would be infinite, and could not be mixed
    curved = ((srgb + 0.055) / 1.055) ** 2.4
    straight = srgb / 12.92
    return n.mix_numbers(srgb < 0.04045, curved, straight)


def _colour(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    """Shows colour maps unchanged; transparent or missing pixels get the track colour, neither board nor black."""
    red, green, blue = n.add("ShaderNodeSeparateColor", {0: inputs["Color"]}).outputs
    components = [_to_linear(n, component) for component in (red, green, blue)]
    tint = n.add("ShaderNodeCombineColor", dict(enumerate(components))).outputs[0]
    largest = n.maximum(n.maximum(red, green), blue)
    empty = n.attribute(TRACK_COLOUR, "VIEW_LAYER", "Color")
    return _emit(n, _mark_nonfinite(n, largest, n.mix_colours(inputs["Alpha"], empty, tint)))


FOG = NodeGroup("air", "ShaderNodeTree", (("Color", "Color"),), (("Color", "Color"),), _fog)
SCALAR = NodeGroup("scalar maps", "ShaderNodeTree", (*SAMPLE, *PEAKS), LIGHT, _scalar)
BARS = NodeGroup("bars", "ShaderNodeTree", (*SAMPLE, ("Place", "Vector")), LIGHT, _bar)
COLOUR = NodeGroup("colour maps", "ShaderNodeTree", SAMPLE, LIGHT, _colour)
