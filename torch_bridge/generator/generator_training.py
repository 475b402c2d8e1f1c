"""Training of the shipped generator and of its segmenter on coded pictures, seeded, and how well they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..concepts.concepts_training import to_network_input
from .coded_pictures import CONCEPT_NAMES, SCENES, draw_code, paint_code

PIXEL_WEIGHT = 0.2
"""Weight of absolute differences beside the squared ones, which alone would leave pictures soft."""
EDGE_WEIGHT = 0.2
"""Weight of the differences of neighbouring pixels beside that of the pixels, for sharp outlines."""
OBJECT_WEIGHT = 2.0
"""By how much a pixel of an object counts more than one of the ground; objects cover a tenth of all pixels."""
SEGMENTED_OBJECT_WEIGHT = 4.0
"""The same for the segmenter."""
PICTURE_NOISE = 0.1
"""Largest standard deviation of the noise that the segmenter learns to bear, for pictures in -1..1."""


@dataclass(frozen=True)
class CodedPictures:
    """Codes with the pictures that the painter draws from them."""

    codes: Tensor
    """(N, CODE_LENGTH) float32."""
    images: Tensor
    """(N, 3, H, W) uint8 sRGB, top row first."""
    shown: Tensor
    """(N, H, W) uint8: position among CONCEPT_NAMES of what each pixel shows."""


@dataclass(frozen=True)
class GeneratorTraining:
    """Settings that determine a training run."""

    pictures: int = 24000
    steps: int = 6000
    batch: int = 64
    rate: float = 3e-3
    """Peak of the one-cycle learning rate."""
    seed: int = 0
    """Seed of the codes, the initial weights, the order and the noise."""


def make_coded_pictures(split: int, count: int, seed: int, on_picture: Callable[[], None]) -> CodedPictures:
    """Paints the first `count` pictures of a split; calls `on_picture` after each."""
    codes, images, shown = [], [], []
    for index in range(count):
        codes.append(draw_code(seed, split, index))
        picture = paint_code(codes[-1])
        images.append(picture.image)
        shown.append(picture.shown)
        on_picture()
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return CodedPictures(torch.from_numpy(np.stack(codes)), pixels, torch.from_numpy(np.stack(shown)))


def picture_loss(drawn: Tensor, true: Tensor, shown: Tensor) -> Tensor:
    """Returns the mean squared and absolute difference of pixels and of their differences to neighbours, objects more.

    drawn, true: (N, 3, H, W) float32 in -1..1. shown: (N, H, W) uint8.
    """
    error = drawn - true
    weight = 1 + OBJECT_WEIGHT * (shown[:, None] >= len(SCENES))
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return ((error.square() + PIXEL_WEIGHT * error.abs()) * weight).mean() + EDGE_WEIGHT * edges


def generator_loss(model: nn.Module, data: CodedPictures, chosen: Tensor, random: torch.Generator) -> Tensor:
    """Returns the loss of the `chosen` pictures (N,) int64: those drawn from their codes beside the painter's."""
    return picture_loss(model(data.codes[chosen]), to_network_input(data.images[chosen]), data.shown[chosen])


def segmenter_loss(model: nn.Module, data: CodedPictures, chosen: Tensor, random: torch.Generator) -> Tensor:
    """Returns the cross-entropy of the pixels of the `chosen` pictures (N,) int64, with noise of some strength."""
    images = to_network_input(data.images[chosen])
    strength = PICTURE_NOISE * torch.rand((len(chosen), 1, 1, 1), generator=random)
    noisy = images + strength * torch.randn(images.shape, generator=random)
    weights = torch.tensor([1.0 + SEGMENTED_OBJECT_WEIGHT * (k >= len(SCENES)) for k in range(len(CONCEPT_NAMES))])
    return F.cross_entropy(model(noisy), data.shown[chosen].long(), weights)


Loss = Callable[[nn.Module, CodedPictures, Tensor, torch.Generator], Tensor]


def train(model: nn.Module, data: CodedPictures, settings: GeneratorTraining, loss: Loss, on_step: Callable) -> None:
    """Trains the model in place: Adam, one-cycle learning rate. Calls `on_step` with the step, from 1, and its loss."""
    random = torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.Adam(model.parameters(), settings.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, settings.steps, pct_start=0.1)
    order: tuple[Tensor, ...] = ()
    for step in range(1, settings.steps + 1):
        order = order or torch.randperm(len(data.codes), generator=random).split(settings.batch)
        model.train()
        value = loss(model, data, order[0], random)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        order = order[1:]
        on_step(step, value.item())


def segment(segmenter: nn.Module, pictures: Tensor, batch: int = 100) -> Tensor:
    """Returns which concept a segmenter sees in each pixel, (N, H, W) int64, of pictures (N, 3, H, W) in -1..1."""
    segmenter.eval()
    with torch.no_grad():
        return torch.cat([segmenter(part).argmax(1) for part in pictures.split(batch)])


def concept_ious(segmented: Tensor, shown: Tensor) -> dict[str, float]:
    """Returns each concept's IoU over all pixels; segmented, shown: (N, H, W) integers, positions in CONCEPT_NAMES."""
    ious = {}
    for number, name in enumerate(CONCEPT_NAMES):
        a, b = segmented == number, shown == number
        ious[name] = float((a & b).sum() / (a | b).sum().clamp(min=1))
    return ious
