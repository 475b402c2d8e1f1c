"""Sketches as pictures in the 3D view: painted into textures, a part a frame, so that no frame pays for all of it.

Only a window has a gpu: paint and draw inside `gpu_draw.drawing`, from a handler of kind POST_VIEW.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
from mathutils import Matrix

from ...time_slicing import some
from .canvas import Sketch, Span
from .gpu_draw import batch_for_shader, drawing, gpu, shader_of

DENSE, LARGEST = 1700, 4096
"""Texels of a painted sketch a metre, some more than a headset shows from 0.6 m; and along its longer side at most."""
BLOCK = 64
"""Texels: edges of textures are multiples of it, so that sketches of about one size are painted on one easel."""
SLICE = 0.0004
"""Seconds of a frame that painting takes, or one part of it."""
QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
SCREEN = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float32)
ASIDE = [((k + 0.5) / 4 - 0.5, (one + 0.5) / 4 - 0.5) for k, one in enumerate((1, 3, 0, 2))]
"""Shares of a texel by which the paintings of a sketch are moved, one in each row and column of a 4 × 4 grid."""


class Shown:
    """A sketch that can be drawn; another content is another one.

    It is painted into a texture several times, each time moved by some of a texel. What is seen is the mean of that, so
    words have smooth edges, and a frame costs a rectangle.
    """

    def __init__(self, sketch: Sketch, dense: float = DENSE) -> None:
        """dense: texels a metre."""
        self.sketch, self.dense = sketch, dense
        self.ready = False
        """Whether it can be drawn."""
        self._texture: Any = None
        self._work = self._paint()

    def paint(self) -> None:
        """Some of the work, if there is any."""
        try:
            some(self._work, SLICE)
        except StopIteration:
            self.ready = True

    def draw(self, matrix: Matrix) -> None:
        """At a matrix, plane to world; it has to be ready."""
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(matrix)
            shader = shader_of("IMAGE")
            shader.bind()
            shader.uniform_sampler("image", self._texture)
            self._face.draw(shader)

    @cached_property
    def _extent(self) -> tuple[tuple[int, int], tuple[Span, Span]]:
        """Of the texture, texels, and of what it shows, metres; at the right and above some stays empty."""
        (left, right), (low, high) = self.sketch.bounds
        dense = min(self.dense, LARGEST / max(right - left, high - low))
        wide, tall = (BLOCK * math.ceil(edge * dense / BLOCK) for edge in (right - left, high - low))
        return (wide, tall), ((left, left + wide / dense), (low, low + tall / dense))

    @cached_property
    def _face(self) -> Any:
        (left, right), (low, high) = self._extent[1]
        return _rectangle(np.array([(left, low, 0), (right, low, 0), (right, high, 0), (left, high, 0)], np.float32))

    def _paint(self) -> Iterator[None]:
        """Colours are multiplied by alpha."""
        size, bounds = self._extent
        easel = _easel(size)
        self._texture = _canvas(size)
        whole = _target(self._texture)
        with whole.bind():
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        yield
        content = {"pos": self.sketch.points, "color": self.sketch.colours}
        shader, indices = shader_of("SMOOTH_COLOR"), self.sketch.triangles
        plain = batch_for_shader(shader, "TRIS", content, indices=indices) if len(indices) else None
        yield
        pictures = []
        for corners, pixels in self.sketch.pictures:
            pictures.append((_rectangle(corners), _texture(pixels)))
            yield
        for aside in ASIDE:
            at = _flat(bounds, aside, size)
            self._paint_plain(easel, at, plain)
            yield
            if easel.shows is not self:  # another sketch of this size was painted meanwhile
                self._paint_plain(easel, at, plain)
            with _into(easel.target, at), drawing("ALPHA"):
                for batch, texture in pictures:
                    _draw_image(batch, texture)
            with _into(whole, Matrix.Identity(4)), drawing("ADDITIVE_PREMULT", "NONE"):
                _draw_image(_screen(), easel.texture, 1 / len(ASIDE))
            easel.shows = None
            yield

    def _paint_plain(self, easel: _Easel, at: Matrix, plain: Any) -> None:
        with _into(easel.target, at), drawing("ALPHA"):
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
            if plain is not None:
                plain.draw(shader_of("SMOOTH_COLOR"))
        easel.shows = self


class Pane:
    """Where sketches are shown: what is seen stays until the next one is painted, so nothing flickers."""

    def __init__(self) -> None:
        self.seen: Shown | None = None
        self._coming: Shown | None = None

    @property
    def ready(self) -> bool:
        """Whether what is seen is what is to be seen."""
        return self._coming is None

    def show(self, wanted: Shown | None) -> None:
        """See this from now on, or as soon as it is painted; None: nothing, at once."""
        if wanted is None or wanted.ready:
            self.seen, self._coming = wanted, None
        else:
            self._coming = wanted

    def paint(self) -> bool:
        """Some of what there is to do; whether there was anything."""
        if self._coming is None:
            return False
        self._coming.paint()
        self.show(self._coming)
        return True

    def draw(self, matrix: Matrix) -> None:
        """What is seen, plane to world."""
        if self.seen is not None:
            self.seen.draw(matrix)


class _Easel:
    """A texture that sketches of one size are painted on, and it as a target."""

    def __init__(self, size: Sequence[int]) -> None:
        self.texture = _canvas(size)
        self.target = _target(self.texture, _canvas(size, "DEPTH_COMPONENT32F"))
        self.shows: Shown | None = None


_easel = lru_cache(maxsize=4)(_Easel)
"""Made anew, they take longer than painting."""


def forget_easels() -> None:
    """Nothing of the graphics card is kept after a walk."""
    _easel.cache_clear()


def _canvas(size: Sequence[int], form: str = "RGBA8") -> Any:
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


@cache
def _screen() -> Any:
    return _rectangle(SCREEN)


def _rectangle(corners: np.ndarray) -> Any:
    """Corners (4, 3) from the lower left, against the clock."""
    content = {"pos": corners, "texCoord": np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)}
    return batch_for_shader(shader_of("IMAGE_COLOR"), "TRIS", content, indices=QUAD)


def _draw_image(rectangle: Any, texture: Any, share: float = 1.0) -> None:
    shader = shader_of("IMAGE_COLOR")
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
