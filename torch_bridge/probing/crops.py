"""Tiles of pictures: what the strongest place of a channel sees, dark where the channel is silent.

All shots of a layer have one size. They are cut out when their picture is there, so that no picture is kept or read
again, with the channel's own map over the same pixels; how dark they are is decided when they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from .receptive_field import ReceptiveFields

OutsideStyle = Literal["dark", "outlined", "plain"]
MIN_SIDE, MAX_SIDE = 32, 96
"""Pixels of a shot's longer side: smaller fields are shown so large, larger ones are shrunk."""
BEYOND = 128
"""Grey of what lies beyond the picture's edges, 0..255."""
DARK = 0.45
"""What is left of the light outside."""
LINE = np.array([1.0, 0.85, 0.1], np.float32)
"""sRGB of the outline."""


@dataclass(frozen=True)
class CropFrame:
    """Which part of pictures of one size is shown for a place of a layer."""

    fields: ReceptiveFields
    whole: bool
    """The whole picture, whatever the place sees."""

    def parts(self, channels: np.ndarray, places: np.ndarray) -> np.ndarray:
        """(K,) channels, (K, 2) places -> (K, 4) float top, left, height, width in pixels; a channel's are of one size.

        Where the field is cut off at an edge it goes on beyond it.
        """
        height, width = self.fields.picture
        if self.whole:
            return np.broadcast_to(np.array([0, 0, height, width], np.float64), (len(channels), 4))
        known = np.minimum(channels, len(self.fields.boxes) - 1)
        boxes = self.fields.boxes[known, places[:, 0], places[:, 1]].astype(np.float64)
        sizes = np.maximum(self.fields.sizes, 1)[known]
        start = np.where(boxes[:, :2] > 0, boxes[:, :2], boxes[:, 2:] - sizes)
        return np.concatenate([np.where(boxes[:, 2:] > boxes[:, :2], start, 0), sizes], 1)

    def size(self, most: int) -> tuple[int, int]:
        """(height, width) of shots: in proportion, by a whole factor where they are enlarged."""
        height, width = self.fields.picture if self.whole else self.fields.sizes.max(0).tolist()
        longer = max(height, width, 1)
        factor = min(-(-MIN_SIDE // longer), max(most // longer, 1)) if longer < MIN_SIDE else min(1.0, most / longer)
        factor = min(factor, most / longer)
        return max(1, round(height * factor)), max(1, round(width * factor))


def crop_picture(picture: Image.Image, part: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) uint8 sRGB: a part (top, left, height, width) of an RGB picture, grey beyond its edges."""
    shot = np.full((*size, 3), BEYOND, np.uint8)
    top, left, height, width = part
    ends = (max(top, 0), max(left, 0), min(top + height, picture.height), min(left + width, picture.width))
    scale = size[0] / height, size[1] / width
    rows, columns = (
        (round((ends[k] - start) * scale[k]), round((ends[k + 2] - start) * scale[k]))
        for k, start in ((0, top), (1, left))
    )
    if rows[0] < rows[1] and columns[0] < columns[1]:
        how = Image.Resampling.NEAREST if scale[0] >= 1 else Image.Resampling.BILINEAR
        box = ends[1], ends[0], ends[3], ends[2]
        inside = picture.resize((columns[1] - columns[0], rows[1] - rows[0]), how, box)
        shot[slice(*rows), slice(*columns)] = np.asarray(inside)
    return shot


def overlay_maps(maps: np.ndarray, fields: ReceptiveFields, parts: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(K, h, w) maps -> (K, *size) float32: bilinear, each over its part of the picture as its places lie over it.

    Beyond the picture's edges it is -inf.
    """
    down, right = (
        _between(parts[:, axis], parts[:, axis + 2], size[axis], fields.picture[axis], middles)
        for axis, middles in enumerate(fields.centres())
    )
    each = np.arange(len(maps))[:, None]
    share = down.share[:, :, None]
    rows = maps[each, down.before] * (1 - share) + maps[each, down.after] * share
    every, lines = each[:, :, None], np.arange(size[0])[None, :, None]
    share = right.share[:, None, :]
    found = rows[every, lines, right.before[:, None]] * (1 - share) + rows[every, lines, right.after[:, None]] * share
    return np.where(down.inside[:, :, None] & right.inside[:, None, :], found, -np.inf).astype(np.float32)


class _Line(NamedTuple):
    """(K, n) along one side of K shots: the places before and after each pixel, and how far it is on from the first."""

    before: np.ndarray
    after: np.ndarray
    share: np.ndarray
    inside: np.ndarray
    """Whether it is in the picture."""


def _between(starts: np.ndarray, lengths: np.ndarray, count: int, picture: int, middles: np.ndarray) -> _Line:
    pixels = starts[:, None] + (np.arange(count) + 0.5) / count * lengths[:, None]
    at = np.interp(pixels - 0.5, middles, np.arange(len(middles)))
    before = np.floor(at).astype(np.int64)
    after = np.minimum(before + 1, len(middles) - 1)
    return _Line(before, after, (at - before).astype(np.float32), (pixels > 0) & (pixels < picture))


def shade_outside(shots: np.ndarray, above: np.ndarray, outside: OutsideStyle) -> np.ndarray:
    """(K, h, w, 3) uint8 shots, and where their maps are above the threshold -> float32 sRGB 0..1."""
    light = shots.astype(np.float32) / 255
    if outside == "dark":
        return light * np.where(above, np.float32(1), np.float32(DARK))[..., None]
    if outside == "outlined":
        light[_edge(above)] = LINE
    return light


def _edge(above: np.ndarray) -> np.ndarray:
    """The outermost pixels of what is above, where it ends within the shot."""
    padded = np.pad(above, ((0, 0), (1, 1), (1, 1)), "edge")
    inner = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return above & ~inner
