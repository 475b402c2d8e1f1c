"""How much a network's answers depend on where every pixel is: pictures moved by a few pixels, or covered in parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..method_support.occluding_patches import OcclusionPatches

PIXELS = (1, 2, 4, 8)
"""How far pictures are moved: up, down, left and right."""
PATCH, STRIDE = 0.25, 0.75
"""Side of the patch, as a share of the picture's, and the distance of its positions, as a share of its side."""
BATCH = 32


class ChangedAnswers(NamedTuple):
    """What became of a network's answers."""

    changed: float
    """Share of the pictures that get another class, 0..1."""
    drop: float
    """Mean loss of probability of the class that the unchanged picture gets, -1..1."""
    largest: float
    """The same at the worst place of each picture, averaged over pictures."""


def shift_sensitivity(model: nn.Module, inputs: Tensor) -> dict[int, ChangedAnswers]:
    """Returns by PIXELS what becomes of the answers for pictures (N, 3, H, W), normalised, whose edges are repeated."""
    classes, before = _answers(model, inputs)
    found = {}
    for pixels in PIXELS:
        moved = (shifted(inputs, down, right) for down, right in _directions(pixels))
        found[pixels] = _changes(torch.stack([_scores(model, each) for each in moved]), classes, before)
    return found


def shifted(inputs: Tensor, down: int, right: int) -> Tensor:
    """Moves pictures (N, C, H, W) by whole pixels; what comes in is the edge, repeated."""
    most, (height, width) = max(abs(down), abs(right)), inputs.shape[2:]
    padded = F.pad(inputs, (most,) * 4, mode="replicate")
    return padded[:, :, most - down : most - down + height, most - right : most - right + width]


def occlusion_sensitivity(model: nn.Module, inputs: Tensor) -> ChangedAnswers:
    """Returns what becomes of the answers for pictures (N, 3, H, W), normalised, if a patch of their mean covers parts.

    The patch is PATCH of each side; numbers are means over all its positions.
    """
    classes, before = _answers(model, inputs)
    patches = OcclusionPatches(tuple(inputs.shape[2:]), PATCH, STRIDE)
    content = torch.zeros_like(inputs[:1])
    after = [_scores(model, patches.cover(picture[None], content, patches.positions)) for picture in inputs]
    return _changes(torch.stack(after, 1), classes, before)


def _directions(pixels: int) -> Iterator[tuple[int, int]]:
    yield from ((pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels))


def _answers(model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) int64 classes and their probabilities (N,)."""
    before, classes = _scores(model, inputs).max(1)
    return classes, before


def _scores(model: nn.Module, inputs: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part).softmax(1) for part in inputs.split(BATCH)])


def _changes(after: Tensor, classes: Tensor, before: Tensor) -> ChangedAnswers:
    """after: (places, N, classes) probabilities."""
    kept = after.gather(2, classes.expand(len(after), -1)[..., None])[..., 0]
    drops = before - kept
    changed = (after.argmax(2) != classes).float().mean()
    return ChangedAnswers(float(changed), float(drops.mean()), float(drops.amax(0).mean()))
