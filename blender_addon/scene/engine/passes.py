"""Draws items as a picture: the mean of passes that are shifted by parts of a pixel, in linear light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import gpu
import numpy as np
from gpu.types import GPUBatch, GPUOffScreen, GPUShader, GPUUniformBuf

from .drawn_items import DrawnItem
from .graphics_data import GraphicsCache, read_pixels, uniform_block, whole_picture
from .sampling import in_view, pass_shifts, sky_directions
from .shaders import SAMPLERS, SUMMED, compile_shader, compile_sum, item_block

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


@dataclass(frozen=True)
class Draw:
    """A mesh that is ready to draw."""

    kind: str
    batch: GPUBatch
    block: GPUUniformBuf
    textures: dict[str, gpu.types.GPUTexture]


def draw_picture(
    items: Sequence[DrawnItem],
    sky: Sky | None,
    camera: PictureCamera,
    passes: int,
    cache: GraphicsCache,
    progress: Callable[[float], object],
) -> np.ndarray:
    """Draws items; returns (height, width, 4) float32, linear, with premultiplied alpha, first row at the bottom.

    sky: None for a transparent background. progress: called with the share that is done. Needs a graphics context.
    """
    picture = np.zeros((camera.height, camera.width, 4), np.float32)
    corners = [(x, y) for y in range(0, camera.height, MOST_SIDE) for x in range(0, camera.width, MOST_SIDE)]
    for number, (x, y) in enumerate(corners):
        part = camera.part(x, y, min(MOST_SIDE, camera.width - x), min(MOST_SIDE, camera.height - y))
        draws = prepare(items, sky, part, cache)
        on_share = partial(_part_progress, progress, number, len(corners))
        picture[y : y + part.height, x : x + part.width] = _mean_of_passes(draws, part, passes, cache, on_share)
    return picture


def _part_progress(progress: Callable[[float], object], number: int, parts: int, share: float) -> None:
    """Reports the share of the whole picture that is done with a share of one of its parts."""
    progress((number + share) / parts)


def prepare(items: Sequence[DrawnItem], sky: Sky | None, camera: PictureCamera, cache: GraphicsCache) -> list[Draw]:
    """Returns what a camera may see, near before far and the sky last, so that little is drawn over."""
    matrices = np.array([item.to_world for item in items]).reshape(-1, 4, 4)
    to_camera = np.linalg.inv(camera.to_world) @ matrices
    to_clip = camera.projection @ to_camera
    low, high = (np.array([getattr(item, end) for item in items]).reshape(-1, 3) for end in ("low", "high"))
    seen = np.flatnonzero(in_view(low, high, to_clip))
    middle = (low + high) / 2
    distance = np.linalg.norm(np.einsum("nij,nj->ni", to_camera[:, :3, :3], middle) + to_camera[:, :3, 3], axis=1)
    distance -= np.linalg.norm(np.einsum("nij,nj->ni", to_camera[:, :3, :3], (high - low) / 2), axis=1)
    draws = []
    for k in sorted(seen, key=lambda k: distance[k]):
        item = items[k]
        fields = item.fields | {"to_clip": to_clip[k], "to_camera": to_camera[k]}
        draws.append(Draw(item.kind, item.batch, uniform_block(item_block(fields)), item.textures))
    if sky is not None:
        directions = sky_directions(camera.projection, camera.to_world)
        fields = {"to_clip": directions, "air": sky.horizon, "track": sky.zenith, "fog": np.array([sky.zenith_from])}
        draws.append(Draw("sky", cache.get("whole", whole_picture), uniform_block(item_block(fields)), {}))
    return draws


def draw_pass(draws: Sequence[Draw], shift: np.ndarray, camera: PictureCamera, cache: GraphicsCache) -> None:
    """Draws one pass into the bound target. shift: (2,) float, pixels."""
    passing = uniform_block(np.array([*(-2 * shift / (camera.width, camera.height)), 0, 0], np.float32))
    gpu.state.blend_set("NONE")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
    for draw in draws:
        shader: GPUShader = cache.get(("shader", draw.kind), partial(compile_shader, draw.kind))
        shader.bind()
        shader.uniform_block("item", draw.block)
        shader.uniform_block("passing", passing)
        for name in SAMPLERS[draw.kind]:
            shader.uniform_sampler(name, draw.textures[name])
        draw.batch.draw(shader)
    gpu.state.depth_test_set("NONE")


def _mean_of_passes(
    draws: Sequence[Draw],
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
                draw_pass(draws, shift, camera, cache)
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
    cache.get("whole", whole_picture).draw(shader)
    gpu.state.blend_set("NONE")
