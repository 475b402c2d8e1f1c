"""Crops of pictures: what a channel's strongest position sees, darkened where the channel is inactive.

All crops of a layer have one size. A crop is cut while its picture is loaded, so that no picture is kept or read again,
together with the channel's map over the same pixels. The threshold for darkening is applied later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from .receptive_field import ReceptiveFields

OutsideStyle = Literal["dark", "outlined", "plain"]
"""How the part of a crop where the channel is below the threshold is drawn."""
MIN_SIDE, MAX_SIDE = 32, 224
"""Pixels of a crop's longer side: smaller fields are enlarged to the minimum, larger ones shrunk to the maximum."""
PADDING_GREY = 128
"""Grey value beyond the picture's edges, sRGB 0..255."""
DARK_FACTOR = 0.45
"""Factor on sRGB values below the threshold."""
OUTLINE_COLOUR = np.array([1.0, 0.85, 0.1], np.float32)
"""sRGB 0..1 of the outline."""


@dataclass(frozen=True)
class CropFrame:
    """Chooses the part of a picture that is shown for a position of a layer, for pictures of one size."""

    fields: ReceptiveFields
    whole_picture: bool
    """Whether the whole picture is shown instead of the receptive field."""

    def parts(self, channels: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Returns the parts of the picture: (K, 4) float64 top, left, height, width in pixels.

        channels: (K,) int. positions: (K, 2) int, row and column in the layer's maps. All parts of a channel have one
        size; those of fields that are clipped at the picture's edge extend beyond it.
        """
        height, width = self.fields.picture_size
        if self.whole_picture:
            return np.broadcast_to(np.array([0, 0, height, width], np.float64), (len(channels), 4))
        known = np.minimum(channels, len(self.fields.boxes) - 1)
        boxes = self.fields.boxes[known, positions[:, 0], positions[:, 1]].astype(np.float64)
        sizes = np.maximum(self.fields.sizes, 1)[known]
        start = np.where(boxes[:, :2] > 0, boxes[:, :2], boxes[:, 2:] - sizes)
        return np.concatenate([np.where(boxes[:, 2:] > boxes[:, :2], start, 0), sizes], 1)

    def size(self, max_side: int) -> tuple[int, int]:
        """Returns (height, width) in pixels of the crops: proportional to the fields, enlarged by an integer factor."""
        height, width = self.fields.picture_size if self.whole_picture else self.fields.sizes.max(0).tolist()
        longer = max(height, width, 1)
        factor = (
            min(-(-MIN_SIDE // longer), max(max_side // longer, 1))
            if longer < MIN_SIDE
            else min(1.0, max_side / longer)
        )
        factor = min(factor, max_side / longer)
        return max(1, round(height * factor)), max(1, round(width * factor))


def crop_picture(picture: Image.Image, part: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """Returns a part (top, left, height, width in pixels) of an RGB picture, grey beyond its edges.

    size: (h, w) of the result (h, w, 3) uint8 sRGB, top row first.
    """
    crop = np.full((*size, 3), PADDING_GREY, np.uint8)
    top, left, height, width = part
    ends = (max(top, 0), max(left, 0), min(top + height, picture.height), min(left + width, picture.width))
    scale = size[0] / height, size[1] / width
    rows, columns = (
        (round((ends[k] - start) * scale[k]), round((ends[k + 2] - start) * scale[k]))
        for k, start in ((0, top), (1, left))
    )
    if rows[0] < rows[1] and columns[0] < columns[1]:
        resampling = Image.Resampling.NEAREST if scale[0] >= 1 else Image.Resampling.BILINEAR
        box = ends[1], ends[0], ends[3], ends[2]
        inside = picture.resize((columns[1] - columns[0], rows[1] - rows[0]), resampling, box)
        crop[slice(*rows), slice(*columns)] = np.asarray(inside)
    return crop


def overlay_maps(maps: np.ndarray, fields: ReceptiveFields, parts: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resamples maps (K, h, w) bilinearly to the pixels of crops: (K, *size) float32, -inf beyond the picture's edges.

    parts: (K, 4) from CropFrame.parts. size: (height, width) of the crops in pixels.
    """
    vertical, horizontal = (
        _interpolation(parts[:, axis], parts[:, axis + 2], size[axis], fields.picture_size[axis], centres)
        for axis, centres in enumerate(fields.centres())
    )
    item = np.arange(len(maps))[:, None]
    weight = vertical.weight[:, :, None]
    rows = maps[item, vertical.before] * (1 - weight) + maps[item, vertical.after] * weight
    item, line = item[:, :, None], np.arange(size[0])[None, :, None]
    weight = horizontal.weight[:, None, :]
    before, after = horizontal.before[:, None], horizontal.after[:, None]
    values = rows[item, line, before] * (1 - weight) + rows[item, line, after] * weight
    inside = vertical.inside[:, :, None] & horizontal.inside[:, None, :]
    return np.where(inside, values, -np.inf).astype(np.float32)


class _Interpolation(NamedTuple):
    """Linear interpolation along one side of K crops of n pixels; all arrays are (K, n)."""

    before: np.ndarray
    """int64: map position before each pixel."""
    after: np.ndarray
    """int64: map position after each pixel."""
    weight: np.ndarray
    """float32: weight of `after`."""
    inside: np.ndarray
    """bool: whether the pixel lies in the picture."""


def _interpolation(
    starts: np.ndarray, lengths: np.ndarray, count: int, picture_side: int, centres: np.ndarray
) -> _Interpolation:
    pixels = starts[:, None] + (np.arange(count) + 0.5) / count * lengths[:, None]
    positions = np.interp(pixels - 0.5, centres, np.arange(len(centres)))
    before = np.floor(positions).astype(np.int64)
    after = np.minimum(before + 1, len(centres) - 1)
    weight = (positions - before).astype(np.float32)
    return _Interpolation(before, after, weight, (pixels > 0) & (pixels < picture_side))


def shade_outside(crops: np.ndarray, above: np.ndarray, outside: OutsideStyle) -> np.ndarray:
    """Marks where the channel is active: returns (K, h, w, 3) float32 sRGB 0..1.

    crops: (K, h, w, 3) uint8 sRGB. above: (K, h, w) bool, where the map is above the threshold.
    """
    colours = crops.astype(np.float32) / 255
    if outside == "dark":
        return colours * np.where(above, np.float32(1), np.float32(DARK_FACTOR))[..., None]
    if outside == "outlined":
        colours[_outline(above)] = OUTLINE_COLOUR
    return colours


def _outline(above: np.ndarray) -> np.ndarray:
    """Returns (K, h, w) bool: the pixels of `above` that have a neighbour in the crop that isn't above."""
    padded = np.pad(above, ((0, 0), (1, 1), (1, 1)), "edge")
    inner = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return above & ~inner
