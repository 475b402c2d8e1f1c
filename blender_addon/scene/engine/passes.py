"""Draws scenes as pictures: the mean of passes that are shifted by parts of a pixel, in linear light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import gpu
import numpy as np
from gpu.types import GPUOffScreen, GPUShader, GPUUniformBuf

from .graphics_data import GraphicsCache, read_pixels, uniform_block, whole_picture
from .sampling import in_view, pass_shifts, sky_directions
from .scene_items import DrawnItem, SceneItems
from .shaders import PASS, SUMMED, compile_shader, compile_sum, item_block

MOST_SIDE = 4096
"""Largest side in pixels that is drawn at once; larger pictures are drawn in parts."""


@dataclass(frozen=True)
class PictureCamera:
    """Where a picture is taken from."""

    projection: np.ndarray
    """(4, 4) float64, from camera to clip space."""
    to_world: np.ndarray
    """(4, 4) float64, from camera to world space, without scale."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""

    def part(self, left: int, bottom: int, width: int, height: int) -> PictureCamera:
        """Returns the camera of a part of the picture, in pixels from the lower left."""
        scale = np.array([self.width / width, self.height / height])
        centre = np.array([2 * left + width - self.width, 2 * bottom + height - self.height]) / (width, height)
        cut = np.eye(4)
        cut[0, 0], cut[1, 1] = scale
        cut[:2, 3] = -centre
        return PictureCamera(cut @ self.projection, self.to_world, width, height)


@dataclass(frozen=True)
class Sky:
    """The background: a colour at the horizon and below it, and another one higher up."""

    horizon: np.ndarray
    """(3,) float, linear RGB."""
    zenith: np.ndarray
    """(3,) float, linear RGB."""
    zenith_from: float
    """Sine of the elevation above which the sky has the zenith's colour."""


def draw_picture(
    shown: SceneItems,
    sky: Sky | None,
    camera: PictureCamera,
    passes: int,
    cache: GraphicsCache,
    progress: Callable[[float], object],
) -> np.ndarray:
    """Draws a scene; returns (height, width, 4) float32, linear, with premultiplied alpha, first row at the bottom.

    sky: None for a transparent background. progress: called with the share that is done. Needs a graphics context.
    """
    picture = np.zeros((camera.height, camera.width, 4), np.float32)
    corners = [(x, y) for y in range(0, camera.height, MOST_SIDE) for x in range(0, camera.width, MOST_SIDE)]
    for number, (x, y) in enumerate(corners):
        part = camera.part(x, y, min(MOST_SIDE, camera.width - x), min(MOST_SIDE, camera.height - y))
        on_share = partial(_part_progress, progress, number, len(corners))
        seen = visible_items(shown, part)
        picture[y : y + part.height, x : x + part.width] = _mean_of_passes(seen, sky, part, passes, cache, on_share)
    return picture


def _part_progress(progress: Callable[[float], object], number: int, parts: int, share: float) -> None:
    """Reports the share of the whole picture that is done with a share of one of its parts."""
    progress((number + share) / parts)


def visible_items(shown: SceneItems, camera: PictureCamera) -> list[DrawnItem]:
    """Returns what a camera may see of a scene, near before far, so that little is drawn over."""
    seen = np.flatnonzero(in_view(shown.corners, camera.projection @ np.linalg.inv(camera.to_world)))
    corners = shown.corners[seen]
    middle = corners.mean(1)
    distance = np.linalg.norm(middle - camera.to_world[:3, 3], axis=1) - np.linalg.norm(corners[:, 0] - middle, axis=1)
    return [shown.items[seen[k]] for k in np.argsort(distance, kind="stable")]


def draw_pass(
    items: Sequence[DrawnItem],
    sky: Sky | None,
    camera: PictureCamera,
    shift: np.ndarray,
    cache: GraphicsCache,
    spread: float = 0.0,
) -> None:
    """Draws one pass into the bound target of the camera's size.

    sky: None for a transparent background. shift: (2,) float, pixels. spread: width in pixels over which tiles are
    sampled that show more than a value in a pixel; 0 for once.
    """
    passing = _pass_block(camera, shift, spread)
    gpu.state.blend_set("NONE")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
    kind = ""
    for item in items:
        shape = item.shape
        if shape.kind != kind:
            kind = shape.kind
            shader: GPUShader = cache.get(("shader", kind), partial(compile_shader, kind))
            shader.bind()
            shader.uniform_block("passing", passing)
        shader.uniform_block("item", item.block)
        for name, texture in shape.textures.items():
            shader.uniform_sampler(name, texture)
        shape.batch.draw(shader)
    if sky is not None:  # last, so that little of it is drawn over
        _draw_sky(sky, passing, cache)
    gpu.state.depth_test_set("NONE")


def _pass_block(camera: PictureCamera, shift: np.ndarray, spread: float) -> GPUUniformBuf:
    turn = np.eye(4)
    turn[:3, :3] = np.linalg.inv(camera.to_world[:3, :3])
    fields = {
        "to_clip": camera.projection @ turn,
        "to_direction": sky_directions(camera.projection, camera.to_world),
        "eye": camera.to_world[:3, 3],
        "shift": np.array([*(-2 * shift / (camera.width, camera.height)), spread]),
    }
    return uniform_block(item_block(fields, PASS))


def _draw_sky(sky: Sky, passing: GPUUniformBuf, cache: GraphicsCache) -> None:
    fields = {"air": sky.horizon, "track": sky.zenith, "fog": np.array([sky.zenith_from])}
    shader: GPUShader = cache.get(("shader", "sky"), partial(compile_shader, "sky"))
    shader.bind()
    shader.uniform_block("passing", passing)
    block = uniform_block(item_block(fields))  # kept until it is drawn
    shader.uniform_block("item", block)
    cache.get(("whole",), whole_picture).draw(shader)


def _mean_of_passes(
    items: Sequence[DrawnItem],
    sky: Sky | None,
    camera: PictureCamera,
    passes: int,
    cache: GraphicsCache,
    progress: Callable[[float], object],
) -> np.ndarray:
    """Returns the mean of passes, (height, width, 4) float32."""
    total = GPUOffScreen(camera.width, camera.height, format="RGBA32F")
    targets = [GPUOffScreen(camera.width, camera.height, format="RGBA16") for _ in range(min(SUMMED, passes))]
    with total.bind():
        gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0))
    shifts = pass_shifts(passes)
    for start in range(0, passes, len(targets)):
        drawn = targets[: passes - start]
        for target, shift in zip(drawn, shifts[start:], strict=False):
            with target.bind():
                draw_pass(items, sky, camera, shift, cache)
        add_passes(total, drawn, 1.0 / passes, cache)
        progress((start + len(drawn)) / passes)
    return read_pixels(total)


def add_passes(total: GPUOffScreen, drawn: Sequence[GPUOffScreen], weight: float, cache: GraphicsCache) -> None:
    """Adds the colours of up to SUMMED passes, each times a weight, to a sum."""
    with total.bind():
        _draw_sum(drawn, weight, "ADDITIVE_PREMULT", cache)


def show_sum(total: GPUOffScreen, weight: float, cache: GraphicsCache) -> None:
    """Draws a sum of passes, times a weight, into the bound target of its size, in place of what is there."""
    _draw_sum([total], weight, "NONE", cache)


def _draw_sum(drawn: Sequence[GPUOffScreen], weight: float, blend: str, cache: GraphicsCache) -> None:
    shader: GPUShader = cache.get(("shader", "sum"), compile_sum)
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set(blend)
    shader.bind()
    shader.uniform_float("weights", [weight if slot < len(drawn) else 0.0 for slot in range(SUMMED)])
    for slot in range(SUMMED):
        shader.uniform_sampler(f"pass{slot}", drawn[min(slot, len(drawn) - 1)].texture_color)
    cache.get(("whole",), whole_picture).draw(shader)
    gpu.state.blend_set("NONE")
