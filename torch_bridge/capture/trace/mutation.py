"""Detects in-place changes by the version counter that every tensor shares with its views.

Tensors may have any shape and dtype.
"""

from __future__ import annotations

import torch

Tensors = list[torch.Tensor]


def read_versions(tensors: Tensors) -> list[int] | None:
    """Returns the version counters, which rise with each in-place change.

    Returns None if a tensor was made in inference mode: such tensors have no counter.
    """
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return None


def changed_tensors(tensors: Tensors, before: list[int] | None, in_place: bool) -> Tensors:
    """Returns the tensors whose counter has risen since `before`.

    in_place: whether the operation is known to work in place; used only where there are no counters, and then it is the
    first tensor that has changed.
    """
    if before is None:
        return tensors[:1] if in_place else []
    return [tensor for tensor, version in zip(tensors, before, strict=True) if tensor._version != version]


def new_tensors(outputs: Tensors, inputs: Tensors) -> Tensors:
    """Returns the outputs that aren't inputs themselves."""
    return [tensor for tensor in outputs if not any(tensor is source for source in inputs)]
