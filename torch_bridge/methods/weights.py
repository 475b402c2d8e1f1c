"""Weights: the kernels of convolutions, a tile for each output channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..kernels import kernels_of
from .method import Method, Step, Work


def weights(work: Work, parameters: None) -> Iterator[Step]:
    """No run of the network is needed. A batch norm shows the kernels of the convolution that is folded into it."""
    yield Step(0.0, "reading the weights")
    folded = {layer.shows: layer.id for layer in work.network.layers if layer.shows}
    found = ((id, kernels_of(work.model, [folded.get(id, id)])) for id in work.layers)
    yield Step(1.0, "read", tuple(replace(maps, layer=id) for id, every in found for maps in every))


WEIGHTS = Method(
    "weights", "Weights", "The kernels of each convolution, one output channel a tile.", weights, needs="network"
)
