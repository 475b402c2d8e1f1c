"""Train the networks that ship with the project, seeded. Each takes five minutes on two cores.

python -m innerwalk.torch_bridge.concepts.train object --snapshots
python -m innerwalk.torch_bridge.concepts.train pair
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from .concepts_training import ConceptsTraining, LabelledPictures, accuracy, make_pictures, train_network
from .dataset import SIZE
from .resnet import ConceptsNet
from .training_progress import TrainingProgress
from .training_script import run_script
from .vocabulary import SPLITS, TASKS, VERSION, class_names
from .weight_files import WEIGHTS_FOLDER, half_precision_state, snapshot_path, weights_path, write_weights

SNAPSHOT_EPOCHS = (0, 1, 2, 4, 8)
MEASURED_PICTURES = 1000


def untrained_network(settings: ConceptsTraining) -> ConceptsNet:
    """Returns the network with its initial weights, which the seed determines."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = ConceptsNet(len(class_names(settings.task)))
    return model.to(memory_format=torch.channels_last)


def make_metadata(settings: ConceptsTraining, epoch: int, measured: dict[str, float]) -> dict[str, str]:
    """Returns the metadata of a weights file: what a loader needs, how it was trained, and the measured accuracies."""
    json_values = {
        "arguments": {"task": settings.task},
        "classes": list(class_names(settings.task)),
        "size": SIZE,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "epoch": epoch,
        "seed": settings.seed,
        "images": settings.images,
        **{name: round(value, 4) for name, value in measured.items()},
    }
    return {
        "arch": "innerwalk.torch_bridge.concepts:network",
        "task": settings.task,
        "data": f"concepts {VERSION}",
        "licence": "GPL-3.0-or-later",
        **{name: json.dumps(value) for name, value in json_values.items()},
    }


class SnapshotRecorder:
    """Measures the network after each epoch and keeps its snapshots in memory."""

    def __init__(
        self, settings: ConceptsTraining, model: ConceptsNet, validation: LabelledPictures, epochs: Sequence[int]
    ) -> None:
        """epochs: those whose snapshots are kept."""
        self._settings, self._model, self._validation, self._epochs = settings, model, validation, epochs
        self.snapshots: dict[int, tuple[dict[str, torch.Tensor], dict[str, str]]] = {}
        """By epoch: the state in float16, tensors of any shape, and the metadata."""

    def after_epoch(self, epoch: int, loss: float | None = None) -> None:
        """Prints the validation accuracy and keeps the snapshot if it is wanted. loss: None before training."""
        share = accuracy(self._model, self._validation)
        state = "untrained" if loss is None else f"loss {loss:.3f}"
        sys.stderr.write(f"\repoch {epoch}: {state}, validation accuracy {share:.3f}\033[K\n")
        if epoch in self._epochs:
            metadata = make_metadata(self._settings, epoch, {"validation_accuracy": share})
            self.snapshots[epoch] = half_precision_state(self._model), metadata


def round_and_measure(model: ConceptsNet, test: LabelledPictures) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Rounds the weights to float16; returns the state by name and the test accuracies before and after.

    The state's tensors are float16 of any shape; the model is left with the rounded weights.
    """
    exact = accuracy(model, test)
    state = half_precision_state(model)
    model.load_state_dict(state)
    return state, {"accuracy_float32": exact, "accuracy": accuracy(model, test)}


def train_to_folder(
    settings: ConceptsTraining, folder: Path, snapshot_epochs: Sequence[int] = (), measured: int = MEASURED_PICTURES
) -> dict[str, float]:
    """Trains a network; writes its weights and snapshots into a folder when training has ended.

    measured: pictures of the validation and of the test split that measure it. Returns the test accuracies by the names
    of the metadata.
    """
    progress = TrainingProgress("pictures", settings.images + 2 * measured)
    data, validation, test = (
        make_pictures(settings.task, SPLITS[split], count, settings.seed, progress.step)
        for split, count in (("train", settings.images), ("validation", measured), ("test", measured))
    )
    model = untrained_network(settings)
    recorder = SnapshotRecorder(settings, model, validation, snapshot_epochs)
    recorder.after_epoch(0)
    progress = TrainingProgress(f"training {settings.task!r}", settings.epochs * settings.batches_per_epoch)
    train_network(model, data, settings, progress.step, recorder.after_epoch)
    state, accuracies = round_and_measure(model, test)
    for epoch, (snapshot, metadata) in recorder.snapshots.items():
        write_weights(snapshot_path(settings.task, epoch, folder), snapshot, metadata)
    write_weights(weights_path(settings.task, folder), state, make_metadata(settings, settings.epochs, accuracies))
    return accuracies


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train a network on the concepts pictures.")
    parser.add_argument("task", choices=sorted(TASKS))
    epochs = ", ".join(map(str, SNAPSHOT_EPOCHS))
    parser.add_argument("--snapshots", action="store_true", help=f"also write the weights after epochs {epochs}")
    defaults = ConceptsTraining
    parser.add_argument("--images", type=int, default=defaults.images, help=f"training pictures ({defaults.images})")
    parser.add_argument("--epochs", type=int, default=defaults.epochs, help=f"passes over them ({defaults.epochs})")
    parser.add_argument("--seed", type=int, default=defaults.seed, help=f"random seed ({defaults.seed})")
    parser.add_argument(
        "--measured",
        type=int,
        default=MEASURED_PICTURES,
        help=f"pictures of the validation and of the test split that measure the accuracy ({MEASURED_PICTURES})",
    )
    parser.add_argument(
        "--folder", type=Path, default=WEIGHTS_FOLDER, help="where to write the weights (the shipped weights' folder)"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.images < ConceptsTraining.batch or options.epochs < 1 or options.measured < 1:
        smallest = f"at least {ConceptsTraining.batch} images (one batch)"
        parser.error(f"{smallest}, one epoch and one measured picture are needed")
    settings = ConceptsTraining(options.task, options.images, options.epochs, seed=options.seed)
    snapshot_epochs = SNAPSHOT_EPOCHS if options.snapshots else ()
    accuracies = train_to_folder(settings, options.folder, snapshot_epochs, options.measured)
    exact, rounded = accuracies["accuracy_float32"], accuracies["accuracy"]
    sys.stderr.write(f"test accuracy {exact:.4f}, in float16 {rounded:.4f}\n")
    return 0


if __name__ == "__main__":
    run_script(main)
