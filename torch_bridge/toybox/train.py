"""Trains the network of the `toybox` pictures, seeded: python -m innerwalk.torch_bridge.toybox.train.

Most epochs see the pictures at half of their size, which takes a quarter of the time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..concepts.concepts_training import ConceptsTraining, LabelledPictures, accuracy, train_network
from ..concepts.training_progress import TrainingProgress
from ..concepts.training_script import run_script
from ..concepts.weight_files import half_precision_state, write_weights
from . import WEIGHTS
from .pictures import SIZE, SPLITS, VERSION, sample
from .toybox_net import ToyboxNet
from .toys import CLASSES


@dataclass(frozen=True)
class ToyboxTraining:
    """Settings that determine a training run."""

    images: int = 5000
    half_size_epochs: int = 10
    epochs: int = 3
    """Passes over the pictures at full size, which follow."""
    measured: int = 1200
    """Pictures of the validation and of the test split that measure the accuracy."""
    seed: int = 0
    """Seed of the pictures, the initial weights, the order and the flips."""


def make_pictures(split: str, count: int, seed: int, on_picture: Callable[[], None]) -> LabelledPictures:
    """Makes the first `count` pictures of a split; calls `on_picture` after each."""
    images, labels = np.empty((count, SIZE, SIZE, 3), np.uint8), np.empty(count, np.int64)
    for index in range(count):
        picture = sample(seed, SPLITS[split], index)
        images[index], labels[index] = picture.image, picture.label
        on_picture()
    return LabelledPictures(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels))


def halve(data: LabelledPictures) -> LabelledPictures:
    """Returns the pictures at half of their height and width: means of 2 x 2 pixels."""
    return LabelledPictures(
        torch.cat([F.avg_pool2d(part.float(), 2).round().byte() for part in data.images.split(500)]), data.labels
    )


def untrained_network(seed: int) -> ToyboxNet:
    """Returns the network with its initial weights, which the seed determines."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ToyboxNet(len(CLASSES)).to(memory_format=torch.channels_last)


def train(settings: ToyboxTraining, target: Path) -> dict[str, float]:
    """Trains the network and writes its weights; returns the accuracies by the names of the file's metadata."""
    data, validation, test = _make_splits(settings)
    model = untrained_network(settings.seed)
    for epochs, rate, pictures, measured in (
        (settings.half_size_epochs, 6e-3, halve(data), halve(validation)),
        (settings.epochs, 2e-3, data, validation),
    ):
        run = ConceptsTraining("toybox", settings.images, epochs, rate=rate, seed=settings.seed + epochs)
        side = pictures.images.shape[-1]
        progress = TrainingProgress(f"training at {side} x {side}", epochs * run.batches_per_epoch)

        def report(epoch: int, loss: float, side: int = side, measured: LabelledPictures = measured) -> None:
            text = f"epoch {epoch}: loss {loss:.3f}, validation accuracy {accuracy(model, measured):.3f}"
            sys.stderr.write(f"\r{side} x {side}, {text}\033[K\n")

        train_network(model, pictures, run, progress.step, report)
    measures = {"validation_accuracy": accuracy(model, validation), "accuracy_float32": accuracy(model, test)}
    state = half_precision_state(model)
    model.load_state_dict(state)
    measures["accuracy"] = accuracy(model, test)
    write_weights(target, state, make_metadata(settings, measures))
    return measures


def _make_splits(settings: ToyboxTraining) -> list[LabelledPictures]:
    counts = {"train": settings.images, "validation": settings.measured, "test": settings.measured}
    progress = TrainingProgress("pictures", sum(counts.values()))
    return [make_pictures(split, count, settings.seed, progress.step) for split, count in counts.items()]


def make_metadata(settings: ToyboxTraining, measures: dict[str, float]) -> dict[str, str]:
    """Returns the metadata of the weights file: what a loader needs, how it was trained, and the accuracies."""
    values = {
        "classes": list(CLASSES),
        "size": SIZE,
        "crop": 1.0,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        **asdict(settings),
        **{name: round(value, 4) for name, value in measures.items()},
    }
    return {
        "arch": "innerwalk.torch_bridge.toybox:network",
        "data": f"toybox {VERSION}",
        "licence": "GPL-3.0-or-later",
        **{name: json.dumps(value) for name, value in values.items()},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Train the network of the toybox pictures.")
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS, help="the weights file (the shipped one)")
    for name, value in asdict(ToyboxTraining()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value, help=f"({value})")
    options = vars(parser.parse_args(arguments))
    target = options.pop("output")
    settings = ToyboxTraining(**options)
    fewest = min(settings.half_size_epochs, settings.epochs, settings.measured)
    if settings.images < ConceptsTraining.batch or fewest < 1:
        parser.error(f"at least {ConceptsTraining.batch} images (one batch), and one epoch of each kind, are needed")
    measures = train(settings, target)
    sys.stderr.write(", ".join(f"{name} {value:.4f}" for name, value in measures.items()) + "\n")
    return 0


if __name__ == "__main__":
    run_script(main)
