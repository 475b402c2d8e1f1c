"""Generator networks, which turn codes into pictures: a trained prior, or another network that the bridge serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..capture.guard import evaluation_mode
from ..capture.layer_paths import layer_paths
from ..inputs.pixels import Pixels
from ..models.device import to_device
from ..recording.errors import ModelError
from ..subject import Subject
from .inverter_files import Inverter

DEFAULT_SPREADS = {"vector": 3.0, "maps": 0.3, "normal": 2.0}
"""How many standard deviations a value of a code may be from its mean, by kind of code.

A layer's vector: 3 as in Nguyen et al. A layer's maps: less, because all values far off together give unnatural
pictures. Normal noise: with 1, some MNIST digits are out of reach.
"""
SAMPLE_COUNT = 16
"""Number of noise codes that are run once to learn the range and shape of a network's pictures."""


@dataclass(frozen=True)
class PictureGenerator:
    """A function from codes to pictures, and the range of codes to search."""

    decode: Callable[[Tensor], Tensor]
    """Turns codes (N, *code) float32 into pictures (N, C, H, W) float32 brightness, of the network's input size."""
    low: Tensor
    """(*code) float32: the smallest allowed value of each number of a code."""
    high: Tensor
    """(*code) float32: the largest allowed value of each number of a code."""
    origin: Tensor
    """(*code) float32: the neutral code, where the search starts and to which codes decay."""


def generator_from_prior(
    inverter: Inverter, pixels: Pixels, device: torch.device, spread: float = 0.0
) -> PictureGenerator:
    """Returns the generator of a trained prior, whose codes are maps (C, H, W) of its layer.

    spread: how far values may be from their mean, in standard deviations; 0 for the default.
    """
    assert inverter.statistics is not None, "a prior's file holds the statistics of its layer's maps"
    net, (mean, deviation, origin) = inverter.net.to(device), (values.to(device) for values in inverter.statistics)
    spread = spread or DEFAULT_SPREADS["vector" if inverter.metadata.plan.is_vector else "maps"]
    low = torch.where(origin.any(), mean - spread * deviation, 0.0)
    return PictureGenerator(lambda codes: pixels.to_brightness(net(codes)), low, mean + spread * deviation, origin)


def generator_from_network(
    subject: Subject, pixels: Pixels, device: torch.device, spread: float = 0.0
) -> PictureGenerator:
    """Returns the generator of a network from normal noise to pictures, whose output is 0..1 or -1..1.

    spread: the largest absolute value in a code; 0 for the default. Raises ModelError if the output isn't pictures.
    """
    model, name = subject.built.module, subject.built.name
    noise = (subject.adapter.arguments(subject.adapter.read([f"noise:{seed}"], 0))[0] for seed in range(SAMPLE_COUNT))
    samples = to_device(torch.cat(list(noise)), device)
    modules = list(layer_paths(model))
    with torch.no_grad(), evaluation_mode(modules):
        output = model(samples)
    if not isinstance(output, torch.Tensor) or output.dim() != 4 or output.shape[1] not in (1, pixels.shape[0]):
        colours = " or ".join(map(str, sorted({1, pixels.shape[0]})))
        raise ModelError(f"{name} can't be a generator: its output isn't pictures (N, C, H, W) of {colours} colours")
    is_signed = float(output.min()) < 0

    def decode(codes: Tensor) -> Tensor:
        with evaluation_mode(modules):
            pictures = model(codes).float()
        pictures = (pictures + 1) / 2 if is_signed else pictures
        size = pixels.shape[1:]
        if pictures.shape[2:] != size:
            pictures = F.interpolate(pictures, size, mode="bilinear", align_corners=False)
        return pictures.expand(-1, pixels.shape[0], -1, -1)

    limit = torch.full(samples.shape[1:], spread or DEFAULT_SPREADS["normal"], device=device)
    return PictureGenerator(decode, -limit, limit, torch.zeros_like(limit))
