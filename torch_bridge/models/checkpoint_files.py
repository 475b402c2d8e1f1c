"""The checkpoints of a training run: the weights files of a folder, in the order of training."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ..data.listing import is_displayable
from ..natural_order import natural_key
from ..recording.errors import InputError, RecordingError
from ..recording.safetensors import open_arrays
from ..recording.series import MAX_ENTRIES

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")
FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of the weights in a checkpoint that is a folder, as transformers writes them."""
EPOCH, STEP = (
    re.compile(rf"(?<![a-z])(?:{words})[^0-9a-z]{{0,3}}([0-9]{{1,18}})", re.I)
    for words in ("epochs?|ep", "steps?|iter(?:ation)?s?|checkpoint|ckpt")
)
"""How names of files say when they were written: model_epoch_3.pt, epoch=3-step=1200.ckpt, checkpoint-500."""
DIGITS = re.compile("[0-9]{1,18}")


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
    unnumbered: tuple[str, ...] = ()
    """Labels of those, such as best.pt, that say neither epoch nor step although others do; they come last."""


class _Moment(NamedTuple):
    """When weights were written."""

    epoch: int | None
    step: int | None
    in_name: bool
    """Whether the file's name says so, not its metadata."""

    @property
    def is_known(self) -> bool:
        return self.epoch is not None or self.step is not None

    def label(self, name: str) -> str:
        """What people call the weights in a file of this name."""
        if self.is_known:
            return f"step {self.step}" if self.epoch is None else f"epoch {self.epoch}"
        return _stem(name)


def find_checkpoints(folder: Path) -> TrainingRun:
    """Lists the checkpoints in a folder by epoch, then step, then name, 2 before 10; files without either come last.

    Of a .safetensors file whose name says neither, the metadata may say "epoch". A sub-folder that holds one of
    FOLDER_FILES is a checkpoint too. Raises InputError.
    """
    try:
        files = {path.name: found for path in sorted(folder.iterdir()) if (found := _weights_file(path))}
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; a folder of checkpoints is needed") from None
    if not 0 < len(files) <= MAX_ENTRIES:
        raise InputError(
            f"{folder}: {len(files):,} checkpoints; 1 to {MAX_ENTRIES:,} are needed ({', '.join(SUFFIXES)})"
        )
    moments = {name: _moment(name, path) for name, path in files.items()}
    names = sorted(files, key=lambda name: _training_order(name, moments[name]))
    counts = Counter(moment.label(name) for name, moment in moments.items())
    labels = {name: _unique_label(name, moments[name], counts) for name in names}
    checkpoints = tuple(Checkpoint(labels[name], files[name]) for name in names)
    axis = next((axis for axis in ("epoch", "step") if any(label.startswith(f"{axis} ") for label in counts)), "")
    unnumbered = tuple(labels[name] for name in names if axis and not moments[name].is_known)
    return TrainingRun(axis or "checkpoint", checkpoints, unnumbered)


def _weights_file(path: Path) -> Path | None:
    """The file that a folder's entry stands for; None for one that is no checkpoint."""
    if not is_displayable(path.name):
        return None
    if path.is_dir():
        return next((path / name for name in FOLDER_FILES if (path / name).is_file()), None)
    return path if path.suffix.lower() in SUFFIXES else None


def _moment(name: str, path: Path) -> _Moment:
    epoch, step = _number(EPOCH, name), _number(STEP, name)
    if epoch is None and step is None and path.suffix.lower() == ".safetensors":
        return _Moment(_stored_epoch(path), None, False)
    return _Moment(epoch, step, True)


def _stored_epoch(path: Path) -> int | None:
    """The epoch in a file's metadata; None for one without it, and for a damaged one, which its loader will name."""
    try:
        text = open_arrays(path)[1].get("epoch", "")
    except (OSError, RecordingError):
        return None
    return int(text) if DIGITS.fullmatch(text) else None


def _training_order(name: str, moment: _Moment) -> tuple[object, ...]:
    return (not moment.is_known, moment.epoch or 0, moment.step or 0, natural_key(name))


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    found = pattern.search(name)
    return int(found[1]) if found else None


def _unique_label(name: str, moment: _Moment, counts: Counter[str]) -> str:
    """What people call a checkpoint: its moment, or its file's name too where several have the same moment."""
    label = moment.label(name)
    if counts[label] == 1:
        return label
    return name if moment.in_name or not moment.is_known else f"{_stem(name)}, {label}"


def _stem(name: str) -> str:
    return Path(name).stem if name.lower().endswith(SUFFIXES) else name
