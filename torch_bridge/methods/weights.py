"""Weights: the kernels of convolutions, a tile for each output channel."""

from __future__ import annotations

from collections.abc import Iterator

from ..kernels import kernels_of
from .method import Method, Step, Work


def weights(work: Work, parameters: None) -> Iterator[Step]:
    """No run of the network is needed."""
    yield Step(0.0, "reading the weights")
    yield Step(1.0, "read", tuple(kernels_of(work.model, work.layers)))


WEIGHTS = Method(
    "weights", "Weights", "The kernels of each convolution, one output channel a tile.", weights, needs="network"
)
