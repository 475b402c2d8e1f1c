"""Three ways to train on the same pictures: as they are, with shuffled labels, among noisy copies; and a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .study_pictures import StudyPictures

StrategyName = Literal["standard", "shuffled", "noisy", "plain"]
STRATEGIES: tuple[StrategyName, ...] = ("standard", "shuffled", "noisy")
CONTROL: StrategyName = "plain"
"""True labels without what only the standard training has: moved and mirrored pictures, and weight decay."""
OWN: dict[StrategyName, tuple[int, float, float]] = {
    "standard": (40, 2e-3, 0.05),
    "shuffled": (50, 1e-3, 0.0),
    "noisy": (20, 1e-3, 0.0),
    CONTROL: (50, 1e-3, 0.0),
}
"""Epochs, peak of the learning rate, and weight decay."""
COPIES = 9
"""Noisy copies of each picture, beside itself."""
SHIFT = 8
"""Pixels by which pictures are moved at most, at the paper's size; of others the same share."""
PAPER_SIDE = 150


@dataclass(frozen=True)
class StrategySettings:
    """Settings that determine a training run, besides network and pictures; rates and decay as in the paper."""

    strategy: StrategyName
    epochs: int
    rate: float
    """Peak of the one-cycle learning rate."""
    weight_decay: float
    batch: int = 32
    seed: int = 0
    """Seed of the initial weights, the order, the shuffled labels and the noise."""
    noise: float = 1.0
    """Standard deviation of the noise, in units of the network's input, whose own is 1; the paper doesn't state its."""


def default_settings(strategy: StrategyName, epochs: int = 0, seed: int = 0) -> StrategySettings:
    """Returns the settings of a strategy; epochs: 0 for its own."""
    own, rate, decay = OWN[strategy]
    return StrategySettings(strategy, epochs or own, rate, decay, seed=seed)


class TrainingSamples:
    """What a network is trained on, by index: a strategy applied to pictures."""

    def __init__(self, pictures: StudyPictures, settings: StrategySettings) -> None:
        self._pictures, self._settings = pictures, settings
        self._is_noisy, self._moves = settings.strategy == "noisy", settings.strategy == "standard"
        labels = pictures.train.labels
        if settings.strategy == "shuffled":
            labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(settings.seed))]
        if self._is_noisy:
            copies = torch.randint(
                len(pictures.classes),
                (COPIES * len(labels),),
                generator=torch.Generator().manual_seed(settings.seed),
            )
            labels = torch.cat([labels, copies])
        self.labels = labels
        """(n,) int64: the classes that the network learns; those of noisy copies are random, but always the same."""

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, indices: Tensor, random: torch.Generator | None = None) -> Tensor:
        """Returns the network's input for samples (n,) int64: (n, 3, H, W) float32.

        random: moves and mirrors pictures, if the strategy does so.
        """
        count = len(self._pictures.train.labels)
        values = self._pictures.normalised(self._pictures.train.images[indices % count])
        if self._is_noisy:
            for place, index in enumerate(indices.tolist()):
                if index >= count:
                    values[place] += self._settings.noise * self._noise(index, values.shape[1:])
        return self._moved(values, random) if self._moves and random is not None else values

    def _noise(self, index: int, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(self._settings.seed * 1_000_003 + index))

    @staticmethod
    def _moved(values: Tensor, random: torch.Generator) -> Tensor:
        """Mirrors half of the pictures, and moves each; what comes in is the edge, repeated."""
        most = max(1, round(SHIFT * values.shape[2] / PAPER_SIDE))
        padded = torch.nn.functional.pad(values, (most,) * 4, mode="replicate")
        height, width = values.shape[2:]
        for place, (down, right) in enumerate(torch.randint(2 * most + 1, (len(values), 2), generator=random).tolist()):
            values[place] = padded[place, :, down : down + height, right : right + width]
        mirrored = torch.rand(len(values), generator=random) < 0.5
        values[mirrored] = values[mirrored].flip(3)
        return values
