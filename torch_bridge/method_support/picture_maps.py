"""Pictures of channels as maps, small enough that a layer of many still fits on its panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..recording import Maps, pack

MAX_PIXELS = 4 << 20
"""Of all pictures of a layer together: 64 MiB of texels."""


def picture_maps(
    layer: str, method: str, pictures: Mapping[int, np.ndarray], channels: int, labels: Sequence[str] = (),
    extras: Mapping[str, np.ndarray] | None = None,
) -> Maps:  # fmt: skip
    """Colour maps of a layer of so many channels: pictures (H, W, 3) sRGB 0..1 by channel, all of one size.

    Channels that have none are empty tiles: their texels are 0 with alpha 0. Pictures are shrunk by a whole factor
    where the layer's would take more than MOST_PIXELS together.
    """
    pictures = {channel: shrink(picture, channels) for channel, picture in pictures.items()}
    height, width = next(iter(pictures.values())).shape[:2]
    texels = np.zeros((channels, height, width, 4), np.float32)
    for channel, picture in pictures.items():
        texels[channel, ..., :3] = picture
        texels[channel, ..., 3] = 1.0
    return Maps(layer, method, texels, channels, True, "input", tuple(labels), dict(extras or {}))


def scalar_maps(
    layer: str, method: str, planes: Mapping[int, np.ndarray], channels: int, labels: Sequence[str] = (),
    extras: Mapping[str, np.ndarray] | None = None,
) -> Maps:  # fmt: skip
    """The same of values (H, W) by channel, laid over the input. Channels that have none are 0."""
    planes = {channel: shrink(plane, channels) for channel, plane in planes.items()}
    values = np.zeros((channels, *next(iter(planes.values())).shape), np.float32)
    for channel, plane in planes.items():
        values[channel] = plane
    return Maps(layer, method, pack(values), channels, frame="input", labels=tuple(labels), extras=dict(extras or {}))


def shrink(picture: np.ndarray, channels: int) -> np.ndarray:
    """A picture (H, W, 3) or values (H, W) as small as those of a layer of so many channels are kept."""
    height, width, *colours = picture.shape
    cells = channels if colours else -(-channels // 4)
    factor = 1
    while cells * -(-height // factor) * -(-width // factor) > MAX_PIXELS and factor < min(height, width):
        factor += 1
    return _shrunk(picture.astype(np.float32), factor)


def _shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, …) -> (ceil(H / factor), ceil(W / factor), …): means of squares, the last ones of what is left."""
    if factor == 1:
        return picture
    rows, columns = (np.arange(0, length, factor) for length in picture.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(picture, rows, 0), columns, 1)
    tall, wide = (np.diff(np.append(one, length)) for one, length in zip((rows, columns), picture.shape, strict=False))
    return sums / np.multiply.outer(tall, wide).reshape(len(tall), len(wide), *[1] * (picture.ndim - 2))


def mosaic(samples: np.ndarray, gap: int = 2) -> np.ndarray:
    """(S, H, W, 3) pictures of one channel -> one picture: rows and columns as near to a square as they go."""
    count, height, width, _ = samples.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    whole = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.float32)
    for k, picture in enumerate(samples):
        row, column = divmod(k, columns)
        whole[row * (height + gap) :, column * (width + gap) :][:height, :width] = picture
    return whole
