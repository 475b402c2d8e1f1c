"""The trained networks and training snapshots that come with the project: where they lie, how they are written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.safetensors import encode, open_arrays
from .vocabulary import class_names

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


def weights_path(task: str, folder: Path = WEIGHTS_FOLDER) -> Path:
    """The trained weights of a task. Raises UnknownName for another word."""
    class_names(task)
    return folder / f"{task}.safetensors"


def snapshot_path(task: str, epoch: int, folder: Path = WEIGHTS_FOLDER) -> Path:
    """The weights of a task after `epoch` epochs of its training; 0 is untrained."""
    return folder / f"{task}-epoch-{epoch:02d}.safetensors"


def snapshots(task: str, folder: Path = WEIGHTS_FOLDER) -> list[Path]:
    """The training snapshots of a task, untrained first; the trained weights are not among them."""
    return sorted(folder.glob(f"{task}-epoch-*.safetensors"))


def read_metadata(path: Path) -> dict[str, str]:
    """What a weights file says of itself. Raises RecordingError."""
    return open_arrays(path)[1]


def half_precision_state(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the model's state, floating values as float16."""
    state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


def write_weights(target: Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a state in the safetensors layout under a temporary name, then put it in its place at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(encode({name: value.numpy() for name, value in state.items()}, metadata))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
