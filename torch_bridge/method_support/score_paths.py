"""How much of a class's score each channel contributes, and along which links.

A channel's share is sum(A dS/dA) over its values A (gradient x activation). A link from channel a to channel b is the
part of b's share that depends on a directly, not through other selected layers. The links that leave a channel sum to
its share; without biases and saturation, so do the links that enter it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..capture.ablation import values_by_channel
from ..capture.call_arguments import map_leaves
from ..predictions.classes import class_scores, find_class
from ..probing.backward import gradients
from ..probing.partial_forward import PartialForward, batched_maps
from ..recording import Network
from ..recording.errors import ModelError
from .method import MethodContext
from .run_limits import full_precision

MIN_LINK = 1e-5
"""Fraction of the strongest link below which links are rounding errors: they are differences of larger numbers."""
SCORE = ""
"""Stands for the class's score among layer ids."""


@dataclass(frozen=True)
class ScoreShare:
    """Shares of one layer's channels in a class's score."""

    values: np.ndarray
    """(C,) float32, in units of the score."""
    maps: np.ndarray
    """(C, H, W) float32: the values' distribution over positions."""

    def only(self, channels: Sequence[int]) -> ScoreShare:
        """Returns the shares with those of all other channels set to 0."""
        values, maps = np.zeros_like(self.values), np.zeros_like(self.maps)
        values[list(channels)], maps[list(channels)] = self.values[list(channels)], self.maps[list(channels)]
        return ScoreShare(values, maps)


class ScorePaths:
    """One run whose graph is kept for backward passes between layers."""

    def __init__(self, context: MethodContext, of_class: int) -> None:
        """Raises InputError if the network's answer has no classes, ModelError if the score is NaN or infinite."""
        self.device = context.device
        self.forward = PartialForward(context.model, context.layers, context.arguments, context.positions)
        with torch.enable_grad(), full_precision(context.device):
            self.result = self.forward(with_gradients(context.arguments), to_output=True)
        scores = class_scores(self.result.output)
        self.classes, independent = scores.shape[1], self.result.independent
        self.target_class = find_class(scores, of_class, context.class_names, independent=independent)
        self.score = scores[0, self.target_class.index]
        self.message = f"{self.target_class.name}, score {self.score.item():.3g}"
        if not bool(torch.isfinite(self.score)):
            raise ModelError(f"{self.message}: it can't be divided among channels")
        self.gradients: dict[str, Tensor] = {}
        """By layer: gradient of the score with respect to the layer's tensor."""

    def compute_gradients(self) -> bool:
        """Computes `gradients` unless they are there; returns False if the score has none."""
        if self.score.requires_grad and not self.gradients:
            self.gradients = self._backward([self.score], [None], self.forward.layers)
        return self.score.requires_grad

    def share(self, id: str) -> ScoreShare:
        """Returns a layer's shares by gradient x activation; 0 where the score doesn't depend on the layer."""
        layout, tensor = self.result.layouts[id], self.result.tensors[id].detach()
        products = tensor * self.gradients[id] if id in self.gradients else torch.zeros_like(tensor)
        maps = batched_maps(products, layout, len(self.result.maps[id]))[0]
        return ScoreShare(to_numpy(values_by_channel(products, layout).sum(1)), to_numpy(maps))

    def contributions(self, sources: Sequence[str], id: str, channel: int) -> dict[str, np.ndarray]:
        """Returns what each channel of the sources passes on to a channel of layer `id`, or to SCORE.

        sources: in order of execution. By source: (C,) float32, in units of the score.
        """
        layouts, tensors = self.result.layouts, self.result.tensors
        if id == SCORE:
            slopes = self._backward([self.score], [None], sources)
        elif id in self.gradients:
            values, slope = (
                values_by_channel(tensor, layouts[id])[channel] for tensor in (tensors[id], self.gradients[id])
            )
            slopes = self._backward([values], [slope], sources)
        else:
            return {}
        for number in range(len(slopes) - 2, -1, -1):  # no way from the last source leads through another one
            source, *later = list(slopes)[number:]
            through = self._backward([tensors[layer] for layer in later], [slopes[layer] for layer in later], [source])
            slopes[source] = slopes[source] - through.get(source, 0.0)
        return {
            source: to_numpy(values_by_channel(tensors[source].detach() * gradient, layouts[source]).sum(1))
            for source, gradient in slopes.items()
        }

    def _backward(
        self, outputs: Sequence[Tensor], weights: Sequence[Tensor | None], layers: Iterable[str]
    ) -> dict[str, Tensor]:
        """By layer: the gradient of the weighted outputs with respect to its tensor, where there is one."""
        edges = {id: self.result.edges[id] for id in layers if id in self.result.edges}
        if not edges:
            return {}
        with full_precision(self.device):
            of = f"the answer to layer {next(iter(edges))}"
            found = gradients(outputs, list(edges.values()), weights, of=of, keep_graph=True)
        return {id: gradient for id, gradient in zip(edges, found, strict=True) if gradient is not None}


def with_gradients(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns copies of arguments that gradients flow through, as the network's weights may need none."""

    def copy(value: Any) -> Any:
        takes_gradient = isinstance(value, Tensor) and value.is_floating_point()
        return value.detach().clone().requires_grad_().clone() if takes_gradient else value

    copies: tuple[Any, ...] = map_leaves(copy, arguments)
    return copies


def direct_sources(network: Network, layers: Iterable[str]) -> dict[str, list[str]]:
    """Returns for each of some layers, and for SCORE, those of them that reach it through none of the others."""
    requested, order = set(layers), [layer.id for layer in network.layers]
    edge_sources: dict[str, list[str]] = {id: [] for id in order}
    for edge in network.edges:
        edge_sources[edge.target].append(edge.source)
    last: dict[str, set[str]] = {}
    before: dict[str, list[str]] = {}
    for id in order:
        reaching = {layer for source in edge_sources[id] for layer in last[source]}
        last[id] = {id} if id in requested else reaching
        before[id] = sorted(reaching, key=order.index)
    answers = [layer.id for layer in network.layers if layer.role == "output"] or order[-1:]
    answering = {id for answer in answers for id in before[answer]}
    return {id: before[id] for id in order if id in requested} | {SCORE: sorted(answering, key=order.index)}


def strongest_links(
    paths: ScorePaths, sources: Mapping[str, Sequence[str]], tops: Mapping[str, Sequence[int]], id: str
) -> dict[str, list[tuple[int, int, float]]]:
    """Returns the links between the top channels of layer `id` and those of its sources.

    By source: (channel, channel of `id`, contribution).
    """
    found: dict[str, list[tuple[int, int, float]]] = {}
    for target in tops.get(id, [paths.target_class.index]):
        for source, values in paths.contributions(sources[id], id, target).items():
            minimum = MIN_LINK * np.abs(values).max(initial=0.0)
            rows = [(top, target, float(values[top])) for top in tops[source] if abs(values[top]) > minimum]
            found.setdefault(source, []).extend(rows)
    return found


def to_numpy(values: Tensor) -> np.ndarray:
    """Copies a tensor of any shape to a float32 array on the CPU."""
    array: np.ndarray = values.detach().float().cpu().numpy()
    return array
