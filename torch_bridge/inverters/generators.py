"""Networks that make pictures of codes, as priors: a trained one of ours, or one that the bridge serves beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..capture.guard import evaluation_mode
from ..inputs.pixels import Pixels
from ..models.device import to_device
from ..recording.errors import ModelError
from ..subject import Subject
from .files import Inverter

SPREADS = {"vector": 3.0, "maps": 0.3, "normal": 2.0}
"""Deviations that numbers of a code may be off by, for codes that are a layer's vector (Nguyen et al.), its maps, where
all of them together soon make what no picture is like, or normal ones, where at 1 not every digit is there to be found.
"""
DRAWN = 16


@dataclass(frozen=True)
class Generator:
    """Codes (N, …) -> pictures (N, C, H, W), shares of full brightness, as the network takes them."""

    make: Callable[[Tensor], Tensor]
    low: Tensor
    """(…) the least of each number of a code, and the most."""
    high: Tensor
    origin: Tensor
    """(…) the code that says nothing: where it begins, and what it is drawn to."""


def of_inverter(inverter: Inverter, pixels: Pixels, device: torch.device, spread: float = 0.0) -> Generator:
    """A prior that `train --prior` made; its codes are maps of its layer. spread: in deviations, 0 for the usual."""
    assert inverter.codes is not None, "a prior's file holds its codes"
    net, (mean, deviation, origin) = inverter.net.to(device), (one.to(device) for one in inverter.codes)
    spread = spread or SPREADS["vector" if inverter.facts.plan.vector else "maps"]
    low = torch.where(origin.any(), mean - spread * deviation, 0.0)
    return Generator(lambda codes: pixels.to_brightness(net(codes)), low, mean + spread * deviation, origin)


def of_network(subject: Subject, pixels: Pixels, device: torch.device, spread: float = 0.0) -> Generator:
    """Somebody's network from normal codes to pictures. Raises ModelError where it makes none."""
    model, name = subject.built.module, subject.built.name
    drawn = (subject.adapter.arguments(subject.adapter.read([f"noise:{seed}"], 0))[0] for seed in range(DRAWN))
    codes = to_device(torch.cat(list(drawn)), device)
    modules = list(model.modules())
    with torch.no_grad(), evaluation_mode(model, modules):
        made = model(codes)
    if not isinstance(made, torch.Tensor) or made.dim() != 4 or made.shape[1] not in (1, pixels.shape[0]):
        wanted = " or ".join(map(str, sorted({1, pixels.shape[0]})))
        raise ModelError(f"{name} makes no pictures of {wanted} colours (N, C, H, W); it can't be a generator")
    signed = float(made.min()) < 0

    def make(codes: Tensor) -> Tensor:
        with evaluation_mode(model, modules):
            pictures = model(codes).float()
        pictures = (pictures + 1) / 2 if signed else pictures
        sides = pixels.shape[1:]
        if pictures.shape[2:] != sides:
            pictures = F.interpolate(pictures, sides, mode="bilinear", align_corners=False)
        return pictures.expand(-1, pixels.shape[0], -1, -1)

    ends = torch.full(codes.shape[1:], spread or SPREADS["normal"], device=device)
    return Generator(make, -ends, ends, torch.zeros_like(ends))
