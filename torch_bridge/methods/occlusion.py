"""Occlusion: how much each channel, or a class's score, loses when a patch of the picture is hidden.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2. A pixel gets the mean
of all patches that hide it. The network need have no gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..method_support.input_attribution import OF_CLASS
from ..method_support.input_gradients import copies_per_run, full_precision
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.occluding_patches import OcclusionPatches, PatchFill, fill_picture
from ..method_support.picture_maps import MAX_PIXELS, scalar_maps
from ..predictions.classes import PREDICTED, class_layer, class_scores, find_class
from ..probing.partial_forward import PartialForward, PartialResult
from ..recording import Maps
from ..recording.errors import InputError, ModelError

SHOWN = 12
"""How often maps are shown while they come."""


@dataclass(frozen=True)
class Parameters:
    """What is watched, the patch, and its places."""

    of: Literal["mean", "maximum", "class"] = parameter(
        "mean", "What may fall: a channel's mean, its strongest value, or the score of of_class on the classes' layer"
    )
    of_class: int = parameter(PREDICTED, OF_CLASS, PREDICTED, 1_000_000)
    size: float = parameter(1 / 7, "Side of the patch, as a share of the picture's side", 0.01, 1.0)
    stride: float = parameter(0.5, "From one place of the patch to the next, as a share of its side", 0.05, 1.0)
    fill: PatchFill = parameter("grey", "What is there instead: the data's mean, the picture blurred, noise, or value")
    value: float = parameter(0.0, "For fill = value, in the network's own numbers", -1e6, 1e6)
    seed: int = parameter(0, "Of the noise", 0, 2**31 - 1)


def occlusion(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Some places at a time, row by row; maps are those of the places so far. Raises InputError without a picture."""
    watch = OcclusionRun(work, parameters)
    done, count = 0, len(watch.patches.places)
    yield Step(0.0, f"{count} places")
    while done < count:
        was, done = done, done + watch.hide(done)
        due = was * SHOWN // count < done * SHOWN // count
        yield Step(done / count, f"place {done} of {count}", watch.maps(done) if due else ())


class OcclusionRun:
    """What is watched while patches are hidden, and how far it has fallen."""

    def __init__(self, work: MethodContext, parameters: Parameters) -> None:
        self.work, self.of, self.picture = work, parameters.of, work.picture.detach()[:1]
        self.patches = OcclusionPatches(tuple(self.picture.shape[2:]), parameters.size, parameters.stride)
        deviations = [side / 4 for side in self.patches.sides]
        self.hidden = fill_picture(self.picture, parameters.fill, parameters.value, work.how, deviations, parameters.seed)
        self.reach = PartialForward(work.model, work.layers, work.arguments)
        self.chosen = self._chosen(parameters.of_class)
        """By layer: the channels that are asked about."""
        self.before = self._read(self.picture)
        self.fallen = {
            id: np.zeros((len(self.patches.places), len(channels)), np.float32) for id, channels in self.chosen.items()
        }
        lists = isinstance(work.arguments[0], list)  # networks that take these pick out single pictures as they like
        self.several = 1 if lists else copies_per_run(work.network, work.layers, work.device)

    def _chosen(self, of_class: int) -> dict[str, list[int]]:
        if self.of != "class":
            return {id: list(self.work.chosen(id)) for id in self.work.layers}
        scores = class_scores(self._run(self.picture).output)
        home, found = class_layer(self.work.network, scores.shape[1]), find_class(scores, of_class, self.work.names)
        if home not in self.work.layers:
            raise InputError(f"the score of {found.name} is drawn on the layer of the classes, {home}; ask for that")
        return {home: [found.index]}

    def _run(self, pictures: Tensor) -> PartialResult:
        with torch.no_grad(), full_precision(self.work.device):
            return self.reach(self.work.given(pictures), whole=self.of == "class")

    def _read(self, pictures: Tensor) -> dict[str, Tensor]:
        """By layer (N, channels): the numbers that patches may lower."""
        reached, found = self._run(pictures), {}
        for id, channels in self.chosen.items():
            if self.of == "class":
                values = class_scores(reached.output)
            else:
                maps = reached.maps[id].flatten(2)
                values = maps.mean(2) if self.of == "mean" else maps.amax(2)
            if len(values) != len(pictures):
                raise ModelError(f"the network gives {len(values)} maps of {id} for {len(pictures)} pictures")
            found[id] = values[:, channels]
        return found

    def hide(self, first: int) -> int:
        """Hide the picture at some places, from a number on: how many. Fewer where memory runs out."""
        while True:
            places = self.patches.places[first : first + self.several]
            try:
                now = self._read(self.patches.hide(self.picture, self.hidden, places))
                break
            except (RuntimeError, ModelError):
                if self.several == 1:
                    raise
                self.several //= 2
        for id, before in self.before.items():
            self.fallen[id][first : first + len(places)] = (before - now[id]).float().cpu().numpy()
        return len(places)

    def maps(self, done: int) -> tuple[Maps, ...]:
        """After so many places."""
        made, names = [], self.work.names.names
        for id, values in self.fallen.items():
            count = self.work.network.layer(id).map_shape[0]
            planes = self.patches.spread(values, done, MAX_PIXELS * 4 // count)
            labels = names if len(names) == count else ()
            made.append(scalar_maps(id, OCCLUSION.name, dict(zip(self.chosen[id], planes, strict=True)), count, labels))
        return tuple(made)


OCCLUSION = Method(
    "occlusion",
    "Occlusion",
    "How much each channel loses when a patch of the picture is hidden.",
    occlusion,
    Parameters,
)
