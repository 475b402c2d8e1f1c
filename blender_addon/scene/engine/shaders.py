"""The shaders of the engine: the shader groups of panels (materials/panel_shader.py) once more, as GLSL."""

from __future__ import annotations

import gpu
import numpy as np
from gpu.types import GPUShader, GPUShaderCreateInfo, GPUStageInterfaceInfo

from ...imaging.colour_maps import BAR, COLOUR_MAPS, FLAG_FROM, MARKER, TABLE_ENTRIES, ZERO_LINE, linear
from ...layout.hall_model import FILL

ITEM = (
    "to_clip", "to_camera", "fog", "air", "range", "track", "zero_line", "grid", "cell", "sheet",
)  # fmt: skip
"""Fields of an item's uniform block: two matrices, then vectors of four numbers."""
TYPES = """
struct Item { mat4 to_clip; mat4 to_camera; vec4 fog; vec4 air; vec4 range; vec4 track; vec4 zero_line; vec4 grid;
              vec4 cell; vec4 sheet; };
struct Pass { vec4 shift; };
"""
SAMPLERS = {
    "paint": (),
    "picture": ("picture",),
    "scalar": ("places", "texels", "peaks", "table"),
    "bars": ("places", "texels", "table"),
    "colour": ("places", "texels"),
    "sky": (),
}
"""Names of the textures by what a shader draws."""
CONSTANTS = f"""
const float FILL = {FILL!r};
const float FLAG_FROM = {FLAG_FROM:.9g};
const float ENTRIES = {float(TABLE_ENTRIES)!r};
const float MAPS = {float(len(COLOUR_MAPS))!r};
const vec2 BAR = vec2{BAR!r};
const float ZERO_LINE = {ZERO_LINE!r};
const vec3 MARKER = vec3{linear(MARKER)!r};
"""

VERTEX = """
void place(vec3 local) {
  gl_Position = item.to_clip * vec4(local, 1.0);
  gl_Position.xy += passing.shift.xy * gl_Position.w;
  seen = (item.to_camera * vec4(local, 1.0)).xyz;
}
"""
PAINT_VERTEX = "void main() { place(point); carried = extra; }"
PANEL_VERTEX = """
void main() {
  carried.xy = point.xy * item.grid.xy;
  carried.z = 0.0;
  place(vec3(item.cell.zw + carried.xy * item.cell.xy, 0.0));
}
"""
SKY_VERTEX = """
void main() {
  gl_Position = vec4(point.xy, 1.0, 1.0);
  seen = (item.to_clip * vec4(point.xy - passing.shift.xy, 1.0, 1.0)).xyz;
  carried = seen;
}
"""

FRAGMENT = """
void emit(vec3 colour) {
  float clear = exp(-item.fog.y * max(length(seen) - item.fog.x, 0.0));
  result = vec4(mix(item.air.rgb, colour, clear), 1.0);
}
vec3 to_linear(vec3 srgb) {
  vec3 kept = min(srgb, vec3(1.0));
  return mix(kept / 12.92, pow(max((kept + 0.055) / 1.055, vec3(0.0)), vec3(2.4)), step(0.04045, kept));
}
"""
PAINT = "void main() { emit(carried); }"
PICTURE = """
vec3 pixel(ivec2 at) { return texelFetch(picture, clamp(at, ivec2(0), textureSize(picture, 0) - 1), 0).rgb; }
void main() {
  vec2 at = carried.xy * vec2(textureSize(picture, 0));
  vec3 colour = pixel(ivec2(floor(at)));
  if (item.grid.x > 0.5) {
    at -= 0.5;
    ivec2 corner = ivec2(floor(at));
    vec2 share = at - vec2(corner);
    vec3 below = mix(pixel(corner), pixel(corner + ivec2(1, 0)), share.x);
    vec3 above = mix(pixel(corner + ivec2(0, 1)), pixel(corner + ivec2(1, 1)), share.x);
    colour = mix(below, above, share.y);
  }
  emit(colour);
}
"""
TILE = """
/* A tile of the panel: where in it (0..1), the cell of the sheet that holds its map, and the map's component. */
struct Tile { vec2 inside; ivec2 cell; int component; };
Tile find_tile() {
  ivec2 size = ivec2(item.grid.xy);
  ivec2 at = clamp(ivec2(floor(carried.xy)), ivec2(0), size - 1);
  vec2 inside = (carried.xy - vec2(at) - 0.5) / FILL + 0.5;
  int map = int(texelFetch(places, ivec2(at.x, size.y - 1 - at.y), 0).r);
  if (map < 0 || any(lessThan(inside, vec2(0.0))) || any(greaterThan(inside, vec2(1.0)))) { discard; }
  int per_cell = int(item.grid.z);
  int number = map / per_cell;
  int rows = int(item.sheet.x);
  return Tile(inside, ivec2(number / rows, number % rows), map % per_cell);
}
vec4 sample_texel(Tile tile) {
  vec2 size = item.sheet.yz;
  vec2 down = vec2(tile.inside.x, 1.0 - tile.inside.y);
  return texelFetch(texels, tile.cell * ivec2(size) + ivec2(min(floor(down * size), size - 1.0)), 0);
}
"""
COLOURED = """
vec3 look_up(float position) {
  int row = int(item.range.w * MAPS);
  return texelFetch(table, ivec2(int(position * (ENTRIES - 1.0) + 0.5), row), 0).rgb;
}
float find_position(float value, float peak) {
  return clamp(value / (peak * item.range.x + item.range.y) + item.range.z, 0.0, 1.0);
}
"""
SCALAR = (
    TILE
    + COLOURED
    + """
void main() {
  Tile tile = find_tile();
  float value = sample_texel(tile)[tile.component];
  float peak = texelFetch(peaks, tile.cell, 0)[tile.component];
  emit(value > FLAG_FROM ? MARKER : look_up(find_position(value, peak)));
}
"""
)
BARS = (
    TILE
    + COLOURED
    + """
void main() {
  Tile tile = find_tile();
  float value = sample_texel(tile)[tile.component];
  float position = find_position(value, 0.0);
  float from_zero = tile.inside.x - item.range.z;
  vec3 colour = abs(from_zero) <= ZERO_LINE ? item.zero_line.rgb : item.track.rgb;
  bool across = tile.inside.y >= BAR.x && tile.inside.y <= BAR.y;
  if (across && from_zero * (tile.inside.x - position) < 0.0) {
    colour = look_up(position > item.range.z ? 1.0 : 0.0);
  }
  emit(value > FLAG_FROM ? MARKER : colour);
}
"""
)
COLOUR = (
    TILE
    + """
void main() {
  vec4 texel = sample_texel(find_tile());
  vec3 colour = mix(item.track.rgb, to_linear(texel.rgb), clamp(texel.a, 0.0, 1.0));
  emit(max(texel.r, max(texel.g, texel.b)) > FLAG_FROM ? MARKER : colour);
}
"""
)
SKY = """
void main() {
  float share = clamp(normalize(carried).z / item.fog.x, 0.0, 1.0);
  result = vec4(mix(item.air.rgb, item.track.rgb, share), 1.0);
}
"""
STAGES = {
    "paint": (PAINT_VERTEX, PAINT),
    "picture": (PAINT_VERTEX, PICTURE),
    "scalar": (PANEL_VERTEX, SCALAR),
    "bars": (PANEL_VERTEX, BARS),
    "colour": (PANEL_VERTEX, COLOUR),
    "sky": (SKY_VERTEX, SKY),
}
"""Vertex and fragment shader by what they draw."""
SUMMED = 4
"""Passes that are added to the sum at a time."""


def compile_shader(kind: str) -> GPUShader:
    """Compiles the shader of a kind of STAGES, which draws items in linear light; needs a graphics context."""
    info = GPUShaderCreateInfo()
    info.typedef_source(TYPES)
    info.uniform_buf(0, "Item", "item")
    info.uniform_buf(1, "Pass", "passing")
    info.vertex_in(0, "VEC3", "point")
    if kind in ("paint", "picture"):
        info.vertex_in(1, "VEC3", "extra")
    varying = GPUStageInterfaceInfo(f"{kind}_varying")
    varying.smooth("VEC3", "seen")
    varying.smooth("VEC3", "carried")
    info.vertex_out(varying)
    for slot, name in enumerate(SAMPLERS[kind]):
        info.sampler(slot, "FLOAT_2D", name)
    info.fragment_out(0, "VEC4", "result")
    vertex, fragment = STAGES[kind]
    info.vertex_source((VERTEX if kind != "sky" else "") + vertex)
    info.fragment_source(CONSTANTS + (FRAGMENT if kind != "sky" else "") + fragment)
    return gpu.shader.create_from_info(info)


def compile_sum() -> GPUShader:
    """Compiles the shader that adds up to SUMMED passes, each by its own weight; needs a graphics context."""
    info = GPUShaderCreateInfo()
    info.vertex_in(0, "VEC3", "point")
    info.push_constant("VEC4", "weights")
    for slot in range(SUMMED):
        info.sampler(slot, "FLOAT_2D", f"pass{slot}")
    info.fragment_out(0, "VEC4", "result")
    info.vertex_source("void main() { gl_Position = vec4(point, 1.0); }")
    terms = " + ".join(f"weights[{slot}] * texelFetch(pass{slot}, at, 0)" for slot in range(SUMMED))
    info.fragment_source(f"void main() {{ ivec2 at = ivec2(gl_FragCoord.xy); result = {terms}; }}")
    return gpu.shader.create_from_info(info)


def item_block(fields: dict[str, np.ndarray]) -> np.ndarray:
    """Arranges an item's fields as its uniform block, (n,) float32: matrices by columns, then vectors of four numbers.

    fields: (4, 4) matrices and vectors of up to four numbers, (n,), by their names in ITEM; the others are 0.
    """
    parts = []
    for name in ITEM:
        if name.startswith("to_"):
            parts.append(np.asarray(fields.get(name, np.zeros((4, 4)))).T.ravel())
        else:
            values = np.zeros(4)
            found = np.ravel(fields.get(name, ()))
            values[: len(found)] = found
            parts.append(values)
    return np.concatenate(parts).astype(np.float32)
