"""Which picture a tensor of any rank makes: (C, H, W) maps, by one rule for every rank, and its copy into texels.

    rank without the batch      maps
    ()                          (1, 1, 1)
    (C,)                        (C, 1, 1)
    (C, L)                      (C, 1, L)       1-D maps: a row a tile
    (L, D) tokens on a grid     (D, h, w)       class and register tokens, which come first, are left out
    (L, D) tokens without       (1, L, D)       one tile, a row a token
    (heads, L, d)               (heads·d, h, w) or (heads·d, 1, L)
    (C, H, W)                   as it is, or from (H, W, C) where the channels are last
    (C, D, H, W)                (C·D, H, W)     slices as tiles, labelled

What the axes of a tensor mean is found by axes.py while the network runs; here is no torch, only its strides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .arena import Arena

if TYPE_CHECKING:
    import torch

NO_GRID = (0, 0)
SPECIAL_TOKENS = (0, 1)
"""Class tokens that may stand before a square of tokens of any size."""
REGISTER_TOKENS = (2, 5)
"""Distilled networks have 2, networks with registers 5: believed only before squares of 7 × 7 and more."""
MOST_SPECIAL_TOKENS = 16


class Axes(NamedTuple):
    """What the axes of a tensor mean; None where it is not known or not there."""

    batch: int | None = None
    channel: int | None = None
    head: int | None = None
    """Axis of the attention heads: a channel is (head, channel) then."""
    grid: tuple[int, int] | None = None
    """Rows and columns of the tokens' grid; NO_GRID for tokens that have none, such as words."""


@dataclass(frozen=True)
class MapLayout:
    """How a tensor's values become maps."""

    shape: tuple[int, ...]
    """Without the batch."""
    map_shape: tuple[int, int, int]
    batch: int | None
    item: int
    """Which item of the batch axis is taken."""
    order: tuple[int, ...]
    """Axes of the item, channels first."""
    skip: int = 0
    """Tokens left out at the beginning."""
    labels: tuple[str, ...] = ()
    note: str = ""
    whole: bool = True
    """Whether this is all there is of one input: not one window of many, not a list of boxes."""

    @property
    def empty(self) -> bool:
        return 0 in self.map_shape


@lru_cache(4096)  # networks repeat themselves
def choose_layout(
    shape: tuple[int, ...], axes: Axes, batch: int = 1, index: int = 0, grid: tuple[int, int] | None = None
) -> MapLayout:
    """Choose the maps of a tensor of `shape`, whose network was given `batch` inputs, of which number `index` is shown.

    `grid` (rows, columns) is believed for tokens wherever their number fits it.
    """
    kept = [axis for axis in range(len(shape)) if axis != axes.batch]
    sizes = tuple(shape[axis] for axis in kept)
    if 0 in shape:
        return MapLayout(sizes, (0, 0, 0), axes.batch, 0, tuple(range(len(sizes))), note="empty")
    item, note = _item(shape[axes.batch], batch, index) if axes.batch is not None else (0, "")
    channel = kept.index(axes.channel) if axes.channel in kept else len(sizes) - 1 if len(sizes) < 3 else 0
    head = [kept.index(axes.head)] if axes.head in kept and axes.channel in kept else []
    front = [*head, channel] if sizes else []
    order = (*front, *(axis for axis in range(len(sizes)) if axis not in front))
    channels, space = math.prod(sizes[axis] for axis in front), [sizes[axis] for axis in order[len(front) :]]
    whole = axes.batch is not None and not note
    made = MapLayout(sizes, (channels, 1, 1), axes.batch, item, order, note=note, whole=whole)
    if len(space) == 1 and (head or channel == 1):
        return _tokens(made, channels, space[0], axes.grid, grid, bool(head))
    return _maps(made, channels, space)


def _item(size: int, batch: int, index: int) -> tuple[int, str]:
    if size == batch:
        return index, ""
    share = size // batch
    if share and share * batch == size:
        return index * share, f"item 1 of {share:,}"
    item = min(index, size - 1)
    return item, f"item {item + 1} of {size:,}"


def _maps(made: MapLayout, channels: int, space: list[int]) -> MapLayout:
    *slices, height, width = [1, 1, *space][-max(2, len(space)) :]
    depth = math.prod(slices)
    names = tuple(f"channel {k // depth} slice {k % depth}" for k in range(channels * depth)) if slices else ()
    return replace(made, map_shape=(channels * depth, height, width), labels=names)


def _tokens(
    made: MapLayout, channels: int, tokens: int, known: tuple[int, int] | None, given: tuple[int, int] | None, heads: bool
) -> MapLayout:
    grid = token_grid(tokens, known, given)
    if grid is None:
        shape = (channels, 1, tokens) if heads else (1, tokens, channels)
        return replace(made, map_shape=shape, order=made.order if heads else (0, 1))
    skip = tokens - grid[0] * grid[1]
    note = ", ".join(filter(None, [made.note, f"{skip} special token{'s' * (skip > 1)} left out" if skip else ""]))
    return replace(made, map_shape=(channels, *grid), skip=skip, note=note)


def token_grid(
    tokens: int, known: tuple[int, int] | None = None, given: tuple[int, int] | None = None
) -> tuple[int, int] | None:
    """(rows, columns) of a number of tokens, class and register tokens included, or None for a plain sequence.

    A `given` grid goes before one `known` from the network's own reshaping, that before a square.
    """
    for grid in (given, known):
        if grid and 0 < grid[0] * grid[1] <= tokens <= grid[0] * grid[1] + MOST_SPECIAL_TOKENS:
            return grid
    if known == NO_GRID:
        return None
    for special in SPECIAL_TOKENS + REGISTER_TOKENS:
        side = math.isqrt(max(tokens - special, 0))
        if side * side == tokens - special and side >= (2 if special in SPECIAL_TOKENS else 7):
            return side, side
    return None


def extract_maps(tensor: torch.Tensor, made: MapLayout) -> torch.Tensor:
    """(C, H, W): the maps of a tensor; a view of its memory wherever strides can say it."""
    item = tensor if made.batch is None else tensor.select(made.batch, made.item)
    item = item.permute(made.order)
    if made.skip:
        item = item.narrow(-1, made.skip, item.shape[-1] - made.skip)
    return item.reshape(made.map_shape)


def to_texels(maps: torch.Tensor, shelf: Arena | None = None) -> np.ndarray:
    """(C, H, W) of any type and strides -> (cells, H, W, 4) float32, in one pass, on the shelf if there is one."""
    import torch

    channels, height, width = maps.shape
    cells, rest = -(-channels // 4), channels % 4
    if maps.is_complex():
        maps = maps.abs()
    shape = (cells, height, width, 4)
    texels = np.empty(shape, np.float32) if shelf is None else shelf.array(*shape)
    planes = torch.from_numpy(texels).permute(0, 3, 1, 2)
    whole = channels - rest
    if whole:
        planes[: whole // 4].copy_(maps[:whole].unflatten(0, (whole // 4, 4)))
    if rest:
        planes[-1, :rest].copy_(maps[whole:])
        planes[-1, rest:] = 0.0
    return texels
