"""Sketches, rays, outlines and rings in the 3D view, by Blender's gpu module.

Batches and textures are made once, at the first draw, because only a window has a gpu; a frame sets matrices. Colours
are sRGB as they appear where the view transform is Standard. Draw inside `drawing`, from a handler of kind POST_VIEW.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

import gpu as blenders
import gpu_extras.batch
import numpy as np
from mathutils import Matrix, Vector

from .sketch import Colour, Sketch, Span, tone

gpu: Any = blenders  # its stubs say that everything returns None
batch_for_shader: Any = gpu_extras.batch.batch_for_shader

THIN, SLOPE, THICK = 0.003, 0.0012, 0.012
"""A ray's width: at least, a metre of its length, and at most; metres. A pixel of a headset is 1 mm a metre away."""
LINE = 0.006
"""Width of an outline, metres."""
OVER = 0.045
"""Metres over the floor: above the edges that are painted on it."""
ROUND, INSIDE, FAINT = 48, 0.88, 0.18
"""Corners of a ring, its inner radius, and the alpha of what is inside."""
OUTWARD = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
"""From the middle of a rectangle to its corners."""
FRAME = np.array([one for k in range(4) for one in ((k, (k + 1) % 4, (k + 1) % 4 + 4), (k, (k + 1) % 4 + 4, k + 4))])
QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
DENSE, LARGEST = 1700, 4096
"""Texels of a painted sketch a metre, some more than a headset shows from 0.6 m; and along its longer side at most."""
Place = Iterable[float] | Vector
"""(3,) world, metres."""
ASIDE = [((k + 0.5) / 4 - 0.5, (one + 0.5) / 4 - 0.5) for k, one in enumerate((1, 3, 0, 2))]
"""Shares of a texel by which the paintings of a sketch are moved, one in each row and column of a 4 × 4 grid."""
SCREEN = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float32)


class Shown:
    """A sketch that can be drawn; another content is another one.

    It is painted into a texture, so that its words have smooth edges and a frame costs a rectangle: once at each of the
    first draws, moved by some of a texel, so that no frame pays for all. What is seen is the mean of them.
    """

    def __init__(self, sketch: Sketch, dense: float = DENSE) -> None:
        """dense: texels a metre."""
        self.sketch, self.dense = sketch, dense
        self.painted = 0
        """How often it was."""
        self._texture: Any = None
        self._painter: Iterator[None] | None = self._paint()

    @property
    def ready(self) -> bool:
        """Whether another draw would make what is seen no finer."""
        return self._painter is None or not self.painted

    def draw(self, matrix: Matrix) -> None:
        """At a matrix, plane to world."""
        if self._painter is not None:
            next(self._painter)
            if self.painted == len(ASIDE):
                self._painter = None  # and what it paints with
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(matrix)
            _draw_image(self._face, self._texture, len(ASIDE) / self.painted)

    @cached_property
    def _face(self) -> Any:
        (left, right), (low, high) = self.sketch.bounds
        return _rectangle(np.array([(left, low, 0), (right, low, 0), (right, high, 0), (left, high, 0)], np.float32))

    def _paint(self) -> Iterator[None]:
        """One painting after the other; colours are multiplied by alpha."""
        (left, right), (low, high) = self.sketch.bounds
        dense = min(self.dense, LARGEST / max(right - left, high - low))
        size = [max(1, math.ceil(edge * dense)) for edge in (right - left, high - low)]
        flat, batches, self._texture = _canvas(size, "RGBA8"), self._batches(), _canvas(size, "RGBA16F")
        whole, part = _target(self._texture), _target(flat, _canvas(size, "DEPTH_COMPONENT32F"))
        with whole.bind():
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        for aside in ASIDE:
            with _into(part, _flat(self.sketch.bounds, aside, size)):
                gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
                _paint(*batches)
            with _into(whole, Matrix.Identity(4)), drawing("ADDITIVE_PREMULT", "NONE"):
                _draw_image(_rectangle(SCREEN), flat, 1 / len(ASIDE))
            self.painted += 1
            yield

    def _batches(self) -> tuple[Any, list[tuple[Any, Any]]]:
        """Of everything that is plain, None for nothing, and (batch, texture) of each picture."""
        content = {"pos": self.sketch.points, "color": self.sketch.colours}
        indices, shader = self.sketch.triangles, _shader("SMOOTH_COLOR")
        plain = batch_for_shader(shader, "TRIS", content, indices=indices) if len(indices) else None
        return plain, [(_rectangle(corners), _texture(pixels)) for corners, pixels in self.sketch.pictures]


def _paint(plain: Any, pictures: list[tuple[Any, Any]]) -> None:
    with drawing("ALPHA"):
        if plain is not None:
            plain.draw(_shader("SMOOTH_COLOR"))
        for batch, texture in pictures:
            _draw_image(batch, texture)


def _canvas(size: Sequence[int], form: str) -> Any:
    return gpu.types.GPUTexture(tuple(size), format=form)


def _target(colour: Any, depth: Any = None) -> Any:
    """To draw into. A `GPUOffScreen` made amid a frame leaves the window bound, and the rest of the frame is lost."""
    return gpu.types.GPUFrameBuffer(depth_slot=depth, color_slots=colour)


@contextmanager
def _into(target: Any, projection: Matrix) -> Iterator[None]:
    """Draw into a texture, with this projection alone."""
    with target.bind(), gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
        gpu.matrix.load_identity()
        gpu.matrix.load_projection_matrix(projection)
        yield


def _flat(bounds: tuple[Span, Span], aside: tuple[float, float], size: Sequence[int]) -> Matrix:
    """Projection of a sketch's plane onto the whole texture, moved by a share of a pixel."""
    (left, right), (low, high) = bounds
    x, y = 2 / (right - left), 2 / (high - low)
    moved = [2 * share / pixels for share, pixels in zip(aside, size, strict=True)]
    rows = ((x, 0, 0, -1 - left * x + moved[0]), (0, y, 0, -1 - low * y + moved[1]), (0, 0, -1, 0), (0, 0, 0, 1))
    return Matrix(rows)


class Outline:
    """A flat line around a rectangle, corners (4, 3) in metres of its own space, against the clock."""

    def __init__(self, corners: np.ndarray, width: float = LINE) -> None:
        self.corners, self.width = corners, width

    def draw(self, matrix: Matrix, colour: Colour) -> None:
        """At a matrix, its space to world."""
        _draw(self._line, matrix, colour)

    @cached_property
    def _line(self) -> Any:
        sides = self.corners[[1, 3]] - self.corners[0]
        along = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-9) * self.width / 2
        return _batch(np.concatenate([self.corners + OUTWARD @ along, self.corners - OUTWARD @ along]), FRAME)


def between(start: Place, end: Place, width: float = 0.0) -> Matrix:
    """Where a rod or a ray is, world, metres. Without a width it is a line that a headset shows, thicker if longer."""
    first, last = _vector(start), _vector(end)
    return _along(first, last, width or min(max((last - first).length * SLOPE, THIN), THICK))


def ray(at: Matrix, colour: Colour) -> None:
    """A rod or a ray where `between` says."""
    _draw(_beam(), at, colour)


def ring(place: Place, radius: float, colour: Colour) -> None:
    """Where one would land: a ring on the floor and its inside, faint. place: world."""
    at = Matrix.LocRotScale(_vector(place) + Vector((0, 0, OVER)), None, Vector((radius, radius, 1.0)))
    red, green, blue, alpha = tone(colour)
    _draw(_disc(), at, (red, green, blue, alpha * FAINT))
    _draw(_ring(), at, colour)


def _vector(place: Place) -> Vector:
    return Vector(tuple(place))  # type: ignore[arg-type]


def _draw(batch: Any, matrix: Matrix, colour: Colour) -> None:
    shader = _shader("UNIFORM_COLOR")
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


@contextmanager
def drawing(blend: Any = "ALPHA_PREMULT", depth: Any = "LESS_EQUAL") -> Iterator[None]:
    """The state of the gpu while something is drawn, colours being multiplied by alpha; it is left as it was."""
    before = gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get()
    _set_state(depth, depth != "NONE", blend)
    try:
        yield
    finally:
        _set_state(*before)


def _set_state(depth: Any, mask: bool, blend: Any) -> None:
    gpu.state.depth_test_set(depth)
    gpu.state.depth_mask_set(mask)
    gpu.state.blend_set(blend)


@cache
def _shader(name: Any) -> Any:
    return gpu.shader.from_builtin(name)


def _rectangle(corners: np.ndarray) -> Any:
    """Corners (4, 3) from the lower left, against the clock."""
    content = {"pos": corners, "texCoord": np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)}
    return batch_for_shader(_shader("IMAGE_COLOR"), "TRIS", content, indices=QUAD)


def _draw_image(rectangle: Any, texture: Any, share: float = 1.0) -> None:
    shader = _shader("IMAGE_COLOR")
    shader.bind()
    shader.uniform_sampler("image", texture)
    shader.uniform_float("color", (share,) * 4)
    rectangle.draw(shader)


def _texture(pixels: np.ndarray) -> Any:
    """Of pixels (H, W, 4) sRGB, top row first; a texture has its lowest row first."""
    rows = np.ascontiguousarray(pixels[::-1], np.float32)
    height, width, _ = rows.shape
    data = gpu.types.Buffer("FLOAT", rows.size, rows.ravel())
    return gpu.types.GPUTexture((width, height), format="RGBA16F", data=data)


def _along(start: Vector, end: Vector, width: float) -> Matrix:
    """Of the unit beam, which has its square end, 1 wide, in the origin and reaches to z = 1."""
    way = end - start
    return Matrix.LocRotScale(start, way.to_track_quat("Z", "Y"), Vector((width, width, way.length)))


@cache
def _beam() -> Any:
    return _batch(*_prism())


@cache
def _prism() -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of the sides and the far end of a unit prism."""
    square = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    points = np.array([(x, y, z) for z in (0.0, 1.0) for x, y in square], np.float32)
    sides = [(k, (k + 1) % 4, (k + 1) % 4 + 4, k + 4) for k in range(4)] + [(4, 5, 6, 7)]
    return points, np.array(sides, np.int32)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


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
    return batch_for_shader(_shader("UNIFORM_COLOR"), "TRIS", content, indices=triangles.astype(np.int32))
