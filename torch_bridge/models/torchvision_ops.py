"""The two operators of torchvision's compiled library that detection models need, in numpy and plain torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

CHUNK = 1 << 24
"""Values gathered at a time by `roi_align`: 64 MB."""


def nms(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: boxes (N, 4) as x0 y0 x1 y1, scores (N,) -> kept indices, best first.

    Same as torchvision.ops.nms: a box goes if its overlap (IoU) with a better kept one is above `threshold`.
    """
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    kept = _suppress(boxes[order].detach().float().cpu().numpy(), threshold)
    return order[torch.from_numpy(kept).to(order.device)]


def _suppress(corners: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 4) float32, best first -> indices kept. In numpy, where small steps cost a fifth of torch's."""
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    left = np.arange(len(corners))
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[left, :2])
        high = np.minimum(corners[best, 2:], corners[left, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        with np.errstate(invalid="ignore", divide="ignore"):  # two empty boxes overlap by 0/0: both stay
            overlap = shared / (area[best] + area[left] - shared)
        left = left[~(overlap > threshold)]
    return np.asarray(kept, np.int64)


def roi_align(
    values: torch.Tensor,
    regions: torch.Tensor,
    scale: float,
    height: int,
    width: int,
    sampling: int,
    aligned: bool,
) -> torch.Tensor:
    """Average of bilinear samples in each cell of each region: (N, C, H, W), (K, 5) -> (K, C, height, width).

    Regions are (sample, x0, y0, x1, y1), times `scale` in pixels of `values`. Same as torchvision.ops.roi_align, whose
    own fallback is wrapped in torch.compile (26 s for the first call) and gathers value by value (11 s a picture
    where this takes 0.3). `sampling` samples a cell and axis; below 1 as many as the region has pixels in a cell.
    """
    import torch

    corners = regions[:, 1:] * scale - (0.5 if aligned else 0.0)
    extent = corners[:, 2:] - corners[:, :2]
    cell = (extent if aligned else extent.clamp(min=1.0)) / extent.new_tensor([width, height])
    rows = values.permute(0, 2, 3, 1).contiguous()
    pieces = [values.new_zeros((0, values.shape[1], height, width))]
    for at, across, down in _portions(cell, values.shape[1] * height * width, sampling):
        x = _samples(corners[at, 0], cell[at, 0], width, across, values.shape[3])
        y = _samples(corners[at, 1], cell[at, 1], height, down, values.shape[2])
        sums = _gather(rows, regions[at, 0].long(), y, x)
        cells = sums.unflatten(2, (width, across)).unflatten(1, (height, down)).mean((2, 4))
        pieces.append(cells.permute(0, 3, 1, 2))
    return torch.cat(pieces)


def _portions(cell: torch.Tensor, values: int, sampling: int) -> Iterator[tuple[slice, int, int]]:
    """Regions to do at a time, and how many samples each of their cells has across and down."""
    if sampling > 0:
        step = max(1, CHUNK // (values * sampling**2))
        yield from ((slice(k, k + step), sampling, sampling) for k in range(0, len(cell), step))
    else:
        for k, (across, down) in enumerate(cell.ceil().clamp(min=1).long().tolist()):
            yield slice(k, k + 1), across, down


def _samples(
    start: torch.Tensor, cell: torch.Tensor, cells: int, samples: int, size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Along one axis, each (K, cells * samples): the pixel below, the pixel above, and the weight of each."""
    import torch

    place = start[:, None] + (torch.arange(cells * samples, device=cell.device) + 0.5) * (cell / samples)[:, None]
    inside = (place >= -1) & (place <= size)
    place = place.clamp(0, size - 1)
    low = place.long()
    weight = place - low
    return low, (low + 1).clamp(max=size - 1), (1 - weight) * inside, weight * inside


def _gather(
    rows: torch.Tensor, sample: torch.Tensor, y: Sequence[torch.Tensor], x: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Bilinear values (K, Y, X, C) of rows (N, H, W, C)."""
    _, height, width, _ = rows.shape
    flat = rows.flatten(0, 2)
    total = flat.new_zeros(())
    for j, by in ((y[0], y[2]), (y[1], y[3])):
        for i, bx in ((x[0], x[2]), (x[1], x[3])):
            index = (sample[:, None, None] * height + j[:, :, None]) * width + i[:, None, :]
            picked = flat.index_select(0, index.flatten()).unflatten(0, index.shape)
            total = total + picked * (by[:, :, None] * bx[:, None, :])[..., None].to(flat.dtype)
    return total
