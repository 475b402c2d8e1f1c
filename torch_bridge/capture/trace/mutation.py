"""What has changed in place, by the counter that every tensor shares with its views."""

from __future__ import annotations

import torch

Tensors = list[torch.Tensor]


def read_versions(tensors: Tensors) -> list[int] | None:
    """Counters that rise when values change in place; None where one was made in inference mode: these have none."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return None


def changed_tensors(tensors: Tensors, before: list[int] | None, in_place: bool) -> Tensors:
    """Those whose counter has risen; without counters the first, if what ran is known to work in place."""
    if before is None:
        return tensors[:1] if in_place else []
    return [tensor for tensor, version in zip(tensors, before, strict=True) if tensor._version != version]


def new_tensors(outputs: Tensors, inputs: Tensors) -> Tensors:
    """The outputs that aren't inputs themselves."""
    return [tensor for tensor in outputs if not any(tensor is one for one in inputs)]
