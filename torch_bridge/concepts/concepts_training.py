"""Train and measure a network on `concepts` pictures: seeded, the same steps for the same recipe."""

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
    """All that a training run depends on."""

    task: str
    images: int = 6000
    epochs: int = 12
    batch: int = 64
    rate: float = 6e-3
    """Peak of the one-cycle learning rate."""
    decay: float = 0.05
    seed: int = 0
    """Of the pictures, the first weights, the order and the mirrorings."""

    @property
    def steps(self) -> int:
        """Batches an epoch; a last, smaller one is left out."""
        return self.images // self.batch


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures with their labels."""

    images: Tensor
    """(N, 3, H, W) uint8."""
    labels: Tensor
    """(N,) int64."""


def make_pictures(task: str, split: int, count: int, seed: int, step: Callable[[], None]) -> LabelledPictures:
    """The first `count` pictures of a split; `step` is called after each."""
    images, labels = [], []
    for index in range(count):
        one = sample(seed, split, index, task=task)
        images.append(one.image)
        labels.append(one.label)
        step()
    return LabelledPictures(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels))


def to_network_input(images: Tensor) -> Tensor:
    """uint8 0..255 -> float32 -1..1, what mean .5 and deviation .5 make of a picture."""
    return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def accuracy(model: nn.Module, data: LabelledPictures, batch: int = 100) -> float:
    """Share of pictures named rightly, 0..1. Leaves the model in evaluation mode."""
    model.eval()
    with torch.no_grad():
        answers = [model(to_network_input(images)).argmax(1) for images in data.images.split(batch)]
    return float((torch.cat(answers) == data.labels).float().mean())


def train_network(
    model: nn.Module,
    data: LabelledPictures,
    recipe: ConceptsTraining,
    step: Callable[[], None],
    after_epoch: Callable[[int, float], None],
) -> None:
    """Train in place. `step` is called after each batch, `after_epoch` with the epoch (from 1) and its mean loss."""
    random = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.AdamW(model.parameters(), recipe.rate / 6, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.epochs * recipe.steps)
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        total = 0.0
        order = torch.randperm(len(data.labels), generator=random)[: recipe.steps * recipe.batch]
        for chosen in order.split(recipe.batch):
            images = data.images[chosen]
            if torch.rand((), generator=random) < 0.5:
                images = images.flip(3)
            loss = F.cross_entropy(model(to_network_input(images)), data.labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            step()
        after_epoch(epoch, total / recipe.steps)
