"""Make the shipped weights, seeded. Five minutes each on two cores.

python -m innerwalk.torch_bridge.concepts.train object --snapshots
python -m innerwalk.torch_bridge.concepts.train pair
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from ..server.allocator import keep_memory
from .concepts_training import ConceptsTraining, LabelledPictures, accuracy, make_pictures, train_network
from .dataset import SIZE
from .resnet import ConceptsNet
from .vocabulary import SPLITS, TASKS, VERSION, class_names
from .weight_files import WEIGHTS_FOLDER, half_precision_state, snapshot_path, weights_path, write_weights

SNAPSHOT_EPOCHS = (0, 1, 2, 4, 8)
MEASURED = 1000


class TrainingProgress:
    """One line on a terminal that says what is done and how long it will take."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._start = self._shown = time.monotonic()

    def step(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._done == self._total or now - self._shown > 1:
            left = (now - self._start) / self._done * (self._total - self._done)
            sys.stderr.write(f"\r{self._what}: {self._done} of {self._total}, {left:.0f} s left \033[K")
            self._shown = now
        if self._done == self._total:
            sys.stderr.write("\n")


def untrained(recipe: ConceptsTraining) -> ConceptsNet:
    """The network with its first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return ConceptsNet(len(class_names(recipe.task))).to(memory_format=torch.channels_last)


def metadata(recipe: ConceptsTraining, epoch: int, measured: dict[str, float]) -> dict[str, str]:
    """What a loader and a person must know, as safetensors metadata: strings, values in JSON."""
    facts = {
        "arguments": {"task": recipe.task}, "classes": list(class_names(recipe.task)), "size": SIZE,
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "epoch": epoch, "seed": recipe.seed,
        "images": recipe.images, **{name: round(value, 4) for name, value in measured.items()},
    }  # fmt: skip
    return {
        "arch": "innerwalk.torch_bridge.concepts:network",
        "task": recipe.task,
        "data": f"concepts {VERSION}",
        "licence": "GPL-3.0-or-later",
        **{name: json.dumps(value) for name, value in facts.items()},
    }


class SnapshotRecorder:
    """Measures the network after each epoch and keeps its snapshots, so that files are written only at the end."""

    def __init__(
        self, recipe: ConceptsTraining, model: ConceptsNet, validation: LabelledPictures, epochs: Sequence[int]
    ) -> None:
        self._recipe, self._model, self._validation, self._epochs = recipe, model, validation, epochs
        self.snapshots: dict[int, tuple[dict[str, torch.Tensor], dict[str, str]]] = {}

    def after_epoch(self, epoch: int, loss: float | None = None) -> None:
        share = accuracy(self._model, self._validation)
        trained = "untrained" if loss is None else f"loss {loss:.3f}"
        sys.stderr.write(f"\repoch {epoch}: {trained}, validation accuracy {share:.3f}\033[K\n")
        if epoch in self._epochs:
            facts = metadata(self._recipe, epoch, {"validation_accuracy": share})
            self.snapshots[epoch] = half_precision_state(self._model), facts


def measure(model: ConceptsNet, test: LabelledPictures) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """The state in float16, and the test accuracy before and after rounding. The model is left rounded."""
    exact = accuracy(model, test)
    state = half_precision_state(model)
    model.load_state_dict(state)
    return state, {"accuracy_float32": exact, "accuracy": accuracy(model, test)}


def train(
    recipe: ConceptsTraining, folder: Path, early: Sequence[int] = (), measured: int = MEASURED
) -> dict[str, float]:
    """Train one network and write its weights, and snapshots of the `early` epochs, into a folder.

    Nothing is written before the end. Returns the accuracies on `measured` test pictures by their metadata's names.
    """
    making = TrainingProgress("pictures", recipe.images + 2 * measured)
    data, validation, test = (
        make_pictures(recipe.task, SPLITS[split], count, recipe.seed, making.step)
        for split, count in (("train", recipe.images), ("validation", measured), ("test", measured))
    )
    model = untrained(recipe)
    keeper = SnapshotRecorder(recipe, model, validation, early)
    keeper.after_epoch(0)
    training = TrainingProgress(f"training {recipe.task!r}", recipe.epochs * recipe.steps)
    train_network(model, data, recipe, training.step, keeper.after_epoch)
    state, shares = measure(model, test)
    for epoch, (snapshot, facts) in keeper.snapshots.items():
        write_weights(snapshot_path(recipe.task, epoch, folder), snapshot, facts)
    write_weights(weights_path(recipe.task, folder), state, metadata(recipe, recipe.epochs, shares))
    return shares


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Train a network on the concepts pictures.")
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--snapshots", action="store_true", help=f"keep epochs {SNAPSHOT_EPOCHS} too")
    parser.add_argument("--images", type=int, default=ConceptsTraining.images)
    parser.add_argument("--epochs", type=int, default=ConceptsTraining.epochs)
    parser.add_argument("--seed", type=int, default=ConceptsTraining.seed)
    parser.add_argument("--measured", type=int, default=MEASURED, help="pictures of the validation and the test split")
    parser.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER)
    given = parser.parse_args(arguments)
    if given.images < ConceptsTraining.batch or given.epochs < 1 or given.measured < 1:
        parser.error(
            f"at least {ConceptsTraining.batch} images (one batch), one epoch and one measured picture are needed"
        )
    recipe = ConceptsTraining(given.task, given.images, given.epochs, seed=given.seed)
    shares = train(recipe, given.folder, SNAPSHOT_EPOCHS if given.snapshots else (), given.measured)
    sys.stderr.write(f"test accuracy {shares['accuracy_float32']:.4f}, in float16 {shares['accuracy']:.4f}\n")
    return 0


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    keep_memory()
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
