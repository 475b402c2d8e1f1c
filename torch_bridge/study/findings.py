"""What a study finds in one trained network, and between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..comparison.features import GRID
from ..comparison.similarity import linear_cka
from ..server.in_process import OnStep, ask
from .high_frequencies import kernel_share, picture_share
from .sensitivity import occlusion_sensitivity, shift_sensitivity
from .strategies import TrainingSamples
from .study_networks import StudyNetwork
from .study_pictures import StudyPictures
from .study_training import MEASURED_BATCH, StudyTraining, accuracy_of, training_accuracy

MOVED, COVERED, CHANNELS = 48, 24, 8
"""Pictures that are moved and covered, of those trained on and of those tested on; channels that get a made picture, at
equal distances."""
PRESET = "deepvisionvr"
"""Recipe of made pictures: the paper's own."""


class StrategyFindings(NamedTuple):
    """What is found in one network."""

    numbers: dict[str, float]
    """Shares of high frequencies, 0..1, by name."""
    kernels: np.ndarray
    """(CHANNELS, h, w, 3) float32: kernels of the first convolution, 0..1, grey for 0."""
    drawn: np.ndarray
    """(CHANNELS, H, W, 3) float32 sRGB 0..1: pictures made for channels of the last convolution."""


def find_in_network(
    network: StudyNetwork, model: nn.Module, pictures: StudyPictures, steps: int, on_step: OnStep
) -> StrategyFindings:
    """Returns the shares of high frequencies, kernels, and made pictures of a network in evaluation mode."""
    weight = model.get_submodule(network.first).weight
    assert isinstance(weight, Tensor)
    drawn = make_pictures(network, model, pictures, steps, on_step)
    kernels = weight.detach()[spread(len(weight), CHANNELS)].permute(0, 2, 3, 1).numpy()
    numbers = {
        "kernels": kernel_share(weight),
        "pictures": picture_share(torch.from_numpy(drawn).permute(0, 3, 1, 2)),
    }
    largest = np.abs(kernels).max((1, 2, 3), keepdims=True).clip(1e-12)
    return StrategyFindings(numbers, kernels / largest / 2 + 0.5, drawn)


def sensitivity_rows(model: nn.Module, pictures: StudyPictures) -> list[dict[str, Any]]:
    """Returns what becomes of a network's answers where pictures are moved or covered, as rows."""
    rows = []
    for part, data in (("trained on", pictures.train), ("tested on", pictures.test)):
        moved, covered = (pictures.normalised(data.images[spread(len(data.labels), n)]) for n in (MOVED, COVERED))
        for pixels, answers in shift_sensitivity(model, moved).items():
            rows.append({"change": "shift", "pixels": pixels, "pictures": part, **answers._asdict()})
        answers = occlusion_sensitivity(model, covered)
        rows.append({"change": "occlusion", "pixels": None, "pictures": part, **answers._asdict()})
    return rows


def accuracies(training: StudyTraining, pictures: StudyPictures) -> dict[str, float]:
    """Returns the accuracies of a network, 0..1: on the labels it was taught, on true ones, and on test pictures."""
    samples = TrainingSamples(pictures, training.settings)
    return {
        "labels taught": training_accuracy(training.model, samples, samples.labels),
        "true labels": training_accuracy(training.model, samples, pictures.train.labels),
        "test": accuracy_of(training.model, pictures),
    }


def make_pictures(
    network: StudyNetwork, model: nn.Module, pictures: StudyPictures, steps: int, on_step: OnStep
) -> np.ndarray:
    """Returns pictures that channels of the last convolution look for, (CHANNELS, H, W, 3) float32 sRGB 0..1."""
    picture = pictures.normalised(pictures.test.images[:1])
    recording = ask(
        model,
        picture,
        "maximisation",
        network.last,
        spread(network.channels, CHANNELS),
        mean=pictures.mean,
        std=pictures.std,
        on_step=on_step,
        preset=PRESET,
        steps=steps,
    )
    return recording.maps(network.last, "maximisation").data


def similarities(
    network: StudyNetwork, models: Mapping[str, nn.Module], pictures: StudyPictures
) -> list[dict[str, Any]]:
    """Returns the linear CKA of each stage of each two networks, over the pictures to test on, as rows."""
    features = {name: stage_features(network, model, pictures) for name, model in models.items()}
    names = list(models)
    pairs = [(first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
    return [
        {"network": first, "other": second, "layer": stage}
        | {"cka": linear_cka(features[first][stage], features[second][stage])}
        for first, second in pairs
        for stage in network.stages
    ]


def stage_features(network: StudyNetwork, model: nn.Module, pictures: StudyPictures) -> dict[str, np.ndarray]:
    """Returns by stage the means over cells of its maps: (pictures * GRID * GRID, C) float32."""
    parts: dict[str, list[Tensor]] = {stage: [] for stage in network.stages}
    hooks = [
        model.get_submodule(stage).register_forward_hook(
            lambda module, inputs, maps, stage=stage: parts[stage].append(F.adaptive_avg_pool2d(maps, GRID))
        )
        for stage in network.stages
    ]
    try:
        model.eval()
        with torch.no_grad():
            for images in pictures.test.images.split(MEASURED_BATCH):
                model(pictures.normalised(images))
    finally:
        for hook in hooks:
            hook.remove()
    return {stage: torch.cat(maps).permute(0, 2, 3, 1).flatten(0, 2).numpy() for stage, maps in parts.items()}


def spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` numbers below `count`, at equal distances."""
    return sorted({k * count // wanted for k in range(wanted)})
