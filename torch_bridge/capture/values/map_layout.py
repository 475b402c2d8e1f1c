"""The layout of maps: how a tensor of any rank becomes maps (C, H, W), and their copy into texels.

    rank without the batch      maps
    ()                          (1, 1, 1)
    (C,)                        (C, 1, 1)
    (C, L)                      (C, 1, L)       1-D maps: a row a tile
    (L, D) tokens of a picture  (D, h, w)       class and register tokens, which come first, are left out
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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .arena import Arena

if TYPE_CHECKING:
    import torch

TokenGrid = tuple[int, int]
"""Rows and columns of tokens."""
MAX_SPECIAL_TOKENS = 16
"""Largest number of class and register tokens before the tokens of a picture."""


class Part(NamedTuple):
    """A part of an axis, as `axis_parts` tracks them."""

    kind: str
    """What it counts."""
    size: int


Parts = tuple[tuple[Part, ...], ...]
"""The parts of each axis, outermost first; () for an axis whose parts aren't known."""


class BatchFold(NamedTuple):
    """How the inputs lie in the batch axis: item (o · batch size + input) · inner + i is position o · inner + i."""

    outer: int = 1
    inner: int = 1
    word: str = "part"
    """What a position is, for people: "frame", "window"."""


class Axes(NamedTuple):
    """The meaning of a tensor's axes; None for an axis that is unknown or absent."""

    batch: int | None = None
    channel: int | None = None
    head: int | None = None
    """Axis of the attention heads: a channel of the maps is then a pair (head, channel)."""
    grid: TokenGrid | None = None
    """Rows and columns of the tokens, where a picture was flattened."""
    parts: Parts = ()
    """What each axis is made of, as far as it is known."""
    certain: bool = True
    """Whether the batch axis follows from operations, rather than from names and sizes."""


@dataclass(frozen=True)
class MapLayout:
    """How a tensor's values become maps."""

    shape: tuple[int, ...]
    """Shape of the tensor without the batch."""
    map_shape: tuple[int, int, int]
    """(C, H, W) of the maps."""
    batch_axis: int | None
    fold: BatchFold
    """How the inputs lie along the batch axis."""
    batch_index: int
    """Index along the batch axis of the item that is shown."""
    axis_order: tuple[int, ...]
    """Axes of the item, channels first."""
    skipped_tokens: int = 0
    """Number of tokens at the beginning that are left out."""
    labels: tuple[str, ...] = ()
    note: str = ""
    complete: bool = True
    """Whether the item is the output for one input, or a known position of it, rather than one of a list of boxes."""
    position: int = 0
    """Which of the `positions` of one input is shown, from 0: a frame, a window."""
    is_sequence: bool = False
    """Whether the only map is a plain sequence of tokens, a row a token and a column a feature."""

    @property
    def positions(self) -> int:
        """Number of positions of one input."""
        return self.fold.outer * self.fold.inner

    def place(self) -> dict[str, Any]:
        """Returns the arguments of `Maps` that say which position is shown; {} where there is only one."""
        if self.positions == 1:
            return {}
        return {"position": self.position, "positions": self.positions, "axis": self.fold.word}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return 0 in self.map_shape


@lru_cache(4096)  # networks repeat themselves
def choose_layout(
    shape: tuple[int, ...],
    axes: Axes,
    batch_size: int = 1,
    index: int = 0,
    grid: TokenGrid | None = None,
    fold: BatchFold | None = None,
    position: int = 0,
) -> MapLayout:
    """Chooses how a tensor of `shape` becomes maps.

    batch_size: number of inputs that the network was given. index: which of them is shown. grid: rows and columns of
    tokens, used wherever their number fits it. fold: how the inputs lie along the batch axis; None if that isn't known.
    position: which position of the input is shown, where the batch axis holds several.
    """
    kept = [axis for axis in range(len(shape)) if axis != axes.batch]
    sizes = tuple(shape[axis] for axis in kept)
    if 0 in shape:
        return MapLayout(sizes, (0, 0, 0), axes.batch, BatchFold(), 0, tuple(range(len(sizes))), note="empty")
    known = axes.batch is not None and (fold is not None or shape[axes.batch] == batch_size)
    fold, item, note = _batch_item(shape, axes.batch, batch_size, index, fold, position)
    front = _channel_axes(kept, axes)
    order = (*front, *(axis for axis in range(len(sizes)) if axis not in front))
    channels, space = math.prod(sizes[axis] for axis in front), [sizes[axis] for axis in order[len(front) :]]
    complete = known and not note
    layout = MapLayout(
        sizes, (channels, 1, 1), axes.batch, fold, item, order, note=note, complete=complete, position=position
    )
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


def _batch_item(
    shape: tuple[int, ...], axis: int | None, batch_size: int, index: int, fold: BatchFold | None, position: int
) -> tuple[BatchFold, int, str]:
    """Returns how the inputs lie in the batch axis, which of its items is shown, and a note if that isn't known."""
    if axis is None:
        return BatchFold(), 0, ""
    size = shape[axis]
    if fold is None:
        if size % batch_size:
            item = min(index, size - 1)
            return BatchFold(), item, f"item {item + 1} of {size:,}"
        fold = BatchFold(1, size // batch_size)  # most networks keep the items of one input side by side
    outer, inner = divmod(position, fold.inner)
    return fold, (outer * batch_size + index) * fold.inner + inner, ""


def _space_layout(layout: MapLayout, channels: int, space: list[int]) -> MapLayout:
    *slices, height, width = [1, 1, *space][-max(2, len(space)) :]
    depth = math.prod(slices)
    labels = tuple(f"channel {k // depth} slice {k % depth}" for k in range(channels * depth)) if slices else ()
    return replace(layout, map_shape=(channels * depth, height, width), labels=labels)


def _token_layout(layout: MapLayout, channels: int, tokens: int, grid: TokenGrid | None, has_heads: bool) -> MapLayout:
    if grid is None:
        map_shape = (channels, 1, tokens) if has_heads else (1, tokens, channels)
        order = layout.axis_order if has_heads else (0, 1)
        return replace(layout, map_shape=map_shape, axis_order=order, is_sequence=not has_heads)
    skipped = tokens - grid[0] * grid[1]
    left_out = f"{skipped} special token{'s' * (skipped > 1)} left out" if skipped else ""
    note = ", ".join(filter(None, [layout.note, left_out]))
    return replace(layout, map_shape=(channels, *grid), skipped_tokens=skipped, note=note)


def token_grid(tokens: int, inferred: TokenGrid | None = None, stated: TokenGrid | None = None) -> TokenGrid | None:
    """Returns (rows, columns) for a number of tokens, class and register tokens included; None for a plain sequence.

    A `stated` grid has precedence over one `inferred` from the network's own reshaping.
    """
    for grid in (stated, inferred):
        if grid and 0 < grid[0] * grid[1] <= tokens <= grid[0] * grid[1] + MAX_SPECIAL_TOKENS:
            return grid
    return None


def extract_maps(tensor: torch.Tensor, layout: MapLayout) -> torch.Tensor:
    """Returns the maps (C, H, W) of a tensor in its own dtype; a view of its memory if strides allow it."""
    item = tensor if layout.batch_axis is None else tensor.select(layout.batch_axis, layout.batch_index)
    item = item.permute(layout.axis_order)
    if layout.skipped_tokens:
        item = item.narrow(-1, layout.skipped_tokens, item.shape[-1] - layout.skipped_tokens)
    return item.reshape(layout.map_shape)


def select_inputs(tensor: torch.Tensor, layout: MapLayout, batch_size: int) -> torch.Tensor:
    """Returns the shown items of all inputs, (N, *item), of a tensor of any shape; a view of its memory."""
    if layout.batch_axis is None:
        return tensor[None]
    items, (outer, inner, _) = tensor.movedim(layout.batch_axis, 0), layout.fold
    if len(items) != outer * batch_size * inner:
        return items[:: max(len(items) // batch_size, 1)][:batch_size]
    first, second = divmod(layout.position, inner)
    return items.unflatten(0, (outer, batch_size, inner))[first, :, second]


def input_values(tensor: torch.Tensor, layout: MapLayout, batch_size: int, index: int) -> torch.Tensor:
    """Returns all that a tensor of any shape holds of one input, all positions of it; the tensor without a batch."""
    if layout.batch_axis is None:
        return tensor
    items, (outer, inner, _) = tensor.movedim(layout.batch_axis, 0), layout.fold
    if len(items) != outer * batch_size * inner:
        return items[layout.batch_index]
    return items.unflatten(0, (outer, batch_size, inner))[:, index]


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
