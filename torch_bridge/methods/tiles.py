"""Pictures of channels as maps, small enough that a layer of many still fits on its panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..recording import Maps

MOST_PIXELS = 4 << 20
"""Of all pictures of a layer together: 64 MiB of texels."""


def picture_maps(
    layer: str, method: str, pictures: Mapping[int, np.ndarray], channels: int, labels: Sequence[str] = (),
    extras: Mapping[str, np.ndarray] | None = None,
) -> Maps:  # fmt: skip
    """Colour maps of a layer of so many channels: pictures (H, W, 3) sRGB 0..1 by channel, all of one size.

    Channels that have none are empty tiles: their texels are 0 with alpha 0. Pictures are shrunk by a whole factor
    where the layer's would take more than MOST_PIXELS together.
    """
    height, width = next(iter(pictures.values())).shape[:2]
    factor = 1
    while channels * -(-height // factor) * -(-width // factor) > MOST_PIXELS and factor < min(height, width):
        factor += 1
    texels = np.zeros((channels, -(-height // factor), -(-width // factor), 4), np.float32)
    for channel, picture in pictures.items():
        texels[channel, ..., :3] = _shrunk(picture.astype(np.float32), factor)
        texels[channel, ..., 3] = 1.0
    return Maps(layer, method, texels, channels, True, "input", tuple(labels), dict(extras or {}))


def _shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, 3) -> (ceil(H / factor), ceil(W / factor), 3): means of squares, the last ones of what is left."""
    if factor == 1:
        return picture
    rows, columns = (np.arange(0, length, factor) for length in picture.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(picture, rows, 0), columns, 1)
    tall = np.diff(np.append(rows, picture.shape[0]))[:, None, None]
    return sums / (tall * np.diff(np.append(columns, picture.shape[1]))[None, :, None])


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
