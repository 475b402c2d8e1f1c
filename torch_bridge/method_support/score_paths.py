"""How much of a class's score comes through each channel of some layers, and through which channels after it.

A channel gives the sum of A dS/dA over its values A. What of this it carries to a channel of the next layer is the same
of that one's share, on ways that touch no other of these layers. So all links of a channel carry together what it
gives, exactly; and where nothing saturates and there are no biases, a channel gives what is carried to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..capture.ablation import values_by_channel
from ..predictions.classes import class_scores, find_class
from ..probing.partial_forward import PartialForward, batched_maps
from ..recording import Network
from ..recording.errors import ModelError
from .input_gradients import full_precision
from .method import MethodContext

ROUNDING = 1e-5
"""Share of the strongest link below which there is none: ways are told apart by taking differences."""
SCORE = ""
"""Stands for the class's score among layers."""


@dataclass(frozen=True)
class ScoreShare:
    """What the channels of one layer give to a class."""

    values: np.ndarray
    """(C,) float32"""
    maps: np.ndarray
    """(C, H, W) float32: where."""

    def only(self, channels: Sequence[int]) -> ScoreShare:
        """Of these channels; the others give nothing."""
        values, maps = np.zeros_like(self.values), np.zeros_like(self.maps)
        values[list(channels)], maps[list(channels)] = self.values[list(channels)], self.maps[list(channels)]
        return ScoreShare(values, maps)


class ScorePaths:
    """One run, kept for backward passes between its layers."""

    def __init__(self, work: MethodContext, of_class: int) -> None:
        """Raises InputError where the network doesn't answer with classes, ModelError where the score is no number."""
        self.device, self.reach = work.device, PartialForward(work.model, work.layers, work.arguments)
        with torch.enable_grad(), full_precision(work.device):
            self.reached = self.reach(_with_gradients(work.arguments), whole=True)
        scores = class_scores(self.reached.output)
        self.classes, self.of = scores.shape[1], find_class(scores, of_class, work.names)
        self.score, self.told = scores[0, self.of.index], f"{self.of.name}, score {scores[0, self.of.index].item():.3g}"
        if not bool(torch.isfinite(self.score)):
            raise ModelError(f"{self.told}: it can't be divided among channels")
        self.slopes: dict[str, Tensor] = {}

    def slope(self) -> bool:
        """Follow the score back to all layers; False where it has no gradient."""
        if self.score.requires_grad and not self.slopes:
            self.slopes = self._back([self.score], [None], self.reach.layers)
        return self.score.requires_grad

    def share(self, id: str) -> ScoreShare:
        """What a layer gives, by gradient x activation; nothing where the score doesn't depend on it."""
        made, tensor = self.reached.spreads[id], self.reached.tensors[id].detach()
        given = tensor * self.slopes[id] if id in self.slopes else torch.zeros_like(tensor)
        return ScoreShare(to_numpy(values_by_channel(given, made).sum(1)), to_numpy(batched_maps(given, made, len(self.reached.maps[id]))[0]))

    def carried(self, sources: Sequence[str], id: str, channel: int) -> dict[str, np.ndarray]:
        """By source, in order of execution: (C,) what each channel carries to one of layer `id`, or to SCORE."""
        made, tensors = self.reached.spreads, self.reached.tensors
        if id == SCORE:
            found = self._back([self.score], [None], sources)
        elif id in self.slopes:
            given, slope = (values_by_channel(one, made[id])[channel] for one in (tensors[id], self.slopes[id]))
            found = self._back([given], [slope], sources)
        else:
            return {}
        for number in range(len(found) - 2, -1, -1):  # the last has no way through another
            source, *later = list(found)[number:]
            through = self._back([tensors[one] for one in later], [found[one] for one in later], [source])
            found[source] = found[source] - through.get(source, 0.0)
        return {one: to_numpy(values_by_channel(tensors[one].detach() * slope, made[one]).sum(1)) for one, slope in found.items()}

    def _back(self, of: Sequence[Tensor], weights: Sequence[Tensor | None], layers: Iterable[str]) -> dict[str, Tensor]:
        """By layer: the gradient at its tensor, where there is one."""
        edges = {id: self.reached.edges[id] for id in layers if id in self.reached.edges}
        if not edges:
            return {}
        with full_precision(self.device):
            found = torch.autograd.grad(of, list(edges.values()), weights, retain_graph=True, allow_unused=True)
        return {id: one for id, one in zip(edges, found, strict=True) if one is not None}


def _with_gradients(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same values, through which gradients flow: the network's weights may have none."""

    def alive(value: Any) -> Any:
        if isinstance(value, list):
            return [alive(one) for one in value]
        return value.detach().clone().requires_grad_().clone() if value.is_floating_point() else value

    return tuple(alive(one) for one in arguments)


def direct_sources(network: Network, layers: Iterable[str]) -> dict[str, list[str]]:
    """For each of some layers, and for SCORE: those of them that reach it through none of the others, in order."""
    asked, order = set(layers), [layer.id for layer in network.layers]
    into: dict[str, list[str]] = {id: [] for id in order}
    for edge in network.edges:
        into[edge.target].append(edge.source)
    last: dict[str, set[str]] = {}
    before: dict[str, list[str]] = {}
    for id in order:
        found = {one for source in into[id] for one in last[source]}
        last[id] = {id} if id in asked else found
        before[id] = sorted(found, key=order.index)
    answers = [layer.id for layer in network.layers if layer.role == "output"] or order[-1:]
    return {id: before[id] for id in order if id in asked} | {SCORE: before[answers[-1]]}


def strongest_links(
    paths: ScorePaths, sources: Mapping[str, Sequence[str]], tops: Mapping[str, Sequence[int]], id: str
) -> dict[str, list[tuple[int, int, float]]]:
    """By layer before `id`: (channel, channel of `id`, what it carries) of the top channels of both."""
    found: dict[str, list[tuple[int, int, float]]] = {}
    for target in tops.get(id, [paths.of.index]):
        for source, carried in paths.carried(sources[id], id, target).items():
            least = ROUNDING * np.abs(carried).max(initial=0.0)
            rows = [(one, target, float(carried[one])) for one in tops[source] if abs(carried[one]) > least]
            found.setdefault(source, []).extend(rows)
    return found


def to_numpy(values: Tensor) -> np.ndarray:
    """On this side, float32."""
    found: np.ndarray = values.detach().float().cpu().numpy()
    return found
