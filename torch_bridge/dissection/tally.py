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

CHUNK = 1 << 19
"""Cells that are enlarged at once."""
FIELDS = ("label_pixels", "unit_pixels", "both", "category_pixels")


@dataclass(frozen=True)
class UnitCounts:
    """Pixels counted over pictures, all int64; U units, L labels with number 0 for none, C categories."""

    label_pixels: np.ndarray
    """(L,): pixels with a label."""
    unit_pixels: np.ndarray
    """(U,): pixels of a unit's mask."""
    both: np.ndarray
    """(U, L): pixels of a unit's mask with a label."""
    category_pixels: np.ndarray
    """(U, C): pixels of a unit's mask on pictures where a label of the category lies under the mask."""
    pixels: int
    """All pixels of labelled pictures."""
    pictures: int

    @classmethod
    def zero(cls, units: int, labels: int, categories: int) -> UnitCounts:
        """Returns counts over no picture."""
        sizes: tuple[tuple[int, ...], ...] = ((labels,), (units,), (units, labels), (units, categories))
        label_pixels, unit_pixels, both, category_pixels = (np.zeros(size, np.int64) for size in sizes)
        return cls(label_pixels, unit_pixels, both, category_pixels, 0, 0)

    def merged(self, other: UnitCounts) -> UnitCounts:
        """Returns the counts over the pictures of both."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in FIELDS}
        return UnitCounts(**sums, pixels=self.pixels + other.pixels, pictures=self.pictures + other.pictures)


class Axis(NamedTuple):
    """Label pixels along one axis of each cell between two neighbouring positions of a map, edges repeated."""

    pixels: Tensor
    """(positions + 1, n) int64: numbers of the pixels, -1 for none."""
    shares: Tensor
    """(positions + 1, n) float32: how far each lies from the first position to the second, 0..1."""


@lru_cache(32)
def cell_axis(positions: int, size: int) -> Axis:
    """Returns the pixels of each cell, for a map that covers `size` pixels evenly."""
    places = (torch.arange(size) + 0.5) * (positions / size) - 0.5
    cells = places.floor().long() + 1
    shares = places - places.floor()
    most = int(torch.bincount(cells, minlength=positions + 1).max())
    pixels, parts = torch.full((positions + 1, most), -1), torch.zeros(positions + 1, most)
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
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")  # cell (y, x) has the corners y..y+1, x..x+1
    above = padded > thresholds[:, None, None]
    above = above[..., :-1, :-1] | above[..., 1:, :-1] | above[..., :-1, 1:] | above[..., 1:, 1:]
    return [_inside(padded, thresholds, part, rows, columns, width) for part in above.nonzero().split(CHUNK)]


def _inside(padded: Tensor, thresholds: Tensor, cells: Tensor, rows: Axis, columns: Axis, width: int) -> MaskPixels:
    picture, unit, y, x = cells.unbind(1)
    corners = [padded[picture, unit, y + down, x + right][:, None] for down in (0, 1) for right in (0, 1)]
    across, down = columns.shares[x], rows.shares[y]
    upper = corners[0] + (corners[1] - corners[0]) * across
    lower = corners[2] + (corners[3] - corners[2]) * across
    values = upper[:, None] + (lower - upper)[:, None] * down[:, :, None]
    real = (rows.pixels[y] >= 0)[:, :, None] & (columns.pixels[x] >= 0)[:, None]
    cell, row, column = ((values > thresholds[unit, None, None]) & real).nonzero().unbind(1)
    place = rows.pixels[y[cell], row] * width + columns.pixels[x[cell], column]
    return MaskPixels(picture[cell], unit[cell], place)


def count_pixels(
    maps: Tensor,
    labels: Tensor,
    whole: Tensor,
    thresholds: Tensor,
    category_of: Tensor,
) -> UnitCounts:
    """Counts the pixels of N pictures.

    maps: (N, U, h, w) float32. labels: (N, G, H, W) int64, 0 for none, H and W at least h and w. whole: (N, n) int64,
    labels of whole pictures, 0 for none. thresholds: (U,). category_of: (L,) int64, 0 for no category.
    """
    (count, units), (height, width) = maps.shape[:2], labels.shape[2:]
    label_count, categories = len(category_of), int(category_of.max())
    rows, columns = (cell_axis(cells, size) for cells, size in zip(maps.shape[2:], (height, width), strict=True))
    flat = labels.reshape(count, labels.shape[1], -1)
    label_pixels = torch.bincount(flat.reshape(-1), minlength=label_count)
    both = torch.zeros(units * label_count, dtype=torch.int64)
    pixels = torch.zeros(count * units, dtype=torch.int64)
    met = torch.zeros(count * units * (categories + 1), dtype=torch.bool)
    for part in mask_pixels(maps, thresholds, rows, columns, width):
        under = flat[part.pictures, :, part.pixels]  # (mask pixels, G)
        both += torch.bincount((under + (part.units * label_count)[:, None]).view(-1), minlength=units * label_count)
        pair = part.pictures * units + part.units
        pixels += torch.bincount(pair, minlength=count * units)
        met[(category_of[under] + (pair * (categories + 1))[:, None]).view(-1)] = True
    by_picture, both = pixels.view(count, units), both.view(units, label_count)
    met = met.view(count, units, categories + 1)
    for column in whole.T:
        is_label = (column > 0).long()
        label_pixels.index_add_(0, column, height * width * is_label)
        both.index_add_(1, column, (by_picture * is_label[:, None]).T.contiguous())
        met |= F.one_hot(category_of[column], categories + 1)[:, None].bool()
    label_pixels[0] = both[:, 0] = 0
    category_pixels = (by_picture[..., None] * met[..., 1:]).sum(0)
    found = (label_pixels, by_picture.sum(0), both, category_pixels)
    arrays = {name: array.numpy() for name, array in zip(FIELDS, found, strict=True)}
    return UnitCounts(**arrays, pixels=count * height * width, pictures=count)
