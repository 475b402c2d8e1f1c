"""Activation maximisation of one layer: divides its channels into batches, runs their ascents, and draws the maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..inputs.pixels import Pixels
from ..predictions.classes import class_layer, class_scores
from ..probing.partial_forward import PartialForward
from ..recording import Maps, near_square
from ..recording.errors import InputError, ModelError
from ..synthesis.ascent import Ascent, AscentSettings, make_start
from ..synthesis.objectives import Objective, channel, direction, diversity, energy, logit, neuron
from ..synthesis.parametrisations import build_parametrisation
from ..synthesis.presets import PRESETS
from .input_gradients import NO_GRADIENT
from .maximisation_parameters import MaximisationParameters
from .method import MethodContext, Step
from .picture_maps import mosaic, picture_maps, shrink
from .run_limits import device_kind, forward_cost, mixed_precision

METHOD = "maximisation"
BATCH = {"cuda": 32, "cpu": 8}
"""Pictures in one ascent."""
MAXIMISATION_RUN_COST = {"cuda": 1e12, "cpu": 4e9}
"""Multiplications of one forward run, which a new input must wait for."""
FIRST_SHOWN, SHOWN_FACTOR = 8, 4
"""Steps after which pictures are first shown; the interval grows by the factor each time."""
CURVE_POINTS = 64
"""Most points of a curve."""
WITHOUT_GRADIENT = ", no gradient reaches it"


@dataclass(frozen=True)
class RunBatch:
    """Pictures that are optimised together: `samples` for each of these channels."""

    channels: tuple[int, ...]
    """Numbers of the tiles; just 0 where one picture stands for several channels."""
    targets: tuple[int, ...]
    """Channel or class of each picture."""
    seeds: tuple[str, ...]
    """Random seed of each picture."""


class MaximisationRun:
    """The pictures of one layer."""

    def __init__(self, context: MethodContext, parameters: MaximisationParameters, layer: str) -> None:
        """Raises InputError and ModelError if the parameters don't fit the layer."""
        self.context, self.parameters, self.layer = context, parameters, layer
        self.preset = PRESETS[parameters.preset]
        if parameters.start in ("noise", "zeros"):
            self.preset = replace(self.preset, start=parameters.start)
        self.samples = self.preset.samples * parameters.samples
        self.pixels = Pixels(context.preprocessing, context.picture)
        self.size = (parameters.size,) * 2 if parameters.size else context.picture.shape[2:]
        self.image = build_parametrisation(self.preset.image, self.pixels, tuple(self.size))
        self.forward = PartialForward(context.model, [layer], context.arguments, context.positions)
        if self.preset.transform is not None and not self._takes_larger(self.preset.transform.margin):
            self.preset = replace(self.preset, transform=replace(self.preset.transform, margin=0))
        self.selected = context.selected_channels(layer)
        self.shown = self.selected if self._is_per_channel else (0,)
        """Numbers of the channels that get a picture of their own; just 0 where one stands for several channels."""
        self.pictures: dict[int, np.ndarray] = {}
        self.values, self.moved = (np.full(len(self.shown), np.nan, np.float32) for _ in range(2))
        self.labels = [""] * len(self.shown)
        self.curve = np.full((len(self.shown), min(self.steps_each, CURVE_POINTS)), np.nan, np.float32)
        self._check()

    @property
    def steps_each(self) -> int:
        """Steps of every picture."""
        return self.parameters.steps or self.preset.steps

    @property
    def _is_per_channel(self) -> bool:
        """Whether each channel has its own picture."""
        return self.parameters.objective in ("channel", "neuron", "class") and not self.parameters.joint

    def _takes_larger(self, margin: int) -> bool:
        """Returns whether the network takes pictures with such a margin; if not, moved pictures are cut down."""
        height, width = self.size
        pictures = self.context.picture.new_zeros(1, self.context.picture.shape[1], height + margin, width + margin)
        try:
            with torch.no_grad():
                self.forward(self.context.arguments_with(pictures), to_output=self.parameters.objective == "class")
        except (RuntimeError, ValueError, AssertionError, ModelError):  # in whatever way the network refuses the size
            return False
        return True

    def _check(self) -> None:
        parameters, context = self.parameters, self.context
        if parameters.weights and (parameters.objective == "layer" or self._is_per_channel):
            raise InputError("weights need joint channels or a direction, but these pictures are of one channel each")
        if parameters.objective == "class":
            with torch.no_grad():
                classes = class_scores(self.forward(context.arguments, to_output=True).output).shape[1]
            if context.network.layer(self.layer).map_shape[0] != classes:
                raise InputError(
                    f"{self.layer} has no channel for each of the {classes} classes; "
                    f"{class_layer(context.network, classes)} has"
                )

    def steps(self) -> Iterator[Step]:
        """Runs batch after batch. Raises ModelError if the objective has no gradient."""
        batches = list(self.batches())
        for number, batch in enumerate(batches):
            for share, message, has_news in self._run_batch(batch):
                done = (number + share) / len(batches)
                yield Step(done, f"{self.layer}{self._describe(batch)}, {message}", (self.maps(),) if has_news else ())

    def _describe(self, batch: RunBatch) -> str:
        if not self._is_per_channel:
            return ""
        first, last, count = batch.channels[0], batch.channels[-1], len(self.selected)
        return f", channel {first} of {count}" if first == last else f", channels {first} to {last} of {count}"

    def batches(self) -> Iterator[RunBatch]:
        """Divides the selected channels into batches; each picture has its own seed, whatever the batches are."""
        size = max(1, BATCH[device_kind(self.context.device)] // self.samples)
        for first in range(0, len(self.shown), size):
            part = self.shown[first : first + size]
            targets = tuple(row for row in part for _ in range(self.samples))
            seeds = (f"{self.parameters.seed}/{self.layer}/{row}/{k}" for row in part for k in range(self.samples))
            yield RunBatch(part, targets, tuple(seeds))

    def ascent(self, batch: RunBatch) -> Ascent:
        """Returns the ascent of a batch, at its start."""
        parameters, preset = self.parameters, self.preset
        settings = AscentSettings(
            preset,
            self.image,
            self.score_function(self._objective(batch)),
            self.steps_each,
            preset.before(self.pixels, self.context.picture),
            preset.after(self.pixels, self.context.picture),
            -1.0 if parameters.least else 1.0,
            f"layer {self.layer}",
        )
        kind = "image" if parameters.start == "image" else preset.start
        start = make_start(settings, batch.seeds, kind, self._resized_input())
        return Ascent(settings, start, self._pictures_per_run(), parameters.samples if parameters.diversity else 1)

    def _run_batch(self, batch: RunBatch) -> Iterator[tuple[float, str, bool]]:
        """Yields (share done 0..1, message, whether there are new pictures)."""
        ascent, count, due, last = self.ascent(batch), self.steps_each, FIRST_SHOWN, 0
        for done in ascent.steps():
            has_news = done >= due and done > last and done < count
            if has_news:
                self._update(batch, ascent)
                due *= SHOWN_FACTOR
            last = done
            yield done / count, f"step {done} of {count}", has_news
        for _ in self._measure(batch, ascent):
            yield 1.0, "measuring", False
        self._update(batch, ascent)
        yield 1.0, f"step {count} of {count}", True

    def _measure(self, batch: RunBatch, ascent: Ascent) -> Iterator[None]:
        """Sets the scores to the objective of the final 8-bit pictures, without the diversity term."""
        ascent.settings = replace(ascent.settings, score=self.score_function(self.base_objective(batch)))
        return ascent.measure()

    def _resized_input(self) -> Tensor:
        """(1, C, H, W) 0..1: the current input in the size of the pictures."""
        brightness = self.pixels.to_brightness(self.context.picture.detach()[:1])
        if brightness.shape[2:] == tuple(self.size):
            return brightness
        return F.interpolate(brightness, tuple(self.size), mode="bilinear", antialias=True)

    def _pictures_per_run(self) -> int:
        """Returns how many pictures the network gets at once, so that a run stays short."""
        network = self.context.network
        ids = [layer.id for layer in network.layers] if self.parameters.objective == "class" else [self.layer]
        cost = forward_cost(network, ids) * (math.prod(self.size) / math.prod(self.context.picture.shape[2:]))
        return int(max(1, MAXIMISATION_RUN_COST[device_kind(self.context.device)] // max(cost, 1)))

    def score_function(self, objective: Objective) -> Callable[[Tensor, list[int]], Tensor]:
        """Returns a function from brightness (n, C, H, W) of pictures and their indices in the batch to (n,) scores."""

        def score(brightness: Tensor, picture_indices: list[int]) -> Tensor:
            values = self.pixels.to_network(brightness).contiguous(memory_format=torch.channels_last)
            with mixed_precision(self.context.device):
                result = self.forward(self.context.arguments_with(values), to_output=objective.needs_output)
            scores = objective.score(result, picture_indices)
            if len(scores) != len(picture_indices):
                raise ModelError(f"the network gives maps of {len(scores)} inputs for {len(picture_indices)} pictures")
            if torch.is_grad_enabled() and not scores.requires_grad:
                raise ModelError(NO_GRADIENT.format(self.layer))
            return scores

        return score

    def _objective(self, batch: RunBatch) -> Objective:
        """Returns the objective of a batch, with the diversity term if samples must differ."""
        base, parameters = self.base_objective(batch), self.parameters
        if not parameters.diversity or parameters.samples == 1:
            return base
        if self.preset.samples > 1:
            raise InputError(
                f"samples of {parameters.preset} differ by their regularisers; choose another preset for diversity"
            )
        weight = -parameters.diversity if parameters.least else parameters.diversity
        return base + weight * diversity(self.layer, parameters.samples)

    def base_objective(self, batch: RunBatch) -> Objective:
        """Returns the objective without the diversity term."""
        parameters = self.parameters
        if parameters.objective == "layer":
            return energy(self.layer)
        if parameters.objective == "direction":
            return direction(self.layer, self._direction_vector(), parameters.cosine)
        channels = batch.targets if self._is_per_channel else self._weights()
        if parameters.objective == "class":
            return logit(channels)
        if parameters.objective == "neuron":
            return neuron(self.layer, channels, parameters.down, parameters.across)
        return channel(self.layer, channels)

    def _weights(self) -> Tensor:
        """(C,) float32: 0 for channels that are not selected. Raises InputError."""
        text, count = self.parameters.weights, len(self.selected)
        try:
            numbers = [float(part) for part in text.split(",")] if text else []
        except ValueError:
            raise InputError(f"weights {text!r}: write numbers with commas, such as 1,-0.5") from None
        if numbers and (len(numbers) != count or not all(map(math.isfinite, numbers)) or not any(numbers)):
            raise InputError(f"weights: {count} finite numbers are needed, one for each channel, not all of them 0")
        weights = torch.zeros(self.context.network.layer(self.layer).map_shape[0], device=self.context.device)
        weights[list(self.selected)] = torch.tensor(numbers or [1.0] * count, device=self.context.device)
        return weights

    def _direction_vector(self) -> Tensor:
        """(C,) of length 1: the weights of channels, or the spatial mean of the layer's values for the input."""
        with torch.no_grad():
            vector = self.forward(self.context.arguments).maps[self.layer][0].float().mean((1, 2))
        if self.context.channels or self.parameters.weights:
            vector = self._weights()
        if not vector.norm() > 0:
            raise InputError(f"layer {self.layer} is 0 for this input, which is no direction; choose channels instead")
        return vector / vector.norm()

    def _update(self, batch: RunBatch, ascent: Ascent) -> None:
        """Stores the current pictures, values, curves and labels of a batch."""
        brightness = self._displayed(ascent.brightness())
        pictures = self.pixels.to_srgb(brightness).reshape(len(batch.channels), self.samples, *self.size, 3)
        curve = torch.stack(ascent.curve, 1).reshape(len(batch.channels), self.samples, -1).mean(1).numpy()
        kept = np.linspace(0, self.steps_each - 1, self.curve.shape[1]).round().astype(int)
        kept = kept[kept < curve.shape[1]]
        scores, moved = (each.reshape(len(batch.channels), -1) for each in (ascent.scores, ascent.moved_scores))
        silent = ascent.without_gradient.reshape(scores.shape).all(1)
        for k, number in enumerate(batch.channels):
            picture = mosaic(pictures[k]) if self.samples > 1 else pictures[k, 0]
            place = self.shown.index(number)
            self.pictures[number] = shrink(picture, len(self.shown))
            best = scores[k].argmax() if not self.parameters.least else scores[k].argmin()
            self.values[place], self.moved[place] = scores[k, best], moved[k, best]
            self.curve[place, : len(kept)] = curve[k, kept]
            label = f"{self._name(number)}reached {self.values[place]:.3g}"
            if np.isfinite(self.moved[place]):
                label += f", {self.moved[place]:.3g} when moved"
            self.labels[place] = label + WITHOUT_GRADIENT * bool(silent[k])

    def _displayed(self, brightness: Tensor) -> Tensor:
        """(N, C, H, W) brightness -> the same in the contrast in which the preset shows pictures."""
        if self.preset.shown == "stretched":
            low, high = brightness.amin((1, 2, 3), keepdim=True), brightness.amax((1, 2, 3), keepdim=True)
            return (brightness - low) / (high - low).clamp_min(1e-12)
        if self.preset.shown == "around":
            deviation = brightness - self.pixels.mean
            return 0.5 + deviation / (2 * deviation.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12))
        return brightness

    def _name(self, number: int) -> str:
        """Returns a prefix that names what a picture is of, where its tile alone doesn't tell."""
        if not self._is_per_channel:
            names = {"layer": "the whole layer", "direction": "the direction"}
            count = len(self.selected)
            channels = f"{count} channels together" if count > 1 else f"channel {self.selected[0]}"
            return names.get(self.parameters.objective, channels) + ": "
        class_names, shape = self.context.class_names.names, self.context.network.layer(self.layer).map_shape
        return f"{class_names[number]}: " if shape == (len(class_names), 1, 1) else ""

    def maps(self) -> Maps:
        """Returns the pictures so far as colour maps.

        Extras: "values" (C,) float32, the best sample's objective, measured on the final picture; "moved" (C,) float32,
        its mean under random moves, which doesn't hang on single pixels; "curve" (C, n) float32, the mean objective of
        all samples over the steps.
        """
        extras = {"values": self.values.copy(), "moved": self.moved.copy(), "curve": self.curve.copy()}
        if self.samples > 1:
            extras["samples"] = np.array(near_square(self.samples), np.int32)
        numbers = self.context.channels if self._is_per_channel else ()
        maps = picture_maps(self.layer, METHOD, self.pictures, len(self.shown), numbers, self.labels, extras)
        return replace(maps, **self.forward.layouts[self.layer].place())
