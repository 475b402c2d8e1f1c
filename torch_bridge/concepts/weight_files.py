"""Files of the networks that ship with the project: trained weights, and snapshots taken during training."""

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
    """Returns the file of a task's trained weights. Raises UnknownName for an unknown task."""
    class_names(task)
    return folder / f"{task}.safetensors"


def snapshot_path(task: str, epoch: int, folder: Path = WEIGHTS_FOLDER) -> Path:
    """Returns the file of a task's weights after so many epochs of training; 0 is untrained."""
    return folder / f"{task}-epoch-{epoch:02d}.safetensors"


def snapshots(task: str, folder: Path = WEIGHTS_FOLDER) -> list[Path]:
    """Returns the files of a task's snapshots by epoch, without the trained weights."""
    return sorted(folder.glob(f"{task}-epoch-*.safetensors"))


def read_metadata(path: Path) -> dict[str, str]:
    """Returns the metadata of a weights file. Raises RecordingError if it can't be read."""
    return open_arrays(path)[1]


def half_precision_state(model: nn.Module) -> dict[str, Tensor]:
    """Returns a copy of the model's state by name, tensors (any shape); floating-point ones become float16."""
    state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def write_weights(target: Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes tensors of any shape and dtype as a safetensors file, which replaces an old one when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(encode({name: tensor.numpy() for name, tensor in state.items()}, metadata))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
