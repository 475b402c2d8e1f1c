"""What the engine keeps on the graphics card: meshes, textures and uniform blocks; all need a graphics context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import bpy
import gpu
import numpy as np
from gpu.types import Buffer, GPUBatch, GPUIndexBuf, GPUOffScreen, GPUTexture, GPUUniformBuf, GPUVertBuf, GPUVertFormat

T = TypeVar("T")
Key = tuple[Any, ...]
"""What something was made of: a word for its kind, then what tells it from others of the kind."""


@dataclass(frozen=True)
class MeshArrays:
    """A mesh as the engine draws it."""

    points: np.ndarray
    """(n, 3) float32, metres."""
    extras: np.ndarray
    """(n, 3) float32: colours in linear light, or places in a picture, 0..1."""
    triangles: np.ndarray
    """(m, 3) int32, indices of points."""


@dataclass(frozen=True)
class MeshBatch:
    """A mesh on the graphics card, and the box it fills."""

    batch: GPUBatch
    low: np.ndarray
    """(3,) float, metres."""
    high: np.ndarray
    """(3,) float, metres."""


class GraphicsCache:
    """Meshes, textures and shaders by what they were made of."""

    def __init__(self) -> None:
        self._kept: dict[Key, Any] = {}
        self._got: set[Key] = set()

    def get(self, key: Key, create: Callable[[], T]) -> T:
        """Returns what was made for a key, made now if it isn't there."""
        self._got.add(key)
        if key not in self._kept:
            self._kept[key] = create()
        return self._kept[key]

    def take_got(self) -> set[Key]:
        """Returns the keys that were got since the last call."""
        got, self._got = self._got, set()
        return got

    def forget(self, is_old: Callable[..., bool]) -> None:
        """Forgets the keys of whose parts a function says so."""
        self._kept = {key: kept for key, kept in self._kept.items() if not is_old(*key)}


def upload_mesh(arrays: MeshArrays) -> MeshBatch:
    """Uploads a mesh that has triangles."""
    layout = GPUVertFormat()
    for name in ("point", "extra"):
        layout.attr_add(id=name, comp_type="F32", len=3, fetch_mode="FLOAT")
    vertices = GPUVertBuf(layout, len(arrays.points))
    vertices.attr_fill("point", np.ascontiguousarray(arrays.points, np.float32))
    vertices.attr_fill("extra", np.ascontiguousarray(arrays.extras, np.float32))
    indices = GPUIndexBuf(type="TRIS", seq=np.ascontiguousarray(arrays.triangles, np.int32))
    used = arrays.points[arrays.triangles.ravel()]
    return MeshBatch(GPUBatch(type="TRIS", buf=vertices, elem=indices), used.min(0), used.max(0))


def unit_square() -> GPUBatch:
    """Returns a square from (0, 0) to (1, 1)."""
    return _flat([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [(0, 1, 2), (0, 2, 3)])


def whole_picture() -> GPUBatch:
    """Returns a triangle that covers the picture."""
    return _flat([(-1, -1, 0), (3, -1, 0), (-1, 3, 0)], [(0, 1, 2)])


def _flat(points: list[tuple[int, int, int]], triangles: list[tuple[int, int, int]]) -> GPUBatch:
    layout = GPUVertFormat()
    layout.attr_add(id="point", comp_type="F32", len=3, fetch_mode="FLOAT")
    vertices = GPUVertBuf(layout, len(points))
    vertices.attr_fill("point", np.array(points, np.float32))
    return GPUBatch(type="TRIS", buf=vertices, elem=GPUIndexBuf(type="TRIS", seq=np.array(triangles, np.int32)))


def upload_values(values: np.ndarray, channels: str = "RGBA32F") -> GPUTexture:
    """Uploads (height, width) or (height, width, 4) float32, first row at the bottom; channels: RGBA32F or R32F."""
    flat = np.ascontiguousarray(values, np.float32).ravel()
    height, width = values.shape[:2]
    return GPUTexture((width, height), format=channels, data=Buffer("FLOAT", flat.size, flat))


def upload_image(image: bpy.types.Image) -> GPUTexture:
    """Uploads an image's values as 32-bit floats without conversion, which Blender's own textures don't all keep."""
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return upload_values(values.reshape(image.size[1], image.size[0], 4))


def picture_texture(image: bpy.types.Image) -> GPUTexture:
    """Returns Blender's texture of a picture, in linear light; Blender renews it when its pixels change."""
    return gpu.texture.from_image(image)


def uniform_block(values: np.ndarray) -> GPUUniformBuf:
    """Uploads a uniform block, (n,) float32, n a multiple of four."""
    return GPUUniformBuf(Buffer("FLOAT", values.size, values))


def read_pixels(target: GPUOffScreen) -> np.ndarray:
    """Returns a target's pixels, (height, width, 4) float32, first row at the bottom."""
    with target.bind():
        frame = gpu.state.active_framebuffer_get()
        buffer = frame.read_color(0, 0, target.width, target.height, 4, 0, "FLOAT")
    buffer.dimensions = target.width * target.height * 4
    return np.array(buffer, np.float32).reshape(target.height, target.width, 4)
