"""DGN-AM: activation maximisation over the pictures of a generator G, argmax_z mean(A_k(G(z))), channel by channel.

Nguyen et al. 2016, "Synthesizing the Preferred Inputs for Neurons in Neural Networks via Deep Generator Networks". The
picture shows both what the channel responds to and what the generator has learned, so it is compared with the data.
A prior's z are the weights of real maps, so its pictures stay among those that it has learned.
"""

from __future__ import annotations

from collections.abc import Generator as Steps
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..data import random_indices
from ..inputs.pixels import Pixels
from ..inverters.code_ascent import CodeAscent
from ..inverters.distances import PictureErrorScale, load_picture
from ..inverters.generators import PictureGenerator, generator_from_network, generator_from_prior
from ..inverters.inverter_files import InverterQuery, find_inverters, read_inverter
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..models.fingerprint import weights_fingerprint
from ..probing.partial_forward import PartialForward
from ..recording import Maps
from ..recording.errors import UnknownName

PARTIAL_RESULTS = 4
"""How many times pictures of a batch are shown while they are made."""
ASCENT_SHARE = 0.9
"""Share of the work that is done when all pictures are made."""
COMPARED_PER_STEP = 16
"""Pictures of the data that are compared in one step."""


@dataclass(frozen=True)
class Parameters:
    """Which generator is used, and how its code is optimised."""

    file: str = parameter("", "A trained prior, or a folder with one; empty: the one that comes with Innerwalk")
    generator: str = parameter("", "Instead of a file: another network of the bridge that turns noise into pictures")
    steps: int = parameter(200, "Steps for each channel", 1, 100_000)
    step: float = parameter(
        0.0, "Size of the first step, as a share of the code's range; it falls to 0. 0: automatic", 0.0, 1e3
    )
    spread: float = parameter(0.0, "How far each number of the code may be from 0; 0: automatic", 0.0, 100.0)
    start: Literal["zero", "noise"] = parameter(
        "zero", "Where the code starts: in its origin, of a file at the best of its real maps, or at random"
    )
    batch: int = parameter(8, "Channels to optimise at once", 1, 1024)
    compared: int = parameter(
        256, "Pictures of the data set among which the nearest one is searched; 0: none", 0, 1_000_000
    )
    seed: int = parameter(0, "Seed of the noise and of the pictures that are compared", 0, 2**31 - 1)


@dataclass(frozen=True)
class _Run:
    """What stays the same for all layers."""

    context: MethodContext
    parameters: Parameters
    pixels: Pixels
    generator: PictureGenerator
    scale: PictureErrorScale
    forwards: dict[str, PartialForward]
    """PartialForward by layer id."""

    def score(self, layer: str, pictures: Tensor, channels: list[int]) -> Tensor:
        """(n, C, H, W) pictures 0..1 -> (n,) float32: the mean of each picture's channel."""
        values = self.pixels.to_network(pictures)
        maps = self.forwards[layer](self.context.arguments_with(values)).maps[layer]
        return maps[torch.arange(len(maps)), channels].float().mean((1, 2))


class _Results:
    """The pictures of a layer so far, and the values they reach, by channel."""

    def __init__(self) -> None:
        self.pictures: dict[int, Tensor] = {}
        """(C, H, W) float32 0..1."""
        self.reached: dict[int, float] = {}

    def update(self, channels: Sequence[int], ascent: CodeAscent) -> None:
        """Takes the current pictures of an ascent."""
        with torch.no_grad():
            pictures = ascent.pictures()
        for channel, picture, score in zip(channels, pictures, ascent.scores.tolist(), strict=True):
            self.pictures[channel], self.reached[channel] = picture.cpu(), score


def dgn_am(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Makes a picture for each selected channel, in batches. Maps: (C, H, W, 3) sRGB 0..1.

    Extras: "values" (C,) float32, the mean activation reached; "nearest" (C,) float32, squared distance to the nearest
    picture of the data, 1 for two pictures of the data. Raises ModelError if there is no generator for the network.
    """
    pixels = Pixels(context.preprocessing, context.picture)
    generator = _find_generator(context, parameters, pixels)
    forwards = {
        layer: PartialForward(context.model, [layer], context.arguments, context.positions) for layer in context.layers
    }
    run = _Run(context, parameters, pixels, generator, PictureErrorScale(context, parameters.seed), forwards)
    for message in run.scale.measure() if parameters.compared else ():
        yield Step(0.0, message)
    for number, layer in enumerate(context.layers):
        for step in _run_layer(run, layer):
            yield Step((number + step.share) / len(context.layers), step.message, step.maps)


def _find_generator(context: MethodContext, parameters: Parameters, pixels: Pixels) -> PictureGenerator:
    if parameters.generator:
        if parameters.generator not in context.other_networks:
            raise UnknownName("other network on the bridge", parameters.generator, context.other_networks)
        network = context.other_networks[parameters.generator]
        return generator_from_network(network, pixels, context.device, parameters.spread)
    wanted = InverterQuery(
        "prior", weights_fingerprint(context.model), context.network.name, pixels.shape, context.preprocessing
    )
    path = next(iter(find_inverters(parameters.file, wanted, ()).values()))
    return generator_from_prior(read_inverter(path), pixels, context.device, parameters.spread)


def _run_layer(run: _Run, layer: str) -> Iterator[Step]:
    """Makes the pictures of a layer's selected channels, then compares them with the data."""
    channels, size = list(run.context.selected_channels(layer)), run.parameters.batch
    results = _Results()
    for first in range(0, len(channels), size):
        batch = channels[first : first + size]
        ascent = _start_ascent(run, layer, batch)
        for done in ascent.steps():
            is_due = done % max(run.parameters.steps // PARTIAL_RESULTS, 1) == 0 or done == ascent.step_count
            if is_due:
                results.update(batch, ascent)
            share = (first + len(batch) * done / ascent.step_count) / len(channels)
            message = f"{layer}, {first + len(batch)} of {len(channels)} channels, step {done} of {ascent.step_count}"
            yield Step(ASCENT_SHARE * share, message, (_maps(run, layer, results),) if is_due else ())
        results.update(batch, ascent)
    nearest = yield from _find_nearest(run, torch.stack(list(results.pictures.values())))
    yield Step(1.0, f"{layer} is done", (_maps(run, layer, results, nearest),))


def _start_ascent(run: _Run, layer: str, channels: list[int]) -> CodeAscent:
    parameters, low, high = run.parameters, run.generator.low, run.generator.high
    starts = run.generator.origin.repeat(len(channels), *[1] * low.dim())
    if parameters.start == "zero" and run.generator.starts is not None:
        starts = _best_starts(run, layer, channels, run.generator.starts)
    if parameters.start == "noise":
        for row, channel in enumerate(channels):  # a seed for each channel, so that the selection doesn't matter
            random = torch.Generator().manual_seed(parameters.seed * 1_000_003 + channel)
            noise = torch.rand(low.shape, generator=random).to(low.device)
            starts[row] = low + noise * (high - low)
    return CodeAscent(
        run.generator,
        lambda pictures, rows: run.score(layer, pictures, rows),
        channels,
        starts,
        parameters.steps,
        parameters.step or run.generator.step,
    )


def _best_starts(run: _Run, layer: str, channels: list[int], candidates: Tensor) -> Tensor:
    """(K, *code) candidates -> (N, *code): for each channel the one whose picture makes it fire most."""
    scores = []
    with torch.no_grad():
        for codes in candidates.split(run.parameters.batch):
            pictures = run.generator.decode(codes).clamp(0, 1)
            scores.append(torch.stack([run.score(layer, pictures, [channel] * len(codes)) for channel in channels], 1))
    return candidates[torch.cat(scores).argmax(0)]


def _find_nearest(run: _Run, pictures: Tensor) -> Steps[Step, None, np.ndarray | None]:
    """(N, C, H, W) pictures 0..1 -> (N,) float32 squared distances to the nearest picture of the data, if any.

    1 is the distance between two pictures of the data.
    """
    data, smallest = run.context.data, torch.full((len(pictures),), float("inf"))
    if data is None:
        return None
    values = run.pixels.to_network(pictures.to(run.context.device)).float()
    count = min(run.parameters.compared, len(data))
    for done, index in enumerate(random_indices(data, count, run.parameters.seed), 1):
        picture = load_picture(run.context, index)
        if picture.shape == values.shape[1:]:
            smallest = torch.minimum(smallest, run.scale.error(values, picture[None]).cpu())
        if done % COMPARED_PER_STEP == 0:
            share = ASCENT_SHARE + (1 - ASCENT_SHARE) * done / count
            yield Step(share, f"compared with {done} of {count} pictures of {data.name}")
    return smallest.numpy() if bool(smallest.isfinite().all()) else None


def _maps(run: _Run, layer: str, results: _Results, nearest: np.ndarray | None = None) -> Maps:
    context, count = run.context, run.context.network.layer(layer).map_shape[0]
    pictures = run.pixels.to_srgb(torch.stack(list(results.pictures.values())))
    selected = context.selected_channels(layer)
    extras = {"values": np.array([results.reached.get(channel, np.nan) for channel in selected], np.float32)}
    if nearest is not None:
        extras["nearest"] = nearest  # known once all pictures are made, in the order of the selected channels
    labels = [""] * len(selected)
    for place, (channel, value) in enumerate(results.reached.items()):
        distance = f", nearest picture {nearest[place]:.2g}" if nearest is not None else ""
        labels[place] = f"{_class_prefix(context, layer, channel, count)}reached {value:.3g}{distance}"
    by_channel: Mapping[int, np.ndarray] = dict(zip(results.pictures, pictures, strict=True))
    maps = picture_maps(layer, DGN_AM.name, by_channel, count, context.channels, labels, extras)
    return replace(maps, **run.forwards[layer].layouts[layer].place())


def _class_prefix(context: MethodContext, layer: str, channel: int, count: int) -> str:
    """Returns "NAME: " if the layer's channels are classes, else ""."""
    names = context.class_names.names
    is_last = context.network.layer(layer).map_shape[1:] == (1, 1) and len(names) == count
    return f"{names[channel]}: " if is_last else ""


DGN_AM = Method(
    "dgn_am",
    "DGN-AM",
    "The picture that makes each channel fire most, among those that a generator makes.",
    dgn_am,
    Parameters,
    needs="network",
    repeats="channel",
)
