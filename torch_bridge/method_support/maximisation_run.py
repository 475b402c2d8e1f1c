"""A layer's pictures: which there are to make, batch after batch of them on their way up, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..inputs.pixels import Pixels
from ..predictions.classes import class_layer, class_scores
from ..probing.partial_forward import PartialForward
from ..recording import Maps
from ..recording.errors import InputError, ModelError
from ..synthesis.ascent import Ascent, AscentSettings, make_start
from ..synthesis.objectives import Objective, channel, direction, diversity, energy, logit, neuron
from ..synthesis.parametrisations import build_parametrisation
from ..synthesis.presets import PRESETS
from .input_gradients import NO_GRADIENT
from .method import MethodContext, Step
from .picture_maps import mosaic, picture_maps, shrink

if TYPE_CHECKING:
    from ..methods.maximisation import Parameters

METHOD = "maximisation"
BATCH = {"cuda": 32, "cpu": 8}
"""Pictures on their way up at a time."""
RUN_COST = {"cuda": 1e12, "cpu": 4e9}
"""Multiplications of one run forward: a run of the network is what a new input waits for."""
FIRST_SHOWN, TIMES = 8, 4
"""Steps after which pictures are shown first, and each time so many times more."""
POINTS = 64
"""At most, of a curve."""


@dataclass(frozen=True)
class RunBatch:
    """Pictures that are made together: `samples` for each of these channels."""

    channels: tuple[int, ...]
    """Numbers of the tiles: one, 0, where a picture is of more than a channel."""
    rows: tuple[int, ...]
    """By picture: the channel or class that it is of."""
    seeds: tuple[str, ...]


class MaximisationRun:
    """All pictures of one layer."""

    def __init__(self, work: MethodContext, parameters: Parameters, layer: str) -> None:
        """Raises InputError and ModelError where there is nothing to climb."""
        self.work, self.parameters, self.layer = work, parameters, layer
        self.preset = PRESETS[parameters.preset]
        if parameters.start in ("noise", "zeros"):
            self.preset = replace(self.preset, start=parameters.start)
        self.samples = self.preset.samples * parameters.samples
        self.pixels = Pixels(work.how, work.picture)
        self.size = (parameters.size,) * 2 if parameters.size else work.picture.shape[2:]
        self.image = build_parametrisation(self.preset.image, self.pixels, tuple(self.size))
        self.reach = PartialForward(work.model, [layer], work.arguments)
        self.chosen = work.chosen(layer)
        self.count = work.network.layer(layer).map_shape[0] if self._apart else 1
        self.shown: dict[int, np.ndarray] = {}
        self.values = np.full(self.count, np.nan, np.float32)
        self.labels = [""] * self.count
        self.curve = np.full((self.count, min(self.steps_each, POINTS)), np.nan, np.float32)
        self._check()

    @property
    def steps_each(self) -> int:
        """Steps of every picture."""
        return self.parameters.steps or self.preset.steps

    @property
    def _apart(self) -> bool:
        """Whether each channel has a picture of its own."""
        return self.parameters.objective in ("channel", "neuron", "class") and not self.parameters.joint

    def _check(self) -> None:
        asked, work = self.parameters, self.work
        if asked.weights and (asked.objective == "layer" or self._apart):
            raise InputError("weights are of joint channels, or of a direction; these pictures are of a channel each")
        if asked.objective == "class":
            with torch.no_grad():
                classes = class_scores(self.reach(work.arguments, whole=True).output).shape[1]
            if work.network.layer(self.layer).map_shape[0] != classes:
                raise InputError(
                    f"{self.layer} has no channel for each of the {classes} classes; "
                    f"{class_layer(work.network, classes)} has"
                )

    def steps(self) -> Iterator[Step]:
        """Batch after batch. Raises ModelError where nothing can be climbed."""
        batches = list(self.batches())
        for number, batch in enumerate(batches):
            for share, told, news in self._up(batch):
                done = (number + share) / len(batches)
                yield Step(done, f"{self.layer}{self._said(batch)}, {told}", (self.maps(),) if news else ())

    def _said(self, batch: RunBatch) -> str:
        if not self._apart:
            return ""
        first, last, every = batch.channels[0], batch.channels[-1], len(self.chosen)
        return f", channel {first} of {every}" if first == last else f", channels {first} to {last} of {every}"

    def batches(self) -> Iterator[RunBatch]:
        """Channels that go together; everything random is a channel's own."""
        channels = self.chosen if self._apart else (0,)
        most = max(1, BATCH["cuda" if self.work.device.type == "cuda" else "cpu"] // self.samples)
        for first in range(0, len(channels), most):
            some = channels[first : first + most]
            rows = tuple(one for one in some for _ in range(self.samples))
            seeds = (f"{self.parameters.seed}/{self.layer}/{one}/{k}" for one in some for k in range(self.samples))
            yield RunBatch(some, rows, tuple(seeds))

    def ascent(self, batch: RunBatch) -> Ascent:
        """The way up of a batch, from its start."""
        asked, preset = self.parameters, self.preset
        climb = AscentSettings(
            preset, self.image, self.look(self._objective(batch)), self.steps_each,
            preset.before(self.pixels, self.work.picture), preset.after(self.pixels, self.work.picture),
            -1.0 if asked.least else 1.0,
        )  # fmt: skip
        kind = "image" if asked.start == "image" else preset.start
        start = make_start(climb, batch.seeds, kind, self._given())
        return Ascent(climb, start, self._at_once(), asked.samples if asked.diversity else 1)

    def _up(self, batch: RunBatch) -> Iterator[tuple[float, str, bool]]:
        """(share, what is told, whether there is something new to show)."""
        ascent, count, due, last = self.ascent(batch), self.steps_each, FIRST_SHOWN, 0
        for done in ascent.steps():
            news = done >= due and done > last and done < count
            if news:
                self._take(batch, ascent)
                due *= TIMES
            last = done
            yield done / count, f"step {done} of {count}", news
        for _ in self._plain(batch, ascent):
            yield 1.0, "measuring", False
        self._take(batch, ascent)
        yield 1.0, f"step {count} of {count}", True

    def _plain(self, batch: RunBatch, ascent: Ascent) -> Iterator[None]:
        """The objective alone, of pictures as they are kept."""
        ascent.climb = replace(ascent.climb, look=self.look(self.alone(batch)))
        return ascent.plain()

    def _given(self) -> Tensor:
        """(1, C, H, W) shares: the input that is looked at, as large as the pictures."""
        shares = self.pixels.shares(self.work.picture.detach()[:1])
        if shares.shape[2:] == tuple(self.size):
            return shares
        return F.interpolate(shares, tuple(self.size), mode="bilinear", antialias=True)

    def _at_once(self) -> int:
        """How many pictures the network is given, so that a run stays short."""
        network, asked = self.work.network, self.parameters
        ids = [one.id for one in network.layers]
        end = len(ids) if asked.objective == "class" else ids.index(self.layer) + 1
        cost = sum(one.parameters * math.prod(one.map_shape[1:]) for one in network.layers[:end])
        cost *= math.prod(self.size) / math.prod(self.work.picture.shape[2:])
        return int(max(1, RUN_COST["cuda" if self.work.device.type == "cuda" else "cpu"] // max(cost, 1)))

    def look(self, objective: Objective) -> Callable[[Tensor, list[int]], Tensor]:
        """The objective of shares (n, C, H, W), pictures of these rows of a batch."""

        def look(shares: Tensor, rows: list[int]) -> Tensor:
            values = self.pixels.values(shares).contiguous(memory_format=torch.channels_last)
            with quickly(self.work.device):
                reached = self.reach(self.work.given(values), whole=objective.whole)
            scores = objective.score(reached, rows)
            if len(scores) != len(rows):
                raise ModelError(f"the network gives maps of {len(scores)} inputs for {len(rows)} pictures")
            if torch.is_grad_enabled() and not scores.requires_grad:
                raise ModelError(NO_GRADIENT.format(self.layer))
            return scores

        return look

    def _objective(self, batch: RunBatch) -> Objective:
        """What a batch climbs: also away from each other, where samples must differ."""
        one, asked = self.alone(batch), self.parameters
        if not asked.diversity or asked.samples == 1:
            return one
        if self.preset.samples > 1:
            raise InputError(f"samples of {asked.preset} differ by their regularisers; choose another for diversity")
        return one + (-asked.diversity if asked.least else asked.diversity) * diversity(self.layer, asked.samples)

    def alone(self, batch: RunBatch) -> Objective:
        """The objective by itself."""
        asked = self.parameters
        if asked.objective == "layer":
            return energy(self.layer)
        if asked.objective == "direction":
            return direction(self.layer, self._vector(), asked.cosine)
        channels = batch.rows if self._apart else self._weights()
        if asked.objective == "class":
            return logit(channels)
        if asked.objective == "neuron":
            return neuron(self.layer, channels, asked.down, asked.across)
        return channel(self.layer, channels)

    def _weights(self) -> Tensor:
        """(C,): 0 for channels that aren't asked about. Raises InputError."""
        try:
            found = [float(one) for one in self.parameters.weights.split(",")] if self.parameters.weights else []
        except ValueError:
            raise InputError(
                f"weights {self.parameters.weights!r}: write numbers with commas, such as 1,-0.5"
            ) from None
        if found and (len(found) != len(self.chosen) or not all(map(math.isfinite, found)) or not any(found)):
            raise InputError(f"weights: {len(self.chosen)} finite numbers are needed, not all 0: one for each channel")
        weights = torch.zeros(self.work.network.layer(self.layer).map_shape[0], device=self.work.device)
        weights[list(self.chosen)] = torch.tensor(found or [1.0] * len(self.chosen), device=self.work.device)
        return weights

    def _vector(self) -> Tensor:
        """(C,) of length 1: of weighed channels, or the mean over places of the layer's values for the input."""
        with torch.no_grad():
            vector = self.reach(self.work.arguments).maps[self.layer][0].float().mean((1, 2))
        if self.work.channels or self.parameters.weights:
            vector = self._weights()
        if not vector.norm() > 0:
            raise InputError(f"layer {self.layer} is 0 for this input, which is no direction; choose channels instead")
        return vector / vector.norm()

    def _take(self, batch: RunBatch, ascent: Ascent) -> None:
        """Pictures as they are now, and their numbers."""
        shares = self._bright(ascent.shares())
        pictures = self.pixels.shown(shares).reshape(len(batch.channels), self.samples, *self.size, 3)
        curve = torch.stack(ascent.curve, 1).reshape(len(batch.channels), self.samples, -1).mean(1).numpy()
        kept = np.linspace(0, self.steps_each - 1, self.curve.shape[1]).round().astype(int)
        kept = kept[kept < curve.shape[1]]
        scores = ascent.scores.reshape(len(batch.channels), self.samples)
        silent = ascent.silent.reshape(scores.shape).all(1)
        for k, one in enumerate(batch.channels):
            whole = mosaic(pictures[k]) if self.samples > 1 else pictures[k, 0]
            self.shown[one] = shrink(whole, self.count)
            self.values[one] = scores[k].max() if not self.parameters.least else scores[k].min()
            self.curve[one, : len(kept)] = curve[k, kept]
            self.labels[one] = f"{self._name(one)}reached {self.values[one]:.3g}" + NOTHING * bool(silent[k])

    def _bright(self, shares: Tensor) -> Tensor:
        """Pictures as the preset shows them."""
        if self.preset.shown == "stretched":
            low, high = shares.amin((1, 2, 3), keepdim=True), shares.amax((1, 2, 3), keepdim=True)
            return (shares - low) / (high - low).clamp_min(1e-12)
        if self.preset.shown == "around":
            off = shares - self.pixels.mean
            return 0.5 + off / (2 * off.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12))
        return shares

    def _name(self, number: int) -> str:
        """What a picture is of, where its tile doesn't say it."""
        if not self._apart:
            named = {"layer": "the whole layer", "direction": "the direction"}
            many = f"{len(self.chosen)} channels together" if len(self.chosen) > 1 else f"channel {self.chosen[0]}"
            return named.get(self.parameters.objective, many) + ": "
        sides, names = self.work.network.layer(self.layer).map_shape[1:], self.work.names.names
        return f"{names[number]}: " if len(names) == self.count and sides == (1, 1) else ""

    def maps(self) -> Maps:
        """What there is: values reached by pictures cut to black and white, of the best sample; curve (C, n): the
        objective on the way, of all samples."""
        extras: dict[str, np.ndarray] = {"values": self.values.copy(), "curve": self.curve.copy()}
        if self.samples > 1:
            columns = math.ceil(math.sqrt(self.samples))
            extras["samples"] = np.array([-(-self.samples // columns), columns], np.int32)
        return picture_maps(self.layer, METHOD, self.shown, self.count, self.labels, extras)


NOTHING = ", nothing reaches it"


def quickly(device: torch.device) -> AbstractContextManager[None]:
    """Half precision where a card has it, which is enough for a direction."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()
