"""Turns pictures or values of channels into maps, shrunk so that a layer with many channels still fits on its panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..recording import Maps, near_square, pack

MAX_PIXELS = 4 << 20
"""Most pixels of all pictures of a layer together: 64 MiB of texels."""


def picture_maps(
    layer: str,
    method: str,
    pictures: Mapping[int, np.ndarray],
    channels: int,
    channel_numbers: Sequence[int] = (),
    labels: Sequence[str] = (),
    extras: Mapping[str, np.ndarray] | None = None,
) -> Maps:
    """Returns colour maps over the input: of some channels of a layer, or of all `channels`.

    pictures: by channel (H, W, 3) sRGB 0..1, all of one size; shrunk by a whole factor if all channels' pictures would
    take more than MAX_PIXELS. Channels without a picture stay empty: 0 with alpha 0. channel_numbers: the channels that
    get a map, () for all; labels and extras have a place for each of them, in their order.
    """
    numbers = tuple(channel_numbers) or tuple(range(channels))
    by_place = {numbers.index(channel): shrink(picture, len(numbers)) for channel, picture in pictures.items()}
    height, width = next(iter(by_place.values())).shape[:2]
    texels = np.zeros((len(numbers), height, width, 4), np.float32)
    for place, picture in by_place.items():
        texels[place, ..., :3] = picture
        texels[place, ..., 3] = 1.0
    maps = Maps(layer, method, texels, len(numbers), True, "input", tuple(labels), dict(extras or {}))
    return replace(maps, channel_numbers=tuple(channel_numbers))


def scalar_maps(
    layer: str,
    method: str,
    planes: Mapping[int, np.ndarray],
    channels: int,
    channel_numbers: Sequence[int] = (),
    labels: Sequence[str] = (),
    extras: Mapping[str, np.ndarray] | None = None,
) -> Maps:
    """Returns scalar maps over the input, as `picture_maps` does. planes: by channel (H, W); without one: 0."""
    numbers = tuple(channel_numbers) or tuple(range(channels))
    by_place = {numbers.index(channel): shrink(plane, len(numbers)) for channel, plane in planes.items()}
    values = np.zeros((len(numbers), *next(iter(by_place.values())).shape), np.float32)
    for place, plane in by_place.items():
        values[place] = plane
    maps = Maps(layer, method, pack(values), len(numbers), False, "input", tuple(labels), dict(extras or {}))
    return replace(maps, channel_numbers=tuple(channel_numbers))


def shrink(picture: np.ndarray, channels: int) -> np.ndarray:
    """Shrinks a picture (H, W, 3) or values (H, W) until those of so many channels fit into MAX_PIXELS; float32."""
    height, width, *colours = picture.shape
    cells = channels if colours else -(-channels // 4)
    factor = 1
    while cells * -(-height // factor) * -(-width // factor) > MAX_PIXELS and factor < min(height, width):
        factor += 1
    return _block_means(picture.astype(np.float32), factor)


def _block_means(picture: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, …) -> (ceil(H / factor), ceil(W / factor), …): means of squares; those at the far edges are smaller."""
    if factor == 1:
        return picture
    rows, columns = (np.arange(0, length, factor) for length in picture.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(picture, rows, 0), columns, 1)
    heights, widths = (
        np.diff(np.append(starts, length)) for starts, length in zip((rows, columns), picture.shape, strict=False)
    )
    counts = np.multiply.outer(heights, widths)
    return sums / counts.reshape(len(heights), len(widths), *[1] * (picture.ndim - 2))


def mosaic(samples: np.ndarray, gap: int = 2) -> np.ndarray:
    """(S, H, W, 3) pictures of one channel -> one picture (H', W', 3) float32: a near-square grid, row by row.

    gap: pixels between pictures.
    """
    count, height, width, _ = samples.shape
    rows, columns = near_square(count)
    whole = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.float32)
    for number, picture in enumerate(samples):
        row, column = divmod(number, columns)
        whole[row * (height + gap) :, column * (width + gap) :][:height, :width] = picture
    return whole
