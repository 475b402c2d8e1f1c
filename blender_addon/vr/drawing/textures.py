"""Canvases painted into textures, one slice in each frame, so that no frame waits for all of it.

Only a window has a gpu: paint and draw inside `gpu_draw.GpuState`, from a handler of kind POST_VIEW.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
from mathutils import Matrix

from ...time_slicing import run_for
from .canvas import Canvas, Span
from .gpu_draw import GpuState, batch_for_shader, builtin_shader, gpu

DENSITY, MAX_TEXELS = 1700, 4096
"""Texels for each metre, slightly more than a headset shows from 0.6 m, and largest number along the longer side."""
SIZE_STEP = 64
"""Texels: sides of textures are multiples of it, so that canvases of similar size share a paint target."""
SLICE_SECONDS = 0.0004
"""Seconds for painting in each frame; one step may take longer."""
QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
SCREEN_CORNERS = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float32)
SAMPLE_OFFSETS = [((k + 0.5) / 4 - 0.5, (row + 0.5) / 4 - 0.5) for k, row in enumerate((1, 3, 0, 2))]
"""Offsets of the samples in shares of a texel: one in each row and column of a 4 × 4 grid."""


class PaintedCanvas:
    """A canvas as a texture; a canvas with other content needs another one.

    It is painted several times, each time moved by a part of a texel. The texture is their mean, so text has smooth
    edges and a frame draws one rectangle.
    """

    def __init__(self, canvas: Canvas, density: float = DENSITY) -> None:
        """density: texels for each metre."""
        self.canvas, self.density = canvas, density
        self.ready = False
        """Whether it is painted, so that it can be drawn."""
        self._texture: Any = None
        self._work = self._paint()

    def paint(self) -> None:
        """Runs a slice of the painting."""
        try:
            run_for(self._work, SLICE_SECONDS)
        except StopIteration:
            self.ready = True

    def draw(self, matrix: Matrix) -> None:
        """Draws it with a matrix, plane to world; it has to be ready."""
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(matrix)
            shader = builtin_shader("IMAGE")
            shader.bind()
            shader.uniform_sampler("image", self._texture)
            self._face.draw(shader)

    @cached_property
    def _extent(self) -> tuple[tuple[int, int], tuple[Span, Span]]:
        """Size of the texture in texels, and the bounds that it covers in metres, with empty space right and above."""
        (left, right), (low, high) = self.canvas.bounds
        density = min(self.density, MAX_TEXELS / max(right - left, high - low))
        width, height = (SIZE_STEP * math.ceil(side * density / SIZE_STEP) for side in (right - left, high - low))
        return (width, height), ((left, left + width / density), (low, low + height / density))

    @cached_property
    def _face(self) -> Any:
        (left, right), (low, high) = self._extent[1]
        return _rectangle(np.array([(left, low, 0), (right, low, 0), (right, high, 0), (left, high, 0)], np.float32))

    def _paint(self) -> Iterator[None]:
        """Paints the texture, with colours premultiplied by alpha, in steps."""
        size, bounds = self._extent
        target = _paint_target(size)
        self._texture = _new_texture(size)
        result = _framebuffer(self._texture)
        with result.bind():
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
        yield
        content = {"pos": self.canvas.points, "color": self.canvas.colours}
        shader, indices = builtin_shader("SMOOTH_COLOR"), self.canvas.triangles
        shapes = batch_for_shader(shader, "TRIS", content, indices=indices) if len(indices) else None
        yield
        pictures = []
        for corners, pixels in self.canvas.pictures:
            pictures.append((_rectangle(corners), _picture_texture(pixels)))
            yield
        for offset in SAMPLE_OFFSETS:
            projection = _projection(bounds, offset, size)
            self._paint_shapes(target, projection, shapes)
            yield
            if target.owner is not self:  # another canvas of this size was painted meanwhile
                self._paint_shapes(target, projection, shapes)
            with _drawing_into(target.framebuffer, projection), GpuState("ALPHA"):
                for batch, texture in pictures:
                    _draw_image(batch, texture)
            with _drawing_into(result, Matrix.Identity(4)), GpuState("ADDITIVE_PREMULT", "NONE"):
                _draw_image(_screen_rectangle(), target.texture, 1 / len(SAMPLE_OFFSETS))
            target.owner = None
            yield

    def _paint_shapes(self, target: _PaintTarget, projection: Matrix, shapes: Any) -> None:
        with _drawing_into(target.framebuffer, projection), GpuState("ALPHA"):
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
            if shapes is not None:
                shapes.draw(builtin_shader("SMOOTH_COLOR"))
        target.owner = self


class DoubleBuffer:
    """Shows one canvas while the next one is painted, so that nothing flickers."""

    def __init__(self) -> None:
        self.front: PaintedCanvas | None = None
        """The canvas that is shown."""
        self._back: PaintedCanvas | None = None

    @property
    def ready(self) -> bool:
        """Whether the canvas that is shown is the one that was requested last."""
        return self._back is None

    def show(self, canvas: PaintedCanvas | None) -> None:
        """Shows a canvas as soon as it is painted; None shows nothing, at once."""
        if canvas is None or canvas.ready:
            self.front, self._back = canvas, None
        else:
            self._back = canvas

    def paint(self) -> bool:
        """Runs a slice of the painting; returns whether there was anything to paint."""
        if self._back is None:
            return False
        self._back.paint()
        self.show(self._back)
        return True

    def draw(self, matrix: Matrix) -> None:
        """Draws the canvas that is shown; matrix: plane to world."""
        if self.front is not None:
            self.front.draw(matrix)


class _PaintTarget:
    """A texture with depth, in which canvases of one size are painted."""

    def __init__(self, size: Sequence[int]) -> None:
        self.texture = _new_texture(size)
        self.framebuffer = _framebuffer(self.texture, _new_texture(size, "DEPTH_COMPONENT32F"))
        self.owner: PaintedCanvas | None = None
        """The canvas whose shapes it holds."""


_paint_target = lru_cache(maxsize=4)(_PaintTarget)
"""Cached, as creating one takes longer than painting."""


def free_paint_targets() -> None:
    """Frees the memory of the graphics card at the end of a walk."""
    _paint_target.cache_clear()


def _new_texture(size: Sequence[int], form: str = "RGBA8") -> Any:
    return gpu.types.GPUTexture(tuple(size), format=form)


def _framebuffer(colour: Any, depth: Any = None) -> Any:
    """Returns a framebuffer. A `GPUOffScreen` created within a frame leaves the window bound and loses the frame."""
    return gpu.types.GPUFrameBuffer(depth_slot=depth, color_slots=colour)


@contextmanager
def _drawing_into(framebuffer: Any, projection: Matrix) -> Iterator[None]:
    """Draws into a framebuffer with this projection alone."""
    with framebuffer.bind(), gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
        gpu.matrix.load_identity()
        gpu.matrix.load_projection_matrix(projection)
        yield


def _projection(bounds: tuple[Span, Span], offset: tuple[float, float], size: Sequence[int]) -> Matrix:
    """Returns the projection of a canvas onto the whole texture, moved by an offset in shares of a texel."""
    (left, right), (low, high) = bounds
    x, y = 2 / (right - left), 2 / (high - low)
    moved = [2 * share / texels for share, texels in zip(offset, size, strict=True)]
    rows = ((x, 0, 0, -1 - left * x + moved[0]), (0, y, 0, -1 - low * y + moved[1]), (0, 0, -1, 0), (0, 0, 0, 1))
    return Matrix(rows)


@cache
def _screen_rectangle() -> Any:
    return _rectangle(SCREEN_CORNERS)


def _rectangle(corners: np.ndarray) -> Any:
    """Returns a batch for corners (4, 3), counter-clockwise from the lower left."""
    content = {"pos": corners, "texCoord": np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)}
    return batch_for_shader(builtin_shader("IMAGE_COLOR"), "TRIS", content, indices=QUAD)


def _draw_image(rectangle: Any, texture: Any, share: float = 1.0) -> None:
    shader = builtin_shader("IMAGE_COLOR")
    shader.bind()
    shader.uniform_sampler("image", texture)
    shader.uniform_float("color", (share,) * 4)
    rectangle.draw(shader)


def _picture_texture(pixels: np.ndarray) -> Any:
    """Returns a texture, lowest row first, of pixels (H, W, 4) sRGB, top row first."""
    rows = np.ascontiguousarray(pixels[::-1], np.float32)
    height, width, _ = rows.shape
    data = gpu.types.Buffer("FLOAT", rows.size, rows.ravel())
    return gpu.types.GPUTexture((width, height), format="RGBA16F", data=data)
