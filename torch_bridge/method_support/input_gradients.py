"""Gradients of a layer's channels with respect to the input, several channels at a time.

The network runs once, on as many copies of the input as channels are taken at a time; all backward passes reuse that
run. The result of a channel doesn't depend on the channels beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ..predictions.classes import class_scores, find_class
from ..probing.backward import gradients
from ..probing.partial_forward import PartialForward
from ..probing.relu_rules import Rule, relu_rule
from ..recording.errors import ModelError
from .method import MethodContext, independence_note
from .run_limits import copies_per_run, full_precision

NO_GRADIENT = "{} has no gradient to the picture: the network detaches, rounds or converts it; occlusion needs none"


class GradientTarget(NamedTuple):
    """The scalar of each channel that is differentiated, and the rule at ReLUs."""

    kind: Literal["maximum", "mean", "map", "class"]
    """Of each channel the strongest position, the mean or the sum of its map; or its part in a class's score."""
    class_index: int
    """The class for the kind "class"; PREDICTED for the predicted one."""
    rule: Rule


class InputGradients(NamedTuple):
    """What some channels propagate back to the input."""

    channels: list[int]
    signals: Tensor
    """(n, C, H, W) float, per unit of the normalised input."""
    values: list[float]
    """The targets' values: the strongest value, the mean, the sum, or the channel's part in the class's score."""
    place: dict[str, Any]
    """The arguments of `Maps` that say which position of the input the layer's values are of; {} for the whole."""
    note: str
    """What the ReLU rule did, and the class's name; added to status messages."""
    maps_note: str
    """The class, and what the signals are besides, or instead of, what the rule says; the note of their maps."""


class RetainedRun:
    """One run on copies of the input, whose graph is kept for backward passes from a layer."""

    def __init__(
        self, context: MethodContext, forward: PartialForward, layer: str, target: GradientTarget, copies: int
    ) -> None:
        """Runs the network. Raises ModelError and InputError if the layer has no gradient to the input."""
        self.layer, self.target = layer, target
        picture = context.picture.detach()[:1].clone()
        self.pictures = picture.repeat(copies, 1, 1, 1).requires_grad_()
        with torch.enable_grad(), full_precision(context.device), relu_rule(target.rule, context.model) as mode:
            arguments = context.arguments_with(self.pictures.clone())
            self.result = forward(arguments, to_output=target.kind == "class")
        self.maps, self.note = self.result.maps[layer], f" ({mode.summary()})" if mode else ""
        self.maps_note = mode.note() if mode else ""
        if len(self.maps) != copies:
            raise ModelError(f"the network gives {len(self.maps)} maps of {layer} for {copies} pictures")
        if not self.maps.requires_grad:
            raise ModelError(NO_GRADIENT.format(layer))
        with full_precision(context.device):
            seeds = self._class_seeds(context) if target.kind == "class" else self._seeds()
        maps = self.maps.detach()[0]
        self.values = (seeds * maps).sum((1, 2)).tolist()
        self.seeds = seeds * maps.clamp(min=0) if target.rule == "deconvnet" and target.kind != "class" else seeds

    def _seeds(self) -> Tensor:
        """(K, h, w) float: gradient of each channel's target with respect to its own map."""
        maps = self.maps.detach()[0]
        if self.target.kind == "mean":
            return torch.full_like(maps, 1 / math.prod(maps.shape[1:]))
        if self.target.kind == "map":
            return torch.ones_like(maps)
        positions = maps.flatten(1).nan_to_num(nan=-torch.inf).argmax(1, keepdim=True)
        return torch.zeros_like(maps).flatten(1).scatter_(1, positions, 1.0).reshape(maps.shape)

    def _class_seeds(self, context: MethodContext) -> Tensor:
        """(K, h, w) float: gradient of the class's score with respect to the maps."""
        scores = class_scores(self.result.output)
        target_class = find_class(
            scores, self.target.class_index, context.class_names, independent=self.result.independent
        )
        if not scores.requires_grad:
            raise ModelError(NO_GRADIENT.format("the answer"))
        self.note = f"{self.note} for {target_class.name}"
        seeds = self.result.gradients(scores[0, target_class.index])[self.layer][0]
        if seeds.any():
            self.maps_note = "; ".join(filter(None, (f"score of {target_class.name}", self.maps_note)))
        else:
            self.maps_note = independence_note(target_class.name, self.result.layouts[self.layer])
        return seeds

    def backward(self, channels: list[int]) -> InputGradients:
        """Propagates channels back to the input; at most as many as there are copies."""
        seeds = torch.zeros_like(self.maps)
        for copy, channel in enumerate(channels):
            seeds[copy, channel] = self.seeds[channel]
        values, place = [self.values[channel] for channel in channels], self.result.layouts[self.layer].place()
        signals: Tensor | None = torch.zeros_like(self.pictures)
        if seeds.any():  # for most channels of a class's score they are 0, and so is what comes back
            with full_precision(seeds.device):
                (signals,) = gradients([self.maps], [self.pictures], [seeds], of=f"layer {self.layer}", keep_graph=True)
        if signals is None:
            raise ModelError(NO_GRADIENT.format(self.layer))
        return InputGradients(channels, signals[: len(channels)], values, place, self.note, self.maps_note)


def compute_input_gradients(
    context: MethodContext, layer: str, target: GradientTarget
) -> Iterator[InputGradients | None]:
    """Yields the gradients of a layer's selected channels, a few at a time; None marks a pause without a result.

    Takes fewer at a time if memory runs out or the network can't take so many. Raises InputError and ModelError if
    there is no gradient.
    """
    channels, done, run = list(context.selected_channels(layer)), 0, None
    copies = min(copies_per_run(context.network, [layer], context.device), len(channels))
    forward = PartialForward(context.model, [layer], context.arguments, context.positions)
    while done < len(channels):
        yield None
        try:
            run = run or RetainedRun(context, forward, layer, target, copies)
            yield None
            while done < len(channels):
                propagated = run.backward(channels[done : done + copies])
                done += len(propagated.channels)
                yield propagated
        except (RuntimeError, ModelError):
            if copies == 1:
                raise
            copies, run = copies // 2, None
