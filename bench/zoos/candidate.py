"""A network that is tried, and its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import nn

INDEX = 1
"""Which input of a batch is compared with the same input alone."""


class Built(NamedTuple):
    """A network in evaluation mode with random weights; its inputs are tensors, dicts of them or lists of pictures."""

    model: nn.Module
    alone: Any
    """Input number INDEX of the batch by itself."""
    batch: Any
    """Two or more inputs; None for a network that takes one at a time, as a graph."""

    @classmethod
    def from_batch(cls, model: nn.Module, batch: Any, axis: int = 0) -> Built:
        """Returns a network with a batch of inputs along one axis, and one of them alone, as a batch of one."""
        return cls(model.eval(), single_input(batch, INDEX, axis), batch)


class Candidate(NamedTuple):
    """A network that may be tried."""

    zoo: str
    name: str
    build: Callable[[], Built]
    traceable: bool = False
    """Whether torch.fx sees the same edges in it, if it can trace it."""


Zoo = Callable[[], Iterator[Candidate]]
"""Lists the networks of a package; raises ImportError where the package can't be had."""


def single_input(batch: Any, index: int, axis: int = 0) -> Any:
    """Returns one input of a batch as a batch of one: tensors that are 1 long in the `axis` of the batch."""
    if isinstance(batch, dict):
        return {name: single_input(value, index, axis) for name, value in batch.items()}
    return [batch[index]] if isinstance(batch, list) else batch.narrow(axis, index, 1)


def picture_batch(channels: int, height: int, width: int) -> torch.Tensor:
    """Returns two noise pictures (2, C, H, W) float32, 0..1."""
    return torch.rand(2, channels, height, width, generator=torch.Generator().manual_seed(0))
