"""Where a network runs: CUDA, Apple's MPS or the processor, whatever is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..recording.errors import ModelError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "") -> torch.device:
    """The device of this name, or the best there is. Raises ModelError where it isn't to be had."""
    import torch

    if not name:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        found = torch.device(name)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"device {name!r} can't be used here ({str(error).splitlines()[0][:200]}); cpu can") from None
    return found


def leave_one_core_free() -> None:
    """Let torch take a core less than it would: Blender receives and draws while the network runs.

    Of two cores it left none: ResNet-50 then reached its panels a quarter later.
    """
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def to_device(value: Any, device: torch.device) -> Any:
    """Tensors, and lists and tuples of them, on the device."""
    if isinstance(value, list | tuple):
        return type(value)(to_device(one, device) for one in value)
    return value.to(device) if hasattr(value, "to") else value
