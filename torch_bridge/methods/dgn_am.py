"""DGN-AM: the picture that makes a channel fire most, of those that a generator can make; a channel after another.

Nguyen et al. 2016, "Synthesizing the Preferred Inputs for Neurons in Neural Networks via Deep Generator Networks". The
picture shows what the channel wants and what the generator knows, so that it is compared with pictures of the data.
"""

from __future__ import annotations

from collections.abc import Generator as Steps
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..data import random_indices
from ..inputs.pixels import Pixels
from ..inverters.code_ascent import Ascent
from ..inverters.distances import Yardstick, picture_of
from ..inverters.files import Wanted, find, read
from ..inverters.generators import Generator, of_inverter, of_network
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..models.fingerprint import fingerprint
from ..probing.partial_forward import PartialForward
from ..recording import Maps
from ..recording.errors import UnknownName

SHOWN = 4
"""How often pictures are shown while they come."""
SHARE = 0.9
"""Of the work: making the pictures."""
COMPARED_AT_ONCE = 16


@dataclass(frozen=True)
class Parameters:
    """Which generator, and how far the code goes."""

    file: str = parameter("", "A trained prior, or a folder with one; empty: the one that comes with innerwalk")
    generator: str = parameter("", "Instead: a network that the bridge serves too, from noise to pictures")
    steps: int = parameter(200, "Steps for each channel", 1, 100_000)
    step: float = parameter(0.3, "The first step in ranges of the code; it falls to 0", 1e-6, 1e3)
    spread: float = parameter(0.0, "Deviations that a code's numbers may be off by; 0: what suits it", 0.0, 100.0)
    start: Literal["zero", "noise"] = parameter("zero", "Where the code begins: where it says nothing, or anywhere")
    batch: int = parameter(8, "Channels at a time", 1, 1024)
    compared: int = parameter(256, "Pictures of the data among which the nearest is looked for", 0, 1_000_000)
    seed: int = parameter(0, "Of noise, and of the pictures that are compared", 0, 2**31 - 1)


@dataclass(frozen=True)
class _Asked:
    """What one run works with."""

    work: MethodContext
    parameters: Parameters
    pixels: Pixels
    generator: Generator
    scale: Yardstick
    reach: dict[str, PartialForward]

    def score(self, layer: str, pictures: Tensor, channels: list[int]) -> Tensor:
        """(n,): the mean of a channel's map in each picture."""
        values = self.pixels.values(pictures)
        maps = self.reach[layer](self.work.given(values)).maps[layer]
        return maps[torch.arange(len(maps)), channels].float().mean((1, 2))


def dgn_am(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """A picture for each channel asked about, in batches. Raises ModelError without a generator for the network."""
    pixels = Pixels(work.how, work.picture)
    generator = _generator(work, parameters, pixels)
    reach = {layer: PartialForward(work.model, [layer], work.arguments) for layer in work.layers}
    asked = _Asked(work, parameters, pixels, generator, Yardstick(work, parameters.seed), reach)
    for told in asked.scale.looking() if parameters.compared else ():
        yield Step(0.0, told)
    for number, layer in enumerate(work.layers):
        for step in _layer(asked, layer):
            yield Step((number + step.share) / len(work.layers), step.told, step.maps)


def _generator(work: MethodContext, parameters: Parameters, pixels: Pixels) -> Generator:
    if parameters.generator:
        if parameters.generator not in work.others:
            raise UnknownName("network beside this one that makes pictures", parameters.generator, work.others)
        return of_network(work.others[parameters.generator], pixels, work.device, parameters.spread)
    wanted = Wanted("prior", fingerprint(work.model), work.network.name, pixels.shape, work.how)
    path = next(iter(find(parameters.file, wanted, ()).values()))
    return of_inverter(read(path), pixels, work.device, parameters.spread)


def _layer(asked: _Asked, layer: str) -> Iterator[Step]:
    """All channels of a layer that are asked about; then what the data says of their pictures."""
    channels, size = list(asked.work.chosen(layer)), asked.parameters.batch
    made: dict[int, Tensor] = {}
    reached: dict[int, float] = {}
    for first in range(0, len(channels), size):
        some = channels[first : first + size]
        ascent = _ascent(asked, layer, some)
        for done in ascent.steps():
            due = done % max(asked.parameters.steps // SHOWN, 1) == 0 or done == ascent.count
            if due:
                _take(some, ascent, made, reached)
            share = (first + len(some) * done / ascent.count) / len(channels)
            told = f"{layer}, {first + len(some)} of {len(channels)} channels, step {done} of {ascent.count}"
            yield Step(SHARE * share, told, (_maps(asked, layer, made, reached),) if due else ())
        _take(some, ascent, made, reached)
    nearest = yield from _nearest(asked, torch.stack(list(made.values())))
    yield Step(1.0, f"{layer} is done", (_maps(asked, layer, made, reached, nearest),))


def _ascent(asked: _Asked, layer: str, channels: list[int]) -> Ascent:
    low, high = asked.generator.low, asked.generator.high
    starts = asked.generator.origin.repeat(len(channels), *[1] * low.dim())
    if asked.parameters.start == "noise":
        for row, channel in enumerate(channels):  # a channel's own, whichever others are asked about
            random = torch.Generator().manual_seed(asked.parameters.seed * 1_000_003 + channel)
            drawn = torch.rand(low.shape, generator=random).to(low.device)
            starts[row] = low + drawn * (high - low)
    parameters = asked.parameters
    return Ascent(
        asked.generator, lambda pictures, some: asked.score(layer, pictures, some), channels, starts,
        parameters.steps, parameters.step,
    )  # fmt: skip


def _take(channels: Sequence[int], ascent: Ascent, made: dict[int, Tensor], reached: dict[int, float]) -> None:
    with torch.no_grad():
        pictures = ascent.pictures()
    for channel, picture, score in zip(channels, pictures, ascent.scores.tolist(), strict=True):
        made[channel], reached[channel] = picture.cpu(), score


def _nearest(asked: _Asked, pictures: Tensor) -> Steps[Step, None, np.ndarray | None]:
    """(N,) squared distance of each picture to the nearest of the data, 1: of two of the data; None without."""
    data, found = asked.work.data, torch.full((len(pictures),), float("inf"))
    if data is None:
        return None
    values = asked.pixels.values(pictures.to(asked.work.device)).float()
    count = min(asked.parameters.compared, len(data))
    for done, index in enumerate(random_indices(data, count, asked.parameters.seed), 1):
        one = picture_of(asked.work, index)
        if one.shape == values.shape[1:]:
            found = torch.minimum(found, asked.scale.error(values, one[None]).cpu())
        if done % COMPARED_AT_ONCE == 0:
            yield Step(SHARE + (1 - SHARE) * done / count, f"compared with {done} of {count} pictures of {data.name}")
    return found.numpy() if bool(found.isfinite().all()) else None


def _maps(
    asked: _Asked, layer: str, made: Mapping[int, Tensor], reached: Mapping[int, float],
    nearest: np.ndarray | None = None,
) -> Maps:  # fmt: skip
    count = asked.work.network.layer(layer).map_shape[0]
    pictures = asked.pixels.shown(torch.stack(list(made.values())))
    values, labels = np.full(count, np.nan, np.float32), [""] * count
    extras = {"values": values}
    if nearest is not None:
        extras["nearest"] = np.full(count, np.nan, np.float32)
        extras["nearest"][list(made)] = nearest
    for channel, one in reached.items():
        values[channel] = one
        near = f", nearest picture {extras['nearest'][channel]:.2g}" if nearest is not None else ""
        labels[channel] = f"{_name(asked.work, layer, channel, count)}reached {one:.3g}{near}"
    return picture_maps(layer, DGN_AM.name, dict(zip(made, pictures, strict=True)), count, labels, extras)


def _name(work: MethodContext, layer: str, channel: int, count: int) -> str:
    """A class's, where the layer's channels are classes."""
    is_last = work.network.layer(layer).map_shape[1:] == (1, 1) and len(work.names.names) == count
    return f"{work.names.names[channel]}: " if is_last else ""


DGN_AM = Method(
    "dgn_am", "DGN-AM", "The picture that makes each channel fire most, of those that a generator makes.", dgn_am,
    Parameters, needs="network",
)  # fmt: skip
