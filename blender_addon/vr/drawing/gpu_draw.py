"""Rods, rims and rings in the 3D view, by Blender's gpu module.

Batches are made once, at the first draw, because only a window has a gpu; a frame sets matrices. Colours are sRGB as
they appear where the view transform is Standard. Draw inside `drawing`, from a handler of kind POST_VIEW.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from typing import Any

import gpu as blenders
import gpu_extras.batch
import numpy as np
from mathutils import Matrix, Vector

from .canvas import Colour, tone

gpu: Any = blenders  # its stubs say that everything returns None
batch_for_shader: Any = gpu_extras.batch.batch_for_shader

THIN, SLOPE, THICK = 0.003, 0.0012, 0.012
"""A ray's width: at least, a metre of its length, and at most; metres. A pixel of a headset is 1 mm a metre away."""
LINE, BEFORE = 0.006, 0.006
"""Width of an outline, and how far it is before what it is around; metres."""
OVER = 0.045
"""Metres over the floor: above the edges that are painted on it."""
ROUND, INSIDE, FAINT = 48, 0.88, 0.18
"""Corners of a ring, its inner radius, and the alpha of what is inside."""
CORNERS = 8
"""Points of a rod, four at each end, and of a rim, four outside and four inside."""
PRISM = [Vector((x, y, z)) for z in (0.0, 1.0) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
SIDES = np.array([*((k, (k + 1) % 4, (k + 1) % 4 + 4, k + 4) for k in range(4)), (4, 5, 6, 7)])[:, [0, 1, 2, 0, 2, 3]]
SIDES = SIDES.reshape(-1, 3)
"""Triangles of a rod without the end that is in the hand."""
FRAME = np.array([one for k in range(4) for one in ((k, (k + 1) % 4, (k + 1) % 4 + 4), (k, (k + 1) % 4 + 4, k + 4))])
Place = Iterable[float] | Vector
"""(3,) world, metres."""
Pair = Sequence[float] | np.ndarray
"""x and y."""


class Lines:
    """Rods and rims of one frame, world, drawn as one: a call costs more than the triangles that it draws."""

    def __init__(self) -> None:
        self.points: list[tuple[float, ...]] = []
        self.colours: list[tuple[float, ...]] = []
        self._shapes: list[str] = []

    def rod(self, at: Matrix, colour: Colour) -> None:
        """A rod or a ray where `between` says."""
        self._add("rod", at, PRISM, colour)

    def rim(self, at: Matrix, points: Iterable[Vector], colour: Colour) -> None:
        """A flat line around something, as `rim` gives it; its space to world."""
        self._add("rim", at, points, colour)

    def _add(self, shape: str, at: Matrix, points: Iterable[Vector], colour: Colour) -> None:
        self.points += [(at @ one).to_tuple() for one in points]
        self.colours += [tone(colour)] * CORNERS
        self._shapes.append(shape)

    def draw(self) -> None:
        """All of them; their colours are opaque."""
        if self.points:
            self._batch.draw(shader_of("SMOOTH_COLOR"))

    @cached_property
    def _batch(self) -> Any:
        points = gpu.types.GPUVertBuf(len=len(self.points), format=_format())
        points.attr_fill("pos", self.points)
        points.attr_fill("color", self.colours)
        return gpu.types.GPUBatch(type="TRIS", buf=points, elem=_faces(tuple(self._shapes)))


def rim(low: Pair, high: Pair, width: float = LINE) -> list[Vector]:
    """The points of a flat line around a rectangle of a plane, just before it; metres of its own space."""
    (left, lower), (right, upper), half = low, high, width / 2
    found = []
    for by in (half, -half):
        x0, x1, y0, y1 = left - by, right + by, lower - by, upper + by
        found += [Vector((x, y, BEFORE)) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    return found


def between(start: Place, end: Place, width: float = 0.0) -> Matrix:
    """Where a rod or a ray is, world, metres. Without a width it is a line that a headset shows, thicker if longer."""
    first, last = _vector(start), _vector(end)
    return _along(first, last, width or min(max((last - first).length * SLOPE, THIN), THICK))


def ring(place: Place, radius: float, colour: Colour) -> None:
    """Where one would land: a ring on the floor and its inside, faint. place: world."""
    at = Matrix.LocRotScale(_vector(place) + Vector((0, 0, OVER)), None, Vector((radius, radius, 1.0)))
    red, green, blue, alpha = tone(colour)
    _draw(_disc(), at, (red, green, blue, alpha * FAINT))
    _draw(_ring(), at, colour)


def _vector(place: Place) -> Vector:
    return place if isinstance(place, Vector) else Vector(tuple(place))


def _draw(batch: Any, matrix: Matrix, colour: Colour) -> None:
    shader = shader_of("UNIFORM_COLOR")
    red, green, blue, alpha = tone(colour)
    with gpu.matrix.push_pop():
        gpu.matrix.multiply_matrix(matrix)
        shader.bind()
        shader.uniform_float("color", (red * alpha, green * alpha, blue * alpha, alpha))
        batch.draw(shader)


@contextmanager
def from_eye() -> Iterator[None]:
    """Matrices lead to the eye's own axes, not to the world."""
    with gpu.matrix.push_pop():
        gpu.matrix.load_identity()
        yield


class drawing:
    """The state of the gpu while something is drawn, colours being multiplied by alpha; it is left as it was."""

    def __init__(self, blend: Any = "ALPHA_PREMULT", depth: Any = "LESS_EQUAL") -> None:
        self._wanted = depth, depth != "NONE", blend

    def __enter__(self) -> None:
        self._before = gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get()
        _set_state(*self._wanted)

    def __exit__(self, *_: object) -> None:
        _set_state(*self._before)


def _set_state(depth: Any, mask: bool, blend: Any) -> None:
    gpu.state.depth_test_set(depth)
    gpu.state.depth_mask_set(mask)
    gpu.state.blend_set(blend)


@cache
def shader_of(name: Any) -> Any:
    """One of Blender's own shaders."""
    return gpu.shader.from_builtin(name)


def _along(start: Vector, end: Vector, width: float) -> Matrix:
    """Of the unit beam, which has its square end, 1 wide, in the origin and reaches to z = 1."""
    way = end - start
    return Matrix.LocRotScale(start, way.to_track_quat("Z", "Y"), Vector((width, width, way.length)))


@cache
def _format() -> Any:
    found = gpu.types.GPUVertFormat()
    for name, size in (("pos", 3), ("color", 4)):
        found.attr_add(id=name, comp_type="F32", len=size, fetch_mode="FLOAT")
    return found


@lru_cache(maxsize=64)
def _faces(shapes: tuple[str, ...]) -> Any:
    """Of shapes whose points follow each other."""
    faces = [(SIDES if shape == "rod" else FRAME) + CORNERS * k for k, shape in enumerate(shapes)]
    return gpu.types.GPUIndexBuf(type="TRIS", seq=np.concatenate(faces).astype(np.int32))


@cache
def _ring() -> Any:
    outer, inner = np.arange(ROUND), np.arange(ROUND) + ROUND
    quads = np.stack([outer, np.roll(outer, -1), np.roll(inner, -1), inner], 1)
    return _batch(np.concatenate([_circle(1.0), _circle(INSIDE)]), quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))


@cache
def _disc() -> Any:
    fan = [(0, k, k + 1) for k in range(1, ROUND - 1)]
    return _batch(_circle(INSIDE), np.array(fan))


def _circle(radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, ROUND, endpoint=False)
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius, 0 * angle], 1)


def _batch(points: np.ndarray, triangles: np.ndarray) -> Any:
    content = {"pos": points.astype(np.float32)}
    return batch_for_shader(shader_of("UNIFORM_COLOR"), "TRIS", content, indices=triangles.astype(np.int32))
