"""The layout of maps: how a tensor of any rank becomes maps (C, H, W), and their copy into texels.

    rank without the batch      maps
    ()                          (1, 1, 1)
    (C,)                        (C, 1, 1)
    (C, L)                      (C, 1, L)       1-D maps: a row a tile
    (L, D) tokens on a grid     (D, h, w)       class and register tokens, which come first, are left out
    (L, D) tokens without       (1, L, D)       one tile, a row a token
    (heads, L, d)               (heads·d, h, w) or (heads·d, 1, L)
    (C, H, W)                   as it is, or from (H, W, C) if the channels are last
    (C, D, H, W)                (C·D, H, W)     slices as tiles, labelled

axes.py infers what the axes of a tensor mean while the network runs. This module loads torch only to copy values.
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

TokenGrid = tuple[int, int]
"""Rows and columns of tokens."""
NO_GRID: TokenGrid = (0, 0)
SPECIAL_TOKENS = (0, 1)
"""Numbers of class tokens that may precede a square of tokens of any size."""
REGISTER_TOKENS = (2, 5)
"""Numbers of special tokens in distilled networks (2) and in networks with registers (5); assumed only before squares
of at least MIN_REGISTER_SIDE tokens a side."""
MIN_REGISTER_SIDE = 7
MAX_SPECIAL_TOKENS = 16


class Axes(NamedTuple):
    """The meaning of a tensor's axes; None for an axis that is unknown or absent."""

    batch: int | None = None
    channel: int | None = None
    head: int | None = None
    """Axis of the attention heads: a channel of the maps is then a pair (head, channel)."""
    grid: TokenGrid | None = None
    """Rows and columns of the tokens; NO_GRID for tokens that have none, such as words."""


@dataclass(frozen=True)
class MapLayout:
    """How a tensor's values become maps."""

    shape: tuple[int, ...]
    """Shape of the tensor without the batch."""
    map_shape: tuple[int, int, int]
    """(C, H, W) of the maps."""
    batch_axis: int | None
    batch_index: int
    """Index along the batch axis of the item that is shown."""
    axis_order: tuple[int, ...]
    """Axes of the item, channels first."""
    skipped_tokens: int = 0
    """Number of tokens at the beginning that are left out."""
    labels: tuple[str, ...] = ()
    note: str = ""
    complete: bool = True
    """Whether the item is the whole output for one input: not one window of many, not a list of boxes."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return 0 in self.map_shape


@lru_cache(4096)  # networks repeat themselves
def choose_layout(
    shape: tuple[int, ...], axes: Axes, batch_size: int = 1, index: int = 0, grid: TokenGrid | None = None
) -> MapLayout:
    """Chooses how a tensor of `shape` becomes maps.

    batch_size: number of inputs that the network was given. index: which of them is shown. grid: rows and columns of
    tokens, used wherever their number fits it.
    """
    kept = [axis for axis in range(len(shape)) if axis != axes.batch]
    sizes = tuple(shape[axis] for axis in kept)
    if 0 in shape:
        return MapLayout(sizes, (0, 0, 0), axes.batch, 0, tuple(range(len(sizes))), note="empty")
    item, note = _batch_item(shape[axes.batch], batch_size, index) if axes.batch is not None else (0, "")
    front = _channel_axes(kept, axes)
    order = (*front, *(axis for axis in range(len(sizes)) if axis not in front))
    channels, space = math.prod(sizes[axis] for axis in front), [sizes[axis] for axis in order[len(front) :]]
    complete = axes.batch is not None and not note
    layout = MapLayout(sizes, (channels, 1, 1), axes.batch, item, order, note=note, complete=complete)
    has_heads = len(front) == 2
    if len(space) == 1 and (has_heads or front == [1]):
        return _token_layout(layout, channels, space[0], token_grid(space[0], axes.grid, grid), has_heads)
    return _space_layout(layout, channels, space)


def _channel_axes(kept: list[int], axes: Axes) -> list[int]:
    """Returns the axes that enumerate channels, counted without the batch axis: (head, channel), (channel) or none."""
    if not kept:
        return []
    if axes.channel not in kept:
        return [len(kept) - 1 if len(kept) < 3 else 0]
    channel = kept.index(axes.channel)
    return [kept.index(axes.head), channel] if axes.head in kept else [channel]


def _batch_item(size: int, batch_size: int, index: int) -> tuple[int, str]:
    """Returns which item of a batch axis of `size` belongs to input number `index`, and a note if there are several."""
    if size == batch_size:
        return index, ""
    per_input = size // batch_size
    if per_input and per_input * batch_size == size:
        return index * per_input, f"item 1 of {per_input:,}"
    item = min(index, size - 1)
    return item, f"item {item + 1} of {size:,}"


def _space_layout(layout: MapLayout, channels: int, space: list[int]) -> MapLayout:
    *slices, height, width = [1, 1, *space][-max(2, len(space)) :]
    depth = math.prod(slices)
    labels = tuple(f"channel {k // depth} slice {k % depth}" for k in range(channels * depth)) if slices else ()
    return replace(layout, map_shape=(channels * depth, height, width), labels=labels)


def _token_layout(layout: MapLayout, channels: int, tokens: int, grid: TokenGrid | None, has_heads: bool) -> MapLayout:
    if grid is None:
        map_shape = (channels, 1, tokens) if has_heads else (1, tokens, channels)
        return replace(layout, map_shape=map_shape, axis_order=layout.axis_order if has_heads else (0, 1))
    skipped = tokens - grid[0] * grid[1]
    left_out = f"{skipped} special token{'s' * (skipped > 1)} left out" if skipped else ""
    note = ", ".join(filter(None, [layout.note, left_out]))
    return replace(layout, map_shape=(channels, *grid), skipped_tokens=skipped, note=note)


def token_grid(tokens: int, inferred: TokenGrid | None = None, stated: TokenGrid | None = None) -> TokenGrid | None:
    """Returns (rows, columns) for a number of tokens, class and register tokens included; None for a plain sequence.

    A `stated` grid has precedence over one `inferred` from the network's own reshaping, and that over a square.
    """
    for grid in (stated, inferred):
        if grid and 0 < grid[0] * grid[1] <= tokens <= grid[0] * grid[1] + MAX_SPECIAL_TOKENS:
            return grid
    if inferred == NO_GRID:
        return None
    for special in SPECIAL_TOKENS + REGISTER_TOKENS:
        side = math.isqrt(max(tokens - special, 0))
        if side * side == tokens - special and side >= (2 if special in SPECIAL_TOKENS else MIN_REGISTER_SIDE):
            return side, side
    return None


def extract_maps(tensor: torch.Tensor, layout: MapLayout) -> torch.Tensor:
    """Returns the maps (C, H, W) of a tensor in its own dtype; a view of its memory if strides allow it."""
    item = tensor if layout.batch_axis is None else tensor.select(layout.batch_axis, layout.batch_index)
    item = item.permute(layout.axis_order)
    if layout.skipped_tokens:
        item = item.narrow(-1, layout.skipped_tokens, item.shape[-1] - layout.skipped_tokens)
    return item.reshape(layout.map_shape)


def to_texels(maps: torch.Tensor, arena: Arena | None = None) -> np.ndarray:
    """Copies maps (C, H, W) of any dtype and strides to texels (cells, H, W, 4) float32, in one pass.

    Complex values become magnitudes. The texels are allocated in the arena if there is one.
    """
    import torch

    channels, height, width = maps.shape
    cells, rest = -(-channels // 4), channels % 4
    if maps.is_complex():
        maps = maps.abs()
    shape = (cells, height, width, 4)
    texels = np.empty(shape, np.float32) if arena is None else arena.allocate(*shape)
    planes = torch.from_numpy(texels).permute(0, 3, 1, 2)
    whole = channels - rest
    if whole:
        planes[: whole // 4].copy_(maps[:whole].unflatten(0, (whole // 4, 4)))
    if rest:
        planes[-1, :rest].copy_(maps[whole:])
        planes[-1, rest:] = 0.0
    return texels
