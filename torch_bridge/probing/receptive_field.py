"""Computes receptive fields: which pixels each position of a layer depends on, exactly, for every channel.

The network runs on four pictures whose pixels hold their row, minus their row, their column and minus their column.
Operations that mix values return the largest of them instead (interval arithmetic in the network's own run): a
convolution becomes a maximum over its window, a sum the larger of two, a ReLU passes values on. Each value of a layer
then is the last or the first row or column that it depends on, with padding, strides, dilation and branches taken into
account. An operation that is unknown here depends on the whole picture, and so does everything after it: attention,
norms over space, linear layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .dependency_tracking import DependencyTracker
from .partial_forward import PartialForward

ToArguments = Callable[[Tensor], tuple[Any, ...]]
"""Turns a picture (1, C, H, W) into the arguments of the network."""
Spacing = tuple[float, float]
"""Where the first position of a map lies, and how far the next one, in pixels."""


@dataclass(frozen=True)
class ReceptiveFields:
    """The receptive fields of a layer in a picture."""

    boxes: np.ndarray
    """(C, h, w, 4) int32: top, left, bottom, right in pixels, half-open, clipped to the picture; C is 1 if all channels
    have the same fields."""
    picture_size: tuple[int, int]
    """(height, width) in pixels."""

    @property
    def sizes(self) -> np.ndarray:
        """(C, 2) int32: height and width in pixels of the largest field, that of a position away from the edges."""
        return (self.boxes[..., 2:] - self.boxes[..., :2]).max((1, 2))

    def box(self, channel: int, y: int, x: int) -> tuple[int, int, int, int]:
        """Returns (top, left, bottom, right) in pixels for one position of a channel."""
        top, left, bottom, right = self.boxes[min(channel, len(self.boxes) - 1), y, x].tolist()
        return top, left, bottom, right

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the pixel rows (h,) and columns (w,), float64, at the centres of the first channel's fields.

        The centres of clipped fields are extrapolated from those of whole fields; if all fields are clipped, the
        centres are spread evenly.
        """
        (rows, columns), sizes = self._intervals(), self.picture_size
        found = []
        for intervals, length, spacing in zip((rows, columns), sizes, self.spacings(), strict=True):
            positions = np.arange(len(intervals))
            start, step = spacing or (length / len(intervals) / 2 - 0.5, length / len(intervals))
            found.append(start + positions * step)
        return found[0], found[1]

    def spacings(self) -> tuple[Spacing | None, Spacing | None]:
        """Returns for rows and columns where the first field's centre is, and how far the next one's, in pixels.

        They follow from whole fields of the first channel; None if fewer than two are not clipped, or if all lie at one
        place.
        """
        (rows, columns), (height, width) = self._intervals(), self.picture_size
        return _spacing(rows, height), _spacing(columns, width)

    def _intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the rows (h, 2) and columns (w, 2) of the first channel's fields, half-open."""
        down, across = (side // 2 for side in self.boxes.shape[1:3])  # at the edges all of a field may be padding
        return self.boxes[0, :, across, 0::2], self.boxes[0, down, :, 1::2]


def _spacing(intervals: np.ndarray, length: int) -> Spacing | None:
    whole = np.flatnonzero((intervals[:, 0] > 0) & (intervals[:, 1] < length))
    if len(whole) < 2:
        return None
    centres = (intervals[whole].sum(1) - 1) / 2
    step = float((centres[-1] - centres[0]) / (whole[-1] - whole[0]))
    return (float(centres[0] - whole[0] * step), step) if step else None


def compute_receptive_fields(
    forward: PartialForward, to_arguments: ToArguments, picture: Tensor, shapes: Mapping[str, Sequence[int]]
) -> dict[str, ReceptiveFields]:
    """Returns the receptive fields by layer; a layer whose dependencies can't be tracked sees the whole picture.

    picture: (1, C, H, W), used for its shape, dtype and device only. shapes: (C, h, w) by layer of `forward`.
    """
    traces = [trace_plane(forward, to_arguments, plane) for plane in coordinate_planes(picture)]
    return {
        id: fields_from_traces([trace.get(id) for trace in traces], shape, picture.shape[-2:])
        for id, shape in shapes.items()
    }


def coordinate_planes(picture: Tensor) -> tuple[Tensor, ...]:
    """Returns four pictures (1, C, H, W) that hold rows, minus rows, columns, minus columns.

    They have the picture's dtype, but at least float32: a half can't count the pixels of a large picture.
    """
    (height, width), dtype = picture.shape[-2:], torch.promote_types(picture.dtype, torch.float32)
    rows = torch.arange(height, dtype=dtype, device=picture.device)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=dtype, device=picture.device).expand(height, width)
    return tuple(plane.repeat(1, picture.shape[1], 1, 1) for plane in (rows, -rows, columns, -columns))


def trace_plane(forward: PartialForward, to_arguments: ToArguments, plane: Tensor) -> dict[str, Tensor]:
    """Returns by layer (C, h, w) float: the largest value of the plane that each position depends on.

    plane: one of `coordinate_planes`. Layers whose dependencies can't be tracked are left out.
    """
    try:
        with torch.no_grad(), DependencyTracker([plane]) as tracker:
            maps_by_layer = forward(to_arguments(plane)).maps
            return {id: maps[0] for id, maps in maps_by_layer.items() if tracker.tracks(maps)}
    except Exception:  # noqa: BLE001 - a network that checks its values, or operations that can't be tracked
        return {}


def fields_from_traces(
    traces: Sequence[Tensor | None], shape: Sequence[int], picture_size: Sequence[int]
) -> ReceptiveFields:
    """Builds the fields of a layer of `shape` (C, h, w) from its traces (C, h, w) of the four planes, in order."""
    size = height, width = int(picture_size[0]), int(picture_size[1])
    complete = [trace for trace in traces if trace is not None and trace.shape == tuple(shape)]
    if len(complete) < 4:
        return ReceptiveFields(np.broadcast_to(np.array([0, 0, height, width], np.int32), (1, *shape[1:], 4)), size)
    maps = torch.stack(complete)
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
