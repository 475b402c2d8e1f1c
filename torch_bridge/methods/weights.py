"""Weights: the kernels W_k of each convolution, a tile for each output channel.

A kernel that reads three colours is a picture: the one that the channel responds to most. Krizhevsky et al. 2012,
"ImageNet Classification with Deep Convolutional Neural Networks", show the kernels of the first layer so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..capture.values.kernels import model_kernels
from ..method_support.method import Method, MethodContext, Step, parameter
from ..recording.errors import InputError


@dataclass(frozen=True)
class Parameters:
    """The units of the kernels."""

    pixels: bool = parameter(
        False, "Show colour kernels per unit of pixel brightness, instead of per unit of the normalised input"
    )


def weights(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Reads the kernels; the network doesn't run. A batch norm shows the kernels of the convolution folded into it.

    Maps: (C, H, W), or (C, H, W, 3) for colour kernels, in units of the layer's output per unit of its input. Raises
    InputError if no layer is a convolution.
    """
    yield Step(0.0, "reading the weights")
    folded = {layer.shows: layer.id for layer in context.network.layers if layer.shows}
    std = context.preprocessing.std if parameters.pixels else (1.0,)
    kernels = ((id, model_kernels(context.model, [folded.get(id, id)], std)) for id in context.layers)
    found = tuple(replace(maps, layer=id).only(context.channels) for id, layer_maps in kernels for maps in layer_maps)
    if not found:
        raise InputError(f"{', '.join(context.layers)}: kernels are drawn of convolutions; ask for a convolution")
    yield Step(1.0, "read", found)


WEIGHTS = Method(
    "weights",
    "Weights",
    "The kernels of each convolution, a tile for each output channel.",
    weights,
    Parameters,
    needs="network",
)
