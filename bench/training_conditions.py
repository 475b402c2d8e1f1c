"""What units of small networks detect, by how the networks are trained: a chart over several seeds.

python -m innerwalk.bench.training_conditions docs/training_conditions.png

Every condition changes one thing of the first, which has batch normalisation, initial weights of He et al. 2015 and
labels: no batch normalisation, dropout before the classifier, orthogonal initial weights, no labels (the network learns
how a picture is turned, after Gidaris et al. 2018), no training. Each network is dissected at its last convolution, and
a linear probe of the same layer says what it knows of the classes. Some minutes of one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..torch_bridge.concepts import SIZE, SPLITS, class_names
from ..torch_bridge.concepts.concepts_training import (
    ConceptsTraining,
    LabelledPictures,
    make_pictures,
    to_network_input,
    train_network,
)
from ..torch_bridge.server.in_process import ask, denormals_restored
from .training_chart import chart_file

SEEDS = (0, 1, 2)
PICTURES, TESTED, DISSECTED = 2400, 600, 300
"""Pictures that networks are trained on, that measure the probe, and that are dissected."""
WIDTHS = (16, 32, 48, 64, 64)
RIDGE, RATE = 1e-3, 4e-3
"""Strength of the ridge regression; peak of the learning rate, which networks without batch normalisation bear too."""
TURNS = ("upright", "on its side", "upside down")
"""Classes without labels; a mirrored picture keeps its class."""


class ConditionNet(nn.Module):
    """(N, 3, 64, 64) float32 in -1..1 -> (N, classes) logits: five convolutions, global average pooling, one layer."""

    def __init__(self, classes: int, normalised: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for number, width in enumerate(WIDTHS, 1):
            layers.append(nn.Conv2d(before, width, 5 if before == 3 else 3, 2 if number < 4 else 1, 2 - (before > 3)))
            layers += [nn.BatchNorm2d(width)] if normalised else []
            layers.append(nn.ReLU())
            before = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(before, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes)."""
        return self.fc(self.dropout(self.features(pictures).mean((2, 3))))


@dataclass(frozen=True)
class TrainingCondition:
    """How networks are trained."""

    name: str
    normalised: bool = True
    dropout: float = 0.0
    orthogonal: bool = False
    labelled: bool = True
    epochs: int = 10


CONDITIONS = (
    TrainingCondition("baseline"),
    TrainingCondition("no batch norm", normalised=False),
    TrainingCondition("dropout .5", dropout=0.5),
    TrainingCondition("orthogonal start", orthogonal=True),
    TrainingCondition("without labels", labelled=False),
    TrainingCondition("untrained", epochs=0),
)


def main(target: Path, seeds: Sequence[int] = SEEDS) -> None:
    """Trains and measures the networks, seed by seed, and writes their numbers as JSON and the chart of them.

    Networks whose numbers are in the JSON file already are left out, so that a stopped run goes on.
    """
    torch.set_num_threads(1)
    numbers = target.with_suffix(".json")
    found: dict[str, list[dict[str, float]]] = {condition.name: [] for condition in CONDITIONS}
    found |= json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {}
    train, test = (
        make_pictures("object", SPLITS[split], count, 0, lambda: None)
        for split, count in (("train", PICTURES), ("test", TESTED))
    )
    with denormals_restored():
        torch.set_flush_denormal(True)
        for place, seed in enumerate(seeds):
            for condition in CONDITIONS:
                if len(found[condition.name]) > place:
                    continue
                found[condition.name].append(measure_network(condition, seed, train, test))
                print(f"seed {seed}, {condition.name}: {found[condition.name][-1]}", file=sys.stderr, flush=True)
                numbers.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    target.write_bytes(chart_file(found))


def measure_network(
    condition: TrainingCondition, seed: int, train: LabelledPictures, test: LabelledPictures
) -> dict[str, float]:
    """Trains one network and returns what its last convolution detects, and the accuracy of a linear probe of it."""
    model = trained_network(condition, seed, train)
    last = f"features.{len(model.features) - 1}"
    picture = torch.zeros(1, 3, SIZE, SIZE)
    half = (0.5, 0.5, 0.5)
    maps = ask(model, picture, "dissection", last, data="concepts:object", count=DISSECTED, mean=half, std=half)
    labels = [label.rpartition(" ")[0] for label in maps.maps(last, "dissection").labels if label]
    return {
        "unique concepts": len({*labels}),
        "detectors": len(labels),
        "accuracy of a probe": probe_accuracy(model.features, train, test),
    }


def trained_network(condition: TrainingCondition, seed: int, data: LabelledPictures) -> ConditionNet:
    """Returns a network after its training, in evaluation mode."""
    classes = len(class_names("object")) if condition.labelled else len(TURNS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ConditionNet(classes, condition.normalised, condition.dropout)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                start = partial(nn.init.orthogonal_, gain=2**0.5) if condition.orthogonal else nn.init.kaiming_normal_
                start(module.weight)
        settings = ConceptsTraining("object", PICTURES, condition.epochs, rate=RATE, seed=seed)
        pictures = data if condition.labelled else turned(data, seed)
        if condition.epochs:
            train_network(model, pictures, settings, lambda: None, lambda epoch, loss: None)
    return model.eval()


def turned(data: LabelledPictures, seed: int) -> LabelledPictures:
    """Turns each picture by a random number of right angles; its class is an index into TURNS."""
    turns = torch.randint(4, (len(data.labels),), generator=torch.Generator().manual_seed(seed))
    images = torch.stack([image.rot90(int(turn), (1, 2)) for image, turn in zip(data.images, turns, strict=True)])
    return LabelledPictures(images, torch.tensor([0, 1, 2, 1])[turns])


def probe_accuracy(features: Callable[[Tensor], Tensor], train: LabelledPictures, test: LabelledPictures) -> float:
    """Returns the share of test pictures that a ridge regression on mean activations classifies correctly."""
    with torch.no_grad():
        means = [
            torch.cat([features(to_network_input(part)).mean((2, 3)) for part in data.images.split(100)]).double()
            for data in (train, test)
        ]
    centre, scale = means[0].mean(0), means[0].std(0).clamp_min(1e-6)
    known, unknown = (F.pad((values - centre) / scale, (0, 1), value=1.0) for values in means)
    targets = F.one_hot(train.labels).double()
    weights = torch.linalg.solve(known.T @ known + RIDGE * len(known) * torch.eye(known.shape[1]), known.T @ targets)
    return float(((unknown @ weights).argmax(1) == test.labels).double().mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
