"""Train an inverter: the mean of what pictures a layer's maps may come from; the same steps for the same recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..probing.partial_forward import PartialForward
from ..recording.errors import ModelError
from .distances import spread
from .upconv_network import SLOPE, UpconvPlan, UpconvNet


@dataclass(frozen=True)
class Recipe:
    """All that a training depends on, besides network and data."""

    pictures: int = 6000
    epochs: int = 6
    batch: int = 32
    rate: float = 3e-3
    """Peak of the one-cycle learning rate."""
    width: int = 16
    held_out: float = 0.1
    """Share of the pictures that only measure."""
    like: float = 0.0
    """Weight of the maps' error at another layer, for priors."""
    seed: int = 0


MOST_KEPT = 512 << 20
"""Bytes of maps that are kept between epochs."""


class Pictures(NamedTuple):
    """(N, C, H, W) uint8, as the network saw them, and how they become its numbers."""

    bytes: Tensor
    mean: Tensor
    std: Tensor

    def values(self, chosen: Tensor | slice) -> Tensor:
        """(n, C, H, W) float32 in the network's own numbers."""
        return (self.bytes[chosen].to(self.mean.device).float() / 255 - self.mean) / self.std


@dataclass(frozen=True)
class Subject:
    """The network that is inverted."""

    model: nn.Module
    given: Callable[[Tensor], tuple[Any, ...]]
    """Pictures -> arguments."""
    layer: str
    like: str = ""
    """Another layer, at which a prior's pictures are to have the maps of the true ones."""

    def reach(self, picture: Tensor, layer: str) -> Callable[[Tensor], Tensor]:
        """Pictures -> the maps of a layer."""
        found = PartialForward(self.model, [layer], self.given(picture))
        return lambda pictures: found(self.given(pictures)).maps[layer].float()


class Codes(NamedTuple):
    """A layer's maps over many pictures, each value by itself."""

    mean: Tensor
    """(C, H, W)."""
    deviation: Tensor
    """(C, H, W)."""
    origin: Tensor
    """(C, H, W): maps that say nothing; 0 where none are below, as after a ReLU, else their mean."""


class Trained(NamedTuple):
    """What came of it."""

    net: UpconvNet
    error: float
    """Mean picture error on pictures it was not trained with; 1 is the distance of two of them."""
    codes: Codes
    """What the layer's maps are like."""


def fit(subject: Subject, data: Pictures, recipe: Recipe, step: Callable[[int, int], None]) -> Trained:
    """Train on all but the last pictures, and measure on these. `step` hears of each batch done, of how many.

    Raises ModelError where the layer can't be reached, or training comes to no numbers.
    """
    count = len(data.bytes) - max(2, round(recipe.held_out * len(data.bytes)))
    code = subject.reach(data.values(slice(0, 1)), subject.layer)
    with torch.no_grad():
        maps = code(data.values(slice(0, min(256, count))))
        net = _untrained(UpconvPlan(tuple(maps.shape[1:]), tuple(data.bytes.shape[1:]), recipe.width), recipe.seed)
        net.to(maps.device).fit_to(maps)
    like = subject.reach(data.values(slice(0, 1)), subject.like) if subject.like else None
    codes, seen = _Codes(code, count, maps), _Range()
    moving = torch.optim.Adam(net.parameters(), recipe.rate)
    total = recipe.epochs * -(-count // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(moving, recipe.rate, total)
    for done, chosen in enumerate(_batches(count, recipe), 1):
        pictures = data.values(chosen)
        maps, known = codes(chosen, pictures)
        if not known:
            seen.add(maps)
        _descend(net, moving, _loss(net, maps, pictures, like, recipe.like))
        schedule.step()
        step(done, total)
    return Trained(net.eval(), error(net, code, data, slice(count, None)), seen.codes())


def _untrained(plan: UpconvPlan, seed: int) -> UpconvNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = UpconvNet(plan)
        for one in net.modules():
            if isinstance(one, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                turned = isinstance(one, nn.ConvTranspose2d)  # its weights are (in, out), and a quarter of them meet
                nn.init.kaiming_normal_(one.weight, SLOPE, "fan_out" if turned else "fan_in")
                one.weight.data.mul_(2.0 if turned else 1.0)
                nn.init.zeros_(one.bias)
    return net


def _batches(count: int, recipe: Recipe) -> Iterator[Tensor]:
    random = torch.Generator().manual_seed(recipe.seed)
    for _ in range(recipe.epochs):
        yield from torch.randperm(count, generator=random).split(recipe.batch)


def _loss(
    net: UpconvNet, maps: Tensor, pictures: Tensor, like: Callable[[Tensor], Tensor] | None, weight: float
) -> Tensor:
    made = net(maps)
    loss = (made - pictures).square().mean()
    if like is not None:
        with torch.no_grad():
            wanted = like(pictures)
        loss = loss + weight * (like(made) - wanted).square().mean() / wanted.square().mean()
    if not loss.isfinite():
        raise ModelError("the training came to values that are no numbers; a smaller --rate may help")
    return loss


def _descend(net: UpconvNet, moving: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step; the inverted network's own gradients are left alone."""
    parameters = list(net.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    moving.step()


def error(net: UpconvNet, code: Callable[[Tensor], Tensor], data: Pictures, chosen: slice) -> float:
    """Mean picture error of these pictures: 1 is the mean squared distance of two of them."""
    with torch.no_grad():
        pictures = data.values(chosen)
        made = torch.cat([net(code(one)) for one in pictures.split(64)])
    return float((made - pictures).flatten(1).square().sum(1).mean()) / max(spread(pictures), 1e-12)


class _Codes:
    """Maps of pictures, run through the network once where all of them fit in memory."""

    def __init__(self, code: Callable[[Tensor], Tensor], count: int, like: Tensor) -> None:
        fits = count * like[0].numel() * 2 <= MOST_KEPT
        self._code, self._seen = code, torch.zeros(count, dtype=torch.bool)
        self._kept = torch.zeros((count, *like.shape[1:]), dtype=torch.float16) if fits else None

    def __call__(self, chosen: Tensor, pictures: Tensor) -> tuple[Tensor, bool]:
        """(n, C, H, W) of the pictures with these numbers; whether they were looked at before."""
        known = bool(self._seen[chosen].all())
        self._seen[chosen] = True
        if known and self._kept is not None:
            return self._kept[chosen].to(pictures.device).float(), known
        with torch.no_grad():
            maps = self._code(pictures)
        if self._kept is not None:
            self._kept[chosen] = maps.half().cpu()
        return maps, known


class _Range:
    """Mean, deviation and least of every value of a layer's maps."""

    def __init__(self) -> None:
        self.count, self.least = 0, float("inf")
        self.sums = self.squares = torch.zeros((), dtype=torch.float64)

    def add(self, maps: Tensor) -> None:
        maps = maps.cpu().double()
        self.count, self.sums = self.count + len(maps), self.sums + maps.sum(0)
        self.squares, self.least = self.squares + maps.square().sum(0), min(self.least, float(maps.min()))

    def codes(self) -> Codes:
        mean = self.sums / self.count
        deviation = (self.squares / self.count - mean.square()).clamp_min(0).sqrt()
        origin = torch.zeros_like(mean) if self.least >= 0 else mean
        return Codes(mean.float(), deviation.float(), origin.float())
