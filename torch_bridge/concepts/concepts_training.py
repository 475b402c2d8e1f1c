"""Training of a network on `concepts` pictures, seeded, and its accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .dataset import sample


@dataclass(frozen=True)
class ConceptsTraining:
    """Settings that determine a training run."""

    task: str
    images: int = 6000
    epochs: int = 12
    batch: int = 64
    rate: float = 6e-3
    """Peak of the one-cycle learning rate."""
    weight_decay: float = 0.05
    seed: int = 0
    """Seed of the pictures, the initial weights, the order and the flips."""

    @property
    def batches_per_epoch(self) -> int:
        """Number of full batches in an epoch; a last, smaller one is left out."""
        return self.images // self.batch


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures with their classes."""

    images: Tensor
    """(N, 3, H, W) uint8 sRGB, top row first."""
    labels: Tensor
    """(N,) int64 indices into the task's class names."""


def make_pictures(task: str, split: int, count: int, seed: int, on_picture: Callable[[], None]) -> LabelledPictures:
    """Makes the first `count` pictures of a split; calls `on_picture` after each."""
    images, labels = [], []
    for index in range(count):
        item = sample(seed, split, index, task=task)
        images.append(item.image)
        labels.append(item.label)
        on_picture()
    return LabelledPictures(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels))


def to_network_input(images: Tensor) -> Tensor:
    """Normalises (N, 3, H, W) uint8 to float32 -1..1, channels last in memory: mean 0.5, standard deviation 0.5."""
    return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def accuracy(model: nn.Module, data: LabelledPictures, batch: int = 100) -> float:
    """Returns the share of pictures that are classified correctly, 0..1. Leaves the model in evaluation mode."""
    model.eval()
    with torch.no_grad():
        answers = [model(to_network_input(images)).argmax(1) for images in data.images.split(batch)]
    return float((torch.cat(answers) == data.labels).float().mean())


def train_network(
    model: nn.Module,
    data: LabelledPictures,
    settings: ConceptsTraining,
    on_batch: Callable[[], None],
    on_epoch: Callable[[int, float], None],
) -> None:
    """Trains the model in place: AdamW, one-cycle learning rate, cross-entropy, half of the batches flipped.

    Calls `on_batch` after each batch, and `on_epoch` after each epoch with its number, from 1, and its mean loss.
    """
    random = torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(model.parameters(), settings.rate / 6, weight_decay=settings.weight_decay)
    steps = settings.epochs * settings.batches_per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, steps)
    for epoch in range(1, settings.epochs + 1):
        model.train()
        total = 0.0
        order = torch.randperm(len(data.labels), generator=random)[: settings.batches_per_epoch * settings.batch]
        for indices in order.split(settings.batch):
            images = data.images[indices]
            if torch.rand((), generator=random) < 0.5:
                images = images.flip(3)
            loss = F.cross_entropy(model(to_network_input(images)), data.labels[indices])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            on_batch()
        on_epoch(epoch, total / settings.batches_per_epoch)
