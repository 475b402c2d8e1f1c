"""Loads weights into a model, from safetensors or a checkpoint that torch reads with `weights_only=True`."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..recording.errors import ModelError, RecordingError, message_of
from ..recording.files import check_file, failure_text, open_file
from ..recording.safetensors import open_arrays
from .checkpoint_fit import fit_state, listed, misfits, states_in
from .pickle_check import UnboundedPickle, check_pickles
from .torch_files import first_line, is_torchscript, unpacked_size

if TYPE_CHECKING:
    import torch
    from torch import nn

MAX_SURPLUS = 256 << 20
"""Bytes that a checkpoint may unpack to beyond its size."""


class LoadedWeights(NamedTuple):
    """What a file of weights says beside its tensors, and what of it was not used."""

    metadata: dict[str, str]
    left_out: tuple[str, ...] = ()
    """Names in the file of what the network has no place for."""

    def describe_left_out(self) -> str:
        """Returns one line for people on what was left out; "" if nothing was."""
        return f"{len(self.left_out)} of the file ({listed(self.left_out)})" if self.left_out else ""


def load_weights(module: nn.Module, path: str | Path) -> LoadedWeights:
    """Load the tensors of a file into `module`, converted to its dtypes, and return the file's metadata.

    The file must have every parameter and buffer in its shape, under any prefix. What else it has is left out, unless
    it belongs to a deeper network. Raises ModelError.
    """
    import torch

    path = Path(path)
    try:
        check_file(path)
    except OSError as error:
        raise ModelError(f"weights {path}: {failure_text(error)}") from None
    content, metadata = _read_safetensors(path) if _is_safetensors(path) else (_read_checkpoint(path), {})
    try:
        states = states_in(content)
    except ValueError as error:
        raise ModelError(f"weights {path}: {error}; save model.state_dict() alone") from None
    if not states:
        raise ModelError(f"weights {path}: {_stateless_text(content)}")
    target = module.state_dict()
    target = {name: value for name, value in target.items() if isinstance(value, torch.Tensor)}  # others: own states
    fit = fit_state(states, target)
    if wrong := misfits(fit, target):
        raise ModelError(f"weights {path.name} don't fit {type(module).__name__}: {'; '.join(wrong)}")
    module.load_state_dict({name: value for name, value in fit.tensors.items() if name in target}, strict=False)
    return LoadedWeights(metadata, fit.left_out)


def _is_safetensors(path: Path) -> bool:
    with open_file(path) as file:
        start = file.read(9)
    return path.suffix == ".safetensors" or (start[8:] == b"{" and not start.startswith(b"PK"))


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        arrays, metadata = open_arrays(path)
    except RecordingError as error:
        raise ModelError(f"weights {error}") from error
    return {name: array_tensor(array) for name, array in arrays.items()}, metadata


def array_tensor(array: np.ndarray) -> torch.Tensor:
    """Returns a copy of an array of a safetensors file, of any shape; uint16 stands for bfloat16, which numpy lacks."""
    import torch

    if array.dtype == np.uint16:
        return torch.from_numpy(array.astype(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))  # a copy: the file is mapped read-only


def _read_checkpoint(path: Path) -> Any:
    import torch

    if is_torchscript(path):
        raise ModelError(f"weights {path} is TorchScript: save the model's state_dict() and give that")
    if unpacked_size(path) > path.stat().st_size + MAX_SURPLUS:  # torch itself never packs
        raise ModelError(f"weights {path}: unpacks to far more than its size; give a file that torch.save wrote")
    _check_pickles(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle's protocol; real problems raise errors
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds of errors for a damaged file
        raise ModelError(f"weights {path}: {_failure_text(path, error)}") from error


def _check_pickles(path: Path) -> None:
    try:
        check_pickles(path)
    except UnboundedPickle as error:
        alone = "save a state_dict alone: torch.save(model.state_dict(), FILE)"
        raise ModelError(f"weights {path}: {error}, so reading it may fill the memory or never end; {alone}") from None
    except (ValueError, LookupError):
        return  # torch's reader stops there too, and its error is more precise
    except Exception as error:  # a damaged zip may raise anything
        raise ModelError(f"weights {path}: not a checkpoint, or cut off ({first_line(error)[:100]})") from error


def _failure_text(path: Path, error: Exception) -> str:
    if not zipfile.is_zipfile(path) and not _is_pickle(path):
        return "not a checkpoint, or cut off"
    if type(error).__name__ != "UnpicklingError":
        return f"not a checkpoint, or cut off ({type(error).__name__}: {first_line(error)[:100]})"
    name = re.search(r"GLOBAL (\S+)", message_of(error))
    if not name and not _is_pickle(path):
        return "not a checkpoint, or cut off"
    return (
        f"contains {name[1] if name else 'more than tensors'}, which needs pickle, and pickle runs code from the file; "
        "if you trust the file, save its state_dict alone: torch.save(model.state_dict(), FILE)"
    )


def _is_pickle(path: Path) -> bool:
    """Whether a file is a bare pickle of protocol 2 or later, not inside an archive of torch."""
    with open_file(path) as file:
        return file.read(1) == b"\x80"


def _stateless_text(content: Any) -> str:
    """Why a checkpoint without a state_dict can't be loaded."""
    if not isinstance(content, Mapping):
        return f"contains {type(content).__name__}, not a state_dict"
    keys = ", ".join(map(str, list(content)[:6])) or "nothing"
    return f"no state_dict in it, but {keys}; save model.state_dict() alone"
