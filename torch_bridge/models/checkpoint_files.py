"""The checkpoints of a training run: the weights files of a folder, in the order of training."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ..data.listing import is_displayable
from ..recording.errors import InputError
from ..recording.natural_order import natural_key
from ..recording.series import MAX_ENTRIES

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")
FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of the weights in a checkpoint that is a folder, as transformers writes them."""
EPOCH, STEP = (
    re.compile(rf"(?<![a-z])(?:{words})[^0-9a-z]{{0,3}}([0-9]{{1,18}})", re.I)
    for words in ("epochs?|ep", "steps?|iter(?:ation)?s?|checkpoint|ckpt")
)
"""How names of files say when they were written: model_epoch_3.pt, epoch=3-step=1200.ckpt, checkpoint-500."""


class Checkpoint(NamedTuple):
    """Weights that a training run has written."""

    label: str
    """What people call it: "epoch 3", "step 500", or its file's name."""
    path: Path


class TrainingRun(NamedTuple):
    """The checkpoints of a run, the earliest first."""

    axis: str
    """What its labels count: epoch, step, or checkpoint where names say neither."""
    checkpoints: tuple[Checkpoint, ...]


def find_checkpoints(folder: Path) -> TrainingRun:
    """Lists the checkpoints in a folder by epoch, then step, then name, 2 before 10; files without either come last.

    A sub-folder that holds one of FOLDER_FILES is a checkpoint too. Nothing is opened. Raises InputError.
    """
    try:
        files = {path.name: found for path in sorted(folder.iterdir()) if (found := _weights_file(path))}
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; a folder of checkpoints is needed") from None
    if not 0 < len(files) <= MAX_ENTRIES:
        raise InputError(
            f"{folder}: {len(files):,} checkpoints; 1 to {MAX_ENTRIES:,} are needed ({', '.join(SUFFIXES)})"
        )
    names = sorted(files, key=_training_order)
    labels = Counter(map(_label, names))
    checkpoints = (Checkpoint(_label(name) if labels[_label(name)] == 1 else name, files[name]) for name in names)
    axis = next((axis for axis in ("epoch", "step") if any(label.startswith(f"{axis} ") for label in labels)), "")
    return TrainingRun(axis or "checkpoint", tuple(checkpoints))


def _weights_file(path: Path) -> Path | None:
    """The file that a folder's entry stands for; None for one that is no checkpoint."""
    if not is_displayable(path.name):
        return None
    if path.is_dir():
        return next((path / name for name in FOLDER_FILES if (path / name).is_file()), None)
    return path if path.suffix.lower() in SUFFIXES else None


def _training_order(name: str) -> tuple[object, ...]:
    epoch, step = _number(EPOCH, name), _number(STEP, name)
    return (epoch is None and step is None, epoch or 0, step or 0, natural_key(name))


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    found = pattern.search(name)
    return int(found[1]) if found else None


def _label(name: str) -> str:
    for axis, pattern in (("epoch", EPOCH), ("step", STEP)):
        if (number := _number(pattern, name)) is not None:
            return f"{axis} {number}"
    return Path(name).stem if name.lower().endswith(SUFFIXES) else name
