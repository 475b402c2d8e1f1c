"""Counts pixels in which masks of units and labels meet: the sums from which Network Dissection's IoU follows.

Bau et al. 2017, "Network Dissection". A unit's mask is its map, enlarged bilinearly to the labels' size, above the
unit's threshold. A bilinear value lies between those of four neighbouring positions, so only cells with a corner above
the threshold can hold pixels of the mask; all others are left out. With a mask of .5 % of all pixels these are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .pair_counts import PairCounts

CHUNK = 1 << 20
"""Pixels of cells that are enlarged at once: few enough for a processor's cache."""
FIELDS = ("label_pixels", "unit_pixels", "category_pixels")
"""The counts that are plain arrays."""


@dataclass
class UnitCounts:
    """Pixels counted over pictures, all int64; U units, L labels with number 0 for none, C categories."""

    label_pixels: np.ndarray
    """(L,): pixels with a label."""
    unit_pixels: np.ndarray
    """(U,): pixels of a unit's mask."""
    both: PairCounts
    """(U, L): pixels of a unit's mask with a label."""
    category_pixels: np.ndarray
    """(U, C): pixels of a unit's mask on pictures where a label of the category lies under the mask."""
    pixels: int
    """All pixels of labelled pictures."""
    pictures: int

    @classmethod
    def zero(cls, units: int, labels: int, categories: int) -> UnitCounts:
        """Returns counts over no picture."""
        label_pixels, unit_pixels, category_pixels = (
            np.zeros(size, np.int64) for size in (labels, units, (units, categories))
        )
        return cls(label_pixels, unit_pixels, PairCounts((units, labels)), category_pixels, 0, 0)

    def add(self, other: UnitCounts) -> None:
        """Adds the counts over other pictures."""
        for name in FIELDS:
            getattr(self, name).__iadd__(getattr(other, name))
        self.both.add(other.both)
        self.pixels += other.pixels
        self.pictures += other.pictures


class LabelPlanes(NamedTuple):
    """The labels of N pictures; those that occur in none of them are left out: `numbers` says which the others are."""

    planes: Tensor
    """(N * H * W, G) int64: places in `numbers`."""
    whole: Tensor
    """(N, n) int64: the same for labels of whole pictures."""
    numbers: np.ndarray
    """(P,) int64 ascending: numbers of labels, the first one 0 for none."""
    category_of: Tensor
    """(P,) int64: category of each, from 1 on; 0 for none."""
    label_pixels: np.ndarray
    """(L,) int64: pixels with each label of the data set."""
    categories: int
    size: tuple[int, int]
    """(H, W)."""

    @classmethod
    def of(cls, labels: Tensor, whole: Tensor, category_of: Tensor) -> LabelPlanes:
        """labels: (N, G, H, W) int64, 0 for none. whole: (N, n) int64, 0 for none. category_of: (L,) int64."""
        count, groups, height, width = labels.shape
        pixels = torch.bincount(labels.reshape(-1), minlength=len(category_of))
        pixels += height * width * torch.bincount(whole.reshape(-1), minlength=len(category_of))
        occurs = pixels > 0
        pixels[0], occurs[0] = 0, True
        numbers = occurs.nonzero()[:, 0]
        place = occurs.cumsum(0) - 1
        planes = place[labels.permute(0, 2, 3, 1).reshape(-1, groups)]
        categories = int(category_of.max())
        known = numbers.numpy(), category_of[numbers], pixels.numpy()
        return cls(planes, place[whole], *known, categories, (height, width))


class Axis(NamedTuple):
    """Label pixels along one axis of each cell between two neighbouring positions of a map, edges repeated."""

    pixels: Tensor
    """(positions + 1, n) int64: numbers of the pixels, -1 for none."""
    shares: Tensor
    """(positions + 1, n) float32: how far each lies from the first position to the second, 0..1; NaN for none."""


@lru_cache(256)
def cell_axis(positions: int, size: int, start: float | None = None, step: float = 0.0) -> Axis:
    """Returns the pixels of each cell, for a map that covers `size` pixels evenly.

    start, step: instead, at which pixel its first position lies, and how many further the next one does.
    """
    places = (torch.arange(size) + 0.5) * (positions / size) - 0.5
    if start is not None:
        places = (torch.arange(size) - start) / step
    cells = (places.floor().long() + 1).clamp(0, positions)
    shares = places - places.floor()
    most = int(torch.bincount(cells, minlength=positions + 1).max())
    pixels, parts = torch.full((positions + 1, most), -1), torch.full((positions + 1, most), torch.nan)
    for cell in range(positions + 1):
        inside = (cells == cell).nonzero()[:, 0]
        pixels[cell, : len(inside)], parts[cell, : len(inside)] = inside, shares[inside].float()
    return Axis(pixels, parts)


class MaskPixels(NamedTuple):
    """Pixels of masks, as long lists."""

    pictures: Tensor
    """(n,) int64."""
    units: Tensor
    """(n,) int64."""
    pixels: Tensor
    """(n,) int64: row times width plus column, in the size of the labels."""


def mask_pixels(maps: Tensor, thresholds: Tensor, rows: Axis, columns: Axis, width: int) -> list[MaskPixels]:
    """Returns the pixels in which maps (N, U, h, w), enlarged, exceed thresholds (U,), in chunks."""
    picture, unit = (maps > thresholds[:, None, None]).flatten(2).any(2).nonzero().unbind(1)
    # Cell (y, x) has the corners y..y+1, x..x+1. As a batch, of which there may be none.
    padded = F.pad(maps[picture, unit][:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    above = padded > thresholds[unit, None, None]
    above = above[..., :-1] | above[..., 1:]
    above = above[:, :-1] | above[:, 1:]
    cells = above.nonzero().split(max(1, CHUNK // (rows.pixels.shape[1] * columns.pixels.shape[1])))
    found = (_inside(padded, thresholds[unit], part, rows, columns, width) for part in cells)
    return [MaskPixels(picture[place], unit[place], pixels) for place, pixels in found]


def _inside(
    padded: Tensor, thresholds: Tensor, cells: Tensor, rows: Axis, columns: Axis, width: int
) -> tuple[Tensor, Tensor]:
    """Returns which of n maps, and which of its pixels, each pixel of a mask is; both (m,) int64.

    padded: (n, h + 2, w + 2). thresholds: (n,). cells: (c, 3), maps, rows and columns.
    """
    place, y, x = cells.unbind(1)
    corners = [padded[place, y + down, x + right][:, None] for down in (0, 1) for right in (0, 1)]
    right, below = columns.shares[x], rows.shares[y]
    upper = corners[0] + (corners[1] - corners[0]) * right
    lower = corners[2] + (corners[3] - corners[2]) * right
    values = (lower - upper)[:, None] * below[:, :, None]
    values += upper[:, None]  # NaN, so never above a threshold, where there is no pixel
    found = (values > thresholds[place, None, None]).view(-1).nonzero()[:, 0]
    down, across = values.shape[1:]
    cell, pixel = found // (down * across), found % (down * across)
    row, column = pixel // across, pixel % across
    return place[cell], rows.pixels[y[cell], row] * width + columns.pixels[x[cell], column]


def count_pixels(
    maps: Tensor, labels: LabelPlanes, thresholds: Tensor, axes: tuple[Axis, Axis] | None = None
) -> UnitCounts:
    """Counts the pixels of N pictures.

    maps: (N, U, h, w) float32, h and w at most the height and width of the labels. thresholds: (U,). axes: rows and
    columns of cells; None where maps cover the labels evenly.
    """
    (count, units), (height, width) = maps.shape[:2], labels.size
    area, known = height * width, len(labels.numbers)
    rows, columns = axes or [cell_axis(cells, size) for cells, size in zip(maps.shape[2:], labels.size, strict=True)]
    both = torch.zeros(units * known, dtype=torch.int64)
    pixels = torch.zeros(count * units, dtype=torch.int64)
    met = torch.zeros(count * units * (labels.categories + 1), dtype=torch.bool)
    for part in mask_pixels(maps, thresholds, rows, columns, width):
        under = labels.planes[part.pictures * area + part.pixels]  # (mask pixels, G)
        both += torch.bincount((under + (part.units * known)[:, None]).view(-1), minlength=len(both))
        pair = part.pictures * units + part.units
        pixels += torch.bincount(pair, minlength=len(pixels))
        met[(labels.category_of[under] + (pair * (labels.categories + 1))[:, None]).view(-1)] = True
    by_picture, both = pixels.view(count, units), both.view(units, known)
    met = met.view(count, units, -1)
    for column in labels.whole.T:
        both.index_add_(1, column, by_picture.T.contiguous())
        met |= F.one_hot(labels.category_of[column], labels.categories + 1)[:, None].bool()
    both[:, 0] = 0
    category_pixels = (by_picture[..., None] * met[..., 1:]).sum(0)
    pairs = PairCounts.of(both.numpy(), labels.numbers, len(labels.label_pixels))
    unit_pixels = by_picture.sum(0).numpy()
    return UnitCounts(labels.label_pixels, unit_pixels, pairs, category_pixels.numpy(), count * area, count)
