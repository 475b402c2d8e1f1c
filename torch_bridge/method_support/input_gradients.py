"""From the channels of a layer back to the input: a signal for each of them, several at a time.

The network runs once, on as many copies of the input as channels are taken at a time; every backward pass uses that run
again. What a channel gets doesn't depend on its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..predictions.classes import class_scores, find_class
from ..probing.partial_forward import PartialForward
from ..probing.relu_rules import ReluRuleMode, Rule, relu_rule
from ..recording import Network
from ..recording.errors import ModelError
from .method import MethodContext

RUN_COST = {"cuda": 2e11, "cpu": 5e8}
"""Multiplications of one run forward in a step. More at once is hardly faster on a processor."""
MAX_COPIES = {"cuda": 64, "cpu": 16}


class GradientTarget(NamedTuple):
    """What is sent back, and how."""

    of: Literal["maximum", "mean", "map", "class"]
    """Of each channel its strongest place, its mean, all of its map; or a class's score, as it comes through it."""
    of_class: int
    rule: Rule


class InputGradients(NamedTuple):
    """Signals of some channels at the input."""

    channels: list[int]
    signals: Tensor
    """(n, C, H, W) in the network's own numbers."""
    values: list[float]
    """What was sent back from: the strongest value, the mean, or what the channel adds to the class's score."""
    told: str
    """What the rule did, and whose class it is."""


class RetainedRun:
    """One run on copies of the input, kept for backward passes from a layer."""

    def __init__(self, work: MethodContext, reach: PartialForward, layer: str, aim: GradientTarget, copies: int) -> None:
        """Raises ModelError and InputError where nothing can be sent back."""
        self.layer, self.aim = layer, aim
        picture = work.picture.detach()[:1].clone()
        self.pictures = picture.repeat(copies, 1, 1, 1).requires_grad_()
        with torch.enable_grad(), full_precision(work.device), relu_rule(aim.rule, work.model) as swapped:
            self.reached = reach(work.given(self.pictures.clone()), whole=aim.of == "class")
        self.maps, self.told = self.reached.maps[layer], _said(swapped)
        if len(self.maps) != copies:
            raise ModelError(f"the network gives {len(self.maps)} maps of {layer} for {copies} pictures")
        if not self.maps.requires_grad:
            raise ModelError(NO_GRADIENT.format(layer))
        with full_precision(work.device):
            seeds = self._towards_class(work) if aim.of == "class" else self._seeds()
        maps = self.maps.detach()[0]
        self.values = (seeds * maps).sum((1, 2)).tolist()
        self.seeds = seeds * maps.clamp(min=0) if aim.rule == "deconvnet" and aim.of != "class" else seeds

    def _seeds(self) -> Tensor:
        """(K, H, W): how much of each value of one copy is sent back."""
        maps = self.maps.detach()[0]
        if self.aim.of == "mean":
            return torch.full_like(maps, 1 / math.prod(maps.shape[1:]))
        if self.aim.of == "map":
            return torch.ones_like(maps)
        places = maps.flatten(1).nan_to_num(nan=-torch.inf).argmax(1, keepdim=True)
        return torch.zeros_like(maps).flatten(1).scatter_(1, places, 1.0).reshape(maps.shape)

    def _towards_class(self, work: MethodContext) -> Tensor:
        """(K, H, W): how the class's score changes with each value."""
        scores = class_scores(self.reached.output)
        found = find_class(scores, self.aim.of_class, work.names)
        if not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format("the answer"))
        self.told = f"{self.told} for {found.name}"
        return self.reached.gradients(scores[0, found.index])[self.layer][0]

    def down(self, channels: list[int]) -> InputGradients:
        """What so many channels as there are copies, or fewer, send back to the input."""
        sent = torch.zeros_like(self.maps)
        for copy, channel in enumerate(channels):
            sent[copy, channel] = self.seeds[channel]
        with full_precision(sent.device):
            (found,) = torch.autograd.grad(self.maps, self.pictures, sent, retain_graph=True, allow_unused=True)
        if found is None:
            raise ModelError(NO_GRADIENT.format(self.layer))
        return InputGradients(channels, found[: len(channels)], [self.values[one] for one in channels], self.told)


NO_GRADIENT = "{} has no gradient to the picture: the network detaches, rounds or converts it; occlusion needs none"


def _said(swapped: ReluRuleMode | None) -> str:
    return f" ({swapped.told()})" if swapped is not None else ""


def compute_input_gradients(work: MethodContext, layer: str, aim: GradientTarget) -> Iterator[InputGradients | None]:
    """What the layer's channels that are asked about send back, a few at a time; None: a step without news.

    Takes fewer at a time where memory runs out or the network can't take so many. Raises InputError and ModelError
    where nothing can be sent back.
    """
    channels, done, graph = list(work.chosen(layer)), 0, None
    copies = min(copies_per_run(work.network, [layer], work.device), len(channels))
    reach = PartialForward(work.model, [layer], work.arguments)
    while done < len(channels):
        yield None
        try:
            graph = graph or RetainedRun(work, reach, layer, aim, copies)
            yield None
            while done < len(channels):
                found = graph.down(channels[done : done + copies])
                done += len(found.channels)
                yield found
        except (RuntimeError, ModelError):
            if copies == 1:
                raise
            copies, graph = copies // 2, None


def copies_per_run(network: Network, layers: Sequence[str], device: torch.device) -> int:
    """How many inputs a network is given at once, so that a step as far as these layers stays short."""
    kind = "cuda" if device.type == "cuda" else "cpu"
    last = max(k for k, one in enumerate(network.layers) if one.id in layers)
    cost = sum(one.parameters * math.prod(one.map_shape[1:]) for one in network.layers[: last + 1])
    return int(min(max(RUN_COST[kind] // max(cost, 1), 1), MAX_COPIES[kind]))


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Convolutions in full float32 on CUDA cards, which else round to 10 bits."""
    flags = torch.backends.cudnn
    return flags.flags(enabled=flags.enabled, allow_tf32=False) if device.type == "cuda" else nullcontext()
