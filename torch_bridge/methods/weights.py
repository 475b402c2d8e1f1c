"""Weights: the kernels of convolutions, a tile for each output channel.

A kernel that reads three colours is a picture: what it answers to most, shown directly, as synthesis would find it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..capture.values.kernels import model_kernels
from ..method_support.method import Method, MethodContext, Step, parameter


@dataclass(frozen=True)
class Parameters:
    """In whose numbers."""

    pixels: bool = parameter(False, "Kernels of colours: by how pixels count, not the network's own numbers of them")


def weights(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """No run of the network is needed. A batch norm shows the kernels of the convolution that is folded into it."""
    yield Step(0.0, "reading the weights")
    folded = {layer.shows: layer.id for layer in work.network.layers if layer.shows}
    std = work.how.std if parameters.pixels else (1.0,)
    found = ((id, model_kernels(work.model, [folded.get(id, id)], std)) for id in work.layers)
    yield Step(1.0, "read", tuple(replace(maps, layer=id) for id, every in found for maps in every))


WEIGHTS = Method(
    "weights", "Weights", "The kernels of each convolution, one output channel a tile.", weights, Parameters,
    needs="network",
)  # fmt: skip
