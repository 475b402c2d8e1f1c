"""The shaders of the engine: the shader groups of panels (materials/panel_shader.py) once more, as GLSL."""

from __future__ import annotations

import gpu
import numpy as np
from gpu.types import GPUShader, GPUShaderCreateInfo, GPUStageInterfaceInfo

from ...imaging.colour_maps import BAR, COLOUR_MAPS, FLAG_FROM, MARKER, TABLE_ENTRIES, ZERO_LINE, linear
from ...layout.hall_model import FILL

ITEM = ("to_world", "fog", "air", "range", "track", "zero_line", "grid", "cell", "sheet")
"""Fields of an item's uniform block: a matrix, then vectors of four numbers."""
PASS = ("to_clip", "to_direction", "eye", "shift")
"""Fields of a pass's: matrices from the world's axes at the eye to clip space, and from places in the picture to
directions; the eye's place in the world; the shift in clip space (x, y) and the width in pixels over which tiles are
sampled (z)."""
TYPES = """
struct Item { mat4 to_world; vec4 fog; vec4 air; vec4 range; vec4 track; vec4 zero_line; vec4 grid; vec4 cell;
              vec4 sheet; };
struct Pass { mat4 to_clip; mat4 to_direction; vec4 eye; vec4 shift; };
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
OFFSETS = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))
"""Where in a pixel a pass that samples tiles more than once does so, besides the middle."""
CONSTANTS = f"""
const int SPREAD = {len(OFFSETS)};
const vec2 OFFSETS[{len(OFFSETS)}] = vec2[{len(OFFSETS)}]({", ".join(f"vec2{offset!r}" for offset in OFFSETS)});
const float LEAST_CROSSED = 0.5; /* texels that a pixel covers, from which on tiles are sampled more than once */
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
  seen = (item.to_world * vec4(local, 1.0)).xyz - passing.eye.xyz;
  gl_Position = passing.to_clip * vec4(seen, 1.0);
  gl_Position.xy += passing.shift.xy * gl_Position.w;
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
  seen = (passing.to_direction * vec4(point.xy - passing.shift.xy, 1.0, 1.0)).xyz;
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
bool find_tile(vec2 place, out Tile tile) {
  ivec2 size = ivec2(item.grid.xy);
  ivec2 at = clamp(ivec2(floor(place)), ivec2(0), size - 1);
  vec2 inside = (place - vec2(at) - 0.5) / FILL + 0.5;
  int map = int(texelFetch(places, ivec2(at.x, size.y - 1 - at.y), 0).r);
  int per_cell = int(item.grid.z);
  int number = map / per_cell;
  int rows = int(item.sheet.x);
  tile = Tile(inside, ivec2(number / rows, number % rows), map % per_cell);
  return map >= 0 && all(greaterThanEqual(inside, vec2(0.0))) && all(lessThanEqual(inside, vec2(1.0)));
}
vec4 sample_texel(Tile tile) {
  vec2 size = item.sheet.yz;
  vec2 down = vec2(tile.inside.x, 1.0 - tile.inside.y);
  return texelFetch(texels, tile.cell * ivec2(size) + ivec2(min(floor(down * size), size - 1.0)), 0);
}
"""
LOOKUP = """
vec3 look_up(float position) {
  int row = int(item.range.w * MAPS);
  return texelFetch(table, ivec2(int(position * (ENTRIES - 1.0) + 0.5), row), 0).rgb;
}
float find_position(float value, float peak) {
  return clamp(value / (peak * item.range.x + item.range.y) + item.range.z, 0.0, 1.0);
}
"""
SCALAR = """
vec3 tile_colour(Tile tile) {
  float value = sample_texel(tile)[tile.component];
  float peak = texelFetch(peaks, tile.cell, 0)[tile.component];
  return value > FLAG_FROM ? MARKER : look_up(find_position(value, peak));
}
"""
BARS = """
vec3 tile_colour(Tile tile) {
  float value = sample_texel(tile)[tile.component];
  float position = find_position(value, 0.0);
  float from_zero = tile.inside.x - item.range.z;
  vec3 colour = abs(from_zero) <= ZERO_LINE ? item.zero_line.rgb : item.track.rgb;
  bool across = tile.inside.y >= BAR.x && tile.inside.y <= BAR.y;
  if (across && from_zero * (tile.inside.x - position) < 0.0) {
    colour = look_up(position > item.range.z ? 1.0 : 0.0);
  }
  return value > FLAG_FROM ? MARKER : colour;
}
"""
COLOUR = """
vec3 tile_colour(Tile tile) {
  vec4 texel = sample_texel(tile);
  vec3 colour = mix(item.track.rgb, to_linear(texel.rgb), clamp(texel.a, 0.0, 1.0));
  return max(texel.r, max(texel.g, texel.b)) > FLAG_FROM ? MARKER : colour;
}
"""
PANEL = """
void main() {
  vec2 right = dFdx(carried.xy) * passing.shift.z, up = dFdy(carried.xy) * passing.shift.z;
  Tile tile;
  if (!find_tile(carried.xy, tile)) { discard; }
  vec3 colour = tile_colour(tile);
  vec2 crossed = (abs(right) + abs(up)) * item.sheet.yz;
  if (max(crossed.x, crossed.y) > LEAST_CROSSED) {
    float count = 1.0;
    for (int k = 0; k < SPREAD; k++) {
      if (find_tile(carried.xy + OFFSETS[k].x * right + OFFSETS[k].y * up, tile)) {
        colour += tile_colour(tile);
        count += 1.0;
      }
    }
    colour /= count;
  }
  emit(colour);
}
"""
SKY = """
void main() {
  float share = clamp(normalize(carried).z / item.fog.x, 0.0, 1.0);
  result = vec4(mix(item.air.rgb, item.track.rgb, share), 1.0);
}
"""
STAGES = {
    "paint": (PAINT_VERTEX, PAINT),
    "picture": (PAINT_VERTEX, PICTURE),
    "scalar": (PANEL_VERTEX, TILE + LOOKUP + SCALAR + PANEL),
    "bars": (PANEL_VERTEX, TILE + LOOKUP + BARS + PANEL),
    "colour": (PANEL_VERTEX, TILE + COLOUR + PANEL),
    "sky": (SKY_VERTEX, SKY),
}
"""Vertex and fragment shader by what they draw."""
SUMMED = 4
"""Passes that are added to the sum at a time."""
SHRUNK = 2
"""Pixels each way of a large buffer whose mean is a pixel."""


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


def compile_shrink() -> GPUShader:
    """Compiles the shader that shows a buffer of SHRUNK times the size each way; needs a graphics context."""
    info = GPUShaderCreateInfo()
    info.vertex_in(0, "VEC3", "point")
    info.sampler(0, "FLOAT_2D", "large")
    info.fragment_out(0, "VEC4", "result")
    info.vertex_source("void main() { gl_Position = vec4(point, 1.0); }")
    info.fragment_source(f"""
void main() {{
  ivec2 corner = ivec2(gl_FragCoord.xy) * {SHRUNK};
  vec3 sum = vec3(0.0);
  for (int k = 0; k < {SHRUNK * SHRUNK}; k++) {{
    sum += texelFetch(large, corner + ivec2(k % {SHRUNK}, k / {SHRUNK}), 0).rgb;
  }}
  result = vec4(sum / {float(SHRUNK * SHRUNK)}, 1.0);
}}
""")
    return gpu.shader.create_from_info(info)


def item_block(fields: dict[str, np.ndarray], names: tuple[str, ...] = ITEM) -> np.ndarray:
    """Arranges fields as a uniform block, (n,) float32: matrices by columns, then vectors of four numbers.

    fields: (4, 4) matrices and vectors of up to four numbers, (n,), by their names; the others are 0. names: those of
    an item, or of a pass.
    """
    parts = []
    for name in names:
        if name.startswith("to_"):
            parts.append(np.asarray(fields.get(name, np.zeros((4, 4)))).T.ravel())
        else:
            values = np.zeros(4)
            found = np.ravel(fields.get(name, ()))
            values[: len(found)] = found
            parts.append(values)
    return np.concatenate(parts).astype(np.float32)
