"""Collects the pictures of a data set with the highest activations of a layer's channels, cropped and ready to show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..data import DataSet
from ..probing.crops import MAX_SIDE, CropFrame, OutsideStyle, crop_picture, overlay_maps, shade_outside
from ..recording import Maps, near_square
from ..statistics import ChannelHistogram, TopK
from .data_set_pass import DataSetBatch, sample_positions
from .picture_maps import MAX_PIXELS, mosaic, picture_maps

RankedBy = Literal["max", "mean"]
GAP = 2
"""Pixels between the pictures of a mosaic."""


class TopImagesCollector:
    """The n best pictures of some channels of a layer. Memory grows with n, not with the size of the data set."""

    def __init__(
        self,
        layer: str,
        channels: Sequence[int],
        layer_channels: int,
        kept: int,
        score: RankedBy = "max",
        pixels: int = MAX_PIXELS,
    ) -> None:
        """kept: pictures for each channel. pixels: most pixels of the mosaics of all `channels` together."""
        self.layer, self.channels, self.layer_channels = layer, np.array(channels), layer_channels
        self.score, self.pixels = score, pixels
        self.best = TopK.empty(len(channels), kept)
        self.histogram = ChannelHistogram.of(np.zeros((len(channels), 0), np.float32))
        self.grid = near_square(kept)
        """Rows and columns of a mosaic."""
        self.size = 0, 0
        """Height and width of a crop in pixels."""
        self.crops = self.maps = np.zeros(0, np.float32)
        """(channels, kept, height, width, 3) uint8 sRGB; (channels, kept, height, width) float32 activations."""

    def add(self, batch: DataSetBatch, frame: CropFrame) -> None:
        """Ranks a batch of pictures. All frames must give crops of one size, that of the first."""
        maps = batch.maps[self.layer]
        if len(self.channels) < maps.shape[1]:
            maps = maps[:, torch.from_numpy(self.channels).to(maps.device)]
        flat = maps.flatten(2)
        strongest, where = flat.max(2)
        scores = strongest if self.score == "max" else flat.mean(2)
        positions = np.stack(np.divmod(where.T.cpu().numpy(), maps.shape[3]), -1)
        self.best, order = self.best.merge_ranked(TopK.of(scores.T.cpu().numpy(), batch.indices, positions))
        self.histogram = self.histogram.merged(ChannelHistogram.of(sample_positions(flat, batch.indices)))
        self._update_crops(batch, maps, frame, order)

    def _update_crops(self, batch: DataSetBatch, maps: Tensor, frame: CropFrame, order: np.ndarray) -> None:
        """Moves the crops of pictures that stay to their new ranks, and cuts those of new pictures."""
        if not self.size[0]:
            self._allocate(frame)
        kept = order.shape[1]
        moved = np.flatnonzero((order != np.arange(kept)).any(1))
        old = np.minimum(order[moved], kept - 1)
        self.crops[moved], self.maps[moved] = self.crops[moved[:, None], old], self.maps[moved[:, None], old]
        rows, ranks = np.nonzero((order >= kept) & (self.best.pictures >= 0))
        if not len(rows):
            return
        items = order[rows, ranks] - kept
        parts = frame.parts(self.channels[rows], self.best.positions[rows, ranks])
        pictures = {item: Image.fromarray(batch.pictures[item]) for item in np.unique(items).tolist()}
        self.crops[rows, ranks] = [
            crop_picture(pictures[item], part, self.size)
            for item, part in zip(items.tolist(), parts.tolist(), strict=True)
        ]
        own = maps[torch.from_numpy(items).to(maps.device), torch.from_numpy(rows).to(maps.device)]
        self.maps[rows, ranks] = overlay_maps(own.cpu().numpy(), frame.fields, parts, self.size)

    def _allocate(self, frame: CropFrame) -> None:
        """Makes room for crops as large as they can be shown."""
        side = math.isqrt(self.pixels // len(self.channels)) // self.grid[1] - GAP
        self.size = frame.size(min(MAX_SIDE, max(side, 4)))
        shape = *self.best.values.shape, *self.size
        self.crops, self.maps = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32)

    def mosaics(self, threshold: float, outside: OutsideStyle) -> dict[int, np.ndarray]:
        """By channel (H, W, 3) float32 sRGB 0..1: its best pictures, best first.

        Positions below the `threshold` quantile of the channel's values are drawn in the style `outside`.
        """
        limits = np.minimum(self.histogram.quantile(threshold), 0.99 * self.maps.max((1, 2, 3)))
        mosaics = {}
        for row, channel in enumerate(self.channels.tolist()):
            present = self.best.pictures[row] >= 0
            shaded = shade_outside(self.crops[row], self.maps[row] > limits[row], outside)
            mosaics[channel] = mosaic(np.where(present[:, None, None, None], shaded, 0), GAP)
        return mosaics

    @property
    def values(self) -> np.ndarray:
        """(channels,) float32: score of each channel's best picture; 0 where there is none."""
        return np.where(self.best.pictures[:, 0] >= 0, self.best.values[:, 0], 0).astype(np.float32)

    @property
    def channel_numbers(self) -> tuple[int, ...]:
        """The channels' numbers; () if these are all channels of the layer."""
        numbers = tuple(self.channels.tolist())
        return () if numbers == tuple(range(self.layer_channels)) else numbers

    def to_maps(self, method: str, threshold: float, outside: OutsideStyle, data: DataSet) -> Maps:
        """Returns colour maps, a mosaic for each channel; the extra "values" is the score of the best picture."""
        extras: Mapping[str, np.ndarray] = {"values": self.values, "samples": np.array(self.grid, np.int32)}
        mosaics = self.mosaics(threshold, outside)
        labels, numbers = self.labels(data), self.channel_numbers
        maps = picture_maps(self.layer, method, mosaics, self.layer_channels, numbers, labels, extras)
        return replace(maps, frame="layer")

    def labels(self, data: DataSet) -> list[str]:
        """By channel: the class of the best picture and how many of the others share it, or the picture's title."""
        pictures = (row[row >= 0].tolist() for row in self.best.pictures)
        return [_label(data, row) if row else "" for row in pictures]


def _label(data: DataSet, pictures: Sequence[int]) -> str:
    classes = [data.label(index) for index in pictures]
    if classes[0] < 0:
        return data.title(pictures[0])
    return f"{data.classes[classes[0]]}, {classes.count(classes[0])} of {len(classes)}"
