"""The two operators of torchvision's compiled library that detection models need, in numpy and plain torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

CHUNK = 1 << 24
"""Values that `roi_align` gathers at a time: 64 MB."""


def nms(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: boxes (N, 4) as x0 y0 x1 y1, scores (N,) -> kept indices (K,), best first.

    Same as torchvision.ops.nms: a box is dropped if its IoU with a better kept one is above `threshold`.
    """
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    kept = _suppress(boxes[order].detach().float().cpu().numpy(), threshold)
    return order[torch.from_numpy(kept).to(order.device)]


def _suppress(corners: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 4) float32 boxes, best first -> kept indices (K,). In numpy: small operations are five times as fast."""
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    remaining = np.arange(len(corners))
    kept = []
    while remaining.size:
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[remaining, :2])
        high = np.minimum(corners[best, 2:], corners[remaining, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        with np.errstate(invalid="ignore", divide="ignore"):  # the IoU of two empty boxes is 0/0: both stay
            overlap = shared / (area[best] + area[remaining] - shared)
        remaining = remaining[~(overlap > threshold)]
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

    Regions are (sample, x0, y0, x1, y1); multiplied by `scale` they are pixels of `values`. Same as
    torchvision.ops.roi_align, whose own fallback is wrapped in torch.compile (26 s for the first call) and gathers
    value by value (11 s an image, here 0.3 s). sampling: samples for each cell and axis; below 1, one for each pixel.
    """
    import torch

    corners = regions[:, 1:] * scale - (0.5 if aligned else 0.0)
    extent = corners[:, 2:] - corners[:, :2]
    cell = (extent if aligned else extent.clamp(min=1.0)) / extent.new_tensor([width, height])
    rows = values.permute(0, 2, 3, 1).contiguous()
    pieces = [values.new_zeros((0, values.shape[1], height, width))]
    for chunk, across, down in _chunks(cell, values.shape[1] * height * width, sampling):
        x = _samples(corners[chunk, 0], cell[chunk, 0], width, across, values.shape[3])
        y = _samples(corners[chunk, 1], cell[chunk, 1], height, down, values.shape[2])
        sums = _gather(rows, regions[chunk, 0].long(), y, x)
        cells = sums.unflatten(2, (width, across)).unflatten(1, (height, down)).mean((2, 4))
        pieces.append(cells.permute(0, 3, 1, 2))
    return torch.cat(pieces)


def _chunks(cell: torch.Tensor, values: int, sampling: int) -> Iterator[tuple[slice, int, int]]:
    """Slices of regions to compute at a time, and the numbers of samples in each of their cells across and down."""
    if sampling > 0:
        step = max(1, CHUNK // (values * sampling**2))
        yield from ((slice(k, k + step), sampling, sampling) for k in range(0, len(cell), step))
    else:
        for k, (across, down) in enumerate(cell.ceil().clamp(min=1).long().tolist()):
            yield slice(k, k + 1), across, down


def _samples(
    start: torch.Tensor, cell: torch.Tensor, cells: int, samples: int, size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sampling along one axis: lower pixels, upper pixels, and their weights, each (K, cells * samples)."""
    import torch

    position = start[:, None] + (torch.arange(cells * samples, device=cell.device) + 0.5) * (cell / samples)[:, None]
    inside = (position >= -1) & (position <= size)
    position = position.clamp(0, size - 1)
    low = position.long()
    weight = position - low
    return low, (low + 1).clamp(max=size - 1), (1 - weight) * inside, weight * inside


def _gather(
    rows: torch.Tensor, sample: torch.Tensor, y: Sequence[torch.Tensor], x: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Bilinear samples, (K, Y, X, C), of images (N, H, W, C)."""
    _, height, width, _ = rows.shape
    flat = rows.flatten(0, 2)
    total = flat.new_zeros(())
    for j, by in ((y[0], y[2]), (y[1], y[3])):
        for i, bx in ((x[0], x[2]), (x[1], x[3])):
            index = (sample[:, None, None] * height + j[:, :, None]) * width + i[:, None, :]
            picked = flat.index_select(0, index.flatten()).unflatten(0, index.shape)
            total = total + picked * (by[:, :, None] * bx[:, None, :])[..., None].to(flat.dtype)
    return total
