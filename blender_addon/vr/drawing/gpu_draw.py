"""Rods, rims and rings in the 3D view, drawn with Blender's gpu module.

Batches are created at the first draw, because only a window has a gpu; later frames only set matrices. Colours are sRGB
as they appear under the view transform Standard. Draw inside `GpuState`, from a handler of kind POST_VIEW.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from typing import Any

import gpu as blender_gpu
import gpu_extras.batch
import numpy as np
from mathutils import Matrix, Vector

from .canvas import Colour, resolve_colour

gpu: Any = blender_gpu  # its stubs say that everything returns None
batch_for_shader: Any = gpu_extras.batch.batch_for_shader

MIN_RAY_WIDTH, RAY_SLOPE, MAX_RAY_WIDTH = 0.003, 0.0012, 0.012
"""Width of a ray: at least, for each metre of its length, and at most; metres. A headset pixel is 1 mm a metre away."""
LINE_WIDTH, LINE_LIFT = 0.006, 0.006
"""Width of an outline and its distance in front of what it surrounds, in metres."""
RING_LIFT = 0.045
"""Metres above the floor: over the edges that are painted on it."""
RING_CORNERS, RING_INNER, DISC_ALPHA = 48, 0.88, 0.18
"""Number of corners of a ring, its inner radius as a share, and the alpha of the disc inside."""
SHAPE_POINTS = 8
"""Points of a rod, four at each end, and of a rim, four outside and four inside."""
PRISM = [Vector((x, y, z)) for z in (0.0, 1.0) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
SIDES = np.array([*((k, (k + 1) % 4, (k + 1) % 4 + 4, k + 4) for k in range(4)), (4, 5, 6, 7)])[:, [0, 1, 2, 0, 2, 3]]
ROD_TRIANGLES = SIDES.reshape(-1, 3)
"""(10, 3) triangles of a rod without the end that is in the hand."""
RIM_TRIANGLES = np.array(
    [corners for k in range(4) for corners in ((k, (k + 1) % 4, (k + 1) % 4 + 4), (k, (k + 1) % 4 + 4, k + 4))]
)
"""(8, 3) triangles of a rim."""
Position = Iterable[float] | Vector
"""(3,) in the world, metres."""
Pair = Sequence[float] | np.ndarray
"""x and y."""


class Lines:
    """Rods and rims of one frame, in the world. They are drawn by one call, which costs more than its triangles."""

    def __init__(self) -> None:
        self.points: list[tuple[float, ...]] = []
        self.colours: list[tuple[float, ...]] = []
        self._shapes: list[str] = []

    def rod(self, matrix: Matrix, colour: Colour) -> None:
        """Adds a rod or a ray with the matrix of `rod_matrix`."""
        self._add("rod", matrix, PRISM, colour)

    def rim(self, matrix: Matrix, points: Iterable[Vector], colour: Colour) -> None:
        """Adds a flat outline: the points of `rim_points` and their matrix to world."""
        self._add("rim", matrix, points, colour)

    def _add(self, shape: str, matrix: Matrix, points: Iterable[Vector], colour: Colour) -> None:
        self.points += [(matrix @ point).to_tuple() for point in points]
        self.colours += [resolve_colour(colour)] * SHAPE_POINTS
        self._shapes.append(shape)

    def draw(self) -> None:
        """Draws all of them with opaque colours."""
        if self.points:
            self._batch.draw(builtin_shader("SMOOTH_COLOR"))

    @cached_property
    def _batch(self) -> Any:
        points = gpu.types.GPUVertBuf(len=len(self.points), format=_vertex_format())
        points.attr_fill("pos", self.points)
        points.attr_fill("color", self.colours)
        return gpu.types.GPUBatch(type="TRIS", buf=points, elem=_triangles(tuple(self._shapes)))


def rim_points(low: Pair, high: Pair, width: float = LINE_WIDTH) -> list[Vector]:
    """Returns the points of an outline of a plane's rectangle, just in front of it, in metres of its own space.

    low, high: (2,) corners.
    """
    (left, lower), (right, upper), half = low, high, width / 2
    points = []
    for margin in (half, -half):
        x0, x1, y0, y1 = left - margin, right + margin, lower - margin, upper + margin
        points += [Vector((x, y, LINE_LIFT)) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    return points


def rod_matrix(start: Position, end: Position, width: float = 0.0) -> Matrix:
    """Returns the matrix of a rod between two points of the world, in metres.

    Width 0 is that of a ray: visible in a headset, and thicker the longer it is.
    """
    first, last = _vector(start), _vector(end)
    width = width or min(max((last - first).length * RAY_SLOPE, MIN_RAY_WIDTH), MAX_RAY_WIDTH)
    return _unit_rod_matrix(first, last, width)


def floor_ring(position: Position, radius: float) -> Matrix:
    """Returns the matrix of a ring on the floor; position in the world, metres."""
    return Matrix.LocRotScale(_vector(position) + Vector((0, 0, RING_LIFT)), None, Vector((radius, radius, 1.0)))


def draw_ring(matrix: Matrix, colour: Colour) -> None:
    """Draws a ring with a faint disc inside; matrix: from a circle of radius 1 around the origin to world."""
    red, green, blue, alpha = resolve_colour(colour)
    _draw(_disc(), matrix, (red, green, blue, alpha * DISC_ALPHA))
    _draw(_ring(), matrix, colour)


def _vector(position: Position) -> Vector:
    return position if isinstance(position, Vector) else Vector(tuple(position))


def _draw(batch: Any, matrix: Matrix, colour: Colour) -> None:
    shader = builtin_shader("UNIFORM_COLOR")
    red, green, blue, alpha = resolve_colour(colour)
    with gpu.matrix.push_pop():
        gpu.matrix.multiply_matrix(matrix)
        shader.bind()
        shader.uniform_float("color", (red * alpha, green * alpha, blue * alpha, alpha))
        batch.draw(shader)


@contextmanager
def eye_space() -> Iterator[None]:
    """Draws in the eye's own axes instead of the world's."""
    with gpu.matrix.push_pop():
        gpu.matrix.load_identity()
        yield


class GpuState:
    """Context with the gpu's state for drawing; colours are premultiplied by alpha. The old state is restored."""

    def __init__(self, blend: Any = "ALPHA_PREMULT", depth: Any = "LESS_EQUAL") -> None:
        self._wanted = depth, depth != "NONE", blend

    def __enter__(self) -> None:
        self._saved = gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get()
        _set_state(*self._wanted)

    def __exit__(self, *_: object) -> None:
        _set_state(*self._saved)


def _set_state(depth: Any, mask: bool, blend: Any) -> None:
    gpu.state.depth_test_set(depth)
    gpu.state.depth_mask_set(mask)
    gpu.state.blend_set(blend)


@cache
def builtin_shader(name: Any) -> Any:
    """Returns one of Blender's own shaders."""
    return gpu.shader.from_builtin(name)


def _unit_rod_matrix(start: Vector, end: Vector, width: float) -> Matrix:
    """Returns the matrix of the unit rod, whose square end, 1 wide, is in the origin and which reaches to z = 1."""
    vector = end - start
    return Matrix.LocRotScale(start, vector.to_track_quat("Z", "Y"), Vector((width, width, vector.length)))


@cache
def _vertex_format() -> Any:
    vertex_format = gpu.types.GPUVertFormat()
    for name, size in (("pos", 3), ("color", 4)):
        vertex_format.attr_add(id=name, comp_type="F32", len=size, fetch_mode="FLOAT")
    return vertex_format


@lru_cache(maxsize=64)
def _triangles(shapes: tuple[str, ...]) -> Any:
    """Returns the index buffer of shapes whose points follow each other."""
    offsets = enumerate(shapes)
    triangles = [(ROD_TRIANGLES if shape == "rod" else RIM_TRIANGLES) + SHAPE_POINTS * k for k, shape in offsets]
    return gpu.types.GPUIndexBuf(type="TRIS", seq=np.concatenate(triangles).astype(np.int32))


@cache
def _ring() -> Any:
    outer, inner = np.arange(RING_CORNERS), np.arange(RING_CORNERS) + RING_CORNERS
    quads = np.stack([outer, np.roll(outer, -1), np.roll(inner, -1), inner], 1)
    points = np.concatenate([_circle(1.0), _circle(RING_INNER)])
    return _plain_batch(points, quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


@cache
def _disc() -> Any:
    fan = [(0, k, k + 1) for k in range(1, RING_CORNERS - 1)]
    return _plain_batch(_circle(RING_INNER), np.array(fan))


def _circle(radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, RING_CORNERS, endpoint=False)
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius, 0 * angle], 1)


def _plain_batch(points: np.ndarray, triangles: np.ndarray) -> Any:
    content = {"pos": points.astype(np.float32)}
    return batch_for_shader(builtin_shader("UNIFORM_COLOR"), "TRIS", content, indices=triangles.astype(np.int32))
