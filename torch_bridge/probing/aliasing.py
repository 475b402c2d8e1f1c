"""What a stride folds: the part of a layer's answer that is too fine for the places that are left.

A stride of s keeps frequencies up to 1 / (2 s) cycles a pixel. What the filter gives above that comes back as something
else (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"; Zeiler and Fergus 2014, section 4.1).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..recording import Network

GRID = 64
"""Frequencies along each axis that a kernel's spectrum is taken at."""


class StridedConv(NamedTuple):
    """A convolution that leaves places out."""

    module: nn.Conv2d
    source: str
    """Id of the layer it reads; "" for the network's input."""


def find_strided_conv(model: nn.Module, network: Network, layer: str) -> StridedConv | None:
    """The convolution with a stride behind a layer's maps, which may be a batch norm's; None where there is none."""
    folded = {one.shows: one.id for one in network.layers if one.shows}
    id = folded.get(layer, layer)
    module = dict(model.named_modules()).get(id.partition("@")[0])
    if not isinstance(module, nn.Conv2d) or max(module.stride) == 1:
        return None
    sources = [edge.source for edge in network.edges if edge.target == id]
    if len(sources) != 1:
        return None
    return StridedConv(module, "" if network.layer(sources[0]).role == "input" else sources[0])


def aliased_kernel_share(weight: Tensor, stride: tuple[int, ...]) -> Tensor:
    """(out, in, h, w) kernels -> (out,) 0..1: the share of their energy at frequencies that the stride folds."""
    height, width = weight.shape[2:]
    taps = weight.detach().float().flatten(2)
    fine = _fine(GRID, GRID, stride, weight.device).float()
    near = torch.fft.ifft2(fine).real  # of two taps so far apart: how much of their product is at such frequencies
    y, x = (one.flatten() for one in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    between = near[y[:, None] - y, x[:, None] - x]
    return (taps @ between * taps).sum((1, 2)) / taps.square().sum((1, 2)).clamp(min=1e-30)


def aliased_energy(module: nn.Conv2d, values: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) what a convolution reads -> (out,) energies of its answer at every pixel: what is folded, and all.

    Means are left out, and edges faded, since they have all frequencies.
    """
    if not isinstance(module.padding, str) and module.padding_mode != "zeros":
        values = F.pad(values, module._reversed_padding_repeated_twice, module.padding_mode)
    padding = module.padding if module.padding_mode == "zeros" else 0
    answer = F.conv2d(values.to(module.weight.dtype), module.weight, None, 1, padding, module.dilation, module.groups)
    answer = answer.float()
    answer = answer - answer.mean((2, 3), keepdim=True)
    for axis in (2, 3):
        window = torch.hann_window(answer.shape[axis], periodic=False, device=answer.device)
        answer = answer * (window[:, None] if axis == 2 else window)
    power = torch.fft.fft2(answer).abs().square()
    fine = _fine(answer.shape[2], answer.shape[3], module.stride, power.device)
    return (power * fine).sum((0, 2, 3)).double(), power.sum((0, 2, 3)).double()


def _fine(height: int, width: int, stride: tuple[int, ...], device: torch.device) -> Tensor:
    """(height, width) which frequencies are above what a stride keeps, as a circle or ellipse."""
    down = torch.fft.fftfreq(height, device=device) * 2 * stride[0]
    across = torch.fft.fftfreq(width, device=device) * 2 * stride[-1]
    return (down[:, None] ** 2 + across**2) > 1


def checkerboard_energy(maps: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, h, w) -> (C,) energies: of a pattern that repeats every second place, one map long, and of all.

    A transposed convolution whose kernel its stride doesn't divide makes such patterns (Odena et al. 2016,
    "Deconvolution and Checkerboard Artifacts").
    """
    even = maps[..., : maps.shape[2] // 2 * 2, : maps.shape[3] // 2 * 2]
    even = even - even.mean((2, 3), keepdim=True)
    phases = even.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).mean((2, 4))
    return phases.square().mean((2, 3)).sum(0).double(), even.square().mean((2, 3)).sum(0).double()
