"""Random weights that take the place of a network's own while a block runs, layer by layer from the output.

The own weights are set aside, never written to, so that they come back bit for bit whatever happens in the block.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ..capture.layer_paths import modules_by_path
from ..recording import Network

Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")


class LayerWeights(NamedTuple):
    """A layer and its weights."""

    layer: str
    weights: tuple[nn.Parameter, ...]


def layers_from_output(model: nn.Module, network: Network) -> list[LayerWeights]:
    """Returns the layers that have weights, the last one first.

    Weights that several layers share belong to the last of them; those that are in no layer, such as a class token,
    come at the end.
    """
    modules, taken = modules_by_path(model), set[nn.Parameter]()

    def take(layer: str, weights: Iterable[nn.Parameter]) -> LayerWeights:
        own = tuple(weight for weight in weights if weight.is_floating_point() and weight not in taken)
        taken.update(own)
        return LayerWeights(layer, own)

    ids = [layer.id.partition("@")[0] for layer in reversed(network.layers)]
    found = [take(id, modules[id].parameters()) for id in ids if id in modules]
    rest = (weight for module in modules.values() for weight in module.parameters(recurse=False))
    return [layer for layer in (*found, take("other weights", rest)) if layer.weights]


class RandomWeights:
    """Random values for some of a network's weights."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.values: list[tuple[nn.Parameter, Tensor]] = []

    def add(self, layer: LayerWeights) -> None:
        """Draws values for a layer as before training: kernels and matrices from He's normal distribution.

        Biases and the scales of norms only change places: at other sizes than their own, most ReLUs would be silent.
        He, Zhang, Ren and Sun 2015, "Delving Deep into Rectifiers".
        """
        for weight in layer.weights:
            if weight.dim() > 1:
                deviation = (2 * len(weight) / max(weight.numel(), 1)) ** 0.5  # by the inputs of one output
                drawn = deviation * torch.randn(weight.shape, generator=self.generator)
                self.values.append((weight, drawn.to(weight.device, weight.dtype)))
            else:
                order = torch.randperm(weight.numel(), generator=self.generator).to(weight.device)
                self.values.append((weight, weight.detach().flatten()[order].reshape(weight.shape)))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the random values in place of the own ones inside the block."""
        own = [(weight, weight.data) for weight, _ in self.values]
        try:
            for weight, value in self.values:
                weight.data = value
            yield
        finally:
            for weight, value in own:
                weight.data = value

    def during(self, steps: Generator[Yielded, None, Returned]) -> Generator[Yielded, None, Returned]:
        """Runs a generator with the random weights in each of its steps; between them the network has its own."""
        try:
            while True:
                with self.applied():
                    try:
                        step = next(steps)
                    except StopIteration as end:
                        returned: Returned = end.value
                        return returned
                yield step
        finally:
            steps.close()
