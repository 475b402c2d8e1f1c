"""The shader groups of panels: texel -> value -> colour -> fog -> emission.

`imaging.colour_maps.colour_values` computes the same colours in numpy, and tests compare the two. All settings are
custom properties of the object (see object_colours.py): where a hall is instanced, the scene is another one.
"""

from __future__ import annotations

from ...imaging import colour_maps
from ...imaging.colour_maps import BAR, ZERO_LINE
from ...properties import FOG_COLOUR, FOG_RANGE, TRACK_COLOUR, VALUE_RANGE, ZERO_LINE_COLOUR
from .images import colour_table_image
from .nodes import GroupInputs, NodeBuilder, NodeGroup, Socket, SocketValue, ensure_group
from .tiles import MASK

SAMPLE = (("Color", "Color"), ("Alpha", "Float"))
PEAKS = (("Peaks", "Color"), ("Last Peak", "Float"))
"""Inputs for the peaks of a cell's four channels, in the same order as the channels' values in a texel."""
LIGHT = (("Light", "Shader"),)


def _fog(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    """Mixes k of the colour and 1 - k of the fog, k = exp(-density * max(0, distance - clear)); density 0: no fog."""
    clear, density, _ = n.separate(n.attribute(FOG_RANGE, "OBJECT", "Vector"))
    distance = n.socket(n.add("ShaderNodeCameraData").outputs["View Distance"])
    depth = n.maximum(distance - clear, 0.0)
    transmittance = n.math("EXPONENT", depth * (density * -1.0))
    return (n.mix_colours(transmittance, n.attribute(FOG_COLOUR, "OBJECT", "Color"), inputs["Color"]),)


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


def _position(n: NodeBuilder, value: Socket, channel_peak: SocketValue) -> tuple[Socket, Socket, Socket]:
    """Returns the value's position on the colour map (0..1), the map's row in the table, and the position of zero."""
    factor, addend, zero = n.separate(n.attribute(VALUE_RANGE, "OBJECT", "Vector"))
    row = n.attribute(VALUE_RANGE, "OBJECT", "Alpha")
    position = n.math("ADD", value / n.multiply_add(channel_peak, factor, addend), zero, clamp=True)
    return position, row, zero


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
    position, row, _ = _position(n, value, peak)
    return _emit(n, _mark_nonfinite(n, value, _look_up(n, position, row)))


def _bar(n: NodeBuilder, inputs: GroupInputs) -> tuple[SocketValue, ...]:
    """Shows a vector's value as a bar from zero; its VALUE_RANGE takes the layer's peak for its channels' own."""
    (value,) = _components(n, inputs, SAMPLE)
    position, row, zero = _position(n, value, 0.0)
    x, y, _ = n.separate(inputs["Place"])
    from_zero = x - zero
    is_along = from_zero * (x - position) < 0.0
    is_across = n.compare(y, sum(BAR) / 2, (BAR[1] - BAR[0]) / 2)
    end = position > zero  # the colour of the map's end: a short bar is as bright as a long one
    track = n.attribute(TRACK_COLOUR, "OBJECT", "Color")
    line = n.attribute(ZERO_LINE_COLOUR, "OBJECT", "Color")
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
    empty = n.attribute(TRACK_COLOUR, "OBJECT", "Color")
    return _emit(n, _mark_nonfinite(n, largest, n.mix_colours(inputs["Alpha"], empty, tint)))


FOG = NodeGroup("air", "ShaderNodeTree", (("Color", "Color"),), (("Color", "Color"),), _fog)
SCALAR = NodeGroup("scalar maps", "ShaderNodeTree", (*SAMPLE, *PEAKS), LIGHT, _scalar)
BARS = NodeGroup("bars", "ShaderNodeTree", (*SAMPLE, ("Place", "Vector")), LIGHT, _bar)
COLOUR = NodeGroup("colour maps", "ShaderNodeTree", SAMPLE, LIGHT, _colour)
