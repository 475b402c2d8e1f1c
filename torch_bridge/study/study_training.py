"""Trainings of a study, which can be stopped after any epoch and go on with the same bits.

After each epoch one file is written whole: weights, the optimiser's state, the settings, and the numbers of each epoch
so far. Order, moves and learning rate of an epoch follow from its number, so nothing else is needed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..concepts.weight_files import write_weights
from ..models.weights import array_tensor
from ..recording.errors import InputError, RecordingError
from ..recording.files import parse_json
from ..recording.safetensors import open_arrays
from .strategies import StrategySettings, TrainingSamples
from .study_pictures import StudyPictures

CHECKPOINT = "checkpoint.safetensors"
WARM_UP = 0.15
"""Share of the steps in which the learning rate grows."""
MEASURED_BATCH = 64
WEIGHTS, STATE = "weights.", "optimiser."
"""What the names of tensors begin with: those of the network, and those of the optimiser."""
MOMENTS = ("exp_avg", "exp_avg_sq", "step")

OnEpoch = Callable[[dict[str, Any]], None]


@dataclass
class StudyTraining:
    """A network on its way, and the numbers of each epoch so far."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    settings: StrategySettings
    epochs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether all epochs are done."""
        return len(self.epochs) >= self.settings.epochs


def start_training(build: Callable[[int], nn.Module], classes: int, settings: StrategySettings) -> StudyTraining:
    """Returns a network with its initial weights, which the seed determines."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = build(classes).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), settings.rate, weight_decay=settings.weight_decay)
    return StudyTraining(model, optimiser, settings)


def train_on(
    training: StudyTraining,
    pictures: StudyPictures,
    path: Path,
    on_batch: Callable[[str, float], None],
    seconds: float = math.inf,
) -> None:
    """Trains to the last epoch and writes the file `path` after each; stops after the epoch in which time has run out.

    on_batch: called with a line for people and the share of the training that is done. Raises InputError if the loss is
    NaN; OSError.
    """
    samples, ends = TrainingSamples(pictures, training.settings), time.monotonic() + seconds
    while not training.is_done and time.monotonic() < ends:
        begun = time.process_time()
        numbers = _train_epoch(training, samples, on_batch)
        numbers["test_accuracy"] = accuracy_of(training.model, pictures)
        numbers["cpu_seconds"] = round(time.process_time() - begun, 1)
        training.epochs.append(numbers)
        save_training(training, path)


def _train_epoch(
    training: StudyTraining, samples: TrainingSamples, on_batch: Callable[[str, float], None]
) -> dict[str, Any]:
    """Trains one epoch; returns its mean loss and the share of answers that were right while the weights changed."""
    settings, epoch = training.settings, len(training.epochs)
    random = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
    batches = torch.randperm(len(samples), generator=random).split(settings.batch)
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches = batches[:-1]  # batch normalisation needs two
    total, right, seen = 0.0, 0, 0
    training.model.train()
    for number, indices in enumerate(batches):
        share = (epoch + number / len(batches)) / settings.epochs
        for group in training.optimiser.param_groups:
            group["lr"] = settings.rate * one_cycle(share)
        labels = samples.labels[indices]
        scores = training.model(samples.inputs(indices, random))
        loss = F.cross_entropy(scores, labels)
        training.optimiser.zero_grad()
        loss.backward()
        training.optimiser.step()
        if not math.isfinite(loss.item()):
            raise InputError(f"the loss of {settings.strategy} is {loss.item()} in epoch {epoch + 1}; try another seed")
        total, right, seen = total + loss.item(), right + int((scores.argmax(1) == labels).sum()), seen + len(labels)
        on_batch(f"{settings.strategy}, epoch {epoch + 1} of {settings.epochs}, right {right / seen:.3f}", share)
    return {"epoch": epoch + 1, "loss": total / len(batches), "running_accuracy": right / seen}


def one_cycle(share: float) -> float:
    """Returns the learning rate as a share of its peak after a share of the training: up, then down, by cosines."""
    if share < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * share / WARM_UP)) / 2
    return max((1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))) / 2, 1e-3)


def accuracy_of(model: nn.Module, pictures: StudyPictures) -> float:
    """Returns the share of the pictures to test on that are classified correctly, 0..1; evaluation mode stays on."""
    model.eval()
    with torch.no_grad():
        answers = [model(pictures.normalised(part)).argmax(1) for part in pictures.test.images.split(MEASURED_BATCH)]
    return float((torch.cat(answers) == pictures.test.labels).float().mean())


def training_accuracy(model: nn.Module, samples: TrainingSamples, labels: Tensor) -> float:
    """Returns the share of the first training samples to which the network gives these labels (n,) int64, 0..1."""
    model.eval()
    with torch.no_grad():
        places = torch.arange(len(labels)).split(MEASURED_BATCH)
        answers = torch.cat([model(samples.inputs(part)).argmax(1) for part in places])
    return float((answers == labels).float().mean())


def save_training(training: StudyTraining, path: Path) -> None:
    """Writes a training as one file, which replaces an old one when it is complete. Raises OSError."""
    names = [name for name, _ in training.model.named_parameters()]
    state = training.optimiser.state_dict()["state"]
    tensors = {WEIGHTS + name: tensor.detach().contiguous() for name, tensor in training.model.state_dict().items()}
    for number, moments in state.items():
        tensors |= {f"{STATE}{moment}.{names[number]}": moments[moment].contiguous() for moment in MOMENTS}
    metadata = {"settings": json.dumps(asdict(training.settings)), "epochs": json.dumps(training.epochs)}
    write_weights(path, tensors, metadata)


def read_settings(path: Path) -> StrategySettings:
    """Returns the settings of a training from its file. Raises InputError if it is damaged."""
    try:
        return StrategySettings(**_read(path)[1])
    except TypeError as error:
        raise InputError(f"{path}: no training that can go on ({error}); remove it to train anew") from None


def _read(path: Path) -> tuple[Mapping[str, np.ndarray], dict[str, Any], list[dict[str, Any]]]:
    """Tensors, settings and numbers of each epoch. Raises InputError."""
    try:
        arrays, metadata = open_arrays(path)
        return arrays, parse_json(metadata["settings"].encode()), parse_json(metadata["epochs"].encode())
    except (RecordingError, KeyError, ValueError) as error:
        raise InputError(f"{path}: no training that can go on ({error}); remove it to train anew") from None


def resume_training(training: StudyTraining, path: Path) -> None:
    """Takes weights, optimiser and numbers from a file. Raises InputError if it is damaged or has other settings."""
    arrays, settings, epochs = _read(path)
    wanted = asdict(training.settings)
    if settings != wanted:
        stored = settings if isinstance(settings, dict) else {}
        changed = next((f"{key} ({stored.get(key)})" for key in wanted if stored.get(key) != wanted[key]), "format")
        raise InputError(f"{path}: trained with other settings: {changed}; name the same, or a new folder")
    try:
        training.model.load_state_dict(
            {name: array_tensor(arrays[WEIGHTS + name]) for name in training.model.state_dict()}
        )
        state = {
            number: {moment: array_tensor(arrays[f"{STATE}{moment}.{name}"]) for moment in MOMENTS}
            for number, (name, _) in enumerate(training.model.named_parameters())
        }
    except (KeyError, RuntimeError):
        raise InputError(f"{path}: a training of another network; name a new folder") from None
    for number, parameter in enumerate(training.model.parameters()):
        for moment in MOMENTS[:2]:
            state[number][moment] = state[number][moment].contiguous(
                memory_format=torch.channels_last if parameter.dim() == 4 else torch.contiguous_format
            )
    training.optimiser.load_state_dict({**training.optimiser.state_dict(), "state": state})
    training.epochs = epochs
