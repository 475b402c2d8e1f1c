"""Devices that networks run on: CUDA, Apple's MPS or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..recording.errors import ModelError
from .torch_files import first_line

if TYPE_CHECKING:
    import torch


DEVICES = ("cuda", "mps", "cpu")


def choose_device(name: str = "") -> torch.device:
    """The device of this name, by default CUDA, else MPS, else the processor. Raises ModelError if it can't be used."""
    import torch

    if not name:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name.partition(":")[0] not in DEVICES:
        raise ModelError(f"device {name[:60]!r} can't be used here: one of {', '.join(DEVICES)} is needed")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, ValueError, OverflowError) as error:
        raise ModelError(f"device {name[:60]!r} can't be used here ({first_line(error)}); cpu always can") from None
    return device


def leave_one_core_free() -> None:
    """Make torch use one core less, because Blender receives and draws maps while the network runs.

    On two cores the maps of ResNet-50 otherwise arrived in Blender 25 % later.
    """
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def to_device(value: Any, device: torch.device) -> Any:
    """Move a tensor, or the tensors in nested lists, tuples and dicts, of any shape, to a device."""
    from ..capture.call_arguments import map_leaves

    return map_leaves(lambda leaf: leaf.to(device) if hasattr(leaf, "to") else leaf, value)
