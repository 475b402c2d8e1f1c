"""Which pixels a place of a layer can see: its receptive field, exactly, for every place of every channel.

The network runs on four pictures whose pixels hold their row and column, and minus these. Whatever mixes pixels
takes the largest of what it would mix (interval arithmetic, by the network's own run): a convolution is a maximum over
its window, a sum the larger of two, a ReLU nothing. Where each value would be, there comes out the last and the first
row and column that it depends on, padding, strides, dilation and branches included. What an operation does that is not
known here sees everything, and so does what follows it: attention, norms over space, linear layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..recording.errors import ModelError
from .dependency_tracking import DependencyTracker
from .partial_forward import PartialForward


@dataclass(frozen=True)
class ReceptiveFields:
    """The receptive fields of a layer in a picture of (height, width) pixels."""

    boxes: np.ndarray
    """(C, h, w, 4) int32: top, left, bottom, right, in pixels, half-open, cut off at the picture's edges; C is 1 where
    all channels see the same."""
    picture: tuple[int, int]

    @property
    def sizes(self) -> np.ndarray:
        """(C, 2) int32: height and width of the largest, in pixels: what a place away from the edges sees."""
        return (self.boxes[..., 2:] - self.boxes[..., :2]).max((1, 2))

    def box(self, channel: int, y: int, x: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of one place."""
        top, left, bottom, right = self.boxes[min(channel, len(self.boxes) - 1), y, x].tolist()
        return top, left, bottom, right

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """(h,) and (w,) pixel rows and columns, fractions too, that a layer's places lie over; for its first channel.

        Places whose fields are cut off go on in the steps of the others; where all are, they are spread evenly.
        """
        return _line(self.boxes[0, :, 0, 0::2], self.picture[0]), _line(self.boxes[0, 0, :, 1::2], self.picture[1])


def _line(ends: np.ndarray, length: int) -> np.ndarray:
    """ends: (n, 2) first and last + 1 of a row of places -> (n,) their middles."""
    places = np.arange(len(ends))
    whole = np.flatnonzero((ends[:, 0] > 0) & (ends[:, 1] < length))
    if len(whole) < 2:
        return (places + 0.5) * length / len(ends) - 0.5
    middles = (ends[whole].sum(1) - 1) / 2
    step = (middles[-1] - middles[0]) / (whole[-1] - whole[0])
    return middles[0] + (places - whole[0]) * step


def compute_receptive_fields(
    reach: PartialForward, given: Callable[[Tensor], tuple[Any, ...]], picture: Tensor, shapes: Mapping[str, Sequence[int]]
) -> dict[str, ReceptiveFields]:
    """By layer of `reach`. Layers that can't be followed see the whole picture.

    given: (1, C, H, W) picture -> arguments of the network. picture: its shape and its device count. shapes: by layer
    its (C, h, w).
    """
    traces = [trace_plane(reach, given, plane) for plane in coordinate_planes(picture)]
    return {id: fields_from_traces([one.get(id) for one in traces], shape, picture.shape[-2:]) for id, shape in shapes.items()}


def coordinate_planes(picture: Tensor) -> tuple[Tensor, ...]:
    """Four pictures (1, C, H, W) float32: rows, minus rows, columns, minus columns."""
    height, width = picture.shape[-2:]
    rows = torch.arange(height, dtype=torch.float32, device=picture.device)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=torch.float32, device=picture.device).expand(height, width)
    return tuple(one.repeat(1, picture.shape[1], 1, 1) for one in (rows, -rows, columns, -columns))


def trace_plane(reach: PartialForward, given: Callable[[Tensor], tuple[Any, ...]], plane: Tensor) -> dict[str, Tensor]:
    """By layer (C, h, w) what comes of a plane; without layers that can't be followed."""
    try:
        with torch.no_grad(), DependencyTracker([plane]) as mode:
            found = reach(given(plane)).maps
            return {id: maps[0] for id, maps in found.items() if mode.follows(maps)}
    except ModelError:  # a network that looks at the values themselves
        return {}


def fields_from_traces(traces: Sequence[Tensor | None], shape: Sequence[int], picture: Sequence[int]) -> ReceptiveFields:
    """From what came of the four planes, (C, h, w) each. shape: the layer's. picture: its height and width."""
    size = height, width = int(picture[0]), int(picture[1])
    found = [one for one in traces if one is not None and one.shape == tuple(shape)]
    if len(found) < 4:
        return ReceptiveFields(np.broadcast_to(np.array([0, 0, height, width], np.int32), (1, *shape[1:], 4)), size)
    maps = torch.stack(found)
    if bool((maps == maps[:, :1]).all()):
        maps = maps[:, :1]
    bottom, top, right, left = maps.float().cpu().numpy()
    ends = (
        np.clip(-top, 0, height),
        np.clip(-left, 0, width),
        np.clip(bottom + 1, 0, height),
        np.clip(right + 1, 0, width),
    )
    boxes = np.stack(ends, -1).astype(np.int32)
    boxes[(boxes[..., 2:] <= boxes[..., :2]).any(-1)] = 0
    return ReceptiveFields(boxes, size)
