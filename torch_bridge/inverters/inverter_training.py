"""Training of an inverter by regression: argmin_f |f(A(x)) - x|^2, so f(A) approaches E[x | A].

It may add a feature loss, |B(f(A)) - B(x)|^2 / |B(x)|^2 with the maps B of another layer (Dosovitskiy and Brox 2016,
"Generating Images with Perceptual Similarity Metrics based on Deep Networks"). Training is seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..probing.partial_forward import PartialForward
from ..recording.errors import ModelError
from .distances import mean_pair_distance
from .upconv_network import UpconvNet, UpconvPlan

MAX_CACHED_BYTES = 512 << 20
"""Limit on the maps that are kept in memory between epochs."""
PILOT_PICTURES = 256
"""Number of pictures whose maps set the network's input normalisation."""
CODES = 60
"""Number of pictures whose maps are kept as codes."""
MAX_BATCH_WHEN_MEASURING = 64


@dataclass(frozen=True)
class InverterTraining:
    """Settings of a training run, besides the network and the data."""

    pictures: int = 6000
    epochs: int = 6
    batch: int = 32
    rate: float = 3e-3
    """Peak of the one-cycle learning rate."""
    width: int = 16
    """Channels of the inverter's last maps."""
    held_out: float = 0.1
    """Share of the pictures that are only used to measure the error."""
    feature_weight: float = 0.0
    """Weight of the feature loss; 0 for none."""
    seed: int = 0


class InverterPictures(NamedTuple):
    """Pictures as the network takes them, stored in 256 levels."""

    pixels: Tensor
    """(N, C, H, W) uint8 brightness."""
    mean: Tensor
    """(1, C, 1, 1) float32 mean that the preprocessing subtracts from brightness 0..1."""
    std: Tensor
    """(1, C, 1, 1) float32 standard deviation that it divides by."""

    def normalised(self, indices: Tensor | slice) -> Tensor:
        """Returns some pictures as the network's input, (n, C, H, W) float32."""
        return (self.pixels[indices].to(self.mean.device).float() / 255 - self.mean) / self.std


MapsFunction = Callable[[Tensor], Tensor]
"""Computes a layer's maps (n, C, H, W) float32 from pictures (n, C, H, W) float32, normalised."""


@dataclass(frozen=True)
class InvertedLayer:
    """The layer to invert, and its network."""

    model: nn.Module
    arguments_with: Callable[[Tensor], tuple[Any, ...]]
    """Turns pictures (n, C, H, W) float32, normalised, into the network's arguments."""
    layer: str
    feature_layer: str = ""
    """Layer of the feature loss, if there is one."""

    def maps_function(self, picture: Tensor, layer: str) -> MapsFunction:
        """Returns a function that computes a layer's maps; `picture` (1, C, H, W) float32 is run once to trace it."""
        forward = PartialForward(self.model, [layer], self.arguments_with(picture))
        return lambda pictures: forward(self.arguments_with(pictures)).maps[layer].float()


class TrainedInverter(NamedTuple):
    """The result of a training run."""

    net: UpconvNet
    error: float
    """Picture error on held-out pictures; 1 is the mean squared distance of two pictures."""
    codes: Tensor
    """(K, C, H, W) float32: the layer's maps of the first training pictures."""


class _FeatureLoss(NamedTuple):
    compute_maps: MapsFunction
    weight: float

    def __call__(self, prediction: Tensor, pictures: Tensor) -> Tensor:
        """Returns the weighted loss, a scalar, for (n, C, H, W) predictions of normalised pictures."""
        with torch.no_grad():
            target = self.compute_maps(pictures)
        return self.weight * (self.compute_maps(prediction) - target).square().mean() / target.square().mean()


def train_inverter(
    layer: InvertedLayer, data: InverterPictures, settings: InverterTraining, on_batch: Callable[[int, int], None]
) -> TrainedInverter:
    """Trains on all but the last pictures, which measure the error. Calls `on_batch(done, total)` after each batch.

    Raises ModelError if the layer can't be reached, or the loss becomes NaN or infinite.
    """
    count = len(data.pixels) - max(2, round(settings.held_out * len(data.pixels)))
    first = data.normalised(slice(0, 1))
    compute_maps = layer.maps_function(first, layer.layer)
    with torch.no_grad():
        pilot = compute_maps(data.normalised(slice(0, min(PILOT_PICTURES, count))))
        plan = UpconvPlan(tuple(pilot.shape[1:]), tuple(data.pixels.shape[1:]), settings.width)
        net = UpconvNet(plan)
        net.initialise(torch.Generator().manual_seed(settings.seed))
        net.to(pilot.device).set_normalisation(pilot)
    feature_loss = None
    if layer.feature_layer:
        feature_loss = _FeatureLoss(layer.maps_function(first, layer.feature_layer), settings.feature_weight)
    cache = _MapsCache(compute_maps, count, tuple(pilot.shape[1:]))
    optimiser = torch.optim.Adam(net.parameters(), settings.rate)
    total = settings.epochs * -(-count // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total)
    for done, indices in enumerate(_batches(count, settings), 1):
        pictures = data.normalised(indices)
        maps = cache.maps(indices, pictures)
        _step(net, optimiser, _loss(net, maps, pictures, feature_loss))
        schedule.step()
        on_batch(done, total)
    error = _picture_error(net, compute_maps, data.normalised(slice(count, None)))
    return TrainedInverter(net.eval(), error, pilot[:CODES].cpu())


def _batches(count: int, settings: InverterTraining) -> Iterator[Tensor]:
    """Yields the picture indices (n,) int64 of each batch of all epochs."""
    random = torch.Generator().manual_seed(settings.seed)
    for _ in range(settings.epochs):
        yield from torch.randperm(count, generator=random).split(settings.batch)


def _loss(net: UpconvNet, maps: Tensor, pictures: Tensor, feature_loss: _FeatureLoss | None) -> Tensor:
    prediction = net(maps)
    loss = (prediction - pictures).square().mean()
    if feature_loss is not None:
        loss = loss + feature_loss(prediction, pictures)
    if not loss.isfinite():
        raise ModelError("the loss became NaN or infinite; try a smaller --rate")
    return loss


def _step(net: UpconvNet, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Makes one step; unlike `backward`, it doesn't accumulate gradients in the inverted network."""
    parameters = list(net.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimiser.step()


def _picture_error(net: UpconvNet, compute_maps: MapsFunction, pictures: Tensor) -> float:
    """Returns the mean picture error of (n, C, H, W) pictures; 1 is the mean squared distance of two of them."""
    with torch.no_grad():
        predictions = torch.cat([net(compute_maps(batch)) for batch in pictures.split(MAX_BATCH_WHEN_MEASURING)])
    squared = float((predictions - pictures).flatten(1).square().sum(1).mean())
    return squared / max(mean_pair_distance(pictures), 1e-12)


class _MapsCache:
    """The layer's maps of all pictures, computed once in float16 if all fit in memory, else at each use."""

    def __init__(self, compute_maps: MapsFunction, count: int, shape: tuple[int, ...]) -> None:
        self._compute_maps, self._seen = compute_maps, torch.zeros(count, dtype=torch.bool)
        fits = count * torch.Size(shape).numel() * 2 <= MAX_CACHED_BYTES
        self._cached = torch.zeros((count, *shape), dtype=torch.float16) if fits else None

    def maps(self, indices: Tensor, pictures: Tensor) -> Tensor:
        """Returns the maps (n, C, H, W) float32 of the pictures with these indices."""
        if self._cached is not None and bool(self._seen[indices].all()):
            return self._cached[indices].to(pictures.device).float()
        with torch.no_grad():
            maps = self._compute_maps(pictures)
        if self._cached is not None:
            self._cached[indices], self._seen[indices] = maps.half().cpu(), True
        return maps
