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

MIXTURE_SPREAD, NORMAL_SPREAD = 4.0, 2.0
"""How far each number of a code may be from 0: of a mixture's logits, and of normal noise.

4: one of 60 real maps can have nearly the whole weight. Normal noise: with 1, some MNIST digits are out of reach.
"""
MIXTURE_STEP = 0.004
"""A search's first step; larger ones leave the best of the real maps before they improve it."""
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
    """(*code) float32: the neutral code, to which codes decay, and where the search starts if there are no starts."""
    starts: Tensor | None = None
    """(K, *code) float32: codes among which the search starts at the best one."""
    step: float = 0.3
    """Size of a search's first step that suits the codes, as a share of their range."""
    decay: float = 0.99
    """Factor that draws codes to the origin after each step; 1 for none."""


def generator_from_prior(
    inverter: Inverter, pixels: Pixels, device: torch.device, spread: float = 0.0
) -> PictureGenerator:
    """Returns the generator of a trained prior, whose codes (K,) say how much each of its K real maps counts.

    The prior draws the mean of the maps with weights softmax(code): no search can leave the maps that it has learned to
    draw, where it would find noise that fires the channel. The search starts at one of the maps.
    spread: the largest absolute value in a code; 0 for the default.
    """
    assert inverter.codes is not None, "a prior's file holds codes"
    net, real = inverter.net.to(device), inverter.codes.to(device)

    def decode(codes: Tensor) -> Tensor:
        return pixels.to_brightness(net(torch.einsum("nk,kchw->nchw", codes.softmax(1), real)))

    limit = torch.full((len(real),), spread or MIXTURE_SPREAD, device=device)
    single_maps = 2 * torch.diag(limit) - limit
    return PictureGenerator(decode, -limit, limit, torch.zeros_like(limit), single_maps, MIXTURE_STEP, decay=1.0)


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

    limit = torch.full(samples.shape[1:], spread or NORMAL_SPREAD, device=device)
    return PictureGenerator(decode, -limit, limit, torch.zeros_like(limit))
