"""Occlusion: how much each channel, or a class's score, loses when a patch of the picture is covered, S(x) - S(x_p).

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2. Each pixel gets the mean
over all patches p that cover it. Needs no gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..capture.call_arguments import first_argument
from ..method_support.input_attribution import CLASS_HELP
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.occluding_patches import OcclusionPatches, PatchFill, fill_picture
from ..method_support.picture_maps import MAX_PIXELS, scalar_maps
from ..method_support.run_limits import copies_per_run, full_precision
from ..predictions.classes import PREDICTED, class_layer, class_scores, find_class
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording import Maps
from ..recording.errors import InputError, ModelError

PARTIAL_RESULTS = 12
"""How many times maps are shown while they are computed."""


@dataclass(frozen=True)
class Parameters:
    """What is measured, and the patch."""

    of: Literal["mean", "maximum", "class"] = parameter(
        "mean", "What is measured: a channel's mean, its maximum, or the score of of_class (on the layer of classes)"
    )
    of_class: int = parameter(PREDICTED, CLASS_HELP, PREDICTED, 1_000_000)
    size: float = parameter(1 / 7, "Side of the patch, as a share of the picture's side", 0.01, 1.0)
    stride: float = parameter(0.5, "Distance between positions, as a share of the patch's side", 0.05, 1.0)
    fill: PatchFill = parameter("grey", "Content of the patch: the data's mean, the blurred picture, noise, or value")
    value: float = parameter(0.0, "For fill=value: the normalised value, in units of the network's input", -1e6, 1e6)
    seed: int = parameter(0, "Seed of the noise", 0, 2**31 - 1)


def occlusion(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Covers some positions at a time, row by row. Raises InputError without a picture.

    Maps: (C, H, W) in the size of the picture, in units of the channel or score; positive where covering lowers it.
    """
    run = OcclusionRun(context, parameters)
    done, count = 0, len(run.patches.positions)
    yield Step(0.0, f"{count} places")
    while done < count:
        last, done = done, done + run.cover(done)
        is_due = last * PARTIAL_RESULTS // count < done * PARTIAL_RESULTS // count
        yield Step(done / count, f"place {done} of {count}", run.maps(done) if is_due else ())


class OcclusionRun:
    """The measured values without patches, and how far they drop with each."""

    def __init__(self, context: MethodContext, parameters: Parameters) -> None:
        self.context, self.of, self.picture = context, parameters.of, context.picture.detach()[:1]
        self.patches = OcclusionPatches(tuple(self.picture.shape[2:]), parameters.size, parameters.stride)
        deviations = [side / 4 for side in self.patches.sides]
        self.content = fill_picture(
            self.picture, parameters.fill, parameters.value, context.preprocessing, deviations, parameters.seed
        )
        self.forward = PartialForward(context.model, context.layers, context.arguments, context.positions)
        self.channels = self._measured_channels(parameters.of_class)
        """By layer."""
        self.before = self._measure(self.picture)
        self.drops = {
            id: np.zeros((len(self.patches.positions), len(channels)), np.float32)
            for id, channels in self.channels.items()
        }
        """By layer (positions, channels)."""
        # A network that takes a list of pictures may choose among them, so it gets one at a time.
        takes_list = isinstance(first_argument(context.arguments), list)
        self.copies = 1 if takes_list else copies_per_run(context.network, context.layers, context.device)

    def _measured_channels(self, of_class: int) -> dict[str, list[int]]:
        context = self.context
        if self.of != "class":
            return {id: list(context.selected_channels(id)) for id in context.layers}
        scores = class_scores(self._run(self.picture).output)
        layer, target = class_layer(context.network, scores.shape[1]), find_class(scores, of_class, context.class_names)
        if layer not in context.layers:
            raise InputError(f"the score of {target.name} is drawn on the layer of the classes, {layer}; ask for that")
        return {layer: [target.index]}

    def _run(self, pictures: Tensor) -> PartialResult:
        with torch.no_grad(), full_precision(self.context.device):
            return self.forward(self.context.arguments_with(pictures), to_output=self.of == "class")

    def _measure(self, pictures: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) pictures -> by layer (N, channels): the measured values."""
        result, measured = self._run(pictures), {}
        for id, channels in self.channels.items():
            if self.of == "class":
                values = class_scores(result.output)
            else:
                maps = result.maps[id].flatten(2)
                values = maps.mean(2) if self.of == "mean" else maps.amax(2)
            if len(values) != len(pictures):
                raise ModelError(f"the network gives {len(values)} maps of {id} for {len(pictures)} pictures")
            measured[id] = values[:, channels]
        return measured

    def cover(self, first: int) -> int:
        """Measures some positions from number `first` on; returns how many. Takes fewer if memory runs out."""
        while True:
            positions = self.patches.positions[first : first + self.copies]
            try:
                values = self._measure(self.patches.cover(self.picture, self.content, positions))
                break
            except (RuntimeError, ModelError):
                if self.copies == 1:
                    raise
                self.copies //= 2
        for id, before in self.before.items():
            self.drops[id][first : first + len(positions)] = (before - values[id]).float().cpu().numpy()
        return len(positions)

    def maps(self, done: int) -> tuple[Maps, ...]:
        """Returns the maps after the first `done` positions."""
        result, names = [], self.context.class_names.names
        for id, drops in self.drops.items():
            count, channels = self.context.network.layer(id).map_shape[0], self.channels[id]
            planes = self.patches.pixel_means(drops, done, MAX_PIXELS * 4 // len(channels))
            labels = [names[channel] for channel in channels] if len(names) == count else ()
            numbers = () if channels == list(range(count)) else channels
            maps = scalar_maps(id, OCCLUSION.name, dict(zip(channels, planes, strict=True)), count, numbers, labels)
            place = {} if self.of == "class" else self.forward.layouts[id].place()
            result.append(replace(maps, **place))
        return tuple(result)


OCCLUSION = Method(
    "occlusion",
    "Occlusion",
    "How much each channel loses when a patch of the picture is covered.",
    occlusion,
    Parameters,
)
