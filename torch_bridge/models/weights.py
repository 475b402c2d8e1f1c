"""Loads weights into a model, from safetensors or a checkpoint that torch reads with `weights_only=True`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..recording.errors import ModelError, RecordingError
from ..recording.safetensors import open_arrays
from .torch_files import first_line, is_torchscript

if TYPE_CHECKING:
    import torch
    from torch import nn

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "params", "weights")
"""Keys under which checkpoints commonly hold their state_dict."""
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
"""Prefixes that DataParallel, torch.compile and training wrappers put before names."""
MAX_PREFIXES = 3
MAX_LISTED = 3
"""Names that an error lists."""


def load_weights(module: nn.Module, path: str | Path) -> dict[str, str]:
    """Load the tensors of a file into `module`, converted to its dtypes, and return the file's metadata.

    The file must have every parameter and buffer in its shape, and nothing else. Raises ModelError.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"weights {path}: no such file")
    tensors, metadata = _read_safetensors(path) if _is_safetensors(path) else (_read_checkpoint(path), {})
    target = module.state_dict()
    tensors = _without_prefix(tensors, target)
    _check_fit(path.name, type(module).__name__, tensors, target)
    module.load_state_dict(tensors, strict=False)
    return metadata


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(9)
    return path.suffix == ".safetensors" or (start[8:] == b"{" and not start.startswith(b"PK"))


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        arrays, metadata = open_arrays(path)
    except RecordingError as error:
        raise ModelError(f"weights {error}") from error
    return {name: _tensor(array) for name, array in arrays.items()}, metadata


def _tensor(array: np.ndarray) -> torch.Tensor:
    """A copy of an array (the file is mapped read-only); uint16 stands for bfloat16, which numpy lacks."""
    import torch

    if array.dtype == np.uint16:
        return torch.from_numpy(array.astype(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    import torch

    if is_torchscript(path):
        raise ModelError(f"weights {path} is TorchScript: save the model's state_dict() and give that")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle's protocol; real problems raise errors
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds of errors for a damaged file
        raise ModelError(f"weights {path}: {_failure_text(path, error)}") from error
    return _unwrap(path, content)


def _failure_text(path: Path, error: Exception) -> str:
    if type(error).__name__ != "UnpicklingError":
        return f"not a checkpoint, or cut off ({type(error).__name__}: {first_line(error)[:100]})"
    name = re.search(r"GLOBAL (\S+)", str(error))
    if not name and not _is_pickle(path):
        return "not a checkpoint, or cut off"
    return (
        f"contains {name[1] if name else 'more than tensors'}, which needs pickle, and pickle runs code from the file; "
        "if you trust the file, save its state_dict alone: torch.save(model.state_dict(), FILE)"
    )


def _is_pickle(path: Path) -> bool:
    """Whether a file is a bare pickle of protocol 2 or later, not inside an archive of torch."""
    with path.open("rb") as file:
        return file.read(1) == b"\x80"


def _unwrap(path: Path, content: Any) -> dict[str, torch.Tensor]:
    """The state dict in a checkpoint: the content itself, the value of a usual key, or the only state dict in it."""
    if not isinstance(content, Mapping):
        raise ModelError(f"weights {path}: contains {type(content).__name__}, not a state_dict")
    if _is_state(content):
        return dict(content)
    states = {key: value for key, value in content.items() if _is_state(value)}
    chosen = next((key for key in STATE_DICT_KEYS if key in states), next(iter(states)) if len(states) == 1 else None)
    if chosen is None:
        keys = ", ".join(map(str, list(content)[:6])) or "nothing"
        raise ModelError(f"weights {path}: no state_dict in it, but {keys}; save model.state_dict() alone")
    return dict(states[chosen])


def _is_state(content: Any) -> bool:
    import torch

    return isinstance(content, Mapping) and bool(content) and all(torch.is_tensor(value) for value in content.values())


def _without_prefix(tensors: dict[str, torch.Tensor], target: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Remove prefixes that all names share and the model's names lack."""
    for _ in range(MAX_PREFIXES):
        shared = (prefix for prefix in PREFIXES if tensors and all(name.startswith(prefix) for name in tensors))
        prefix = next(shared, None)
        if prefix is None or any(name in target for name in tensors):
            break
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _check_fit(file: str, model: str, tensors: Mapping[str, torch.Tensor], target: Mapping[str, torch.Tensor]) -> None:
    missing = [name for name in target if name not in tensors and not name.endswith("num_batches_tracked")]
    surplus = [name for name in tensors if name not in target]
    misshapen = [
        f"{name} {tuple(value.shape)} instead of {tuple(target[name].shape)}"
        for name, value in tensors.items()
        if name in target and value.shape != target[name].shape
    ]
    wrong = [
        f"{len(names)} {what} ({', '.join(names[:MAX_LISTED])}{', …' if len(names) > MAX_LISTED else ''})"
        for what, names in (("of another shape", misshapen), ("missing", missing), ("that the model lacks", surplus))
        if names
    ]
    if wrong:
        raise ModelError(f"weights {file} don't fit {model}: {'; '.join(wrong)}")
