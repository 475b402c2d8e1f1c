"""The best pictures of a layer's channels while a data set goes by, as they are to be shown."""

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
from ..recording import Maps
from ..statistics import ChannelHistogram, TopK
from .dataset_pass import DatasetBatch, sample_positions
from .picture_maps import MAX_PIXELS, mosaic, picture_maps

RankedBy = Literal["max", "mean"]
GAP = 2


class BestImages:
    """Of some channels of a layer the n best pictures; its memory grows with n, not with how many there are."""

    def __init__(
        self, layer: str, channels: Sequence[int], among: int, kept: int, score: RankedBy = "max",
        pixels: int = MAX_PIXELS,
    ) -> None:  # fmt: skip
        """channels: of the `among` of the layer. pixels: of all mosaics of the layer together, if all were made."""
        self.layer, self.channels, self.among = layer, np.array(channels), among
        self.score, self.pixels = score, pixels
        self.best = TopK.none(len(channels), kept)
        self.counted = ChannelHistogram.of(np.zeros((len(channels), 0), np.float32))
        self.grid = -(-kept // math.ceil(math.sqrt(kept))), math.ceil(math.sqrt(kept))
        self.size = 0, 0
        self.shots = self.maps = np.zeros(0, np.float32)

    def add(self, view: DatasetBatch, frame: CropFrame) -> None:
        """Some pictures have been seen. All frames must give shots of one size, that of the first."""
        maps = view.maps[self.layer]
        if len(self.channels) < maps.shape[1]:
            maps = maps[:, torch.from_numpy(self.channels).to(maps.device)]
        flat = maps.flatten(2)
        strongest, where = flat.max(2)
        score = strongest if self.score == "max" else flat.mean(2)
        place = where.T.cpu().numpy()
        places = np.stack(np.divmod(place, maps.shape[3]), -1)
        self.best, order = self.best.ranked(TopK.of(score.T.cpu().numpy(), view.indices, places))
        self.counted = self.counted.merged(ChannelHistogram.of(sample_positions(flat, view.indices)))
        self._hang(view, maps, frame, order)

    def _hang(self, view: DatasetBatch, maps: Tensor, frame: CropFrame, order: np.ndarray) -> None:
        """Shots follow their pictures; new ones are cut out."""
        if not self.size[0]:
            self._make_room(frame)
        kept = order.shape[1]
        moved = np.flatnonzero((order != np.arange(kept)).any(1))
        old = np.minimum(order[moved], kept - 1)
        self.shots[moved], self.maps[moved] = self.shots[moved[:, None], old], self.maps[moved[:, None], old]
        rows, slots = np.nonzero((order >= kept) & (self.best.pictures >= 0))
        if not len(rows):
            return
        items = order[rows, slots] - kept
        parts = frame.parts(self.channels[rows], self.best.places[rows, slots])
        cutters = {item: Image.fromarray(view.pictures[item]) for item in np.unique(items).tolist()}
        self.shots[rows, slots] = [
            crop_picture(cutters[item], part, self.size) for item, part in zip(items.tolist(), parts.tolist(), strict=True)
        ]
        own = maps[torch.from_numpy(items).to(maps.device), torch.from_numpy(rows).to(maps.device)]
        self.maps[rows, slots] = overlay_maps(own.cpu().numpy(), frame.fields, parts, self.size)

    def _make_room(self, frame: CropFrame) -> None:
        """Shots as large as they can be shown."""
        side = math.isqrt(self.pixels // self.among) // self.grid[1] - GAP
        self.size = frame.size(min(MAX_SIDE, max(side, 4)))
        shape = *self.best.values.shape, *self.size
        self.shots, self.maps = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32)

    def mosaics(self, threshold: float, outside: OutsideStyle) -> dict[int, np.ndarray]:
        """By channel (H, W, 3) sRGB 0..1, best first. Outside: below this quantile of the channel's values."""
        limit = np.minimum(self.counted.quantile(threshold), 0.99 * self.maps.max((1, 2, 3)))
        pictures = {}
        for row, channel in enumerate(self.channels.tolist()):
            found = self.best.pictures[row] >= 0
            lit = shade_outside(self.shots[row], self.maps[row] > limit[row], outside)
            pictures[channel] = mosaic(np.where(found[:, None, None, None], lit, 0), GAP)
        return pictures

    @property
    def values(self) -> np.ndarray:
        """(among,) float32: of the best picture; 0 where there is none."""
        values = np.zeros(self.among, np.float32)
        values[self.channels] = np.where(self.best.pictures[:, 0] >= 0, self.best.values[:, 0], 0)
        return values

    def shown(self, method: str, threshold: float, outside: OutsideStyle, data: DataSet) -> Maps:
        """A mosaic a channel; values: of the best picture."""
        extras: Mapping[str, np.ndarray] = {"values": self.values, "samples": np.array(self.grid, np.int32)}
        pictures = self.mosaics(threshold, outside)
        made = picture_maps(self.layer, method, pictures, self.among, self.labels(data), extras)
        return replace(made, frame="layer")

    def labels(self, data: DataSet) -> list[str]:
        """What the best picture shows, and how many of the others show the same."""
        labels = [""] * self.among
        for row, channel in enumerate(self.channels.tolist()):
            found = self.best.pictures[row][self.best.pictures[row] >= 0].tolist()
            if found:
                labels[channel] = _told(data, found)
        return labels


def _told(data: DataSet, pictures: Sequence[int]) -> str:
    shown = [data.label(index) for index in pictures]
    if shown[0] < 0:
        return data.title(pictures[0])
    return f"{data.classes[shown[0]]}, {shown.count(shown[0])} of {len(shown)}"
